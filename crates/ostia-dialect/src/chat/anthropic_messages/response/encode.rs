//! The canonical answer to the client's body: <https://platform.claude.com/docs/en/api/messages>, `Message`.
//!
//! A message is one choice, so the first one is told. Media have no block here and are shown in a text. A proof of
//! another vendor goes into `thinking.signature`, or into a `redacted_thinking` block beside the block that it is for:
//! before a call or a medium, behind a text, whose proof a stream brings last.

use super::{ending, pieces};
use crate::chat::anthropic_messages::block::media;
use crate::chat::anthropic_messages::usage;
use crate::chat::limits::GivenIds;
use crate::chat::tools::arguments;
use crate::json::{Json, Writer};
use crate::{Block, Choice, Citation, Content, Dialect, Finish, RenderOptions, Response};

/// The whole `Message` object.
pub fn encode(response: &Response, options: &RenderOptions) -> Vec<u8> {
    let blocks = first(response).map_or(&[][..], |choice| &choice.blocks);
    let refused = blocks.iter().any(|block| matches!(block.content, Content::Refusal(_)));
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        encode_head(w, &response.id, &response.model, options);
        w.field_array("content", |w| {
            let mut ids = GivenIds::of(Dialect::AnthropicMessages, 0);
            blocks.iter().for_each(|block| encode_block(w, block, &mut ids, options));
        });
        encode_end(w, response, refused);
        w.field_object("usage", |w| encode_usage(w, response, options));
        encode_extra(w, &response.extra, "context_management");
    });
    w.into_bytes()
}

fn first(response: &Response) -> Option<&Choice> {
    response.choices.iter().find(|choice| choice.index == 0)
}

/// What every message begins with.
pub(in crate::chat::anthropic_messages) fn encode_head(
    w: &mut Writer,
    id: &str,
    model: &str,
    options: &RenderOptions,
) {
    match id {
        "" => w.field_str("id", &format!("msg_{}", options.id_suffix)),
        id => w.field_str("id", id),
    }
    w.field_str("type", "message");
    w.field_str("role", "assistant");
    w.field_str("model", if model.is_empty() { &options.model } else { model });
}

/// Why the answer ended; `refused`: it holds a refusal, which other vendors tell by its block alone.
pub(in crate::chat::anthropic_messages) fn encode_end(w: &mut Writer, response: &Response, refused: bool) {
    let choice = first(response);
    let finish = match choice.map_or(Finish::Stop, |choice| choice.finish) {
        Finish::Stop if refused => Finish::Refusal,
        finish => finish,
    };
    let native = choice.and_then(|choice| choice.native_finish.as_deref());
    let stop_sequence = choice.and_then(|choice| choice.stop_sequence.as_deref());
    w.field_str("stop_reason", ending::stop_reason(finish, native, stop_sequence));
    match stop_sequence {
        Some(stop) => w.field_str("stop_sequence", stop),
        None => w.key("stop_sequence").null(),
    }
    choice.into_iter().for_each(|choice| encode_extra(w, &choice.extra, "stop_details"));
    encode_extra(w, &response.extra, "container");
}

/// The fields of `usage`.
pub(in crate::chat::anthropic_messages) fn encode_usage(
    w: &mut Writer,
    response: &Response,
    options: &RenderOptions,
) {
    usage::encode(w, &response.usage.unwrap_or_default());
    encode_extra(w, &response.extra, "server_tool_use");
    ending::encode_service_tier(w, response.service_tier.as_deref(), !options.strict);
}

/// A field of the vendor's own, where its upstream gave it.
pub(in crate::chat::anthropic_messages) fn encode_extra(
    w: &mut Writer,
    extra: &[(String, Json)],
    name: &str,
) {
    if let Some((_, value)) = extra.iter().find(|(known, _)| known == name) {
        w.field_raw(name, value.as_str());
    }
}

fn encode_block(w: &mut Writer, block: &Block, ids: &mut GivenIds, options: &RenderOptions) {
    pieces::carrier_before(block).iter().for_each(|carrier| w.raw(carrier.as_str()));
    match &block.content {
        Content::Text { text, citations } => {
            encode_text(w, text, citations);
            let behind = block.signature.as_ref().map(pieces::carrier_behind);
            behind.iter().for_each(|carrier| w.raw(carrier.as_str()));
        }
        Content::Refusal(text) => encode_text(w, text, &[]),
        Content::Reasoning(thinking) => w.object(|w| {
            w.field_str("type", "thinking");
            w.field_str("thinking", thinking);
            w.field_str("signature", &block.signature.as_ref().map(pieces::proof).unwrap_or_default());
        }),
        Content::Media(medium) => encode_text(w, &media::encode(medium), &[]),
        Content::ToolCall { id, arguments, .. } => {
            w.object(|w| {
                pieces::write_call_head(w, block, &ids.next(id, &options.id_suffix));
                w.field_raw("input", &arguments::object(arguments));
            });
        }
        Content::Foreign { dialect, value } => w.raw(pieces::foreign(*dialect, value).as_str()),
        // Models make none.
        Content::ToolResult { .. } => {}
    }
}

fn encode_text(w: &mut Writer, text: &str, citations: &[Citation]) {
    let sources: Vec<Json> = citations.iter().filter_map(pieces::citation).collect();
    w.object(|w| {
        w.field_str("type", "text");
        w.field_str("text", text);
        if !sources.is_empty() {
            w.field_array("citations", |w| sources.iter().for_each(|source| w.raw(source.as_str())));
        }
    });
}

#[cfg(test)]
mod tests;
