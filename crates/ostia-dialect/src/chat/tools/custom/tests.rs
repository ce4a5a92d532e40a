#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::replace;
use crate::test_support::decoded;
use crate::{ClientDialect, Dialect, EncodeOptions, Fault, Request};

fn decode(body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    decoded(ClientDialect::OpenaiChat, body)
}

fn request(tools: Value, messages: Value) -> Request {
    decode(json!({"model": "m", "messages": messages, "tools": tools}).to_string().as_bytes()).unwrap()
}

fn question() -> Value {
    json!([{"role": "user", "content": "q"}])
}

/// Replaces the free-text tools; was there any?
fn replaced(request: &mut Request) -> bool {
    !replace(request).is_empty()
}

/// The body for Chat Completions, which says a request as it is, without the model.
fn written(request: &mut Request) -> Value {
    let encoded = Dialect::OpenaiChat.encode(request, &EncodeOptions::default()).unwrap();
    serde_json::from_slice(&encoded.body).unwrap()
}

#[track_caller]
fn check_tool(custom: Value, description: Option<&str>, reported: &[&str]) {
    let mut request = request(json!([{"type": "custom", "custom": custom}]), question());
    assert!(replaced(&mut request));
    let mut function = json!({"name": "patch", "parameters": {
        "type": "object",
        "properties": {"input": {"type": "string", "description": "The whole input of the tool, as plain text."}},
        "required": ["input"], "additionalProperties": false}});
    if let Some(description) = description {
        function["description"] = description.into();
    }
    assert_eq!(written(&mut request)["tools"], json!([{"type": "function", "function": function}]));
    let paths: Vec<&str> = request.extra.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, reported);
}

#[test]
fn a_tool_becomes_a_function() {
    check_tool(json!({"name": "patch"}), None, &[]);
    check_tool(json!({"name": "patch", "description": "d", "format": {"type": "text"}}), Some("d"), &[]);
    let grammar = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: \"x\""}});
    let told = "`input` must follow this grammar (syntax: lark):\nstart: \"x\"";
    check_tool(json!({"name": "patch", "format": grammar}), Some(told), &[]);
    check_tool(
        json!({"name": "patch", "description": "d", "format": grammar, "x": 1}),
        Some(&format!("d\n\n{told}")),
        &["tools[0].custom.x"],
    );
}

#[test]
fn calls_in_the_history_become_calls_of_it() {
    let text = "*** Begin\n\"x\"";
    let history = |call: Value| json!([{"role": "assistant", "content": null, "tool_calls": [call]}]);
    let asked = history(json!({"id": "c", "type": "custom", "custom": {"name": "patch", "input": text}}));
    let arguments = json!({"input": text}).to_string();
    let expected = history(
        json!({"id": "c", "type": "function", "function": {"name": "patch", "arguments": arguments}}),
    );
    for (tools, is_some) in
        [(json!([{"type": "custom", "custom": {"name": "patch"}}]), true), (json!([]), false)]
    {
        let mut request = request(tools, asked.clone());
        assert_eq!(replaced(&mut request), is_some);
        assert_eq!(written(&mut request)["messages"], expected);
    }
}

#[test]
fn other_requests_stay() {
    let function = json!([{"type": "function", "function": {"name": "f"}}]);
    let mut request = request(function, question());
    let before = request.clone();
    assert!(!replaced(&mut request));
    assert_eq!(request, before);
}
