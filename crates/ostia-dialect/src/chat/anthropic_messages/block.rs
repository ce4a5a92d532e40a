//! Content blocks of answers: <https://platform.claude.com/docs/en/api/messages>, `ContentBlock`.

pub(super) mod media;

use std::borrow::Cow;

use crate::chat::response::characters;
use crate::json::{Document, Json, Node};
use crate::{Block, Citation, Content, Dialect, Signature, ToolKind};

/// Reads a whole block. `text_chars` counts the characters of the message's text so far and moves on.
pub(super) fn decode(node: Node<'_>, text_chars: &mut u64) -> Block {
    match node.str("type").as_deref() {
        Some("text") => text(node, node.str("text").unwrap_or_default(), text_chars),
        Some("thinking") => reasoning(node, node.str("thinking").unwrap_or_default()),
        Some("tool_use") => {
            let input = node.some("input").map_or("{}", |input| input.text());
            tool_call(node, input.to_owned())
        }
        _ => foreign(Json::of(node)),
    }
}

/// A `text` block with these words.
pub(super) fn text(node: Node<'_>, text: Cow<'_, str>, text_chars: &mut u64) -> Block {
    let start = *text_chars;
    *text_chars += characters(&text);
    let sources = node.get("citations").into_iter().flat_map(|list| list.items());
    let citations = sources.map(|source| citation(source, start, *text_chars)).collect();
    Block::new(Content::Text { text: text.into_owned(), citations })
}

/// A source of the text from character `start` to `end`: the vendor cites per block, so that is the whole block.
pub(super) fn citation(node: Node<'_>, start: u64, end: u64) -> Citation {
    let text = |name| node.str(name).map(|text| text.into_owned());
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("document_title")),
        start: Some(start),
        end: Some(end),
        value: Some(Json::of(node)),
    }
}

/// A citation as this vendor wrote it: its types all end in `_location`.
pub(super) fn own_citation(citation: &Citation) -> Option<&Json> {
    let value = citation.value.as_ref()?;
    let document = Document::parse(value.as_str().as_bytes()).ok()?;
    document.root().str("type")?.ends_with("_location").then_some(value)
}

/// A `thinking` block with these words, which may be none and the signature still matter (`display: omitted`).
pub(super) fn reasoning(node: Node<'_>, thinking: Cow<'_, str>) -> Block {
    let proof = node.str("signature").filter(|value| !value.is_empty());
    let signature = proof.map(|value| own(value.into_owned()));
    Block { signature, ..Block::new(Content::Reasoning(thinking.into_owned())) }
}

/// A `tool_use` block with these arguments.
///
/// A call that came from the vendor's code execution names its `caller`, which the vendor wants to see again: it
/// travels as the block's signature. A direct call, the usual case, has none.
pub(super) fn tool_call(node: Node<'_>, arguments: String) -> Block {
    let text = |name| node.str(name).unwrap_or_default().into_owned();
    let (id, name) = (text("id"), text("name"));
    let mut block = Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function });
    let caller = node.some("caller").filter(|caller| caller.str("type").is_some_and(|kind| kind != "direct"));
    block.signature = caller.map(|caller| own(caller.text().to_owned()));
    block
}

/// Who made a call that did not come from the model itself, as [`tool_call`] left it with the block.
pub(crate) fn caller(signature: &Signature) -> Option<&str> {
    let own = signature.dialect == Dialect::AnthropicMessages;
    let is_object =
        || Document::parse_to(signature.value.as_bytes(), 0).is_ok_and(|value| value.root().is_object());
    (own && is_object()).then_some(signature.value.as_str())
}

/// A block that only this dialect knows.
pub(super) fn foreign(value: Json) -> Block {
    Block::new(Content::Foreign { dialect: Dialect::AnthropicMessages, value })
}

/// A proof of this dialect.
pub(super) fn own(value: String) -> Signature {
    Signature { dialect: Dialect::AnthropicMessages, value }
}
