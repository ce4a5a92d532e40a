//! Anthropic: <https://platform.claude.com/docs/en/api/messages>.

use serde_json::{Value, json};

use super::named_events;

/// A message: 10 tokens in, 3 out.
pub fn message(text: &str) -> String {
    message_of(&json!([{"type": "text", "text": text}]), "end_turn")
}

/// A message of these content blocks.
pub fn message_of(content: &Value, stop_reason: &str) -> String {
    json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514",
        "content": content, "stop_reason": stop_reason, "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 3}
    })
    .to_string()
}

/// A message as a stream of one text block in these pieces.
pub fn message_stream(pieces: &[&str]) -> String {
    named_events(message_events(pieces))
}

/// The events of [`message_stream`], one by one.
pub fn message_events(pieces: &[&str]) -> Vec<Value> {
    let mut events = vec![
        start(),
        json!({"type": "content_block_start", "index": 0,
                                          "content_block": {"type": "text", "text": ""}}),
        ping(),
    ];
    events.extend(pieces.iter().map(|piece| {
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})
    }));
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events.extend(end("end_turn"));
    events
}

/// A stream with a call of a tool, whose input comes in these pieces.
pub fn tool_stream(name: &str, input_pieces: &[&str]) -> String {
    let mut events = vec![
        start(),
        json!({"type": "content_block_start", "index": 0, "content_block":
                                          {"type": "tool_use", "id": "toolu_01", "name": name, "input": {}}}),
    ];
    events.extend(input_pieces.iter().map(|piece| {
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}})
    }));
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events.extend(end("tool_use"));
    named_events(events)
}

/// The first part of a stream, then an error event.
pub fn failing_stream(pieces: &[&str], kind: &str, message: &str) -> String {
    let mut events = message_events(pieces);
    events.truncate(3 + pieces.len());
    events.push(json!({"type": "error", "error": {"type": kind, "message": message}}));
    named_events(events)
}

/// The error envelope.
pub fn error(kind: &str, message: &str) -> String {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_01"}).to_string()
}

fn start() -> Value {
    json!({"type": "message_start", "message": {
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 10, "output_tokens": 1}
    }})
}

fn ping() -> Value {
    json!({"type": "ping"})
}

fn end(stop_reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": null},
               "usage": {"output_tokens": 3}}),
        json!({"type": "message_stop"}),
    ]
}
