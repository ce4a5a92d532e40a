//! Anthropic Messages: <https://platform.claude.com/docs/en/api/messages>. The proof is the thought's `signature`.

use serde_json::{Value, json};

use super::{Offer, Told, Turn, halves, items, number_of, offer, text_of};
use crate::vendor::named_events;

fn content(turn: &Turn) -> Vec<Value> {
    let mut content = Vec::new();
    if let Some((thought, proof)) = &turn.thought {
        content.push(json!({"type": "thinking", "thinking": thought, "signature": proof}));
    }
    if let Some(text) = &turn.text {
        content.push(json!({"type": "text", "text": text}));
    }
    content.extend(
        turn.calls.iter().map(
            |call| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}),
        ),
    );
    content
}

fn stop_reason(turn: &Turn) -> &'static str {
    if turn.calls.is_empty() { "end_turn" } else { "tool_use" }
}

pub(super) fn whole(turn: &Turn) -> Value {
    json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": "m", "content": content(turn),
        "stop_reason": stop_reason(turn), "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 3}
    })
}

pub(super) fn events(turn: &Turn) -> String {
    let mut message = whole(turn);
    (message["content"], message["stop_reason"]) = (json!([]), Value::Null);
    let mut events = vec![json!({"type": "message_start", "message": message})];
    for (index, block) in content(turn).iter().enumerate() {
        let (open, deltas) = block_deltas(block);
        events.push(json!({"type": "content_block_start", "index": index, "content_block": open}));
        let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
        events.extend(deltas.into_iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "usage": {"output_tokens": 3},
                       "delta": {"stop_reason": stop_reason(turn), "stop_sequence": null}}));
    events.push(json!({"type": "message_stop"}));
    named_events(events)
}

/// A block as it opens, and what is added to it.
fn block_deltas(block: &Value) -> (Value, Vec<Value>) {
    match block["type"].as_str().unwrap_or_default() {
        "thinking" => {
            let thought = halves(block["thinking"].as_str().unwrap_or_default());
            let mut deltas =
                thought.map(|piece| json!({"type": "thinking_delta", "thinking": piece})).to_vec();
            deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            (json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
        }
        "text" => {
            let pieces = halves(block["text"].as_str().unwrap_or_default());
            let deltas = pieces.map(|piece| json!({"type": "text_delta", "text": piece}));
            (json!({"type": "text", "text": ""}), deltas.to_vec())
        }
        _ => {
            let input = block["input"].to_string();
            let deltas =
                halves(&input).map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
            let open = json!({"type": "tool_use", "id": block["id"], "name": block["name"], "input": {}});
            (open, deltas.to_vec())
        }
    }
}

pub(super) fn read(body: &Value) -> Vec<Told> {
    let (mut told, mut ids) = (Vec::new(), Vec::new());
    for message in items(&body["messages"]) {
        let user = message["role"] == "user";
        if let Some(text) = message["content"].as_str() {
            told.push(if user { Told::User(text.into()) } else { Told::Said(text.into()) });
        }
        for block in items(&message["content"]) {
            let text = || block["text"].as_str().unwrap_or_default().to_owned();
            match block["type"].as_str().unwrap_or_default() {
                "text" if user => told.push(Told::User(text())),
                "text" => told.push(Told::Said(text())),
                "thinking" => {
                    let proof = block["signature"].as_str().unwrap_or_default();
                    told.push(Told::Thought(proof.to_owned()));
                }
                "tool_use" => {
                    ids.push(block["id"].as_str().unwrap_or_default().to_owned());
                    let name = block["name"].as_str().unwrap_or_default().to_owned();
                    told.push(Told::Called(name, block["input"].clone()));
                }
                "tool_result" => {
                    let number = number_of(&ids, &block["tool_use_id"]);
                    told.push(Told::Result(number, text_of(&block["content"])));
                }
                _ => {}
            }
        }
    }
    told
}

pub(super) fn offers(body: &Value) -> Vec<Offer> {
    let own = |tool: &&Value| tool["type"].is_null() || tool["type"] == "custom";
    let now = |tool: &&Value| tool["defer_loading"] != true;
    let tools = items(&body["tools"]).filter(own).filter(now);
    tools.map(|tool| offer(&tool["name"], Some(&tool["input_schema"]))).collect()
}
