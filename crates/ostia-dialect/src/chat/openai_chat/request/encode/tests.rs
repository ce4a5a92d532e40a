#![allow(clippy::unwrap_used, clippy::panic)]

mod fields;
mod identity;
mod turns;

use serde_json::{Value, json};

use super::encode;
use crate::{Block, Content, EncodeOptions, Message, Request, Role};

/// One question, and what `change` adds to it.
fn request(change: impl FnOnce(&mut Request)) -> Request {
    let messages = vec![Message::text(Role::User, "q")];
    let mut request = Request { model: "m".into(), messages, ..Request::default() };
    change(&mut request);
    request
}

fn written(request: &Request, options: &EncodeOptions) -> (Value, Vec<String>) {
    let encoded = encode(request, options).unwrap();
    assert!(encoded.headers.is_empty());
    (serde_json::from_slice(&encoded.body).unwrap(), encoded.dropped)
}

/// A change of the plain request adds these fields to the body, and loses these.
#[track_caller]
fn check(change: impl FnOnce(&mut Request), fields: Value, dropped: &[&str]) {
    let (mut body, lost) = written(&request(change), &EncodeOptions::default());
    for (name, value) in [("model", json!("m")), ("messages", json!([{"role": "user", "content": "q"}]))] {
        assert_eq!(body.as_object_mut().unwrap().remove(name), Some(value));
    }
    assert_eq!((body, lost), (fields, dropped.iter().map(|path| (*path).to_owned()).collect()));
}

/// These turns become these messages, and lose these.
#[track_caller]
fn check_turns(messages: Vec<Message>, options: &EncodeOptions, expected: Value, dropped: &[&str]) {
    let (body, lost) = written(&request(|request| request.messages = messages), options);
    assert_eq!(body["messages"], expected);
    assert_eq!(lost, dropped);
}

fn result(id: &str, name: Option<&str>, content: impl Into<Vec<Block>>) -> Block {
    let (id, name) = (id.to_owned(), name.map(str::to_owned));
    Block::new(Content::ToolResult { id, name, content: content.into(), is_error: false })
}
