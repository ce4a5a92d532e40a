#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod fields;
mod input;

use super::decode;
use crate::json::{Document, Json};
use crate::{Block, Content, Message, Role, ToolKind};

fn json(text: &str) -> Json {
    Json::of(Document::parse(text.as_bytes()).unwrap().root())
}

fn turn(role: Role, blocks: Vec<Block>) -> Message {
    Message { role, name: None, blocks }
}

fn call(id: &str, name: &str, arguments: &str, kind: ToolKind) -> Block {
    let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
    Block::new(Content::ToolCall { id, name, arguments, kind })
}
