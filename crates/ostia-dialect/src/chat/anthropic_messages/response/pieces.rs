//! Pieces of an answer's blocks, which the unary form and the stream have in common.

use std::borrow::Cow;

use crate::chat::anthropic_messages::block::{caller, own_citation};
use crate::chat::opaque::{self, Opaque};
use crate::json::{Json, Writer};
use crate::{Block, Citation, Content, Dialect, Signature};

/// Most bytes of arguments that are held back because they may yet mean nothing (`null`).
const HELD_BYTES_MAX: usize = 64;

/// A block that this dialect does not know of its own: another vendor's goes as an opaque value.
pub(in crate::chat::anthropic_messages) fn foreign(dialect: Dialect, value: &Json) -> Json {
    match dialect {
        Dialect::AnthropicMessages => value.clone(),
        _ => carrier(&Opaque::Foreign { dialect, value: value.clone() }),
    }
}

/// The block that carries the proof of a call or a medium, to stand before it.
pub(in crate::chat::anthropic_messages) fn carrier_before(block: &Block) -> Option<Json> {
    let signature = block.signature.as_ref().filter(|proof| caller(proof).is_none())?;
    match block.content {
        Content::ToolCall { .. } | Content::Media(_) => Some(carrier(&Opaque::Next(signature.clone()))),
        Content::Text { .. }
        | Content::Refusal(_)
        | Content::Reasoning(_)
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => None,
    }
}

/// The block that carries the proof of the block before it.
pub(in crate::chat::anthropic_messages) fn carrier_behind(signature: &Signature) -> Json {
    carrier(&Opaque::Previous(signature.clone()))
}

fn carrier(wrapped: &Opaque) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "redacted_thinking");
            w.field_str("data", &opaque::encode(wrapped));
        });
    })
}

/// The proof of a thought, for `thinking.signature`.
pub(in crate::chat::anthropic_messages) fn proof(signature: &Signature) -> Cow<'_, str> {
    match signature.dialect {
        Dialect::AnthropicMessages => Cow::Borrowed(&signature.value),
        _ => Cow::Owned(opaque::encode(&Opaque::Own(signature.clone()))),
    }
}

/// The fields of a call up to its input.
pub(in crate::chat::anthropic_messages) fn write_call_head(w: &mut Writer, block: &Block, id: &str) {
    let Content::ToolCall { name, .. } = &block.content else { return };
    w.field_str("type", "tool_use");
    w.field_str("id", id);
    w.field_str("name", name);
    if let Some(caller) = block.signature.as_ref().and_then(caller) {
        w.field_raw("caller", caller);
    }
}

/// How arguments begin, of which no more may have come. They begin with no white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat::anthropic_messages) enum Beginning {
    /// It cannot be told: nothing has come, or what may be `null`.
    Open,
    /// An object.
    Object,
    /// Anything else.
    Other,
}

impl Beginning {
    pub(in crate::chat::anthropic_messages) fn of(arguments: &str) -> Beginning {
        let is_null = arguments.len() <= HELD_BYTES_MAX && arguments.trim_end() == "null";
        match arguments {
            object if object.starts_with('{') => Beginning::Object,
            part if "null".starts_with(part) || is_null => Beginning::Open,
            _ => Beginning::Other,
        }
    }
}

/// A source of a text, as the vendor wrote it; one that another vendor found is a page of a web search. One without an
/// address has no form here.
pub(in crate::chat::anthropic_messages) fn citation(citation: &Citation) -> Option<Json> {
    if let Some(own) = own_citation(citation) {
        return Some(own.clone());
    }
    let url = citation.url.as_ref()?;
    Some(Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "web_search_result_location");
            w.field_str("cited_text", "");
            w.field_str("encrypted_index", "");
            match &citation.title {
                Some(title) => w.field_str("title", title),
                None => w.key("title").null(),
            }
            w.field_str("url", url);
        });
    }))
}
