//! Turns: the system prompt goes first, the results of calls stand apart from what else the user says.
//!
//! One turn of a user may hold results and words. The vendor and all others want the results right behind the calls, so
//! they come first, each a message of its own, and the rest follows.

use super::beyond;
use super::blocks::{Piece, Said, decode_content};
use crate::json::Node;
use crate::{Content, Fault, Message, Request, Role};

/// The fields `system` and `messages`.
pub(super) fn decode(root: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    if let Some(system) = root.some("system") {
        let said = assemble(decode_content(system, Role::System)?);
        if !said.is_empty() {
            push(request, Role::System, said, "system".into());
        }
    }
    let messages = root.expect("messages")?;
    if messages.expect_items()?.next().is_none() {
        return Err(messages.invalid("must hold at least one message"));
    }
    for (at, message) in messages.items().enumerate() {
        decode_message(message, format!("messages[{at}]"), request)?;
    }
    Ok(())
}

fn decode_message(message: Node<'_>, place: String, request: &mut Request) -> Result<(), Fault> {
    let role = message.expect("role")?;
    let role = match role.expect_str()?.as_ref() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(role.invalid("must be user, assistant or system")),
    };
    let said = assemble(decode_content(message.expect("content")?, role)?);
    let first = request.messages.len();
    match role {
        Role::User => push_user(request, said, place),
        Role::Assistant | Role::System | Role::Developer | Role::Tool => push(request, role, said, place),
    }
    request.extra.extend(beyond(message, &["role", "content"], format_args!("messages[{first}].")));
    Ok(())
}

/// The blocks that say something, with the proofs that their neighbours carried. A proof without its block proves
/// nothing any more.
fn assemble(pieces: Vec<Piece>) -> Vec<Said> {
    let (mut all, mut next) = (Vec::<Said>::new(), None);
    for piece in pieces {
        match piece {
            Piece::Said(mut said) => {
                said.block.signature = next.take().or(said.block.signature);
                all.push(said);
            }
            Piece::Next(signature) => next = Some(signature),
            Piece::Previous(signature) => {
                if let Some(last) = all.last_mut() {
                    last.block.signature = Some(signature);
                }
            }
        }
    }
    all
}

fn push_user(request: &mut Request, said: Vec<Said>, place: String) {
    let is_result = |said: &Said| matches!(said.block.content, Content::ToolResult { .. });
    let (results, rest): (Vec<_>, Vec<_>) = said.into_iter().enumerate().partition(|(_, one)| is_result(one));
    let speaks = !rest.is_empty() || results.is_empty();
    for (at, result) in results {
        push(request, Role::Tool, vec![result], format!("{place}.content[{at}]"));
    }
    if speaks {
        push(request, Role::User, rest.into_iter().map(|(_, said)| said).collect(), place);
    }
}

fn push(request: &mut Request, role: Role, said: Vec<Said>, place: String) {
    let number = request.messages.len();
    let mut blocks = Vec::with_capacity(said.len());
    for (at, Said { block, beyond }) in said.into_iter().enumerate() {
        let path = |field| format!("messages[{number}].content[{at}].{field}");
        request.extra.extend(beyond.into_iter().map(|(field, value)| (path(field), value)));
        blocks.push(block);
    }
    request.messages.push(Message { role, name: None, blocks });
    request.places.push(place);
}
