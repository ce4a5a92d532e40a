//! A row that a model is trained with.

use crate::batches::RowFault;
use crate::json::{Document, Node};

/// As deep as a row is looked at: the fields of a message of a preference's input.
const DEPTH: usize = 4;

/// What a row is (<https://platform.openai.com/docs/api-reference/fine-tuning/chat-input>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A conversation: `messages`.
    Conversation,
    /// Two ends of a conversation, of which one is better: `input`, `preferred_output`, `non_preferred_output`.
    Preference,
    /// A beginning and its end: `prompt`, `completion`.
    Completion,
    /// A text alone: `text`.
    Text,
}

impl RowKind {
    const ALL: [RowKind; 4] =
        [RowKind::Conversation, RowKind::Preference, RowKind::Completion, RowKind::Text];

    /// The fields that a row of this kind has.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            RowKind::Conversation => &["messages"],
            RowKind::Preference => &["input", "preferred_output", "non_preferred_output"],
            RowKind::Completion => &["prompt", "completion"],
            RowKind::Text => &["text"],
        }
    }

    /// Its name, by which it is found again.
    pub fn name(self) -> &'static str {
        match self {
            RowKind::Conversation => "conversation",
            RowKind::Preference => "preference",
            RowKind::Completion => "completion",
            RowKind::Text => "text",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<RowKind> {
        RowKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &[u8]) -> Result<RowKind, RowFault> {
        let document = Document::parse_to(line, DEPTH)
            .map_err(|fault| RowFault::new("invalid_json_line", format!("is no JSON: it is {fault}")))?;
        let root = document.root();
        if !root.is_object() {
            return Err(RowFault::new("invalid_json_line", "is no JSON object"));
        }
        let kind = RowKind::ALL.into_iter().find(|kind| root.some(kind.fields()[0]).is_some());
        let kind = kind.ok_or_else(|| {
            let message = "has none of `messages`, `input` (with `preferred_output` and `non_preferred_output`), `prompt` (with \
                           `completion`) and `text`";
            RowFault::new("invalid_training_row", message)
        })?;
        for name in kind.fields() {
            let value = root.some(name).ok_or_else(|| {
                RowFault::new("invalid_training_row", format!("has `{}` and no `{name}`", kind.fields()[0]))
            })?;
            check(kind, name, value)?;
        }
        Ok(kind)
    }
}

fn check(kind: RowKind, name: &str, value: Node<'_>) -> Result<(), RowFault> {
    match (kind, name) {
        (RowKind::Preference, "input") => match value.some("messages") {
            Some(messages) => check_messages("input.messages", messages),
            None => Err(RowFault::new("invalid_training_row", "has an `input` without `messages`")),
        },
        (RowKind::Conversation | RowKind::Preference, name) => check_messages(name, value),
        (RowKind::Completion | RowKind::Text, _) if value.is_string() => Ok(()),
        (RowKind::Completion | RowKind::Text, name) => {
            Err(RowFault::new("invalid_training_row", format!("has a `{name}` that is no text")))
        }
    }
}

/// Messages, and at least one. What a role may be is the vendor's to say.
fn check_messages(name: &str, value: Node<'_>) -> Result<(), RowFault> {
    let wrong = |what: String| Err(RowFault::new("invalid_training_row", what));
    if !value.is_array() || value.items().next().is_none() {
        return wrong(format!("has a `{name}` that is no list of messages"));
    }
    match value.items().position(|message| message.str("role").is_none()) {
        None => Ok(()),
        Some(place) => wrong(format!("has no `role` in `{name}[{place}]`")),
    }
}
