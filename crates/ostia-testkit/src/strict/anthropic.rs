//! Anthropic, Messages: <https://platform.claude.com/docs/en/api/messages>.

use std::collections::HashSet;

use serde_json::Value;

use super::Asked;
use super::rule::{
    Ban, Bound, Checked, Word, bans, begins, bounds, each, fields, is_blank, join, one_of, refuse, require,
    unique,
};
use super::schema::Takes;

const FIELDS: &[&str] = &[
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
/// Fields that are there with a beta only: <https://platform.claude.com/docs/en/api/beta-headers>.
const BETAS: &[(&str, &str)] = &[
    ("context_management", "context-management-2025-06-27"),
    ("mcp_servers", "mcp-client-"),
    ("speed", "fast-mode-"),
];
const BOUNDS: &[(&str, Bound)] = &[
    ("/max_tokens", Bound::Number(1.0, 128_000.0)),
    ("/temperature", Bound::Number(0.0, 1.0)),
    ("/top_p", Bound::Number(0.0, 1.0)),
    ("/metadata/user_id", Bound::Chars(256)),
    ("/output_config/effort", Bound::OneOf(&["low", "medium", "high", "xhigh", "max"])),
    ("/service_tier", Bound::OneOf(&["auto", "standard_only"])),
    ("/thinking/type", Bound::OneOf(&["enabled", "disabled", "adaptive"])),
    ("/thinking/budget_tokens", Bound::Number(1024.0, f64::MAX)),
];
/// <https://platform.claude.com/docs/en/about-claude/models/migration-guide>
const ADAPTIVE_ONLY: &[&str] =
    &["claude-opus-4-7", "claude-opus-4-8", "claude-fable", "claude-mythos", "claude-sonnet-5"];
const BUDGET_ONLY: &[&str] =
    &["claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5", "claude-opus-4-1", "claude-3-7"];
/// <https://platform.claude.com/docs/en/build-with-claude/effort>
const NO_EFFORTS: &[&str] = &["claude-sonnet-4-5", "claude-haiku-4-5", "claude-3"];
/// They take `role: system` behind a turn of the user, at the end or in front of the model's turn
/// (<https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages>).
const SYSTEM_TURNS: &[&str] = &["claude-opus-4-8", "claude-fable", "claude-mythos", "claude-sonnet-5"];
const BANS: &[Ban] = &[
    Ban { models: ADAPTIVE_ONLY, pointer: "/temperature", unless: &["1", "1.0"] },
    Ban { models: ADAPTIVE_ONLY, pointer: "/top_p", unless: &[] },
    Ban { models: ADAPTIVE_ONLY, pointer: "/top_k", unless: &[] },
    Ban { models: ADAPTIVE_ONLY, pointer: "/thinking/type", unless: &["adaptive", "disabled"] },
    Ban { models: BUDGET_ONLY, pointer: "/thinking/type", unless: &["enabled", "disabled"] },
    Ban { models: NO_EFFORTS, pointer: "/output_config/effort", unless: &[] },
    Ban {
        models: &["claude-opus-4-6", "claude-sonnet-4-6"],
        pointer: "/output_config/effort",
        unless: &["low", "medium", "high", "max"],
    },
    Ban {
        models: &["claude-3-5", "claude-3-h", "claude-3-o"],
        pointer: "/thinking/type",
        unless: &["disabled"],
    },
];
const ID: Word = Word { chars_max: 64, signs: "_-", begins_with_letter: false };
const NAME: Word = Word { chars_max: 128, signs: "_-", begins_with_letter: false };
const SCHEMA: Takes = Takes {
    not_at_top: &["oneOf", "anyOf", "allOf"],
    keywords: None,
    names: Some(Word { chars_max: 64, signs: "_.-", begins_with_letter: false }),
    items: false,
    required: false,
};
const CACHE_BREAKPOINTS_MAX: usize = 4;

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let body = asked.body;
    fields(body, FIELDS, "")?;
    for (field, beta) in BETAS {
        require(
            body[*field].is_null() || asked.betas.contains(beta),
            field,
            "Extra inputs are not permitted",
        )?;
    }
    require(!body["max_tokens"].is_null(), "max_tokens", "Field required")?;
    bounds(body, BOUNDS)?;
    bans(asked.model, body, BANS)?;
    fields(body.get("metadata").unwrap_or(&Value::Object(Default::default())), &["user_id"], "metadata")?;
    let both = !body["temperature"].is_null() && !body["top_p"].is_null();
    require(!both, "top_p", "`temperature` and `top_p` cannot both be specified for this model")?;
    thinking(asked)?;
    let breakpoints = body.to_string().matches(r#""cache_control":{"#).count();
    require(
        breakpoints <= CACHE_BREAKPOINTS_MAX,
        "cache_control",
        "a maximum of 4 blocks with cache_control may be provided",
    )?;
    each(&body["stop_sequences"], "stop_sequences").try_for_each(|(path, stop)| {
        require(!is_blank(stop), &path, "each stop sequence must contain non-whitespace")
    })?;
    each(&body["system"], "system").try_for_each(|(path, block)| text(block, &path))?;
    tools(body)?;
    turns(asked)?;
    calls_have_results(&body["messages"])
}

/// <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>
fn thinking(asked: &Asked<'_>) -> Checked {
    let body = asked.body;
    if !["enabled", "adaptive"].contains(&body["thinking"]["type"].as_str().unwrap_or_default()) {
        return Ok(());
    }
    let budget = body["thinking"]["budget_tokens"].as_u64();
    let below = budget.is_none_or(|budget| body["max_tokens"].as_u64().is_some_and(|most| budget < most));
    require(below, "max_tokens", "must be greater than `thinking.budget_tokens`")?;
    let warm = body["temperature"].as_f64().is_none_or(|temperature| temperature >= 1.0);
    require(warm, "temperature", "may only be set to 1 when thinking is enabled")?;
    let forced = ["any", "tool"].contains(&body["tool_choice"]["type"].as_str().unwrap_or_default());
    require(!forced, "tool_choice", "thinking may not be enabled when tool_choice forces tool use")
}

fn tools(body: &Value) -> Checked {
    let mut names = HashSet::new();
    for (path, tool) in each(&body["tools"], "tools") {
        unique(&mut names, &tool["name"], &join(&path, "name"))?;
        let kind = tool["type"].as_str().unwrap_or("custom");
        if kind == "custom" {
            NAME.check(&tool["name"], &join(&path, "name"))?;
            SCHEMA.check(&tool["input_schema"], &join(&path, "input_schema"))?;
            let known = [
                "type",
                "name",
                "description",
                "input_schema",
                "cache_control",
                "strict",
                "defer_loading",
                "eager_input_streaming",
                "allowed_callers",
                "input_examples",
            ];
            fields(tool, &known, &path)?;
        } else {
            // Tools of the vendor's own carry the date of their version.
            let dated = kind.rsplit('_').next().is_some_and(|date| date.len() == 8);
            require(dated, &join(&path, "type"), "does not match any of the expected tags")?;
        }
    }
    let choice = &body["tool_choice"];
    require(
        choice.is_null() || !names.is_empty(),
        "tool_choice",
        "may only be specified while providing tools",
    )?;
    let known = choice["name"].as_str().is_none_or(|name| names.contains(name));
    require(known, "tool_choice.name", "tool not found in provided tools")
}

fn turns(asked: &Asked<'_>) -> Checked {
    let messages = &asked.body["messages"];
    let last = messages.as_array().map_or(0, Vec::len).checked_sub(1);
    require(last.is_some(), "messages", "at least one message is required")?;
    require(messages[0]["role"] == "user", "messages[0].role", "first message must use the user role")?;
    let mut before = "";
    for (at, (path, message)) in each(messages, "messages").enumerate() {
        fields(message, &["role", "content"], &path)?;
        let role = message["role"].as_str().unwrap_or_default();
        match role {
            "user" | "assistant" => {}
            "system" => {
                let next = messages[at + 1]["role"].as_str().unwrap_or("assistant");
                let in_place = before == "user" && next == "assistant";
                let taken = in_place && begins(asked.model, SYSTEM_TURNS);
                require(
                    taken,
                    &join(&path, "role"),
                    "role 'system' is not supported on this model, or here",
                )?;
            }
            _ => return refuse(join(&path, "role"), "Input should be 'user' or 'assistant'"),
        }
        before = role;
        let path = join(&path, "content");
        let content = &message["content"];
        let empty = content.as_array().is_some_and(Vec::is_empty) || content.as_str() == Some("");
        let may_be_empty = role == "assistant" && Some(at) == last;
        require(!empty || may_be_empty, &path, "all messages must have non-empty content")?;
        require(
            !content.is_string() || !is_blank(content),
            &path,
            "text content blocks must contain non-whitespace text",
        )?;
        blocks(asked, role, content, &path)?;
    }
    require(before != "assistant", "messages", "the conversation must end with a user message")
}

fn blocks(asked: &Asked<'_>, role: &str, content: &Value, path: &str) -> Checked {
    let mut results_may_follow = true;
    for (path, block) in each(content, path) {
        let kind = block["type"].as_str().unwrap_or_default();
        let kinds: &[&str] = match role {
            "assistant" => &["text", "thinking", "redacted_thinking", "tool_use"],
            "user" => &["text", "image", "document", "tool_result", "tool_reference"],
            _ => &["text"],
        };
        one_of(&block["type"], kinds, &join(&path, "type"))?;
        match kind {
            "text" => text(block, &path)?,
            "thinking" => {
                let own = block["signature"].as_str() == Some(asked.proof);
                require(own, &join(&path, "signature"), "Invalid `signature` in `thinking` block")?;
            }
            "tool_use" => {
                ID.check(&block["id"], &join(&path, "id"))?;
                NAME.check(&block["name"], &join(&path, "name"))?;
                require(
                    block["input"].is_object(),
                    &join(&path, "input"),
                    "Input should be a valid dictionary",
                )?;
            }
            "tool_result" => {
                require(results_may_follow, &path, "tool_result blocks must come before other content")?;
                each(&block["content"], &join(&path, "content")).try_for_each(|(path, part)| {
                    if part["type"] == "text" { text(part, &path) } else { image(part, &path) }
                })?;
            }
            "image" => image(block, &path)?,
            _ => {}
        }
        results_may_follow &= kind == "tool_result";
    }
    Ok(())
}

/// <https://platform.claude.com/docs/en/build-with-claude/vision>
fn image(block: &Value, path: &str) -> Checked {
    one_of(&block["type"], &["image", "document", "tool_reference", "search_result"], &join(path, "type"))?;
    let source = &block["source"];
    if block["type"] != "image" || source["type"] == "url" {
        return Ok(());
    }
    let path = join(path, "source");
    one_of(
        &source["media_type"],
        &["image/jpeg", "image/png", "image/gif", "image/webp"],
        &join(&path, "media_type"),
    )?;
    require(!is_blank(&source["data"]), &join(&path, "data"), "image cannot be empty")
}

fn text(block: &Value, path: &str) -> Checked {
    require(!is_blank(&block["text"]), &join(path, "text"), "text content blocks must be non-empty")
}

/// The results of all calls of a turn stand in the next one, and nowhere else.
fn calls_have_results(messages: &Value) -> Checked {
    let mut ids = HashSet::new();
    let mut open: HashSet<String> = HashSet::new();
    for (path, message) in each(messages, "messages").filter(|(_, message)| message["role"] != "system") {
        let path = join(&path, "content");
        for (path, block) in
            each(&message["content"], &path).filter(|(_, block)| block["type"] == "tool_result")
        {
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            require(open.remove(id), &path, "unexpected `tool_use_id` found in `tool_result` blocks")?;
        }
        require(
            open.is_empty(),
            &path,
            "`tool_use` ids were found without `tool_result` blocks immediately after",
        )?;
        for (path, block) in each(&message["content"], &path).filter(|(_, block)| block["type"] == "tool_use")
        {
            unique(&mut ids, &block["id"], &join(&path, "id"))?;
            open.insert(block["id"].as_str().unwrap_or_default().to_owned());
        }
    }
    require(
        open.is_empty(),
        "messages",
        "`tool_use` ids were found without `tool_result` blocks immediately after",
    )
}
