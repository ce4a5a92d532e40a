//! Canonical request to the vendor's body.
//!
//! Follows the body of `POST /v2/chat` (<https://docs.cohere.com/reference/chat>). Refuses nothing but a tool choice
//! that names no tool; what the vendor has no word for is dropped and reported.

mod messages;
#[cfg(test)]
mod tests;
mod tools;

use crate::json::{Document, Json, Writer};
use crate::{Encoded, Fault, OutputFormat, Reasoning, Request, Sampling};

/// Fields that the vendor understands and the hub has no place for. `documents` is one too; it is joined with the
/// documents of the conversation.
const OWN_FIELDS: [&str; 7] =
    ["citation_options", "safety_mode", "strict_tools", "priority", "raw_prompting", "k", "p"];

/// The body for this request, and what it could not say.
///
/// Fails with 400 where the tool choice names a tool that the request does not have.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    let offer = tools::Offer::of(request)?;
    let mut dropped = Vec::new();
    let mut body = Writer::with_capacity(request.body_bytes());
    body.object(|w| {
        w.field_str("model", &request.model);
        let found = messages::write(&request.messages, w, &mut dropped);
        documents(w, own_field(request, "documents").filter(|given| is_list(given)), &found);
        tools::write(&offer, request, w, &mut dropped);
        output_format(w, request.output_format.as_ref(), &mut dropped);
        sampling(w, &request.sampling, &mut dropped);
        thinking(w, request, &mut dropped);
        own_fields(w, request, &mut dropped);
        if request.stream {
            w.field_bool("stream", true);
        }
    });
    unsayable(request, &mut dropped);
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// The value of an extra field that only this vendor knows; an explicit `null` counts as absent.
fn own_field<'a>(request: &'a Request, name: &str) -> Option<&'a Json> {
    let field = request.extra.iter().find(|(known, value)| known == name && value.as_str() != "null");
    field.map(|(_, value)| value)
}

fn is_list(value: &Json) -> bool {
    value.as_str().starts_with('[')
}

/// The client's own documents, then those that came as blocks of the conversation.
fn documents(w: &mut Writer, given: Option<&Json>, found: &[Json]) {
    if given.is_none() && found.is_empty() {
        return;
    }
    w.field_array("documents", |w| {
        if let Some(given) = given
            && let Ok(list) = Document::parse(given.as_str().as_bytes())
        {
            list.root().items().for_each(|item| w.raw(item.text()));
        }
        found.iter().for_each(|document| w.raw(document.as_str()));
    });
}

/// The vendor takes a bare schema under `json_schema` and always follows it, so name and strictness have no field and
/// lose nothing.
fn output_format(w: &mut Writer, format: Option<&OutputFormat>, dropped: &mut Vec<String>) {
    match format {
        None | Some(OutputFormat::Text) => {}
        Some(OutputFormat::JsonObject) => {
            w.field_object("response_format", |w| w.field_str("type", "json_object"));
        }
        Some(OutputFormat::JsonSchema { name: _, description, schema, strict: _ }) => {
            w.field_object("response_format", |w| {
                w.field_str("type", "json_object");
                w.field_raw("json_schema", schema.as_str());
            });
            if description.is_some() {
                dropped.push("response_format.json_schema.description".into());
            }
        }
    }
}

fn sampling(w: &mut Writer, sampling: &Sampling, dropped: &mut Vec<String>) {
    if let Some(max_tokens) = sampling.max_tokens {
        w.field_u64("max_tokens", max_tokens);
    }
    let numbers = [
        ("temperature", &sampling.temperature),
        ("p", &sampling.top_p),
        ("k", &sampling.top_k),
        ("seed", &sampling.seed),
        ("presence_penalty", &sampling.presence_penalty),
        ("frequency_penalty", &sampling.frequency_penalty),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            w.field_raw(name, number.as_str());
        }
    }
    if !sampling.stop.is_empty() {
        w.field_array("stop_sequences", |w| sampling.stop.iter().for_each(|stop| w.string(stop)));
    }
    if let Some(logprobs) = sampling.logprobs {
        w.field_bool("logprobs", true);
        if logprobs.top.is_some_and(|top| top > 0) {
            dropped.push("top_logprobs".into());
        }
    }
    if sampling.n.is_some_and(|n| n > 1) {
        dropped.push("n".into());
    }
    if sampling.logit_bias.is_some() {
        dropped.push("logit_bias".into());
    }
}

/// Models that can think do so unless told otherwise (<https://docs.cohere.com/docs/reasoning>), and the others refuse
/// the field: it is written only where the client asks for more than the default. There are no levels of effort.
fn thinking(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    let Some(Reasoning { effort, budget_tokens, enabled, adaptive, visible }) = &request.reasoning else {
        if let Some(own) = own_field(request, "thinking") {
            w.field_raw("thinking", own.as_str());
        }
        return;
    };
    let none = effort.as_deref() == Some("none");
    if none || *enabled == Some(false) || *budget_tokens == Some(0) {
        w.field_object("thinking", |w| w.field_str("type", "disabled"));
        return;
    }
    if *enabled == Some(true) || *adaptive || budget_tokens.is_some() {
        w.field_object("thinking", |w| {
            w.field_str("type", "enabled");
            if let Some(budget) = budget_tokens {
                w.field_u64("token_budget", *budget);
            }
        });
    }
    if effort.is_some() {
        dropped.push("reasoning_effort".into());
    }
    if *visible == Some(false) {
        dropped.push("reasoning.visible".into());
    }
}

/// Extra fields: the vendor's own are written, unless the hub has said the same already; all others are dropped.
fn own_fields(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    for (name, value) in &request.extra {
        let said = match name.as_str() {
            _ if value.as_str() == "null" => continue,
            "documents" if is_list(value) => continue,
            "thinking" if request.reasoning.is_none() => continue,
            "k" => request.sampling.top_k.is_some(),
            "p" => request.sampling.top_p.is_some(),
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
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
        ("web_search_options", request.web_search.is_some()),
        ("user", request.user.is_some()),
        ("service_tier", request.service_tier.is_some()),
        ("cache_control", request.cache_control.is_some()),
    ];
    dropped.extend(fields.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned()));
}
