//! A server in OpenAI's format that is not OpenAI: what vLLM, SGLang, Ollama, llama.cpp and the vendors of open models all
//! take, and nothing besides. Fields that only some take are refused here, as the strictest of them do (Mistral: "Extra inputs
//! are not permitted", <https://docs.mistral.ai/api>; Groq: "property ... is unsupported",
//! <https://console.groq.com/docs/openai>).

use std::collections::HashSet;

use serde_json::Value;

use super::Asked;
use super::openai_chat::{NAME, SCHEMA, calls_have_results, stream_options};
use super::rule::{Bound, Checked, bounds, each, fields, join, one_of, require, unique};

const FIELDS: &[&str] = &[
    "frequency_penalty",
    "max_tokens",
    "messages",
    "model",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
    "user",
];
const BOUNDS: &[(&str, Bound)] = &[
    ("/stop", Bound::Items(4)),
    ("/tools", Bound::Items(128)),
    ("/temperature", Bound::Number(0.0, 2.0)),
    ("/max_tokens", Bound::Number(1.0, f64::MAX)),
    ("/user", Bound::Chars(64)),
    ("/reasoning_effort", Bound::OneOf(&["low", "medium", "high"])),
    ("/tool_choice", Bound::OneOf(&["auto", "none", "required"])),
];
const ROLES: &[&str] = &["system", "user", "assistant", "tool"];
const MESSAGE: &[&str] = &["content", "role", "tool_call_id", "tool_calls"];
/// The results of calls may have the function's name (<https://docs.mistral.ai/api>, ToolMessage).
const RESULT: &[&str] = &["content", "name", "role", "tool_call_id"];
const ID_CHARS_MAX: usize = 40;

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let body = asked.body;
    fields(body, FIELDS, "")?;
    bounds(body, BOUNDS)?;
    stream_options(body)?;
    let mut names = HashSet::new();
    for (path, tool) in each(&body["tools"], "tools") {
        one_of(&tool["type"], &["function"], &join(&path, "type"))?;
        fields(tool, &["type", "function"], &path)?;
        let (function, path) = (&tool["function"], join(&path, "function"));
        fields(function, &["name", "description", "parameters", "strict"], &path)?;
        NAME.check(&function["name"], &join(&path, "name"))?;
        unique(&mut names, &function["name"], &join(&path, "name"))?;
        SCHEMA.check(&function["parameters"], &join(&path, "parameters"))?;
    }
    for (path, message) in each(&body["messages"], "messages") {
        one_of(&message["role"], ROLES, &join(&path, "role"))?;
        fields(message, if message["role"] == "tool" { RESULT } else { MESSAGE }, &path)?;
        let content = &message["content"];
        let whole = content.is_string() || message["role"] == "assistant" && content.is_null();
        let kinds: &[&str] = if message["role"] == "user" { &["text", "image_url"] } else { &["text"] };
        let known = |part: &Value| part["type"].as_str().is_some_and(|kind| kinds.contains(&kind));
        let parts = content.as_array().is_some_and(|parts| parts.iter().all(known));
        require(whole || parts, &join(&path, "content"), "expected a string")?;
        for (path, call) in each(&message["tool_calls"], &join(&path, "tool_calls")) {
            one_of(&call["type"], &["function"], &join(&path, "type"))?;
            fields(call, &["id", "type", "function"], &path)?;
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            let parsed = serde_json::from_str::<serde_json::Map<_, _>>(arguments);
            require(parsed.is_ok(), &join(&path, "function.arguments"), "no JSON object")?;
        }
    }
    calls_have_results(&body["messages"], ID_CHARS_MAX)
}
