//! Cohere, version 2: <https://docs.cohere.com/reference/chat>.

use serde_json::json;

use super::named_events;

/// A chat answer: 6 tokens in, 2 out.
pub fn chat(text: &str) -> String {
    json!({
        "id": "c-1", "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [{"type": "text", "text": text}]},
        "usage": {"billed_units": {"input_tokens": 6, "output_tokens": 2},
                  "tokens": {"input_tokens": 6, "output_tokens": 2}}
    })
    .to_string()
}

/// The same as a stream, the text in these pieces.
pub fn chat_stream(pieces: &[&str]) -> String {
    let mut events = vec![
        json!({"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant", "content": [],
               "tool_plan": "", "tool_calls": [], "citations": []}}}),
        json!({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
    ];
    events.extend(pieces.iter().map(|piece| {
        json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}})
    }));
    events.push(json!({"type": "content-end", "index": 0}));
    events.push(json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {
        "billed_units": {"input_tokens": 6, "output_tokens": 2}, "tokens": {"input_tokens": 6, "output_tokens": 2}}}}));
    named_events(events)
}

/// Embeddings as numbers.
pub fn embed(vectors: &[&[f64]]) -> String {
    json!({
        "id": "e-1", "embeddings": {"float": vectors}, "texts": [],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4}}
    })
    .to_string()
}
