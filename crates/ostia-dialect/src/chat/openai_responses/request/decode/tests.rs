#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod fields;
mod input;

use crate::test_support::decoded;
use crate::{Block, ClientDialect, Content, Fault, Request, ToolKind};

fn decode(body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    decoded(ClientDialect::OpenaiResponses, body)
}

fn call(id: &str, name: &str, arguments: &str, kind: ToolKind) -> Block {
    let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
    Block::new(Content::ToolCall { id, name, arguments, kind })
}
