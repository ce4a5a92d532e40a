//! The order in which a conversation is told to vendors that count results against calls: all results of a turn's calls
//! stand together, right behind it. What somebody said in between follows.
//!
//! Chat Completions: <https://github.com/BerriAI/litellm/issues/32536>. Messages:
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls>. generateContent:
//! <https://ai.google.dev/gemini-api/docs/function-calling>.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::{Block, Content, Message, Role};

/// The places of the messages in this order.
pub(crate) fn results_behind_calls(messages: &[Message]) -> Vec<usize> {
    if is_in_order(messages) {
        return (0..messages.len()).collect();
    }
    let mut parts: Vec<Part> = Vec::new();
    // The part in which each call stands.
    let mut calls: HashMap<&str, usize> = HashMap::new();
    for (place, message) in messages.iter().enumerate() {
        if let Some(id) = answered(message) {
            match calls.get(id) {
                Some(&part) => answer(&mut parts, part, place),
                None => add(&mut parts, false).results.push(place),
            }
            continue;
        }
        add(&mut parts, message.role == Role::Assistant).said.push(place);
        let own = message.blocks.iter().filter_map(|block| match &block.content {
            Content::ToolCall { id, .. } => Some((id.as_str(), parts.len() - 1)),
            _ => None,
        });
        calls.extend(own);
    }
    parts.into_iter().flat_map(|part| part.said.into_iter().chain(part.results)).collect()
}

/// Does every turn with calls have as many results right behind it? Then nothing is to be moved.
fn is_in_order(messages: &[Message]) -> bool {
    let is_call = |block: &&Block| matches!(block.content, Content::ToolCall { .. });
    let (mut open, mut answers) = (0, false);
    for message in messages {
        match (answered(message), message.role) {
            (Some(_), _) if open < message.blocks.len() => return false,
            (Some(_), _) => (open, answers) = (open - message.blocks.len(), true),
            (None, _) if open > 0 && answers => return false,
            (None, Role::Assistant) => {
                open += message.blocks.iter().filter(is_call).count();
                answers = false;
            }
            (None, _) if open > 0 => return false,
            (None, _) => {}
        }
    }
    true
}

/// A turn of the model and the results of its calls, or what somebody else said.
#[derive(Default)]
struct Part {
    is_model: bool,
    said: Vec<usize>,
    results: Vec<usize>,
    /// The part before it that it has become one with.
    within: Option<usize>,
    /// How many parts behind it are within it.
    holds: usize,
}

/// The part for the next message: what the model says in a row is one.
fn add(parts: &mut Vec<Part>, is_model: bool) -> &mut Part {
    let goes_on = |last: &Part| is_model && last.is_model && last.results.is_empty() && last.within.is_none();
    if !parts.last().is_some_and(goes_on) {
        parts.push(Part { is_model, ..Part::default() });
    }
    let last = parts.len() - 1;
    &mut parts[last]
}

/// Puts a result behind those of its turn. What the model said between them goes before them, as more of the same turn:
/// the result is what it is to answer.
fn answer(parts: &mut [Part], part: usize, place: usize) {
    let part = outermost(parts, part);
    while let Some(next) = parts.get(part + 1 + parts[part].holds).filter(|next| next.is_model) {
        let holds = next.holds + 1;
        let at = part + 1 + parts[part].holds;
        let (said, results) = (std::mem::take(&mut parts[at].said), std::mem::take(&mut parts[at].results));
        parts[at].within = Some(part);
        let turn = &mut parts[part];
        turn.said.extend(said);
        turn.results.extend(results);
        turn.holds += holds;
    }
    parts[part].results.push(place);
}

/// The part that this one has become one with.
fn outermost(parts: &mut [Part], part: usize) -> usize {
    let mut found = part;
    while let Some(within) = parts[found].within {
        found = within;
    }
    if found != part {
        // The next one to ask has a short way.
        parts[part].within = Some(found);
    }
    found
}

/// The call that a message of nothing but results answers first.
fn answered(message: &Message) -> Option<&str> {
    let mut ids = message.blocks.iter().map(|block| match &block.content {
        Content::ToolResult { id, .. } => Some(id.as_str()),
        _ => None,
    });
    let first = ids.next()??;
    ids.all(|id| id.is_some()).then_some(first)
}
