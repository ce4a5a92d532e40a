//! Cohere Chat v2: <https://docs.cohere.com/reference/chat>. Thoughts have no proofs.

use serde_json::{Value, json};

use super::{Told, Turn, halves, items, json_of, number_of, text_of};
use crate::vendor::named_events;

fn finish(turn: &Turn) -> &'static str {
    if turn.calls.is_empty() { "COMPLETE" } else { "TOOL_CALL" }
}

fn usage() -> Value {
    let tokens = json!({"input_tokens": 6, "output_tokens": 2});
    json!({"billed_units": tokens, "tokens": tokens})
}

fn call(call: &super::Call, arguments: &str) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

pub(super) fn whole(turn: &Turn) -> Value {
    let mut message = json!({"role": "assistant"});
    let thought = turn.thought.iter().map(|(thought, _)| json!({"type": "thinking", "thinking": thought}));
    let text = turn.text.iter().map(|text| json!({"type": "text", "text": text}));
    message["content"] = thought.chain(text).collect();
    if !turn.calls.is_empty() {
        message["tool_calls"] =
            turn.calls.iter().map(|each| call(each, &each.arguments.to_string())).collect();
    }
    json!({"id": "c-1", "finish_reason": finish(turn), "message": message, "usage": usage()})
}

pub(super) fn events(turn: &Turn) -> String {
    let start =
        json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
    let mut events = vec![json!({"type": "message-start", "id": "c-1", "delta": {"message": start}})];
    let thought = turn.thought.iter().map(|(thought, _)| ("thinking", thought));
    let blocks = thought.chain(turn.text.iter().map(|text| ("text", text)));
    for (index, (kind, words)) in blocks.enumerate() {
        let content = |words: &str| json!({"message": {"content": {"type": kind, kind: words}}});
        events.push(json!({"type": "content-start", "index": index, "delta": content("")}));
        events.extend(halves(words).map(|piece| {
            json!({"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: piece}}}})
        }));
        events.push(json!({"type": "content-end", "index": index}));
    }
    for (index, each) in turn.calls.iter().enumerate() {
        let opened = json!({"message": {"tool_calls": call(each, "")}});
        events.push(json!({"type": "tool-call-start", "index": index, "delta": opened}));
        let arguments = each.arguments.to_string();
        events.extend(halves(&arguments).map(|piece| {
            let more = json!({"message": {"tool_calls": {"function": {"arguments": piece}}}});
            json!({"type": "tool-call-delta", "index": index, "delta": more})
        }));
        events.push(json!({"type": "tool-call-end", "index": index}));
    }
    events.push(json!({"type": "message-end", "delta": {"finish_reason": finish(turn), "usage": usage()}}));
    named_events(events)
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
                    let name = call["function"]["name"].as_str().unwrap_or_default().to_owned();
                    told.push(Told::Called(name, json_of(&call["function"]["arguments"])));
                }
            }
            "tool" => {
                let documents: String =
                    items(&message["content"]).filter_map(|part| part["document"]["data"].as_str()).collect();
                let words = if documents.is_empty() { text } else { documents };
                told.push(Told::Result(number_of(&ids, &message["tool_call_id"]), words));
            }
            _ => {}
        }
    }
    told
}
