//! Turns and their content blocks: <https://platform.claude.com/docs/en/api/messages>, `ContentBlockParam`.

use crate::anthropic_messages::block;
use crate::json::{Json, Node};
use crate::openai_chat::part::{optional_str, report_unknown};
use crate::seal::{Sealed, unseal};
use crate::{Block, Content, Fault, Media, MediaKind, Message, Role, Signature, Source, ToolKind};

/// The turns of one message: results of tools come first, in a turn of their own.
pub(super) fn decode_turn(
    message: Node<'_>,
    unknown: &mut Vec<(String, Json)>,
) -> Result<Vec<Message>, Fault> {
    let role = message.expect("role")?;
    let role = match role.expect_str()?.as_ref() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(role.invalid("must be user or assistant")),
    };
    report_unknown(message, &["role", "content"], unknown);
    let blocks = decode_content(message.expect("content")?, unknown)?;
    let turn = |role, blocks| Message { role, name: None, blocks };
    if role != Role::User {
        return Ok(vec![turn(role, blocks)]);
    }
    let is_result = |block: &Block| matches!(block.content, Content::ToolResult { .. });
    let (results, rest): (Vec<_>, Vec<_>) = blocks.into_iter().partition(is_result);
    let mut turns = Vec::new();
    if !results.is_empty() {
        turns.push(turn(Role::Tool, results));
    }
    if !rest.is_empty() || turns.is_empty() {
        turns.push(turn(Role::User, rest));
    }
    Ok(turns)
}

/// A string, or a list of blocks. Seals are broken: the proofs in them go back to the blocks that they belong to.
pub(super) fn decode_content(
    content: Node<'_>,
    unknown: &mut Vec<(String, Json)>,
) -> Result<Vec<Block>, Fault> {
    if let Some(text) = content.as_str() {
        return Ok(vec![Block::text(text)]);
    }
    if !content.is_array() {
        return Err(content.invalid("must be a string or an array of content blocks"));
    }
    let mut blocks: Vec<Block> = Vec::new();
    let mut next: Option<Signature> = None;
    for node in content.items() {
        match decode_block(node, unknown)? {
            Piece::Block(mut decoded) => {
                decoded.signature = decoded.signature.or(next.take());
                blocks.push(decoded);
            }
            Piece::Next(signature) => next = Some(signature),
            Piece::Previous(signature) => {
                if let Some(last) = blocks.last_mut() {
                    last.signature = Some(signature);
                }
            }
        }
    }
    Ok(blocks)
}

/// A block, or only a proof for one beside it.
enum Piece {
    Block(Block),
    Next(Signature),
    Previous(Signature),
}

fn decode_block(node: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Piece, Fault> {
    let kind = node.expect("type")?.expect_str()?;
    let (mut decoded, known): (Block, &[&str]) = match kind.as_ref() {
        "text" => (text(node)?, &["text", "citations"]),
        "image" => (Block::new(image(node.expect("source")?)?), &["source"]),
        "document" => match document(node)? {
            Some(media) => (Block::new(media), &["source", "title"]),
            None => return Ok(Piece::Block(block::foreign(Json::of(node)))),
        },
        "thinking" => (thinking(node), &["thinking", "signature"]),
        "redacted_thinking" => return Ok(redacted(node)),
        "tool_use" => (call(node)?, &["id", "name", "input", "caller"]),
        "tool_result" => (result(node, unknown)?, &["tool_use_id", "content", "is_error"]),
        _ => return Ok(Piece::Block(block::foreign(Json::of(node)))),
    };
    report_unknown(node, &[known, &["type", "cache_control"]].concat(), unknown);
    decoded.cache_control = node.some("cache_control").map(Json::of);
    Ok(Piece::Block(decoded))
}

fn text(node: Node<'_>) -> Result<Block, Fault> {
    let text = node.expect("text")?.expect_str()?.into_owned();
    let end = text.chars().count() as u64;
    let sources =
        node.some("citations").filter(|list| list.is_array()).into_iter().flat_map(|list| list.items());
    let citations = sources.map(|source| block::citation(source, 0, end)).collect();
    Ok(Block::new(Content::Text { text, citations }))
}

fn thinking(node: Node<'_>) -> Block {
    let mut decoded = block::reasoning(node);
    if let Some(Sealed::Own(signature)) = node.str("signature").and_then(|proof| unseal(&proof)) {
        decoded.signature = Some(signature);
    }
    decoded
}

fn redacted(node: Node<'_>) -> Piece {
    match node.str("data").and_then(|data| unseal(&data)) {
        Some(Sealed::Next(signature)) => Piece::Next(signature),
        Some(Sealed::Previous(signature)) => Piece::Previous(signature),
        Some(Sealed::Own(signature)) => {
            let content = Content::Reasoning(String::new());
            Piece::Block(Block { content, signature: Some(signature), cache_control: None })
        }
        Some(Sealed::Foreign { dialect, value }) => {
            Piece::Block(Block::new(Content::Foreign { dialect, value }))
        }
        None => Piece::Block(block::foreign(Json::of(node))),
    }
}

fn call(node: Node<'_>) -> Result<Block, Fault> {
    let id = node.expect("id")?.expect_str()?.into_owned();
    let name = node.expect("name")?.expect_str()?.into_owned();
    let input = node.expect("input")?;
    input.expect_fields()?;
    let mut decoded = block::tool_call(node, input.text().to_owned());
    let arguments = input.text().to_owned();
    decoded.content = Content::ToolCall { id, name, arguments, kind: ToolKind::Function };
    Ok(decoded)
}

fn result(node: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Block, Fault> {
    let id = node.expect("tool_use_id")?.expect_str()?.into_owned();
    let content = match node.some("content") {
        Some(content) => decode_content(content, unknown)?,
        None => Vec::new(),
    };
    let is_error = node.some("is_error").map(|flag| flag.expect_bool()).transpose()?.unwrap_or(false);
    Ok(Block::new(Content::ToolResult { id, name: None, content, is_error }))
}

fn image(source: Node<'_>) -> Result<Content, Fault> {
    let (at, mime) =
        decode_source(source)?.ok_or_else(|| source.invalid("must be of type base64, url or file"))?;
    Ok(Content::Media(Media { kind: MediaKind::Image, source: at, mime, name: None, detail: None }))
}

/// A document whose source the hub knows; one made of content blocks is the vendor's own affair.
fn document(node: Node<'_>) -> Result<Option<Content>, Fault> {
    let Some((source, mime)) = decode_source(node.expect("source")?)? else { return Ok(None) };
    // What the vendor is told beside the document means nothing elsewhere.
    let marked = node.some("context").is_some() || node.some("citations").is_some();
    if marked {
        return Ok(None);
    }
    let name = optional_str(node, "title")?;
    Ok(Some(Content::Media(Media { kind: MediaKind::Document, source, mime, name, detail: None })))
}

fn decode_source(source: Node<'_>) -> Result<Option<(Source, Option<String>)>, Fault> {
    let text = |name: &str| Ok::<_, Fault>(source.expect(name)?.expect_str()?.into_owned());
    Ok(Some(match source.expect("type")?.expect_str()?.as_ref() {
        "base64" => (Source::Base64(text("data")?), optional_str(source, "media_type")?),
        "text" => (Source::Text(text("data")?), optional_str(source, "media_type")?),
        "url" => (Source::Url(text("url")?), None),
        "file" => (Source::FileId(text("file_id")?), None),
        _ => return Ok(None),
    }))
}
