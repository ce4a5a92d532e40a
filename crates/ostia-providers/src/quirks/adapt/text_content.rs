//! Messages whose content is a text, for servers that hold every request against a schema in which it is nothing else.

use std::ops::Range;

use ostia_dialect::json::{Document, Node};
use serde_json::Value;

/// What is to stand otherwise in a list of messages, and where.
pub(super) fn edits(messages: Node<'_>) -> Vec<(Range<usize>, String)> {
    messages.items().filter_map(edit).collect()
}

fn edit(message: Node<'_>) -> Option<(Range<usize>, String)> {
    let content = message.fields().find(|(name, _)| name == "content").map(|(_, value)| value);
    match content {
        Some(content) if content.is_string() => None,
        Some(content) if content.is_null() => Some((content.range(), EMPTY.to_owned())),
        Some(content) => Some((content.range(), Value::from(joined(content)?).to_string())),
        None => {
            let behind = message.some("role")?.range().end;
            Some((behind..behind, format!(",\"content\":{EMPTY}")))
        }
    }
}

const EMPTY: &str = "\"\"";

/// The texts of a list that has nothing else.
fn joined(content: Node<'_>) -> Option<String> {
    // What stands in a part is deeper than what was recorded.
    let document = Document::parse(content.text().as_bytes()).ok().filter(|list| list.root().is_array())?;
    let text = |part: Node<'_>| {
        let is_text = part.some("type").and_then(|kind| kind.as_str()).as_deref() == Some("text");
        is_text.then(|| part.some("text")?.as_str().map(|text| text.into_owned())).flatten()
    };
    let texts: Option<Vec<String>> = document.root().items().map(text).collect();
    Some(texts?.join("\n"))
}
