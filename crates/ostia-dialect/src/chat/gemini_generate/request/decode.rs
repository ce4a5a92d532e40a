//! The client's body to the canonical request.
//!
//! Names are taken in the vendor's spelling and in snake case, as its own API takes them: the vendor's SDK for Python
//! writes the names of nested objects in the second form. `null` means absent everywhere.

mod calls;
mod contents;
mod generation;
mod schema;
#[cfg(test)]
mod tests;
mod tools;

use crate::json::{Document, Json, Node, camel};
use crate::{Fault, Request};

/// What the hub calls by another name than this dialect does: the hub's name and the dialect's.
pub const WORDS: &[(&str, &str)] = &[
    ("frequency_penalty", "generationConfig.frequencyPenalty"),
    ("logprobs", "generationConfig.responseLogprobs"),
    ("max_completion_tokens", "generationConfig.maxOutputTokens"),
    ("max_tokens", "generationConfig.maxOutputTokens"),
    ("modalities", "generationConfig.responseModalities"),
    ("n", "generationConfig.candidateCount"),
    ("presence_penalty", "generationConfig.presencePenalty"),
    ("reasoning", "generationConfig.thinkingConfig"),
    ("reasoning_effort", "generationConfig.thinkingConfig.thinkingLevel"),
    ("response_format", "generationConfig.responseSchema"),
    ("seed", "generationConfig.seed"),
    ("service_tier", "serviceTier"),
    ("stop", "generationConfig.stopSequences"),
    ("temperature", "generationConfig.temperature"),
    ("thinking", "generationConfig.thinkingConfig"),
    ("tool_choice", "toolConfig.functionCallingConfig"),
    ("top_k", "generationConfig.topK"),
    ("top_logprobs", "generationConfig.logprobs"),
    ("top_p", "generationConfig.topP"),
    ("web_search_options", "tools.googleSearch"),
];

/// Reads a whole request. Model and streaming are said by the path; a `model` in the body says nothing new.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode(model: &str, stream: bool, document: &Document<'_>) -> Result<Request, Fault> {
    // Who wants tokens counted may put the request one level deeper (<https://ai.google.dev/api/tokens>).
    let root = field(document.root(), "generateContentRequest").unwrap_or(document.root());
    let model = model.strip_prefix("models/").unwrap_or(model).to_owned();
    let mut request = Request { model, stream, include_usage: true, ..Request::default() };
    let contents = root.expect("contents")?;
    if let Some(system) = field(root, "systemInstruction") {
        contents::system(system, &mut request)?;
    }
    contents::decode(contents, &mut request)?;
    for (name, value) in root.fields().filter(|(_, value)| !value.is_null()) {
        decode_field(&name, value, &mut request)?;
    }
    // Which functions may be called is told by their names, so these come first.
    if let Some(config) = field(root, "toolConfig") {
        tools::config(config, &mut request)?;
    }
    Ok(request)
}

fn decode_field(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    match camel(name).as_str() {
        "contents" | "systemInstruction" | "toolConfig" | "model" => {}
        "generationConfig" => generation::decode(value, request)?,
        "tools" => tools::decode(value, request)?,
        "serviceTier" => request.service_tier = service_tier(&value.expect_str()?),
        _ => request.extra.push((name.to_owned(), Json::of(value))),
    }
    Ok(())
}

/// The vendor's tier in the word that is used elsewhere; `None` where the client leaves it open.
fn service_tier(tier: &str) -> Option<String> {
    let tier = tier.to_ascii_lowercase();
    match tier.strip_prefix("service_tier_").unwrap_or(&tier) {
        "unspecified" => None,
        "standard" => Some("default".to_owned()),
        other => Some(other.to_owned()),
    }
}

/// The field of this name, in either spelling; an explicit `null` counts as absent, and of several the last one counts.
fn field<'d>(object: Node<'d>, name: &str) -> Option<Node<'d>> {
    object
        .fields()
        .filter(|(key, value)| !value.is_null() && is_named(key, name))
        .last()
        .map(|(_, value)| value)
}

/// Like [`field`], or a fault that says it is missing.
fn expect<'d>(object: Node<'d>, name: &str) -> Result<Node<'d>, Fault> {
    object.expect_fields()?;
    field(object, name).map_or_else(|| object.expect(name), Ok)
}

fn is_named(key: &str, name: &str) -> bool {
    key == name || (key.contains('_') && camel(key) == name)
}

/// The string in a field that may be absent; any other value is the client's mistake.
fn optional_str(object: Node<'_>, name: &str) -> Result<Option<String>, Fault> {
    field(object, name).map(|value| Ok(value.expect_str()?.into_owned())).transpose()
}

/// The boolean in a field; `false` where it is absent.
fn flag(object: Node<'_>, name: &str) -> Result<bool, Fault> {
    field(object, name).map_or(Ok(false), |value| value.expect_bool())
}

/// The elements of a list; the vendor takes one element without the list around it too.
fn list(node: Node<'_>) -> Vec<Node<'_>> {
    if node.is_array() { node.items().collect() } else { vec![node] }
}

/// Adds the fields of an object that are not among the known ones to `unknown`, by path.
fn report_unknown(object: Node<'_>, known: &[&str], unknown: &mut Vec<(String, Json)>) {
    for (name, value) in object.fields().filter(|(_, value)| !value.is_null()) {
        if !known.iter().any(|known| is_named(&name, known)) {
            unknown.push((value.path(), Json::of(value)));
        }
    }
}
