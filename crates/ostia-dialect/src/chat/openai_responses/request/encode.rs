//! The canonical request to the vendor's body: <https://platform.openai.com/docs/api-reference/responses/create>.
//!
//! Nothing is kept with the vendor (`store: false`): the conversation goes up whole, and the vendor's own thoughts come
//! back encrypted (`include`), to go up with it. What has no words here is left out and reported by the client's path.

mod format;
mod input;
mod media;
mod reasoning;
mod tools;

use std::collections::HashSet;

use crate::chat::openai_chat::request::own_tier;
use crate::chat::rules::Rules;
use crate::json::{Document, Json, Writer};
use crate::{Block, Content, Dialect, Encoded, Fault, Message, Request, Role};

/// Fields of the vendor's own that the hub has no word for. They go upstream as the client wrote them.
const VENDOR_FIELDS: &[&str] = &[
    "context_management",
    "max_tool_calls",
    "metadata",
    "moderation",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "truncation",
];
/// Fields of [`Request::extra`] that are read elsewhere in this file and below.
const READ_FIELDS: &[&str] = &[
    "include",
    "reasoning.context",
    "reasoning.generate_summary",
    "reasoning.mode",
    "reasoning.summary",
    "store",
    "text.verbosity",
    "verbosity",
];
/// Whether the vendor pads the events of a stream, by the names that it has in [`Request::extra`].
const OBFUSCATION: &str = "stream_options.include_obfuscation";
/// Asks for the thoughts in a form that can be handed back.
const ENCRYPTED: &str = "reasoning.encrypted_content";
/// Asks for log-probabilities.
const LOGPROBS: &str = "message.output_text.logprobs";

/// The body for this request, and what it could not say.
///
/// # Errors
/// 400 for a request that holds nothing to answer.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    let mut dropped = Vec::new();
    let rules = &Rules::for_request(Dialect::OpenaiResponses, request);
    let instructions = instructions(request);
    let items = input::items(request, usize::from(instructions.is_some()), &mut dropped);
    if items.is_empty() && extra(request, "prompt").is_none() {
        let what = "at least one message with content is needed";
        return Err(Fault::invalid(format!("Invalid `messages`: {what}")).with_param("messages"));
    }
    let mut w = Writer::with_capacity(request.body_bytes());
    w.object(|w| {
        w.field_str("model", &request.model);
        instructions.into_iter().for_each(|text| w.field_str("instructions", text));
        w.field_array("input", |w| items.iter().for_each(|item| w.raw(item.as_str())));
        tools::write(w, request, &mut dropped);
        format::write(w, request);
        reasoning::write(w, request, rules, &mut dropped);
        write_sampling(w, request);
        write_include(w, request, rules);
        write_rest(w, request, &mut dropped);
    });
    report_unsayable(request, &mut dropped);
    let mut seen = HashSet::new();
    dropped.retain(|path| seen.insert(path.clone()));
    Ok(Encoded { body: w.into_bytes(), dropped, ..Encoded::default() })
}

/// The operator's words that the client had set apart from the conversation, which goes on without them.
fn instructions(request: &Request) -> Option<&str> {
    let apart = request.places.first().is_some_and(|place| place == "instructions");
    match request.messages.as_slice() {
        [Message { role: Role::System, name: None, blocks }, _, ..] if apart => match blocks.as_slice() {
            [Block { content: Content::Text { text, citations }, cache_control: None, .. }] => {
                citations.is_empty().then_some(text)
            }
            _ => None,
        },
        _ => None,
    }
}

fn write_sampling(w: &mut Writer, request: &Request) {
    let sampling = &request.sampling;
    if let Some(tokens) = sampling.max_tokens {
        w.field_u64("max_output_tokens", tokens);
    }
    for (name, value) in [("temperature", &sampling.temperature), ("top_p", &sampling.top_p)] {
        value.iter().for_each(|value| w.field_raw(name, value.as_str()));
    }
    // None of them is the default.
    if let Some(top) = sampling.logprobs.and_then(|logprobs| logprobs.top).filter(|top| *top > 0) {
        w.field_u64("top_logprobs", top);
    }
}

/// What the vendor is to tell besides: what the client asks for, and what we need.
fn write_include(w: &mut Writer, request: &Request, rules: &Rules) {
    let asked = extra(request, "include").and_then(|json| Document::parse(json.as_str().as_bytes()).ok());
    let asked = asked.iter().flat_map(|list| list.root().items()).filter_map(|item| item.as_str());
    let mut include: Vec<_> = asked.collect();
    let needed = [(ENCRYPTED, !rules.has_no_efforts()), (LOGPROBS, request.sampling.logprobs.is_some())];
    for (name, _) in needed.into_iter().filter(|(_, is_needed)| *is_needed) {
        if include.iter().all(|known| known != name) {
            include.push(name.into());
        }
    }
    if !include.is_empty() {
        w.field_array("include", |w| include.iter().for_each(|name| w.string(name)));
    }
}

fn write_rest(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    if request.stream {
        w.field_bool("stream", true);
    }
    w.field_raw("store", extra(request, "store").map_or("false", Json::as_str));
    request.user.iter().for_each(|user| w.field_str("user", user));
    request.service_tier.iter().for_each(|tier| w.field_str("service_tier", own_tier(tier)));
    for (name, value) in request.extra.iter().filter(|(_, value)| value.as_str() != "null") {
        match name.as_str() {
            // The vendor takes options of a stream for a stream only.
            OBFUSCATION if request.stream => {
                w.field_object("stream_options", |w| w.field_raw("include_obfuscation", value.as_str()));
            }
            "stream_options" if request.stream => w.field_raw(name, value.as_str()),
            name if VENDOR_FIELDS.contains(&name) => w.field_raw(name, value.as_str()),
            name if READ_FIELDS.contains(&name) => {}
            name => dropped.push(name.to_owned()),
        }
    }
}

/// The fields that no model of this vendor has.
fn report_unsayable(request: &Request, dropped: &mut Vec<String>) {
    let sampling = &request.sampling;
    let fields = [
        ("top_k", sampling.top_k.is_some()),
        ("stop", !sampling.stop.is_empty()),
        ("seed", sampling.seed.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("n", sampling.n.is_some_and(|n| n > 1)),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("cache_control", request.cache_control.is_some()),
    ];
    dropped.extend(fields.into_iter().filter(|(_, given)| *given).map(|(name, _)| name.to_owned()));
}

/// A field that the hub does not know; an explicit `null` is none.
fn extra<'r>(request: &'r Request, name: &str) -> Option<&'r Json> {
    let found = request.extra.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    found.filter(|value| value.as_str() != "null")
}

#[cfg(test)]
mod tests;
