//! Canonical request to the vendor's body
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_RequestSyntax>).
//! Model and streaming are said by the path.
//!
//! What the vendor has no word for is left out and reported by the client's path. Refuses tools of models that take none.

mod blocks;
mod media;
mod metadata;
mod model_fields;
mod output;
#[cfg(test)]
mod tests;
mod tools;
mod turns;

use std::collections::HashSet;

use self::model_fields::ModelFields;
use self::tools::Toolbox;
use self::turns::Conversation;
use crate::chat::rules::Rules;
use crate::json::{Document, Json, Writer};
use crate::{Dialect, Encoded, Fault, Request};

/// Fields of the vendor's own that the hub has no word for, as clients write them and as the vendor does.
const OWN_FIELDS: [(&str, &str); 8] = [
    ("guardrailConfig", "guardrailConfig"),
    ("guardrail_config", "guardrailConfig"),
    ("performanceConfig", "performanceConfig"),
    ("performance_config", "performanceConfig"),
    ("projectIdentifier", "projectIdentifier"),
    ("project_identifier", "projectIdentifier"),
    ("promptVariables", "promptVariables"),
    ("prompt_variables", "promptVariables"),
];
/// What the client wants to have of the model's own answer, in both spellings.
const RESPONSE_PATHS: [&str; 2] =
    ["additionalModelResponseFieldPaths", "additional_model_response_field_paths"];
/// Tiers of the vendor's.
const TIERS: [&str; 4] = ["default", "flex", "priority", "reserved"];

/// The body for this request, and what it could not say.
///
/// Fails with 400 where nothing is left to answer, and for tools of a model that takes none, or none in a stream.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    let mut dropped = Vec::new();
    let rules = &Rules::for_request(Dialect::BedrockConverse, request);
    let conversation = Conversation::of(request, rules, &mut dropped)?;
    let tools = Toolbox::of(request, rules, &mut dropped)?;
    tools.report(&mut dropped);
    let fields = ModelFields::of(request, rules, &conversation, &tools, &mut dropped);

    let mut w = Writer::with_capacity(request.body_bytes());
    w.object(|w| {
        conversation.write(w, request);
        inference(w, request, &fields, &mut dropped);
        tools.write(w);
        output::write(w, request, rules, &fields, &mut dropped);
        fields.write(w);
        response_paths(w, request, rules);
        metadata::write(w, request, &mut dropped);
        tier(w, request, &mut dropped);
        rest(w, request, &fields, &mut dropped);
    });
    unsayable(request, &mut dropped);
    let mut seen = HashSet::new();
    dropped.retain(|path| seen.insert(path.clone()));
    Ok(Encoded { body: w.into_bytes(), dropped, ..Encoded::default() })
}

/// A field that the hub does not know, by any of its names; an explicit `null` is none.
fn extra<'r>(request: &'r Request, names: &[&str]) -> Option<&'r Json> {
    let mut fields = request.extra.iter().filter(|(_, value)| value.as_str() != "null");
    fields.find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value)
}

/// `inferenceConfig`. While one of Anthropic's models thinks, the temperature is 1, and `topP` is not below 0.95.
fn inference(w: &mut Writer, request: &Request, fields: &ModelFields, dropped: &mut Vec<String>) {
    let sampling = &request.sampling;
    let number = |json: &Json| json.as_str().parse::<f64>().unwrap_or(f64::NAN);
    let lose = |name: &str, dropped: &mut Vec<String>| dropped.push(name.to_owned());
    let max_tokens = fields.max_tokens(sampling.max_tokens);
    let temperature = sampling.temperature.as_ref().filter(|heat| {
        let is_lost = fields.draws_alone() || fields.thinks && number(heat) != 1.0;
        if is_lost {
            lose("temperature", dropped);
        }
        !is_lost
    });
    let top_p = sampling.top_p.as_ref().filter(|share| {
        let is_lost = fields.draws_alone() || fields.thinks && number(share) < 0.95;
        if is_lost {
            lose("top_p", dropped);
        }
        !is_lost
    });
    if max_tokens.is_none() && sampling.max_tokens.is_some() {
        lose("max_tokens", dropped);
    }
    if max_tokens.is_none() && temperature.is_none() && top_p.is_none() && sampling.stop.is_empty() {
        return;
    }
    w.field_object("inferenceConfig", |w| {
        max_tokens.into_iter().for_each(|most| w.field_u64("maxTokens", most));
        temperature.into_iter().for_each(|heat| w.field_raw("temperature", heat.as_str()));
        top_p.into_iter().for_each(|share| w.field_raw("topP", share.as_str()));
        if !sampling.stop.is_empty() {
            w.field_array("stopSequences", |w| sampling.stop.iter().for_each(|stop| w.string(stop)));
        }
    });
}

/// What of the model's own answer is to come back: what the client asks for, and which stop sequence was met
/// (<https://github.com/vercel/ai/pull/11286>).
fn response_paths(w: &mut Writer, request: &Request, rules: &Rules) {
    let given = extra(request, &RESPONSE_PATHS);
    let document = given.and_then(|given| Document::parse(given.as_str().as_bytes()).ok());
    let given: Vec<_> = document.iter().flat_map(|document| document.root().items()).collect();
    let own = if request.stream { "/delta/stop_sequence" } else { "/stop_sequence" };
    let tells_stop = rules.converse.maker == crate::chat::rules::Maker::Anthropic;
    let is_missing = given.iter().all(|path| path.as_str().as_deref() != Some(own));
    let own = (tells_stop && !request.sampling.stop.is_empty() && is_missing).then_some(own);
    if given.is_empty() && own.is_none() {
        return;
    }
    w.field_array("additionalModelResponseFieldPaths", |w| {
        given.iter().for_each(|path| w.raw(path.text()));
        own.into_iter().for_each(|path| w.string(path));
    });
}

/// `auto` leaves the choice to the vendor, and so does saying nothing.
fn tier(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    match request.service_tier.as_deref() {
        None | Some("auto") => {}
        Some(tier) if TIERS.contains(&tier) => {
            w.field_object("serviceTier", |w| w.field_str("type", tier));
        }
        Some(_) => dropped.push("service_tier".into()),
    }
}

/// The vendor's own fields; all others that nobody has read are dropped.
fn rest(w: &mut Writer, request: &Request, fields: &ModelFields, dropped: &mut Vec<String>) {
    let mut said: Vec<&str> = Vec::new();
    for (name, value) in &request.extra {
        let own = OWN_FIELDS.iter().find(|(known, _)| known == name).map(|(_, own)| *own);
        let is_read = RESPONSE_PATHS.contains(&name.as_str())
            || metadata::is_read(name)
            || media::is_read(name, request)
            || fields.is_read(name)
            || name == "stream_options";
        match own {
            _ if value.as_str() == "null" || is_read => {}
            Some(own) if !said.contains(&own) => {
                said.push(own);
                w.field_raw(own, value.as_str());
            }
            Some(_) => {}
            None => dropped.push(name.clone()),
        }
    }
}

/// Fields of the hub that the vendor has no word for.
fn unsayable(request: &Request, dropped: &mut Vec<String>) {
    let sampling = &request.sampling;
    let fields = [
        ("n", sampling.n.is_some_and(|n| n > 1)),
        ("seed", sampling.seed.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("logprobs", sampling.logprobs.is_some()),
        ("top_logprobs", sampling.logprobs.is_some_and(|logprobs| logprobs.top.is_some())),
        ("web_search_options", request.web_search.is_some()),
        ("user", request.user.is_some()),
    ];
    dropped.extend(fields.into_iter().filter(|(_, given)| *given).map(|(name, _)| name.to_owned()));
}
