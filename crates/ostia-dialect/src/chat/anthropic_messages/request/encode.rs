//! Canonical request to the vendor's body: <https://platform.claude.com/docs/en/api/messages>.
//!
//! What the dialect has no words for is left out and reported by the client's path. Nothing is made up but
//! `max_tokens`, which the vendor requires.

mod blocks;
mod extras;
mod media;
mod output;
mod reasoning;
mod schema;
pub(super) mod tools;
mod turns;

use std::collections::HashSet;

use self::extras::Extras;
use self::output::OutputConfig;
pub(in crate::chat) use self::reasoning::Plan;
pub(in crate::chat) use self::schema::fit as fit_schema;
use self::tools::Toolbox;
use self::turns::Conversation;
use crate::chat::rules::Rules;
use crate::json::{Document, Json, Node, Writer};
use crate::{Dialect, Encoded, Fault, Request};

/// Fields of the vendor's own that the hub has no word for. They go upstream as the client wrote them.
/// <https://platform.claude.com/docs/en/api/beta/messages/create>
const VENDOR_FIELDS: &[&str] = &[
    "container",
    "context_management",
    "diagnostics",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "speed",
    "user_profile_id",
];
/// Fields of [`Request::extra`] that are read elsewhere in this file and below, or say nothing to an upstream.
const READ_FIELDS: &[&str] = &[
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "metadata",
    "output_config",
    "output_format",
    "stream_options",
    "thinking",
];
/// Lets requests refer to files of the vendor's Files API.
const FILES_BETA: &str = "files-api-2025-04-14";

/// The body for this request, and what it could not say.
///
/// Fails with 400 where a request cannot be said at all: no turn to answer, a custom tool.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    let mut dropped = Vec::new();
    let rules = &Rules::for_request(Dialect::AnthropicMessages, request);
    let conversation = Conversation::of(&request.messages, rules, &mut dropped)?;
    let tools = Toolbox::of(request, rules, &mut dropped)?;
    let extras = Extras::of(request);
    let plan = Plan::of(request, rules, || conversation.allows_budget(), tools.forced(), &mut dropped);
    let output = OutputConfig::of(request, &plan, &mut dropped);

    let mut out = Writer::with_capacity(request.body_bytes());
    out.object(|out| {
        out.field_str("model", &request.model);
        out.field_u64("max_tokens", plan.max_tokens);
        conversation.write(out, &extras);
        tools.write(out, &extras);
        if let Some(thinking) = &plan.thinking {
            out.field_raw("thinking", thinking.as_str());
        }
        output.write(out);
        write_sampling(out, request, plan.thinks, &mut dropped);
        write_rest(out, request, &extras, &mut dropped);
    });
    report_unsayable(request, &mut dropped);
    let mut seen = HashSet::new();
    dropped.retain(|path| seen.insert(path.clone()));
    Ok(Encoded { body: out.into_bytes(), headers: headers(request), dropped, ..Encoded::default() })
}

/// `temperature`, `top_p`, `top_k` and `stop_sequences`. While thinking, the temperature is 1, `top_k` is off and `top_p` is
/// not below 0.95.
fn write_sampling(out: &mut Writer, request: &Request, thinks: bool, dropped: &mut Vec<String>) {
    let sampling = &request.sampling;
    if let Some(temperature) = &sampling.temperature {
        let value = number(temperature);
        if value != 1.0 && thinks {
            dropped.push("temperature".into());
        } else {
            out.field_raw("temperature", temperature.as_str());
        }
    }
    match &sampling.top_p {
        Some(top_p) if thinks && number(top_p) < 0.95 => dropped.push("top_p".into()),
        Some(top_p) => out.field_raw("top_p", top_p.as_str()),
        None => {}
    }
    match &sampling.top_k {
        Some(_) if thinks => dropped.push("top_k".into()),
        Some(top_k) => out.field_raw("top_k", top_k.as_str()),
        None => {}
    }
    if !sampling.stop.is_empty() {
        out.field_array("stop_sequences", |out| sampling.stop.iter().for_each(|stop| out.string(stop)));
    }
}

fn number(json: &Json) -> f64 {
    json.as_str().parse().unwrap_or(f64::NAN)
}

fn write_rest(out: &mut Writer, request: &Request, extras: &Extras<'_>, dropped: &mut Vec<String>) {
    if request.stream {
        out.field_bool("stream", true);
    }
    if let Some(user) = user(request, dropped) {
        out.field_object("metadata", |out| out.field_str("user_id", &user));
    }
    match request.service_tier.as_deref() {
        Some("auto") => out.field_str("service_tier", "auto"),
        Some("default" | "standard_only") => out.field_str("service_tier", "standard_only"),
        Some(_) => dropped.push("service_tier".into()),
        None => {}
    }
    if let Some(marker) = &request.cache_control {
        out.field_raw("cache_control", marker.as_str());
    }
    for &(name, value) in &extras.rest {
        if value.as_str() == "null" || READ_FIELDS.contains(&name) {
            continue;
        }
        if VENDOR_FIELDS.contains(&name) {
            out.field_raw(name, value.as_str());
        } else {
            dropped.push(name.to_owned());
        }
    }
}

/// The end user. Of OpenAI's `metadata` only `user_id` has a place here.
fn user(request: &Request, dropped: &mut Vec<String>) -> Option<String> {
    let user = request.user.clone();
    let Some(metadata) = extra(request, "metadata") else { return user };
    let Ok(document) = Document::parse(metadata.as_str().as_bytes()) else { return user };
    let user = user.or_else(|| document.root().str("user_id").map(|id| id.into_owned()));
    if !document.root().is_object() {
        dropped.push("metadata".into());
    }
    let is_told =
        |name: &str, value: Node<'_>| name == "user_id" && value.as_str().as_deref() == user.as_deref();
    let others = document.root().fields().filter(|(name, value)| !is_told(name, *value));
    dropped.extend(others.map(|(name, _)| format!("metadata.{name}")));
    user
}

/// The fields that no model of this vendor has.
fn report_unsayable(request: &Request, dropped: &mut Vec<String>) {
    let sampling = &request.sampling;
    let fields = [
        ("n", sampling.n.is_some_and(|n| n > 1)),
        ("seed", sampling.seed.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("logprobs", sampling.logprobs.is_some()),
        ("top_logprobs", sampling.logprobs.is_some_and(|logprobs| logprobs.top.is_some())),
    ];
    dropped.extend(fields.into_iter().filter(|(_, given)| *given).map(|(name, _)| name.to_owned()));
}

/// `anthropic-beta`: what the client asks for, and what the body needs.
fn headers(request: &Request) -> Vec<(&'static str, String)> {
    let mut betas: Vec<String> = Vec::new();
    for name in ["anthropic_beta", "betas"] {
        let Some(value) = extra(request, name) else { continue };
        let Ok(document) = Document::parse(value.as_str().as_bytes()) else { continue };
        let root = document.root();
        let words = root.as_str().into_iter().chain(root.items().filter_map(|item| item.as_str()));
        betas.extend(
            words.flat_map(|word| word.split(',').map(|beta| beta.trim().to_owned()).collect::<Vec<_>>()),
        );
    }
    if media::names_a_file(&request.messages) {
        betas.push(FILES_BETA.to_owned());
    }
    let mut seen: Vec<String> = Vec::new();
    for beta in betas.into_iter().filter(|beta| !beta.is_empty()) {
        if !seen.contains(&beta) {
            seen.push(beta);
        }
    }
    if seen.is_empty() { Vec::new() } else { vec![("anthropic-beta", seen.join(","))] }
}

/// A field that the hub does not know; an explicit `null` is none.
fn extra<'r>(request: &'r Request, name: &str) -> Option<&'r Json> {
    let found = request.extra.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    found.filter(|value| value.as_str() != "null")
}

#[cfg(test)]
mod tests;
