//! The history of an agent, as its client writes it, reaches upstreams of other dialects whole.

use serde_json::{Value, json};

use super::decode;
use crate::chat::opaque::{self, Opaque};
use crate::{ClientDialect, Dialect, EncodeOptions, Signature};

/// Third call of a loop: thoughts, parallel calls, a failed one, a picture, markers for the cache everywhere.
fn history() -> Value {
    let marker = json!({"type": "ephemeral"});
    let google = |value: &str| Signature { dialect: Dialect::GeminiGenerate, value: value.into() };
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    json!({
        "model": "asked", "max_tokens": 8000, "stream": true,
        "metadata": {"user_id": "user_1_session_2"},
        "thinking": {"type": "enabled", "budget_tokens": 4000},
        "system": [
            {"type": "text", "text": "You are an agent."},
            {"type": "text", "text": "Work in /src.", "cache_control": marker},
        ],
        "tools": [
            {"name": "Read", "description": "Reads a file.", "input_schema": schema},
            {"name": "Bash", "description": "Runs a command.", "input_schema": schema, "cache_control": marker},
        ],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "<reminder/>"}, {"type": "text", "text": "Fix it.", "cache_control": marker}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Look first.", "signature": opaque::encode(&Opaque::Own(google("T")))},
                {"type": "text", "text": "I look."},
                {"type": "redacted_thinking", "data": opaque::encode(&Opaque::Next(google("C")))},
                {"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": "a.png"}},
                {"type": "tool_use", "id": "t2", "name": "Bash", "input": {"path": "ls"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [
                    {"type": "text", "text": "A picture:"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
                {"type": "tool_result", "tool_use_id": "t2", "content": "not found", "is_error": true,
                 "cache_control": marker},
                {"type": "text", "text": "Hurry."},
            ]},
        ],
    })
}

/// The upstream's body for this model, and what it could not say, in the client's words.
fn encoded(upstream: Dialect, model: &str) -> (Value, Vec<String>) {
    let mut request = decode(history().to_string().as_bytes()).unwrap();
    request.model = model.into();
    let encoded = upstream.encode(&mut request, &EncodeOptions::default()).unwrap();
    let dropped = ClientDialect::AnthropicMessages.in_own_words(&request, encoded.dropped);
    (serde_json::from_slice(&encoded.body).unwrap(), dropped)
}

#[test]
fn to_anthropic() {
    let (body, dropped) = encoded(Dialect::AnthropicMessages, "claude-sonnet-4-5");
    let mut expected = history();
    expected["model"] = json!("claude-sonnet-4-5");
    // Another vendor's proofs mean nothing here, and neither do the thoughts that they were for. A model that thinks on a
    // budget has to begin the turn of its calls with a thought, so it cannot think on from here.
    expected.as_object_mut().unwrap().remove("thinking");
    let turn = expected["messages"][1]["content"].as_array_mut().unwrap();
    turn.retain(|block| !matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking")));
    assert_eq!(body, expected);
    assert_eq!(dropped, ["messages[1].reasoning_content", "thinking"]);
}

#[test]
fn to_gemini() {
    let (body, dropped) = encoded(Dialect::GeminiGenerate, "gemini-3-pro-preview");
    assert_eq!(
        body["systemInstruction"]["parts"],
        json!([{"text": "You are an agent."}, {"text": "Work in /src."}])
    );
    assert_eq!(
        body["contents"],
        json!([
            {"role": "user", "parts": [{"text": "<reminder/>"}, {"text": "Fix it."}]},
            {"role": "model", "parts": [
                {"text": "Look first.", "thought": true, "thoughtSignature": "T"},
                {"text": "I look."},
                {"functionCall": {"id": "t1", "name": "Read", "args": {"path": "a.png"}}, "thoughtSignature": "C"},
                {"functionCall": {"id": "t2", "name": "Bash", "args": {"path": "ls"}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "t1", "name": "Read", "response": {"output": "A picture:"},
                 "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
                {"functionResponse": {"id": "t2", "name": "Bash", "response": {"error": "not found"}}},
                {"text": "Hurry."},
            ]},
        ])
    );
    assert_eq!(body["tools"][0]["functionDeclarations"].as_array().unwrap().len(), 2);
    let markers = ["system.content[1]", "messages[0].content[1]", "messages[2].content[1]", "tools[1]"];
    let markers = markers.map(|place| format!("{place}.cache_control"));
    let lost: Vec<_> = dropped.iter().filter(|path| !markers.contains(path)).collect();
    assert_eq!(lost, ["metadata.user_id"]);
    assert_eq!(dropped.len(), markers.len() + 1);
}

#[test]
fn to_cohere() {
    let (body, dropped) = encoded(Dialect::CohereChat, "command-a-reasoning-08-2025");
    let roles: Vec<_> =
        body["messages"].as_array().unwrap().iter().map(|turn| turn["role"].clone()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "user"]);
    assert_eq!(
        body["messages"][2]["tool_calls"],
        json!([
            {"id": "t1", "type": "function", "function": {"name": "Read", "arguments": "{\"path\":\"a.png\"}"}},
            {"id": "t2", "type": "function", "function": {"name": "Bash", "arguments": "{\"path\":\"ls\"}"}},
        ])
    );
    assert_eq!(body["messages"][4]["content"], "not found");
    // The picture has no form in this vendor's results.
    assert!(dropped.contains(&"messages[2].content[0].content[1]".to_owned()), "{dropped:?}");
    assert!(dropped.contains(&"metadata.user_id".to_owned()));
}
