//! OpenAI, Responses: <https://platform.openai.com/docs/api-reference/responses/create>.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Asked;
use super::openai_chat::{NAME, THINKERS, function};
use super::rule::{Ban, Bound, Checked, bans, bounds, each, fields, join, one_of, refuse, require, unique};

const FIELDS: &[&str] = &[
    "background",
    "client_metadata",
    "conversation",
    "context_management",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];
const BOUNDS: &[(&str, Bound)] = &[
    ("/max_output_tokens", Bound::Number(16.0, f64::MAX)),
    ("/metadata", Bound::Items(16)),
    ("/user", Bound::Chars(64)),
    ("/safety_identifier", Bound::Chars(64)),
    ("/prompt_cache_key", Bound::Chars(64)),
    ("/temperature", Bound::Number(0.0, 2.0)),
    ("/top_p", Bound::Number(0.0, 1.0)),
    ("/text/verbosity", Bound::OneOf(&["low", "medium", "high"])),
    ("/truncation", Bound::OneOf(&["auto", "disabled"])),
    ("/reasoning/effort", Bound::OneOf(&["none", "minimal", "low", "medium", "high", "xhigh", "max"])),
    ("/reasoning/summary", Bound::OneOf(&["auto", "concise", "detailed"])),
];
const BANS: &[Ban] = &[
    Ban { models: THINKERS, pointer: "/temperature", unless: &["1", "1.0"] },
    Ban { models: THINKERS, pointer: "/top_p", unless: &["1", "1.0"] },
    Ban { models: &["gpt-4", "gpt-3"], pointer: "/reasoning", unless: &[] },
    Ban { models: &["gpt-4", "gpt-3"], pointer: "/text/verbosity", unless: &["medium"] },
];
const TOOLS: &[&str] = &[
    "function",
    "custom",
    "namespace",
    "tool_search",
    "web_search",
    "web_search_preview",
    "file_search",
    "code_interpreter",
    "computer_use_preview",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
];
/// Items and how their ids begin ("Expected an ID that begins with 'msg'": openai/codex#33176,
/// jlcodes99/cockpit-tools#2090).
const ITEMS: &[(&str, &str)] = &[
    ("message", "msg_"),
    ("reasoning", "rs_"),
    ("function_call", "fc_"),
    ("function_call_output", ""),
    ("custom_tool_call", "ctc_"),
    ("custom_tool_call_output", ""),
    ("additional_tools", "at_"),
];
const ID_CHARS_MAX: usize = 64;

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let body = asked.body;
    fields(body, FIELDS, "")?;
    bounds(body, BOUNDS)?;
    bans(asked.model, body, BANS)?;
    tools(&body["tools"], "tools")?;
    if body["input"].is_string() {
        return Ok(());
    }
    require(body["input"].as_array().is_some_and(|input| !input.is_empty()), "input", "array too short")?;
    let mut ids = HashSet::new();
    for (path, item) in each(&body["input"], "input") {
        self::item(item, &path)?;
        if !item["id"].is_null() {
            // "Duplicate item found with id": OpenRouterTeam/ai-sdk-provider#254.
            unique(&mut ids, &item["id"], &join(&path, "id"))?;
        }
        if item["type"] == "reasoning" {
            let proof = &item["encrypted_content"];
            require(
                proof.as_str() == Some(asked.proof),
                &join(&path, "encrypted_content"),
                "could not be verified",
            )?;
        }
    }
    thoughts_have_their_item(&body["input"])?;
    calls_have_outputs(&body["input"])
}

fn tools(list: &Value, path: &str) -> Checked {
    let mut names = HashSet::new();
    for (path, tool) in each(list, path) {
        one_of(&tool["type"], TOOLS, &join(&path, "type"))?;
        let kind = tool["type"].as_str().unwrap_or_default();
        if ["function", "custom", "namespace"].contains(&kind) {
            NAME.check(&tool["name"], &join(&path, "name"))?;
            unique(&mut names, &tool["name"], &join(&path, "name"))?;
            tools(&tool["tools"], &join(&path, "tools"))?;
        }
        if kind == "function" {
            function(tool, &path)?;
        }
    }
    Ok(())
}

fn item(item: &Value, path: &str) -> Checked {
    let kind = item["type"].as_str().unwrap_or("message");
    let Some((_, start)) = ITEMS.iter().find(|(known, _)| *known == kind) else {
        return refuse(join(path, "type"), "unsupported value");
    };
    if let Some(id) = item["id"].as_str() {
        let fits = id.starts_with(start) && id.len() <= ID_CHARS_MAX;
        require(fits, &join(path, "id"), &format!("expected an ID that begins with '{start}'"))?;
    }
    match kind {
        "message" => message(item, path),
        "function_call" => {
            require(item["arguments"].is_string(), &join(path, "arguments"), "expected a string")?;
            NAME.check(&item["name"], &join(path, "name"))
        }
        "custom_tool_call" => {
            require(item["input"].is_string(), &join(path, "input"), "expected a string")?;
            NAME.check(&item["name"], &join(path, "name"))
        }
        "function_call_output" | "custom_tool_call_output" => {
            let output = &item["output"];
            require(
                output.is_string() || output.is_array(),
                &join(path, "output"),
                "expected a string or an array",
            )
        }
        "additional_tools" => tools(&item["tools"], &join(path, "tools")),
        _ => Ok(()),
    }
}

fn message(item: &Value, path: &str) -> Checked {
    one_of(&item["role"], &["user", "assistant", "system", "developer"], &join(path, "role"))?;
    let kinds: &[&str] = match item["role"] == "assistant" {
        true => &["output_text", "refusal"],
        false => &["input_text", "input_image", "input_file"],
    };
    let content = &item["content"];
    let path = join(path, "content");
    require(content.is_string() || content.is_array(), &path, "expected a string or an array")?;
    each(content, &path).try_for_each(|(path, part)| one_of(&part["type"], kinds, &join(&path, "type")))
}

/// "Item 'rs_...' of type 'reasoning' was provided without its required following item" (openai/openai-node#1567).
fn thoughts_have_their_item(input: &Value) -> Checked {
    let items: Vec<(String, &Value)> = each(input, "input").collect();
    for (at, (path, _)) in items.iter().enumerate().filter(|(_, (_, item))| item["type"] == "reasoning") {
        let next = items.get(at + 1).map(|(_, item)| item);
        let own = next.is_some_and(|item| {
            let kind = item["type"].as_str().unwrap_or("message");
            kind.ends_with("_call") || kind == "reasoning" || item["role"] == "assistant"
        });
        require(own, path, "of type 'reasoning' was provided without its required following item")?;
    }
    Ok(())
}

fn calls_have_outputs(input: &Value) -> Checked {
    let mut open: HashMap<&str, (String, &str)> = HashMap::new();
    for (path, item) in each(input, "input") {
        let kind = item["type"].as_str().unwrap_or_default();
        let path = join(&path, "call_id");
        let id = item["call_id"].as_str().unwrap_or_default();
        if !kind.ends_with("_call") && !kind.ends_with("_call_output") {
            continue;
        }
        require(!id.is_empty() && id.len() <= ID_CHARS_MAX, &path, "string too long, or none")?;
        match kind.strip_suffix("_output") {
            None => {
                require(!open.contains_key(id), &path, "must be unique")?;
                open.insert(id, (path, kind));
            }
            Some(of) => {
                let call = open.remove(id);
                require(
                    call.is_some_and(|(_, kind)| kind == of),
                    &path,
                    "no tool call found for the output",
                )?;
            }
        }
    }
    match open.into_values().next() {
        Some((path, _)) => refuse(path, "no tool output found for function call"),
        None => Ok(()),
    }
}
