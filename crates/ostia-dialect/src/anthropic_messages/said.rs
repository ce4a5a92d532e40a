//! What both forms of an answer share: how a block of the hub is said to a client of this dialect.

use crate::json::{Document, Json, Writer};
use crate::seal::{Sealed, seal};
use crate::{Citation, Content, Dialect, Finish, Media, Signature, Source, Usage};

/// Is this proof of another vendor?
pub(super) fn is_foreign(signature: &Signature) -> bool {
    signature.dialect != Dialect::AnthropicMessages
}

/// The field `signature` of a thought: the vendor's own proof, or another's under seal.
pub(super) fn proof(signature: &Signature) -> String {
    if is_foreign(signature) { seal(&Sealed::Own(signature.clone())) } else { signature.value.clone() }
}

/// A block that only carries a piece under seal.
pub(super) fn write_carrier(w: &mut Writer, piece: &Sealed) {
    w.object(|w| {
        w.field_str("type", "redacted_thinking");
        w.field_str("data", &seal(piece));
    });
}

/// A block of one vendor: itself for this dialect, under seal for any other.
pub(super) fn write_foreign(w: &mut Writer, dialect: Dialect, value: &Json) {
    if dialect == Dialect::AnthropicMessages {
        w.raw(value.as_str());
    } else {
        write_carrier(w, &Sealed::Foreign { dialect, value: value.clone() });
    }
}

/// The arguments of a call as an object. What is none stands in a field of its own, so that nothing is lost.
pub(super) fn write_input(w: &mut Writer, arguments: &str) {
    let text = arguments.trim();
    if text.is_empty() {
        return w.object(|_| {});
    }
    match Document::parse(text.as_bytes()) {
        Ok(document) if document.root().is_object() => w.raw(text),
        Ok(_) | Err(_) => w.object(|w| w.field_str("arguments", arguments)),
    }
}

/// A source, as the vendor wrote it or in its form for pages.
pub(super) fn write_citation(w: &mut Writer, citation: &Citation) {
    if let Some(value) = citation.value.as_ref().filter(|value| is_own(value)) {
        return w.raw(value.as_str());
    }
    w.object(|w| {
        w.field_str("type", "web_search_result_location");
        w.field_str("cited_text", "");
        w.field_str("encrypted_index", "");
        w.field_str("title", citation.title.as_deref().unwrap_or_default());
        w.field_str("url", citation.url.as_deref().unwrap_or_default());
    });
}

fn is_own(value: &Json) -> bool {
    let document = Document::parse_to(value.as_str().as_bytes(), 1);
    document.is_ok_and(|citation| citation.root().str("type").is_some_and(|kind| kind.ends_with("_location")))
}

/// A medium that a model made. The dialect has no block for one in an answer, so it is shown as text.
pub(super) fn shown(media: &Media) -> String {
    let mime = media.mime.as_deref().unwrap_or("application/octet-stream");
    match &media.source {
        Source::Url(url) => format!("![]({url})"),
        Source::Base64(data) => format!("![](data:{mime};base64,{data})"),
        Source::FileId(id) => format!("![](file:{id})"),
        Source::Text(text) => text.clone(),
    }
}

/// The text of a block that has nothing but text for a client of this dialect.
pub(super) fn words(content: &Content) -> Option<String> {
    match content {
        Content::Text { text, .. } | Content::Refusal(text) => Some(text.clone()),
        Content::Media(media) => Some(shown(media)),
        Content::Reasoning(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => None,
    }
}

/// The id of a call to which the upstream gave none.
pub(super) fn call_id(id: &str, stem: &str, position: u64) -> String {
    if id.is_empty() { format!("toolu_{stem}_{position}") } else { id.to_owned() }
}

/// The vendor's word for an ending.
pub(super) fn stop_reason(finish: Finish, stop_sequence: Option<&str>) -> &'static str {
    match finish {
        Finish::Stop if stop_sequence.is_some() => "stop_sequence",
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContentFilter | Finish::Refusal => "refusal",
        Finish::Pause => "pause_turn",
    }
}

/// `usage`: here the tokens from and to the cache are counted apart from the input.
pub(super) fn write_usage(w: &mut Writer, usage: Usage, service_tier: Option<&str>) {
    let (cached, written) = (usage.cached.unwrap_or(0), usage.cache_written.unwrap_or(0));
    w.field_object("usage", |w| {
        w.field_u64("input_tokens", usage.prompt.saturating_sub(cached).saturating_sub(written));
        w.field_u64("cache_creation_input_tokens", written);
        w.field_u64("cache_read_input_tokens", cached);
        w.field_u64("output_tokens", usage.completion);
        if let Some(tier) = service_tier.filter(|tier| matches!(*tier, "standard" | "priority" | "batch")) {
            w.field_str("service_tier", tier);
        }
    });
}
