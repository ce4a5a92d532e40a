//! Ollama's own chat: <https://docs.ollama.com/api/chat>. Thoughts have no proofs, arguments are objects, and calls come
//! whole.

use serde_json::{Value, json};

use super::{Told, Turn, halves, items, number_of};
use crate::vendor::ollama::{last, line, lines};

fn call(call: &super::Call) -> Value {
    json!({"id": call.id, "function": {"index": 0, "name": call.name, "arguments": call.arguments}})
}

fn says(field: &str, words: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": ""});
    message[field] = json!(words);
    message
}

pub(super) fn whole(turn: &Turn) -> Value {
    let mut message = says("content", turn.text.as_deref().unwrap_or_default());
    if let Some((thought, _)) = &turn.thought {
        message["thinking"] = json!(thought);
    }
    if !turn.calls.is_empty() {
        message["tool_calls"] = turn.calls.iter().map(call).collect();
    }
    last(message)
}

pub(super) fn events(turn: &Turn) -> String {
    let mut told = Vec::new();
    if let Some((thought, _)) = &turn.thought {
        told.extend(halves(thought).map(|piece| line(says("thinking", piece))));
    }
    if let Some(text) = &turn.text {
        told.extend(halves(text).map(|piece| line(says("content", piece))));
    }
    for each in &turn.calls {
        told.push(line(json!({"role": "assistant", "content": "", "tool_calls": [call(each)]})));
    }
    told.push(last(says("content", "")));
    lines(told)
}

pub(super) fn read(body: &Value) -> Vec<Told> {
    let (mut told, mut ids) = (Vec::new(), Vec::new());
    for message in items(&body["messages"]) {
        let text = message["content"].as_str().unwrap_or_default().to_owned();
        match message["role"].as_str().unwrap_or_default() {
            "user" => told.push(Told::User(text)),
            "assistant" => {
                if !text.is_empty() {
                    told.push(Told::Said(text));
                }
                for call in items(&message["tool_calls"]) {
                    ids.push(call["id"].as_str().unwrap_or_default().to_owned());
                    let name = call["function"]["name"].as_str().unwrap_or_default().to_owned();
                    told.push(Told::Called(name, call["function"]["arguments"].clone()));
                }
            }
            "tool" => told.push(Told::Result(number_of(&ids, &message["tool_call_id"]), text)),
            _ => {}
        }
    }
    told
}
