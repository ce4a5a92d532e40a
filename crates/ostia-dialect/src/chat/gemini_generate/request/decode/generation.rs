//! `generationConfig` (<https://ai.google.dev/api/generate-content#v1beta.GenerationConfig>).

use super::{field, flag, optional_str, report_unknown, schema};
use crate::json::{Json, Node, camel};
use crate::{Fault, Logprobs, OutputFormat, Reasoning, Request};

/// Fields that say one thing together.
const OUTPUT: [&str; 3] = ["responseMimeType", "responseSchema", "responseJsonSchema"];
/// What the output's schema is called where the vendor demands a name; this one has none.
const SCHEMA_NAME: &str = "response";

/// Reads the configuration. Fields that only this vendor has go to [`Request::extra`] as `generationConfig.<field>`.
pub(super) fn decode(config: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    for (name, value) in config.expect_fields()?.filter(|(_, value)| !value.is_null()) {
        decode_field(&camel(&name), value, request)?;
    }
    probabilities(config, request)?;
    output(config, request)
}

fn decode_field(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let sampling = &mut request.sampling;
    match name {
        "temperature" => sampling.temperature = Some(number(value)?),
        "topP" => sampling.top_p = Some(number(value)?),
        "topK" => sampling.top_k = Some(whole(value)?),
        "seed" => sampling.seed = Some(whole(value)?),
        "presencePenalty" => sampling.presence_penalty = Some(number(value)?),
        "frequencyPenalty" => sampling.frequency_penalty = Some(number(value)?),
        "maxOutputTokens" => sampling.max_tokens = Some(value.expect_u64()?),
        "candidateCount" => sampling.n = Some(value.expect_u64()?),
        "stopSequences" => {
            let stop = value.expect_items()?.map(|item| Ok(item.expect_str()?.into_owned()));
            sampling.stop = stop.collect::<Result<_, Fault>>()?;
        }
        "thinkingConfig" => thinking(value, request)?,
        "responseModalities" => modalities(value, request)?,
        "logprobs" | "responseLogprobs" => {}
        _ if OUTPUT.contains(&name) => {}
        _ => keep(name, value, request),
    }
    Ok(())
}

fn keep(name: &str, value: Node<'_>, request: &mut Request) {
    request.extra.push((format!("generationConfig.{name}"), Json::of(value)));
}

fn number(value: Node<'_>) -> Result<Json, Fault> {
    value.expect_number().map(|_| Json::of(value))
}

/// A number without the `.0` that the vendor's SDK writes behind every `topK`: others want it whole.
fn whole(value: Node<'_>) -> Result<Json, Fault> {
    let text = value.expect_number()?;
    Ok(Json::build(|writer| writer.raw(text.strip_suffix(".0").unwrap_or(text))))
}

/// How many alternatives to tell counts only where probabilities are asked for.
fn probabilities(config: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let top = field(config, "logprobs");
    if flag(config, "responseLogprobs")? {
        let top = top.map(|top| top.expect_u64()).transpose()?;
        request.sampling.logprobs = Some(Logprobs { top });
    } else if let Some(top) = top {
        keep("logprobs", top, request);
    }
    Ok(())
}

/// What shape the text must have. A type that is neither plain text nor JSON (`text/x.enum`) is the vendor's own.
fn output(config: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let mime = optional_str(config, "responseMimeType")?;
    let schema = output_schema(config)?;
    match (mime.as_deref().unwrap_or_default(), schema) {
        ("" | "application/json", Some(schema)) => {
            let name = SCHEMA_NAME.to_owned();
            request.output_format =
                Some(OutputFormat::JsonSchema { name, description: None, schema, strict: None });
        }
        ("application/json", None) => request.output_format = Some(OutputFormat::JsonObject),
        ("text/plain", None) => request.output_format = Some(OutputFormat::Text),
        ("", None) => {}
        _ => {
            let own = OUTPUT.iter().filter_map(|name| Some((name, field(config, name)?)));
            own.for_each(|(name, value)| keep(name, value, request));
        }
    }
    Ok(())
}

fn output_schema(config: Node<'_>) -> Result<Option<Json>, Fault> {
    if let Some(schema) = field(config, "responseJsonSchema") {
        return schema.expect_fields().map(|_| Some(Json::of(schema)));
    }
    field(config, "responseSchema").map(schema::decode).transpose()
}

/// Everyone answers in words; a client that wants more than these asks for it in OpenAI's field.
fn modalities(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let names = value.expect_items()?.map(|item| Ok(item.expect_str()?.to_ascii_lowercase()));
    let names = names.collect::<Result<Vec<_>, Fault>>()?;
    if names.iter().all(|name| name == "text") {
        keep("responseModalities", value, request);
    } else {
        let list = Json::build(|writer| {
            writer.array(|writer| names.iter().for_each(|name| writer.string(name)));
        });
        request.extra.push(("modalities".to_owned(), list));
    }
    Ok(())
}

/// How much to think (<https://ai.google.dev/gemini-api/docs/thinking>). Thoughts are hidden unless asked for; who asks
/// for them wants some.
fn thinking(config: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    config.expect_fields()?;
    report_unknown(config, &["includeThoughts", "thinkingBudget", "thinkingLevel"], &mut request.extra);
    let visible = flag(config, "includeThoughts")?;
    let mut reasoning =
        Reasoning { visible: Some(visible), enabled: visible.then_some(true), ..Reasoning::default() };
    if let Some(level) = optional_str(config, "thinkingLevel")? {
        let level = level.to_ascii_lowercase();
        reasoning.effort = Some(level).filter(|level| level != "thinking_level_unspecified");
    }
    if let Some(budget) = field(config, "thinkingBudget") {
        match budget.as_u64() {
            Some(0) => reasoning.enabled = Some(false),
            Some(tokens) => (reasoning.enabled, reasoning.budget_tokens) = (Some(true), Some(tokens)),
            None if budget.as_f64() == Some(-1.0) => {
                (reasoning.enabled, reasoning.adaptive) = (Some(true), true);
            }
            None => return Err(budget.invalid("must be a whole number of 0 or more, or -1")),
        }
    }
    request.reasoning = Some(reasoning);
    Ok(())
}
