//! Canonical request to the vendor's body.
//!
//! Follows the body of `POST /api/chat` (<https://docs.ollama.com/api/chat>, api/types.go in ollama/ollama). Refuses nothing
//! but a tool choice that names no tool; what the vendor has no word for is dropped and reported.

mod messages;
mod options;
#[cfg(test)]
mod tests;
mod tools;

use crate::json::{Json, Writer};
use crate::{Encoded, Fault, OutputFormat, Reasoning, Request};

/// Fields beside `options` that the vendor understands and the hub has no place for.
const OWN_FIELDS: [&str; 5] = ["format", "think", "keep_alive", "truncate", "shift"];

/// Levels that every server knows. Newer ones take `max` too; a client that wants it says so in `think`
/// (`invalid think value: "max" (must be "high", "medium", "low", true, or false)`, api/types.go in ollama/ollama).
const LEVELS: [&str; 3] = ["low", "medium", "high"];

/// The body for this request, and what it could not say.
///
/// Fails with 400 where the tool choice names a tool that the request does not have.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    let offer = tools::Offer::of(request)?;
    let mut dropped = Vec::new();
    let mut body = Writer::with_capacity(request.body_bytes());
    body.object(|w| {
        w.field_str("model", &request.model);
        // What is not said streams.
        w.field_bool("stream", request.stream);
        messages::write(&request.messages, w, &mut dropped);
        tools::write(&offer, request, w, &mut dropped);
        output_format(w, request.output_format.as_ref(), &mut dropped);
        options::write(w, request, &mut dropped);
        thinking(w, request, &mut dropped);
        logprobs(w, request);
        own_fields(w, request, &mut dropped);
    });
    unsayable(request, &mut dropped);
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// Is this a field that the vendor reads here and nowhere else: one of its own, or a parameter of its runner?
pub(crate) fn is_own_field(name: &str) -> bool {
    name == options::OPTIONS || OWN_FIELDS.contains(&name) || options::own_name(name).is_some()
}

/// Has the request such fields?
pub(crate) fn has_own_fields(request: &Request) -> bool {
    request.extra.iter().any(|(name, value)| is_own_field(name) && value.as_str() != "null")
}

/// The value of an extra field; an explicit `null` counts as absent.
fn own_field<'a>(request: &'a Request, name: &str) -> Option<&'a Json> {
    let field = request.extra.iter().find(|(known, value)| known == name && value.as_str() != "null");
    field.map(|(_, value)| value)
}

/// The vendor takes a bare schema and always follows it, so name and strictness have no field and lose nothing.
fn output_format(w: &mut Writer, format: Option<&OutputFormat>, dropped: &mut Vec<String>) {
    match format {
        None | Some(OutputFormat::Text) => {}
        Some(OutputFormat::JsonObject) => w.field_str("format", "json"),
        Some(OutputFormat::JsonSchema { name: _, description, schema, strict: _ }) => {
            w.field_raw("format", schema.as_str());
            if description.is_some() {
                dropped.push("response_format.json_schema.description".into());
            }
        }
    }
}

/// Thinking is a switch, or one of three levels, for which a budget stands; it is always shown. Models that can think do so unless
/// told otherwise, and the others refuse to be told to (<https://docs.ollama.com/capabilities/thinking>).
fn thinking(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    let Some(reasoning) = &request.reasoning else { return };
    let Reasoning { effort, budget_tokens, enabled, adaptive, visible } = reasoning;
    if *visible == Some(false) {
        dropped.push("reasoning.visible".into());
    }
    if reasoning.is_off() {
        w.field_bool("think", false);
        return;
    }
    if effort.is_some() && budget_tokens.is_some() {
        dropped.push("thinking.budget_tokens".into());
    }
    match effort.as_deref().or(budget_tokens.map(Reasoning::effort_of)) {
        Some(level) if LEVELS.contains(&level) => w.field_str("think", level),
        Some(level) => {
            w.field_str("think", if level == "minimal" { "low" } else { "high" });
            dropped.push("reasoning_effort".into());
        }
        None if *enabled == Some(true) || *adaptive => w.field_bool("think", true),
        None => {}
    }
}

fn logprobs(w: &mut Writer, request: &Request) {
    let Some(logprobs) = request.sampling.logprobs else { return };
    w.field_bool("logprobs", true);
    if let Some(top) = logprobs.top.filter(|top| *top > 0) {
        w.field_u64("top_logprobs", top);
    }
}

/// Extra fields: the vendor's own are written, unless the hub has said the same already; all others are dropped.
fn own_fields(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    for (name, value) in request.extra.iter().filter(|(_, value)| value.as_str() != "null") {
        let said = match name.as_str() {
            options::OPTIONS => continue,
            name if options::own_name(name).is_some() => continue,
            "think" => request.reasoning.is_some(),
            "format" => !matches!(request.output_format, None | Some(OutputFormat::Text)),
            _ => false,
        };
        if OWN_FIELDS.contains(&name.as_str()) && !said {
            w.field_raw(name, value.as_str());
        } else {
            dropped.push(name.clone());
        }
    }
}

/// Fields of the hub that the vendor has no word for.
fn unsayable(request: &Request, dropped: &mut Vec<String>) {
    let fields = [
        ("n", request.sampling.n.is_some_and(|n| n > 1)),
        ("logit_bias", request.sampling.logit_bias.is_some()),
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
        ("web_search_options", request.web_search.is_some()),
        ("user", request.user.is_some()),
        ("service_tier", request.service_tier.is_some()),
        ("cache_control", request.cache_control.is_some()),
    ];
    dropped.extend(fields.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned()));
}
