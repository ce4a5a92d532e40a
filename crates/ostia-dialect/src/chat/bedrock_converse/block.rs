//! Content blocks, of which both requests and answers are made:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>.

use std::borrow::Cow;

use crate::chat::response::characters;
use crate::json::{Document, Json, Node};
use crate::{Block, Citation, Content, Dialect, Media, MediaKind, Signature, Source, ToolKind};

/// Reads a whole block. `text_chars` counts the characters of the message's text so far and moves on.
pub(super) fn decode(node: Node<'_>, text_chars: &mut u64) -> Block {
    if let Some(text) = node.str("text") {
        return said(text.into_owned(), None, text_chars);
    }
    if let Some(cited) = node.some("citationsContent") {
        return said(words(cited.some("content")), cited.some("citations"), text_chars);
    }
    let thought = node.some("reasoningContent").and_then(|thought| thought.some("reasoningText"));
    if let Some(thought) = thought {
        let text = thought.str("text").unwrap_or_default().into_owned();
        return reasoning(text, &thought.str("signature").unwrap_or_default());
    }
    if let Some(call) = node.some("toolUse").filter(|call| !is_servers(*call)) {
        return tool_call(call, call.some("input").map_or("{}", |input| input.text()).to_owned());
    }
    node.some("image").and_then(image).unwrap_or_else(|| foreign(Json::of(node)))
}

/// A text, with the sources of all of it.
fn said(text: String, sources: Option<Node<'_>>, text_chars: &mut u64) -> Block {
    let start = *text_chars;
    *text_chars += characters(&text);
    let sources = sources.into_iter().flat_map(|sources| sources.items());
    let citations = sources.map(|source| citation(source, start, *text_chars)).collect();
    Block::new(Content::Text { text, citations })
}

/// The texts of a list of `{"text": ...}`.
fn words(content: Option<Node<'_>>) -> String {
    content.iter().flat_map(|content| content.items()).filter_map(|part| part.str("text")).collect()
}

/// A source of the text from character `start` to `end`: the vendor cites per block, so that is the whole block.
pub(super) fn citation(node: Node<'_>, start: u64, end: u64) -> Citation {
    let text = |node: Node<'_>, name| node.str(name).map(Cow::into_owned);
    let web = node.some("location").and_then(|location| location.some("web"));
    let is_address = |source: &String| source.starts_with("https://") || source.starts_with("http://");
    Citation {
        url: web.and_then(|web| text(web, "url")).or_else(|| text(node, "source").filter(is_address)),
        title: text(node, "title"),
        start: Some(start),
        end: Some(end),
        value: Some(Json::of(node)),
    }
}

/// A citation as this vendor wrote it: with a place or the words of its source, and no `type`, as others have one.
pub(super) fn own_citation(citation: &Citation) -> Option<&Json> {
    let value = citation.value.as_ref()?;
    let document = Document::parse(value.as_str().as_bytes()).ok()?;
    let has = |name: &str| document.root().some(name).is_some();
    (!has("type") && (has("location") || has("sourceContent"))).then_some(value)
}

/// A thought, which may say nothing and be signed all the same.
pub(super) fn reasoning(text: String, signature: &str) -> Block {
    let signature = (!signature.is_empty()).then(|| own(signature.to_owned()));
    Block { signature, ..Block::new(Content::Reasoning(text)) }
}

/// A call with these arguments.
pub(super) fn tool_call(call: Node<'_>, arguments: String) -> Block {
    let text = |name| call.str(name).unwrap_or_default().into_owned();
    let (id, name) = (text("toolUseId"), text("name"));
    Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function })
}

/// Is it a call of a tool that the vendor runs (`server_tool_use`)? Where there are such tools, the client's calls may say of
/// which kind they are too.
pub(super) fn is_servers(call: Node<'_>) -> bool {
    call.str("type").is_some_and(|kind| kind != "tool_use")
}

/// A picture of the model's; `None` where it has no bytes.
fn image(node: Node<'_>) -> Option<Block> {
    let bytes = node.some("source")?.str("bytes")?.into_owned();
    Some(picture(&node.str("format").unwrap_or_default(), bytes))
}

/// A picture of this format, its bytes in base64.
pub(super) fn picture(format: &str, bytes: String) -> Block {
    let mime = (!format.is_empty()).then(|| format!("image/{format}"));
    Block::new(Content::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64(bytes),
        mime,
        name: None,
        detail: None,
    }))
}

/// A block that only this dialect knows.
pub(super) fn foreign(value: Json) -> Block {
    Block::new(Content::Foreign { dialect: Dialect::BedrockConverse, value })
}

/// A thought that nobody may read, in base64.
pub(super) fn redacted(bytes: &str) -> Json {
    Json::build(|w| {
        w.object(|w| w.field_object("reasoningContent", |w| w.field_str("redactedContent", bytes)));
    })
}

/// A proof of this dialect.
pub(super) fn own(value: String) -> Signature {
    Signature { dialect: Dialect::BedrockConverse, value }
}
