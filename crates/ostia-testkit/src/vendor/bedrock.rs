//! Amazon Bedrock, Converse: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>.

use serde_json::{Value, json};

use crate::event_stream::event;

/// The media type of its streams.
pub const STREAM: &str = "application/vnd.amazon.eventstream";

/// 6 tokens in, 2 out.
pub(crate) fn usage() -> Value {
    json!({"inputTokens": 6, "outputTokens": 2, "totalTokens": 8})
}

/// A chat answer: 6 tokens in, 2 out.
pub fn converse(text: &str) -> String {
    json!({
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "end_turn", "usage": usage(), "metrics": {"latencyMs": 5}
    })
    .to_string()
}

/// The same as a stream, the text in these pieces.
pub fn converse_stream(pieces: &[&str]) -> Vec<u8> {
    let mut stream = event("messageStart", &json!({"role": "assistant", "p": "abc"}));
    for piece in pieces {
        let delta = json!({"contentBlockIndex": 0, "delta": {"text": piece}, "p": "abcdef"});
        stream.extend(event("contentBlockDelta", &delta));
    }
    stream.extend(event("contentBlockStop", &json!({"contentBlockIndex": 0})));
    stream.extend(event("messageStop", &json!({"stopReason": "end_turn"})));
    stream.extend(event("metadata", &json!({"usage": usage(), "metrics": {"latencyMs": 5}})));
    stream
}

/// An error: the exception's name stands in the header `x-amzn-errortype`.
pub fn error(message: &str) -> String {
    json!({"message": message}).to_string()
}
