//! Ollama's own chat: <https://docs.ollama.com/api/chat>.

use serde_json::{Value, json};

/// A chat answer: 8 tokens in, 2 out.
pub fn chat(text: &str) -> String {
    last(json!({"role": "assistant", "content": text})).to_string()
}

/// The same as a stream, the text in these pieces.
pub fn chat_stream(pieces: &[&str]) -> String {
    let said = pieces.iter().map(|piece| line(json!({"role": "assistant", "content": piece})));
    lines(said.chain([last(json!({"role": "assistant", "content": ""}))]))
}

/// An error, as a body and as a line.
pub fn error(message: &str) -> String {
    json!({"error": message}).to_string()
}

/// A line that is not the last one.
pub(crate) fn line(message: Value) -> Value {
    json!({"model": "m", "created_at": "2026-05-04T20:01:02.264968Z", "message": message, "done": false})
}

/// The last line of an answer, or all of it.
pub(crate) fn last(message: Value) -> Value {
    json!({
        "model": "m", "created_at": "2026-05-04T20:01:02.264968Z", "message": message, "done": true,
        "done_reason": "stop", "total_duration": 5_236_207_292_u64, "load_duration": 65_930_667, "prompt_eval_count": 8,
        "prompt_eval_duration": 869_732_834, "eval_count": 2, "eval_duration": 3_992_503_591_u64
    })
}

/// JSON lines.
pub(crate) fn lines(lines: impl IntoIterator<Item = Value>) -> String {
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}
