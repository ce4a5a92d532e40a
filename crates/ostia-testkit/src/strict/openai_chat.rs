//! OpenAI, Chat Completions: <https://platform.openai.com/docs/api-reference/chat/create>.

use std::collections::HashSet;

use serde_json::Value;

use super::Asked;
use super::rule::{
    Ban, Bound, Checked, Word, bans, begins, bounds, each, fields, is_blank, join, one_of, refuse, require,
    unique,
};
use super::schema::{Takes, check_strict};

const FIELDS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];
const MESSAGE: &[&str] =
    &["audio", "content", "function_call", "name", "refusal", "role", "tool_call_id", "tool_calls"];
const BOUNDS: &[(&str, Bound)] = &[
    ("/stop", Bound::Items(4)),
    ("/tools", Bound::Items(128)),
    ("/metadata", Bound::Items(16)),
    ("/user", Bound::Chars(64)),
    ("/safety_identifier", Bound::Chars(64)),
    ("/prompt_cache_key", Bound::Chars(64)),
    ("/temperature", Bound::Number(0.0, 2.0)),
    ("/top_p", Bound::Number(0.0, 1.0)),
    ("/max_completion_tokens", Bound::Number(1.0, f64::MAX)),
    ("/verbosity", Bound::OneOf(&["low", "medium", "high"])),
    ("/reasoning_effort", Bound::OneOf(&["none", "minimal", "low", "medium", "high", "xhigh", "max"])),
];
/// Models that think: <https://platform.openai.com/docs/guides/reasoning>.
pub(super) const THINKERS: &[&str] = &["gpt-5", "gpt-6", "o1", "o3", "o4"];
const BANS: &[Ban] = &[
    Ban { models: THINKERS, pointer: "/max_tokens", unless: &[] },
    Ban { models: THINKERS, pointer: "/temperature", unless: &["1", "1.0"] },
    Ban { models: THINKERS, pointer: "/top_p", unless: &["1", "1.0"] },
    Ban { models: THINKERS, pointer: "/presence_penalty", unless: &["0", "0.0"] },
    Ban { models: THINKERS, pointer: "/frequency_penalty", unless: &["0", "0.0"] },
    Ban { models: THINKERS, pointer: "/stop", unless: &[] },
    Ban { models: THINKERS, pointer: "/logprobs", unless: &["false"] },
    Ban { models: &["gpt-4", "gpt-3"], pointer: "/reasoning_effort", unless: &[] },
    Ban { models: &["gpt-"], pointer: "/web_search_options", unless: &[] },
];
/// They take functions only while they do not think (openai/openai-openapi#541); the second list thinks unless it is told
/// not to (BerriAI/litellm#34569).
const NO_FUNCTIONS_WHILE_THINKING: &[&str] = &["gpt-5.4", "gpt-5.5", "gpt-5.6", "gpt-6"];
const THINKS_UNASKED: &[&str] = &["gpt-5.5", "gpt-5.6", "gpt-6"];
/// They take `temperature`, `top_p` and `logprobs` while they do not think
/// (<https://platform.openai.com/docs/guides/latest-model>).
const THOUGHTLESS: &[&str] = &["gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.5", "gpt-5.6", "gpt-6"];
pub(super) const NAME: Word = Word { chars_max: 64, signs: "_-", begins_with_letter: false };
/// 40 characters (agno-agi/agno#5382, anomalyco/opencode#12653: "Expected a string with maximum length 40").
const ID_CHARS_MAX: usize = 40;
pub(super) const SCHEMA: Takes = Takes {
    not_at_top: &["oneOf", "anyOf", "allOf", "enum", "not"],
    keywords: None,
    names: None,
    items: true,
    required: false,
};

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let body = asked.body;
    fields(body, FIELDS, "")?;
    bounds(body, BOUNDS)?;
    let fixed = !(begins(asked.model, THOUGHTLESS) && body["reasoning_effort"] == "none");
    let fixed = |ban: &&Ban| fixed || !["/temperature", "/top_p", "/logprobs"].contains(&ban.pointer);
    bans(asked.model, body, BANS.iter().filter(fixed))?;
    stream_options(body)?;
    let both = !body["max_tokens"].is_null() && !body["max_completion_tokens"].is_null();
    require(
        !both,
        "max_tokens",
        "setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported",
    )?;
    tools(body)?;
    functions_while_thinking(asked)?;
    let messages = &body["messages"];
    require(messages.as_array().is_some_and(|all| !all.is_empty()), "messages", "array too short")?;
    for (path, message) in each(messages, "messages") {
        fields(message, MESSAGE, &path)?;
        self::message(message, &path)?;
    }
    calls_have_results(messages, ID_CHARS_MAX)
}

pub(super) fn stream_options(body: &Value) -> Checked {
    let asked = body["stream"] == true || body["stream_options"].is_null();
    require(asked, "stream_options", "only allowed when 'stream' is enabled")
}

fn functions_while_thinking(asked: &Asked<'_>) -> Checked {
    let effort = asked.body["reasoning_effort"].as_str();
    let thinks = effort.map_or(begins(asked.model, THINKS_UNASKED), |effort| effort != "none");
    let refused =
        begins(asked.model, NO_FUNCTIONS_WHILE_THINKING) && thinks && !asked.body["tools"].is_null();
    require(
        !refused,
        "reasoning_effort",
        "function tools with reasoning_effort are not supported, use /v1/responses",
    )
}

fn tools(body: &Value) -> Checked {
    let mut names = HashSet::new();
    for (path, tool) in each(&body["tools"], "tools") {
        one_of(&tool["type"], &["function", "custom"], &join(&path, "type"))?;
        let kind = tool["type"].as_str().unwrap_or_default();
        fields(tool, &["type", kind], &path)?;
        let (inner, path) = (&tool[kind], join(&path, kind));
        NAME.check(&inner["name"], &join(&path, "name"))?;
        unique(&mut names, &inner["name"], &join(&path, "name"))?;
        if kind == "function" {
            fields(inner, &["name", "description", "parameters", "strict"], &path)?;
            function(inner, &path)?;
        } else {
            fields(inner, &["name", "description", "format"], &path)?;
        }
    }
    for field in ["tool_choice", "parallel_tool_calls"] {
        let alone = body["tools"].is_null() && !body[field].is_null();
        require(!alone, field, "only allowed when 'tools' are specified")?;
    }
    let choice = &body["tool_choice"]["function"]["name"];
    let known = choice.as_str().is_none_or(|name| names.contains(name));
    require(known, "tool_choice", "tool choice not found in 'tools' parameter")
}

/// The schema of a function, as OpenAI has it in both of its formats.
pub(super) fn function(function: &Value, path: &str) -> Checked {
    let path = join(path, "parameters");
    let Some(schema) = function.get("parameters").filter(|schema| !schema.is_null()) else { return Ok(()) };
    SCHEMA.check(schema, &path)?;
    if function["strict"] == true { check_strict(schema, &path) } else { Ok(()) }
}

fn message(message: &Value, path: &str) -> Checked {
    let content = &message["content"];
    let path_of_content = join(path, "content");
    match message["role"].as_str().unwrap_or_default() {
        "system" | "developer" | "tool" => parts(content, &["text"], &path_of_content),
        "user" => parts(content, &["text", "image_url", "input_audio", "file"], &path_of_content),
        "assistant" => {
            let calls = &message["tool_calls"];
            let none = calls.as_array().is_some_and(Vec::is_empty);
            require(!none, &join(path, "tool_calls"), "array too short")?;
            require(!content.is_null() || !calls.is_null(), &path_of_content, "expected a string, got null")?;
            if !content.is_null() {
                parts(content, &["text", "refusal"], &path_of_content)?;
            }
            each(calls, &join(path, "tool_calls")).try_for_each(|(path, call)| self::call(call, &path))
        }
        _ => refuse(join(path, "role"), "unsupported value"),
    }
}

fn parts(content: &Value, kinds: &[&str], path: &str) -> Checked {
    if content.is_string() {
        return Ok(());
    }
    require(
        content.as_array().is_some_and(|parts| !parts.is_empty()),
        path,
        "expected a string or an array",
    )?;
    each(content, path).try_for_each(|(path, part)| one_of(&part["type"], kinds, &join(&path, "type")))
}

fn call(call: &Value, path: &str) -> Checked {
    let kind = call["type"].as_str().unwrap_or_default();
    one_of(&call["type"], &["function", "custom"], &join(path, "type"))?;
    fields(call, &["id", "type", kind], path)?;
    let inner = &call[kind];
    NAME.check(&inner["name"], &join(path, &format!("{kind}.name")))?;
    let input = if kind == "custom" { "input" } else { "arguments" };
    require(inner[input].is_string(), &join(path, &format!("{kind}.{input}")), "expected a string")
}

/// Behind a message with calls stand the messages of all its results, and results stand nowhere else.
pub(super) fn calls_have_results(messages: &Value, id_chars_max: usize) -> Checked {
    let mut open: HashSet<String> = HashSet::new();
    for (path, message) in each(messages, "messages") {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            require(
                open.remove(id),
                &path,
                "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'",
            )?;
            continue;
        }
        require(
            open.is_empty(),
            &path,
            "an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'",
        )?;
        for (path, call) in each(&message["tool_calls"], &join(&path, "tool_calls")) {
            let path = join(&path, "id");
            let length = call["id"].as_str().map_or(0, |id| id.chars().count());
            require(!is_blank(&call["id"]) && length <= id_chars_max, &path, "string too long, or none")?;
            unique(&mut open, &call["id"], &path)?;
        }
    }
    require(
        open.is_empty(),
        "messages",
        "an assistant message with 'tool_calls' must be followed by tool messages",
    )
}
