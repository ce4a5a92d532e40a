//! OpenAI: <https://platform.openai.com/docs/api-reference>.

use serde_json::{Value, json};

use super::{events, named_events};

/// A chat completion: 9 tokens in, 2 out.
pub fn chat(text: &str) -> String {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-4o-mini-2024-07-18",
        "choices": [{
            "index": 0, "message": {"role": "assistant", "content": text, "refusal": null}, "logprobs": null,
            "finish_reason": "stop"
        }],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
        "service_tier": "default", "system_fingerprint": "fp_1"
    })
    .to_string()
}

/// A chat completion as a stream: the role, these pieces of text, the finish reason, `[DONE]`.
pub fn chat_stream(pieces: &[&str]) -> String {
    format!("{}data: [DONE]\n\n", chat_stream_without_done(pieces))
}

/// The same with the usage of [`chat`] in a chunk before the last line.
pub fn chat_stream_with_usage(pieces: &[&str]) -> String {
    let mut usage = chunk(&Value::Null, &Value::Null);
    usage["choices"] = json!([]);
    usage["usage"] = json!({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11});
    format!("{}{}data: [DONE]\n\n", chat_stream_without_done(pieces), events([usage]))
}

/// The same without its last line.
pub fn chat_stream_without_done(pieces: &[&str]) -> String {
    let text = pieces.iter().map(|piece| chunk(&json!({"content": piece}), &Value::Null));
    let first = chunk(&json!({"role": "assistant", "content": ""}), &Value::Null);
    events([first].into_iter().chain(text).chain([chunk(&json!({}), &json!("stop"))]))
}

/// One `chat.completion.chunk`.
pub fn chunk(delta: &Value, finish_reason: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": "gpt-4o-mini-2024-07-18", "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]
    })
}

/// A text completion.
pub fn completion(text: &str) -> String {
    json!({
        "id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": "gpt-3.5-turbo-instruct",
        "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    })
    .to_string()
}

/// Embeddings, one vector each.
pub fn embeddings(vectors: &[&[f64]]) -> String {
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector}))
        .collect();
    json!({
        "object": "list", "data": data, "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 8, "total_tokens": 8}
    })
    .to_string()
}

/// A response of the Responses API.
pub fn response(text: &str) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": "completed", "error": null,
        "model": "gpt-4o-mini-2024-07-18",
        "output": [{
            "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": []}]
        }],
        "usage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
    })
}

/// The same as a stream of one delta.
pub fn response_stream(text: &str) -> String {
    named_events([
        json!({"type": "response.created", "sequence_number": 0,
               "response": {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}}),
        json!({"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1", "output_index": 0,
               "content_index": 0, "delta": text}),
        json!({"type": "response.completed", "sequence_number": 2, "response": response(text)}),
    ])
}

/// The error envelope.
pub fn error(message: &str, kind: &str, code: &str) -> String {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}}).to_string()
}
