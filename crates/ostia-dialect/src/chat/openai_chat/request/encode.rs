//! The canonical request to the vendor's body: <https://platform.openai.com/docs/api-reference/chat/create>.
//!
//! Written as OpenAI takes it, which most servers of this format follow; what a provider spells otherwise is a quirk of
//! its row. What the format has no word for is left out and reported, even where some server would know it (`top_k`,
//! `cache_control`): others answer unknown fields with 400.

mod blocks;
mod media;
mod messages;
mod parts;
mod reasoning;
#[cfg(test)]
mod tests;
mod tools;

use crate::chat::rules::{self, Rules};
use crate::json::{Document, Json, Writer};
use crate::{Dialect, EncodeOptions, Encoded, Fault, OutputFormat, Request, Sampling, WebSearch};

/// Top-level fields of the format that the hub has no place for. They go upstream as the client wrote them.
const OWN_FIELDS: [&str; 11] = [
    "audio",
    "metadata",
    "modalities",
    "moderation",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "verbosity",
];
/// The field that asks for a search of the web.
const WEB_SEARCH: &str = "web_search_options";
/// The field of `stream_options` that the hub has no place for.
const OBFUSCATION: &str = "stream_options.include_obfuscation";

/// The body for this request, and what it could not say.
///
/// # Errors
/// 400 where no message is left to answer.
pub fn encode(request: &Request, options: &EncodeOptions) -> Result<Encoded, Fault> {
    let mut dropped = Vec::new();
    let rules = &Rules::for_request(Dialect::OpenaiChat, request);
    let developer = if rules.openai || options.takes("developer") { "developer" } else { "system" };
    let signed = !rules::is_not_googles(request.known_as());
    let turns = messages::plan(&request.messages, options, developer, signed, &mut dropped)?;
    let asks_usage = request.stream && !options.usage_unasked;
    let mut body = Writer::with_capacity(request.body_bytes());
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_array("messages", |w| turns.iter().for_each(|turn| turn.write(w)));
        tools::write(w, request, options, &mut dropped);
        output_format(w, request.output_format.as_ref());
        limit(w, &request.sampling, rules.openai || options.takes("max_completion_tokens"));
        sampling(w, &request.sampling, &mut dropped);
        reasoning::write(w, request.reasoning.as_ref(), rules, options, &mut dropped);
        web_search(w, request.web_search.as_ref(), rules.openai || options.takes(WEB_SEARCH), &mut dropped);
        rest(w, request, &mut dropped);
        own_fields(w, request, asks_usage, options, &mut dropped);
        stream(w, request, asks_usage);
    });
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

fn output_format(w: &mut Writer, format: Option<&OutputFormat>) {
    let Some(format) = format else { return };
    w.field_object("response_format", |w| match format {
        OutputFormat::Text => w.field_str("type", "text"),
        OutputFormat::JsonObject => w.field_str("type", "json_object"),
        OutputFormat::JsonSchema { name, description, schema, strict } => {
            w.field_str("type", "json_schema");
            w.field_object("json_schema", |w| {
                w.field_str("name", name);
                description.iter().for_each(|text| w.field_str("description", text));
                w.field_raw("schema", schema.as_str());
                strict.iter().for_each(|strict| w.field_bool("strict", *strict));
            });
        }
    });
}

/// The limit of tokens: OpenAI's present name for it where that is known to be taken, else the one that everybody knows.
fn limit(w: &mut Writer, sampling: &Sampling, by_new_name: bool) {
    let name = if by_new_name { "max_completion_tokens" } else { "max_tokens" };
    sampling.max_tokens.iter().for_each(|most| w.field_u64(name, *most));
}

fn sampling(w: &mut Writer, sampling: &Sampling, dropped: &mut Vec<String>) {
    let values = [
        ("temperature", &sampling.temperature),
        ("top_p", &sampling.top_p),
        ("seed", &sampling.seed),
        ("presence_penalty", &sampling.presence_penalty),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("logit_bias", &sampling.logit_bias),
    ];
    for (name, value) in values {
        value.iter().for_each(|value| w.field_raw(name, value.as_str()));
    }
    if !sampling.stop.is_empty() {
        w.field_array("stop", |w| sampling.stop.iter().for_each(|stop| w.string(stop)));
    }
    sampling.n.iter().for_each(|n| w.field_u64("n", *n));
    if let Some(logprobs) = sampling.logprobs {
        w.field_bool("logprobs", true);
        logprobs.top.iter().for_each(|top| w.field_u64("top_logprobs", *top));
    }
    if sampling.top_k.is_some() {
        dropped.push("top_k".into());
    }
}

fn web_search(w: &mut Writer, search: Option<&WebSearch>, is_taken: bool, dropped: &mut Vec<String>) {
    let Some(WebSearch { context_size, user_location }) = search else { return };
    if !is_taken {
        return dropped.push(WEB_SEARCH.into());
    }
    w.field_object(WEB_SEARCH, |w| {
        context_size.iter().for_each(|size| w.field_str("search_context_size", size));
        user_location.iter().for_each(|location| w.field_raw("user_location", nested(location).as_str()));
    });
}

/// Chat Completions has the place one level deeper than the other dialects.
fn nested(location: &Json) -> Json {
    let Ok(document) = Document::parse(location.as_str().as_bytes()) else { return location.clone() };
    let root = document.root();
    if root.some("approximate").is_some() || !root.is_object() {
        return location.clone();
    }
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "approximate");
            w.field_object("approximate", |w| {
                let place = root.fields().filter(|(name, value)| name != "type" && !value.is_null());
                place.for_each(|(name, value)| w.field_raw(&name, value.text()));
            });
        });
    })
}

fn rest(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    request.user.iter().for_each(|user| w.field_str("user", user));
    request.service_tier.iter().for_each(|tier| w.field_str("service_tier", own_tier(tier)));
    if request.cache_control.is_some() {
        dropped.push("cache_control".into());
    }
}

/// The other dialects' words for "no tier but the usual one"; all others are the vendor's to judge, because servers of
/// this format have tiers of their own.
pub(crate) fn own_tier(tier: &str) -> &str {
    match tier {
        "standard_only" | "standard" => "default",
        tier => tier,
    }
}

/// Extra fields: the format's own are written, all others are dropped. An explicit `null` says nothing.
fn own_fields(
    w: &mut Writer,
    request: &Request,
    asks_usage: bool,
    options: &EncodeOptions,
    dropped: &mut Vec<String>,
) {
    for (name, value) in request.extra.iter().filter(|(_, value)| value.as_str() != "null") {
        match name.as_str() {
            own if OWN_FIELDS.contains(&own) && options.takes(own) => w.field_raw(own, value.as_str()),
            // Written by [`stream`].
            OBFUSCATION if asks_usage => {}
            other => dropped.push(other.to_owned()),
        }
    }
}

/// The usage is always asked for: the gateway accounts for it, whether or not the client wants to see it.
fn stream(w: &mut Writer, request: &Request, asks_usage: bool) {
    if request.stream {
        w.field_bool("stream", true);
    }
    if asks_usage {
        w.field_object("stream_options", |w| {
            w.field_bool("include_usage", true);
            let obfuscation = request.extra.iter().find(|(name, _)| name == OBFUSCATION);
            obfuscation.iter().for_each(|(_, value)| w.field_raw("include_obfuscation", value.as_str()));
        });
    }
}
