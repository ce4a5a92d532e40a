//! Ollama's own chat. The server reads a request into types of Go and refuses what does not fit them, in these words:
//! `json: cannot unmarshal string into Go struct field ...` (api/types.go and server/routes.go in ollama/ollama). Fields that it
//! does not know it passes over; here they are refused, because nobody would notice that they are lost.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::Asked;
use super::rule::{Bound, Checked, bounds, each, fields, join, one_of, require};

const FIELDS: &[&str] = &[
    "format",
    "keep_alive",
    "logprobs",
    "messages",
    "model",
    "options",
    "shift",
    "stream",
    "think",
    "tools",
    "top_logprobs",
    "truncate",
];
const OPTIONS: &[&str] = &[
    "frequency_penalty",
    "main_gpu",
    "min_p",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_predict",
    "num_thread",
    "presence_penalty",
    "repeat_last_n",
    "repeat_penalty",
    "seed",
    "stop",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
    "use_mmap",
];
const BOUNDS: &[(&str, Bound)] = &[
    ("/think", Bound::OneOf(&["low", "medium", "high", "max"])),
    ("/top_logprobs", Bound::Number(0.0, 20.0)),
];
const MESSAGE: &[&str] =
    &["content", "images", "role", "thinking", "tool_call_id", "tool_calls", "tool_name"];
const ROLES: &[&str] = &["system", "user", "assistant", "tool"];

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let body = asked.body;
    fields(body, FIELDS, "")?;
    bounds(body, BOUNDS)?;
    let think = &body["think"];
    require(think.is_null() || think.is_boolean() || think.is_string(), "think", "invalid think value")?;
    options(&body["options"])?;
    for (path, tool) in each(&body["tools"], "tools") {
        one_of(&tool["type"], &["function"], &join(&path, "type"))?;
        let (function, path) = (&tool["function"], join(&path, "function"));
        fields(function, &["name", "description", "parameters"], &path)?;
        parameters(&function["parameters"], &join(&path, "parameters"))?;
    }
    each(&body["messages"], "messages").try_for_each(|(path, said)| message(said, &path))
}

/// A number is a number, and several stop sequences are a list; `null` is passed over.
fn options(options: &Value) -> Checked {
    if options.is_null() {
        return Ok(());
    }
    fields(options, OPTIONS, "options")?;
    let given = options.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    for (name, value) in given {
        let fits = match name.as_str() {
            "stop" => value.as_array().is_some_and(|stops| stops.iter().all(Value::is_string)),
            "use_mmap" => value.is_boolean(),
            _ => value.is_number(),
        };
        require(fits, &join("options", name), "is of another type")?;
    }
    Ok(())
}

/// What the server reads of a schema: an object with properties, each of which is an object.
fn parameters(schema: &Value, path: &str) -> Checked {
    let lists = schema["type"] == "object" && schema["properties"].is_object();
    require(lists, path, "cannot unmarshal into ToolFunctionParameters")?;
    properties(schema, path)
}

fn properties(schema: &Value, path: &str) -> Checked {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = join(path, &format!("properties.{name}"));
        require(property.is_object(), &path, "cannot unmarshal into ToolProperty")?;
        properties(property, &path)?;
    }
    Ok(())
}

fn message(message: &Value, path: &str) -> Checked {
    fields(message, MESSAGE, path)?;
    one_of(&message["role"], ROLES, &join(path, "role"))?;
    let is_text = message["content"].is_string();
    require(is_text, &join(path, "content"), "cannot unmarshal array into field of type string")?;
    for (path, image) in each(&message["images"], &join(path, "images")) {
        let bytes = image.as_str().and_then(|data| BASE64_STANDARD.decode(data).ok());
        require(bytes.is_some(), &path, "illegal base64 data")?;
    }
    for (path, call) in each(&message["tool_calls"], &join(path, "tool_calls")) {
        let is_object = call["function"]["arguments"].is_object();
        let words = "cannot unmarshal string into field of type ToolCallFunctionArguments";
        require(is_object, &join(&path, "function.arguments"), words)?;
        require(call["function"]["name"].is_string(), &join(&path, "function.name"), "expected a string")?;
    }
    // Without the name the templates of many models do not say whose result it is.
    let is_named = message["role"] != "tool" || message["tool_name"].is_string();
    require(is_named, &join(path, "tool_name"), "expected a string")
}
