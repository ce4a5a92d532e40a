//! Parts of output items.

use crate::json::Node;
use crate::{Block, Content};

/// A part of an item: its kind, and its place among those of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat::openai_responses) struct Part {
    pub(in crate::chat::openai_responses) kind: PartKind,
    pub(in crate::chat::openai_responses) index: u64,
}

/// What a part says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat::openai_responses) enum PartKind {
    /// Words for the user.
    Text,
    /// The model declines.
    Refusal,
    /// The thoughts themselves, which open models show.
    Thought,
    /// What the vendor tells of the thoughts.
    Summary,
    /// Something that the vendor may add.
    Unknown,
}

impl Part {
    /// What this node is: the part at this place of its item.
    pub(in crate::chat::openai_responses) fn of(node: Node<'_>, index: u64) -> Part {
        let kind = match node.str("type").as_deref() {
            Some("output_text") => PartKind::Text,
            Some("refusal") => PartKind::Refusal,
            Some("reasoning_text") => PartKind::Thought,
            Some("summary_text") => PartKind::Summary,
            _ => PartKind::Unknown,
        };
        Part { kind, index }
    }
}

impl PartKind {
    /// How many kinds there are.
    pub(in crate::chat::openai_responses) const COUNT: usize = 5;

    /// The field that holds the words.
    pub(in crate::chat::openai_responses) fn field(self) -> &'static str {
        match self {
            PartKind::Refusal => "refusal",
            PartKind::Text | PartKind::Thought | PartKind::Summary | PartKind::Unknown => "text",
        }
    }

    /// Is it for the model's own use?
    pub(in crate::chat::openai_responses) fn is_thought(self) -> bool {
        match self {
            PartKind::Thought | PartKind::Summary => true,
            PartKind::Text | PartKind::Refusal | PartKind::Unknown => false,
        }
    }

    /// The block that its words go into.
    pub(in crate::chat::openai_responses) fn block(self) -> Block {
        match self {
            PartKind::Text | PartKind::Unknown => Block::text(""),
            PartKind::Refusal => Block::new(Content::Refusal(String::new())),
            PartKind::Thought | PartKind::Summary => Block::new(Content::Reasoning(String::new())),
        }
    }
}
