//! Whether a whole answer is one.

use super::Api;
use crate::json::{Kind, Node};

impl Api {
    /// Could this be a whole answer? An error that is told beside an empty list is none, and neither is an answer that says
    /// that it failed.
    pub fn is_answered_by(self, root: Node<'_>) -> bool {
        let fields = self.answer_fields();
        let has_error = !self.tells_failure() && root.some("error").is_some_and(|error| error.is_object());
        let is_here = |(name, kind): &(&str, Kind)| {
            root.get(name).is_some_and(|value| {
                value.kind() == *kind && !((has_error || self.needs_items()) && is_empty(value))
            })
        };
        root.is_object() && !self.is_failed(root) && (fields.is_empty() || fields.iter().any(is_here))
    }

    /// Is this a whole answer that tells in the client's own form that it failed? Responses do
    /// (<https://platform.openai.com/docs/api-reference/responses/object>).
    pub fn is_failed(self, root: Node<'_>) -> bool {
        self.tells_failure()
            && root.str("object").as_deref() == Some("response")
            && root.str("status").as_deref() == Some("failed")
    }
}

/// An array or object without anything in it, also where its values are not recorded.
fn is_empty(value: Node<'_>) -> bool {
    let text = value.text().as_bytes();
    (value.is_array() || value.is_object()) && text[1..text.len() - 1].trim_ascii().is_empty()
}
