//! OpenAI Chat Completions: <https://platform.openai.com/docs/api-reference/chat>. Thoughts come as `reasoning_content`.

use serde_json::{Value, json};

use super::{Told, Turn, halves, items, json_of, number_of, text_of};
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
        let call = |call: &super::Call| {
            json!({"id": call.id, "type": "function",
                   "function": {"name": call.name, "arguments": call.arguments.to_string()}})
        };
        message["tool_calls"] = turn.calls.iter().map(call).collect();
    }
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(turn)}],
        "usage": usage()
    })
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
        deltas.push(json!({"tool_calls": [{"index": index, "id": call.id, "type": "function",
                                           "function": {"name": call.name, "arguments": ""}}]}));
        let arguments = call.arguments.to_string();
        deltas.extend(
            halves(&arguments)
                .map(|piece| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})),
        );
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
                    let function = &call["function"];
                    let name = function["name"].as_str().unwrap_or_default().to_owned();
                    told.push(Told::Called(name, json_of(&function["arguments"])));
                }
            }
            "tool" => told.push(Told::Result(number_of(&ids, &message["tool_call_id"]), text)),
            _ => {}
        }
    }
    told
}
