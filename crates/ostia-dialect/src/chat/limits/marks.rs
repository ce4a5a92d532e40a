//! Cache markers. Each stands for the whole prompt up to its place, so where there are too many the last ones stay.

use super::Limits;
use crate::json::Json;
use crate::{Block, Content, Message, Request, Role, Tool};

/// Takes away the first markers of too many, and reports them.
pub(super) fn apply(request: &mut Request, limits: &Limits, dropped: &mut Vec<String>) {
    let Some(limit) = limits.cache_marks_max else { return };
    let mut count = usize::from(request.cache_control.is_some());
    each(request, &mut |mark, _| count += usize::from(mark.is_some()));
    let mut spare = count.saturating_sub(limit.takes);
    if spare == 0 {
        return;
    }
    each(request, &mut |mark, path| {
        if spare > 0 && mark.take().is_some() {
            spare -= 1;
            dropped.push(format!("{}.cache_control", path()));
        }
    });
}

type Visit<'v> = &'v mut dyn FnMut(&mut Option<Json>, &dyn Fn() -> String);

/// Every place of a marker, in the order of the prompt: tools, the operator's words, the conversation.
fn each(request: &mut Request, visit: Visit<'_>) {
    for (at, tool) in request.tools.iter_mut().enumerate() {
        if let Tool::Function { cache_control, .. } = tool {
            visit(cache_control, &|| format!("tools[{at}]"));
        }
    }
    let is_operator = |role: Role| matches!(role, Role::System | Role::Developer);
    for operators in [true, false] {
        let messages = request.messages.iter_mut().enumerate();
        for (at, message) in messages.filter(|(_, message)| is_operator(message.role) == operators) {
            of_message(at, message, visit);
        }
    }
}

fn of_message(at: usize, message: &mut Message, visit: Visit<'_>) {
    let is_whole = message.role == Role::Tool && message.blocks.len() == 1;
    for (position, block) in message.blocks.iter_mut().enumerate() {
        let path = || match is_whole {
            true => format!("messages[{at}]"),
            false => format!("messages[{at}].content[{position}]"),
        };
        if let Content::ToolResult { content, .. } = &mut block.content {
            for (inside, inner) in content.iter_mut().enumerate().filter(|(_, inner)| can_be_marked(inner)) {
                visit(&mut inner.cache_control, &|| format!("{}.content[{inside}]", path()));
            }
        }
        if can_be_marked(block) {
            visit(&mut block.cache_control, &path);
        }
    }
}

/// Thoughts have no markers, and texts that say nothing are not told.
fn can_be_marked(block: &Block) -> bool {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) => !text.is_empty(),
        Content::Reasoning(_) => false,
        Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => true,
    }
}
