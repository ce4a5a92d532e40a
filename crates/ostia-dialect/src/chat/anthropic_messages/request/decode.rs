//! The client's body to the canonical request: <https://platform.claude.com/docs/en/api/messages/create>.
//!
//! Faults name the client's own path. Fields that the hub has no room for go to [`Request::extra`]: those of the top
//! level by name, those of blocks and tools by the hub's path, so that they are reported as lost, and an upstream of
//! this dialect finds them again (`extras`).

mod blocks;
mod media;
mod output;
mod tools;
mod turns;

use crate::json::{Document, Json, Node};
use crate::{Fault, Request};

/// What the hub calls by another name than this dialect does: the hub's name and the dialect's.
pub const WORDS: &[(&str, &str)] = &[
    ("max_completion_tokens", "max_tokens"),
    ("parallel_tool_calls", "tool_choice.disable_parallel_tool_use"),
    ("reasoning_effort", "output_config.effort"),
    ("response_format", "output_config.format"),
    ("stop", "stop_sequences"),
    ("user", "metadata.user_id"),
    ("web_search_options", "tools.web_search"),
];

/// Reads a whole request.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode(document: &Document<'_>) -> Result<Request, Fault> {
    let request = decode_counted(document)?;
    if request.sampling.max_tokens.is_none() {
        let what = "Missing `max_tokens`: this field is required";
        return Err(Fault::invalid(what).with_param("max_tokens"));
    }
    Ok(request)
}

/// Reads a request whose tokens are only counted: it need not say `max_tokens`.
/// <https://platform.claude.com/docs/en/api/messages-count-tokens>
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode_counted(document: &Document<'_>) -> Result<Request, Fault> {
    let root = document.root();
    // A stream of this dialect always tells the usage.
    let mut request = Request { include_usage: true, ..Request::default() };
    for (name, value) in root.expect_fields()? {
        // The vendor takes `null` for absent.
        if !value.is_null() {
            decode_field(&name, value, &mut request)?;
        }
    }
    root.expect("model")?;
    output::mark_effort_alone(&mut request);
    turns::decode(root, &mut request)?;
    Ok(request)
}

fn decode_field(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    match name {
        "model" => request.model = value.expect_str()?.into_owned(),
        // Read together, in the order of the hub.
        "system" | "messages" => {}
        "stream" => request.stream = value.expect_bool()?,
        "tools" => tools::decode(value, request)?,
        "tool_choice" => tools::decode_choice(value, request)?,
        "thinking" => output::decode_thinking(value, request)?,
        "output_config" => output::decode_config(value, request)?,
        // The older name of `output_config.format`.
        "output_format" => output::decode_format(value, request)?,
        "metadata" => decode_metadata(value, request)?,
        "service_tier" => request.service_tier = Some(tier(&value.expect_str()?).to_owned()),
        "cache_control" => request.cache_control = Some(Json::of(value)),
        _ => decode_sampling(name, value, request)?,
    }
    Ok(())
}

fn decode_sampling(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let sampling = &mut request.sampling;
    let number = || value.expect_number().map(|_| Some(Json::of(value)));
    match name {
        "max_tokens" => sampling.max_tokens = Some(value.expect_u64()?),
        "temperature" => sampling.temperature = number()?,
        "top_p" => sampling.top_p = number()?,
        "top_k" => sampling.top_k = number()?,
        "stop_sequences" => {
            let words = value.expect_items()?.map(|item| Ok(item.expect_str()?.into_owned()));
            sampling.stop = words.collect::<Result<_, Fault>>()?;
        }
        _ => request.extra.push((name.to_owned(), Json::of(value))),
    }
    Ok(())
}

fn decode_metadata(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    request.user = optional_str(value, "user_id")?;
    request.extra.extend(beyond(value, &["user_id"], "metadata."));
    Ok(())
}

/// The tier in the hub's word: the vendor's `standard_only` is the `default` of the others.
fn tier(word: &str) -> &str {
    if word == "standard_only" { "default" } else { word }
}

/// The string in a field that may be absent; any other value is the client's mistake.
fn optional_str(object: Node<'_>, name: &str) -> Result<Option<String>, Fault> {
    object.expect_fields()?;
    object.some(name).map(|value| Ok(value.expect_str()?.into_owned())).transpose()
}

/// The fields of an object that are not among the known ones, their names behind `prefix`.
fn beyond(
    object: Node<'_>,
    known: &[&str],
    prefix: impl std::fmt::Display,
) -> impl Iterator<Item = (String, Json)> {
    let unknown = object.fields().filter(|(name, value)| !known.contains(&name.as_ref()) && !value.is_null());
    unknown.map(move |(name, value)| (format!("{prefix}{name}"), Json::of(value)))
}

#[cfg(test)]
mod tests;
