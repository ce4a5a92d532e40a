//! Google Gemini: <https://ai.google.dev/api/generate-content>.

use serde_json::{Value, json};

use super::events;

/// A `generateContent` answer: 7 tokens in, 2 out.
pub fn generate(text: &str) -> String {
    chunk(text, Some("STOP")).to_string()
}

/// The same as a stream (`alt=sse`): one chunk for each piece, the last with the finish reason.
pub fn generate_stream(pieces: &[&str]) -> String {
    let last = pieces.len().saturating_sub(1);
    events(pieces.iter().enumerate().map(|(at, piece)| chunk(piece, (at == last).then_some("STOP"))))
}

/// One answer or chunk.
pub fn chunk(text: &str, finish_reason: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    if let Some(reason) = finish_reason {
        candidate["finishReason"] = reason.into();
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9},
        "modelVersion": "gemini-2.0-flash", "responseId": "resp-1"
    })
}

/// An `embedContent` answer.
pub fn embed(vector: &[f64]) -> String {
    json!({"embedding": {"values": vector}}).to_string()
}

/// A `batchEmbedContents` answer.
pub fn batch_embed(vectors: &[&[f64]]) -> String {
    let embeddings: Vec<Value> = vectors.iter().map(|vector| json!({"values": vector})).collect();
    json!({"embeddings": embeddings}).to_string()
}

/// The error envelope.
pub fn error(code: u16, status: &str, message: &str) -> String {
    json!({"error": {"code": code, "message": message, "status": status}}).to_string()
}
