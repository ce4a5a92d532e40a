//! The order in which a conversation is told to vendors that count results against calls: all results of a turn's calls
//! stand together, right behind it. What somebody said in between follows.
//!
//! Chat Completions: <https://github.com/BerriAI/litellm/issues/32536>. Messages:
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls>. generateContent:
//! <https://ai.google.dev/gemini-api/docs/function-calling>.

#[cfg(test)]
mod tests;

use crate::{Content, Message, Role};

/// The places of the messages in this order.
pub(crate) fn results_behind_calls(messages: &[Message]) -> Vec<usize> {
    let mut order = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        match answered(message).and_then(|id| order.iter().rposition(|&place| calls(&messages[place], id))) {
            Some(call) => put_behind(&mut order, messages, call, at),
            None => order.push(at),
        }
    }
    order
}

/// Puts a result behind those that follow its call. What the model said between them goes before them, as more of the
/// turn of the call: the result is what it is to answer.
fn put_behind(order: &mut Vec<usize>, messages: &[Message], call: usize, result: usize) {
    let end = |from: usize, is_one: &dyn Fn(&Message) -> bool| {
        let run = order[from..].iter().take_while(|&&place| is_one(&messages[place]));
        from + run.count()
    };
    let is_result = |message: &Message| answered(message).is_some();
    let is_said = |message: &Message| message.role == Role::Assistant;
    let turn = end(call, &is_said);
    let results = end(turn, &is_result);
    let said = end(results, &is_said);
    let behind = end(said, &is_result);
    order[turn..said].rotate_left(results - turn);
    order.insert(behind, result);
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

fn calls(message: &Message, wanted: &str) -> bool {
    message.blocks.iter().any(|block| matches!(&block.content, Content::ToolCall { id, .. } if id == wanted))
}
