//! Which part says a block.

use super::media;
use super::parts::Part;
use crate::{Block, Content, Dialect, EncodeOptions, Role};

/// The part for a block that stands for itself in a turn of this role; `None` where the format has none. System turns
/// hold words alone, and models say no media.
pub(super) fn part<'r>(role: Role, block: &'r Block, options: &EncodeOptions) -> Option<Part<'r>> {
    match &block.content {
        Content::Text { text, .. } => Some(Part::Text(text.into())),
        Content::Refusal(text) if role == Role::Assistant => Some(Part::Refusal(text)),
        Content::Refusal(text) => Some(Part::Text(text.into())),
        Content::Reasoning(text) => {
            let is_taken = role == Role::Assistant && options.reasoning_parts && !text.is_empty();
            is_taken.then_some(Part::Thinking(text))
        }
        Content::Media(medium) if matches!(role, Role::User | Role::Tool) => media::part(medium),
        Content::Media(medium) => media::words(medium),
        Content::Foreign { dialect: Dialect::OpenaiChat, value } => Some(Part::Own(value)),
        Content::Foreign { .. } | Content::ToolCall { .. } | Content::ToolResult { .. } => None,
    }
}
