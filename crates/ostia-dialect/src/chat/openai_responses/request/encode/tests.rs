#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod input;
mod options;

use serde_json::{Value, json};

use crate::test_support::{decoded, encoded, raw, result, turn};
use crate::{
    Block, Citation, ClientDialect, Content, Dialect, Media, MediaKind, Message, Reasoning, Request, Role,
    Source, Tool, ToolChoice, ToolKind,
};

/// A request with one user turn for a model that does not think, so that nothing is asked for besides.
fn request(change: impl FnOnce(&mut Request)) -> Request {
    let mut request = Request { model: "gpt-4o".into(), ..Request::default() };
    request.messages.push(Message::text(Role::User, "Hi"));
    change(&mut request);
    request
}

/// The body is the plain one with these fields added or replaced, and just this is reported.
fn check(change: impl FnOnce(&mut Request), fields: Value, reported: &[&str]) {
    check_request(&request(change), fields, reported);
}

fn check_request(request: &Request, fields: Value, reported: &[&str]) {
    let mut expected = json!({
        "model": request.model,
        "input": [{"type": "message", "role": "user", "content": "Hi"}],
        "store": false,
    });
    for (name, value) in fields.as_object().unwrap() {
        expected[name] = value.clone();
    }
    let encoded = encoded(Dialect::OpenaiResponses, request).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&encoded.body).unwrap(), expected);
    assert_eq!(encoded.dropped, reported);
    assert!(encoded.headers.is_empty());
}

/// The same for fields as a client of Chat Completions writes them.
fn check_chat(chat: Value, fields: Value, reported: &[&str]) {
    let mut body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in chat.as_object().unwrap() {
        body[name] = value.clone();
    }
    let request = decoded(ClientDialect::OpenaiChat, body.to_string()).unwrap();
    check_request(&request, fields, reported);
}
