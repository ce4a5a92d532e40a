//! Content blocks: <https://platform.claude.com/docs/en/api/messages/create>, `ContentBlockParam`.
//!
//! Blocks of types that are not named here are the vendor's own and stay as they are. What our own answers
//! wrapped in an opaque value comes out of it again.

use super::{beyond, media};
use crate::chat::anthropic_messages::block;
use crate::chat::opaque::{self, Opaque};
use crate::json::{Json, Node};
use crate::{Block, Content, Fault, MediaKind, Role, Signature};

// The fields that the hub has room for.
const TEXT_FIELDS: &[&str] = &["type", "text", "citations", "cache_control"];
const THINKING_FIELDS: &[&str] = &["type", "thinking", "signature", "cache_control"];
const CALL_FIELDS: &[&str] = &["type", "id", "name", "input", "caller", "cache_control"];
const RESULT_FIELDS: &[&str] = &["type", "tool_use_id", "content", "is_error", "cache_control"];
const MEDIA_FIELDS: &[&str] = &["type", "source", "title", "cache_control"];

/// A block as it was read.
pub(super) enum Piece {
    /// It says something.
    Said(Said),
    /// It only carries the proof of the block behind it.
    Next(Signature),
    /// It only carries the proof of the block before it.
    Previous(Signature),
}

/// What a block says, and what the hub has no room for: fields by their path inside the block.
pub(super) struct Said {
    pub(super) block: Block,
    pub(super) beyond: Vec<(String, Json)>,
}

/// Reads the `content` of a turn: a text, or a list of blocks.
pub(super) fn decode_content(content: Node<'_>, role: Role) -> Result<Vec<Piece>, Fault> {
    if let Some(text) = content.as_str() {
        return Ok(vec![Piece::Said(Said { block: Block::text(text), beyond: Vec::new() })]);
    }
    if !content.is_array() {
        return Err(content.invalid("must be a string or an array of content blocks"));
    }
    let mut text_chars = 0;
    content.items().map(|node| decode(node, role, &mut text_chars)).collect()
}

fn decode(node: Node<'_>, role: Role, text_chars: &mut u64) -> Result<Piece, Fault> {
    let kind = node.expect("type")?;
    let word = kind.expect_str()?;
    check_role(kind, &word, role)?;
    let (block, known) = match word.as_ref() {
        "text" => (decode_text(node, role, text_chars)?, TEXT_FIELDS),
        "image" => return decode_medium(node, MediaKind::Image),
        "document" => return decode_medium(node, MediaKind::Document),
        "search_result" => return decode_search_result(node),
        "thinking" => (decode_thinking(node)?, THINKING_FIELDS),
        "redacted_thinking" => return decode_redacted(node),
        "tool_use" => (decode_call(node)?, CALL_FIELDS),
        "tool_result" => return decode_result(node),
        _ => return Ok(said(block::foreign(Json::of(node)), Vec::new())),
    };
    Ok(said(marked(block, node), beyond(node, known, "").collect()))
}

fn said(block: Block, beyond: Vec<(String, Json)>) -> Piece {
    Piece::Said(Said { block, beyond })
}

/// The block with the client's cache marker.
fn marked(mut block: Block, node: Node<'_>) -> Block {
    block.cache_control = node.some("cache_control").map(Json::of);
    block
}

/// The vendor refuses what the other side alone can say, and so would everybody.
fn check_role(kind: Node<'_>, word: &str, role: Role) -> Result<(), Fault> {
    let what = match (word, role) {
        ("tool_result", Role::Assistant | Role::System) => "tool_result blocks stand in user messages",
        ("tool_use" | "thinking" | "redacted_thinking", Role::User | Role::System) => {
            "this block stands in assistant messages"
        }
        _ => return Ok(()),
    };
    Err(kind.invalid(what))
}

/// A text. In a turn of the model it may be a medium that our own answer showed in words.
fn decode_text(node: Node<'_>, role: Role, text_chars: &mut u64) -> Result<Block, Fault> {
    let text = node.expect("text")?.expect_str()?;
    if role == Role::Assistant
        && let Some(medium) = block::media::decode(&text)
    {
        return Ok(Block::new(Content::Media(medium)));
    }
    let mut block = block::text(node, text, text_chars);
    if let Content::Text { citations, .. } = &mut block.content {
        let sources = node.get("citations").into_iter().flat_map(|list| list.items());
        for (citation, source) in citations.iter_mut().zip(sources) {
            // The vendor's own always has an index: without one it is a source that our answer showed.
            if source.str("encrypted_index").is_some_and(|index| index.is_empty()) {
                citation.value = None;
            }
        }
    }
    Ok(block)
}

fn decode_thinking(node: Node<'_>) -> Result<Block, Fault> {
    let mut block = block::reasoning(node, node.expect("thinking")?.expect_str()?);
    if let Some(Opaque::Own(signature)) =
        block.signature.as_ref().and_then(|proof| opaque::decode(&proof.value))
    {
        block.signature = Some(signature);
    }
    Ok(block)
}

fn decode_redacted(node: Node<'_>) -> Result<Piece, Fault> {
    let data = node.expect("data")?.expect_str()?;
    Ok(match opaque::decode(&data) {
        Some(Opaque::Next(signature)) => Piece::Next(signature),
        Some(Opaque::Previous(signature)) => Piece::Previous(signature),
        Some(Opaque::Foreign { dialect, value }) => {
            said(Block::new(Content::Foreign { dialect, value }), Vec::new())
        }
        Some(Opaque::Own(_)) | None => said(block::foreign(Json::of(node)), Vec::new()),
    })
}

fn decode_call(node: Node<'_>) -> Result<Block, Fault> {
    node.expect("id")?.expect_str()?;
    node.expect("name")?.expect_str()?;
    let input = node.expect("input")?;
    input.expect_fields()?;
    Ok(block::tool_call(node, input.text().to_owned()))
}

fn decode_result(node: Node<'_>) -> Result<Piece, Fault> {
    let id = node.expect("tool_use_id")?.expect_str()?.into_owned();
    let is_error = node.some("is_error").map(|flag| flag.expect_bool()).transpose()?.unwrap_or(false);
    let mut lost: Vec<_> = beyond(node, RESULT_FIELDS, "").collect();
    let mut content = Vec::new();
    let pieces = node.some("content").map(|content| decode_content(content, Role::User)).transpose()?;
    for piece in pieces.unwrap_or_default() {
        // Carriers stand in turns of the model alone.
        let Piece::Said(inner) = piece else { continue };
        let place = format!("content[{}].", content.len());
        lost.extend(inner.beyond.into_iter().map(|(path, value)| (format!("{place}{path}"), value)));
        content.push(inner.block);
    }
    let block = Block::new(Content::ToolResult { id, name: None, content, is_error });
    Ok(said(marked(block, node), lost))
}

fn decode_medium(node: Node<'_>, kind: MediaKind) -> Result<Piece, Fault> {
    let Some((medium, chunked)) = media::decode(node, kind)? else {
        return Ok(said(block::foreign(Json::of(node)), Vec::new()));
    };
    let lost = match chunked {
        Some(whole) => vec![("document".into(), whole)],
        None => beyond(node, MEDIA_FIELDS, "").collect(),
    };
    Ok(said(marked(Block::new(Content::Media(medium)), node), lost))
}

/// To others a search result is a document; its source and the marks of its parts are for the vendor.
fn decode_search_result(node: Node<'_>) -> Result<Piece, Fault> {
    let medium = media::decode_search_result(node)?;
    let lost = vec![("search_result".into(), Json::of(node))];
    Ok(said(marked(Block::new(Content::Media(medium)), node), lost))
}
