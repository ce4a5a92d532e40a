//! OpenAI Chat Completions: <https://platform.openai.com/docs/api-reference/chat>. Thoughts come as `reasoning_content`.

use serde_json::{Value, json};

use super::{Call, Offer, Told, Turn, called, halves, items, json_of, number_of, offer, text_of};
use crate::vendor::{events as sse, openai};

fn finish(turn: &Turn) -> &'static str {
    if turn.calls.is_empty() { "stop" } else { "tool_calls" }
}

pub(super) fn whole(turn: &Turn) -> Value {
    let mut message = json!({"role": "assistant", "content": turn.text, "refusal": null});
    if let Some((thought, _)) = &turn.thought {
        message["reasoning_content"] = json!(thought);
    }
    if !turn.calls.is_empty() {
        message["tool_calls"] = turn.calls.iter().map(|call| opened(call, &input(call))).collect();
    }
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(turn)}],
        "usage": usage()
    })
}

/// The text of a call's arguments.
fn input(call: &Call) -> String {
    call.arguments.as_str().map_or_else(|| call.arguments.to_string(), str::to_owned)
}

fn opened(call: &Call, input: &str) -> Value {
    match call.arguments.is_string() {
        true => json!({"id": call.id, "type": "custom", "custom": {"name": call.name, "input": input}}),
        false => {
            json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": input}})
        }
    }
}

/// A piece of the arguments of a call.
fn more(call: &Call, index: usize, piece: &str) -> Value {
    match call.arguments.is_string() {
        true => json!({"index": index, "custom": {"input": piece}}),
        false => json!({"index": index, "function": {"arguments": piece}}),
    }
}

fn usage() -> Value {
    json!({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11})
}

/// With the usage in a chunk at the end, which the server sends where it is asked for.
pub(super) fn events(turn: &Turn) -> String {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    if let Some((thought, _)) = &turn.thought {
        deltas.extend(halves(thought).map(|piece| json!({"reasoning_content": piece})));
    }
    if let Some(text) = &turn.text {
        deltas.extend(halves(text).map(|piece| json!({"content": piece})));
    }
    for (index, call) in turn.calls.iter().enumerate() {
        let mut open = opened(call, "");
        open["index"] = json!(index);
        deltas.push(json!({"tool_calls": [open]}));
        let input = input(call);
        deltas.extend(halves(&input).map(|piece| json!({"tool_calls": [more(call, index, piece)]})));
    }
    let chunks = deltas.iter().map(|delta| openai::chunk(delta, &Value::Null));
    let end = openai::chunk(&json!({}), &json!(finish(turn)));
    let mut usage = openai::chunk(&Value::Null, &Value::Null);
    (usage["choices"], usage["usage"]) = (json!([]), self::usage());
    format!("{}data: [DONE]\n\n", sse(chunks.chain([end, usage])))
}

pub(super) fn read(body: &Value) -> Vec<Told> {
    let (mut told, mut ids) = (Vec::new(), Vec::new());
    for message in items(&body["messages"]) {
        let text = text_of(&message["content"]);
        match message["role"].as_str().unwrap_or_default() {
            "user" => told.push(Told::User(text)),
            "assistant" => {
                if !text.is_empty() {
                    told.push(Told::Said(text));
                }
                for call in items(&message["tool_calls"]) {
                    ids.push(call["id"].as_str().unwrap_or_default().to_owned());
                    let (function, custom) = (&call["function"], &call["custom"]);
                    told.push(match custom.is_object() {
                        true => called(&custom["name"], custom["input"].clone()),
                        false => called(&function["name"], json_of(&function["arguments"])),
                    });
                }
            }
            "tool" => told.push(Told::Result(number_of(&ids, &message["tool_call_id"]), text)),
            _ => {}
        }
    }
    told
}

pub(super) fn offers(body: &Value) -> Vec<Offer> {
    let one = |tool: &Value| match tool["type"].as_str()? {
        "function" => Some(offer(&tool["function"]["name"], Some(&tool["function"]["parameters"]))),
        "custom" => Some(offer(&tool["custom"]["name"], None)),
        _ => None,
    };
    items(&body["tools"]).filter_map(one).collect()
}
