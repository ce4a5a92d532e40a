//! The client's body to the canonical request.

mod content;
mod input;
mod output;
#[cfg(test)]
mod tests;
mod tools;

use self::input::Turns;
pub(crate) use self::tools::decode_tool;
use crate::json::{Document, Json, Node, optional_bool, optional_str, report_unknown};
use crate::{Fault, Logprobs, Request};

/// What the hub calls by another name than this dialect does: the hub's name and the dialect's.
pub const WORDS: &[(&str, &str)] = &[
    ("logprobs", "include"),
    ("max_completion_tokens", "max_output_tokens"),
    ("max_tokens", "max_output_tokens"),
    ("reasoning.visible", "reasoning.summary"),
    ("reasoning_effort", "reasoning.effort"),
    ("response_format", "text.format"),
    ("response_format.json_schema", "text.format"),
    ("thinking", "reasoning"),
    ("verbosity", "text.verbosity"),
    ("web_search_options", "tools.web_search"),
];

/// What a request says about remembering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// The answer that this one goes on from.
    pub previous_response_id: Option<String>,
    /// The conversation that this belongs to.
    pub conversation: Option<String>,
    /// The answer can be asked for later.
    pub store: bool,
    /// The client does not wait.
    pub background: bool,
}

/// Does a request refer to something that somebody remembers?
pub fn refers_to_earlier(document: &Document<'_>) -> bool {
    let root = document.root();
    root.some("previous_response_id").is_some() || root.some("conversation").is_some()
}

/// Reads what a request says about remembering.
///
/// # Errors
/// 400 for fields of a wrong type.
pub fn store_options(document: &Document<'_>) -> Result<StoreOptions, Fault> {
    let root = document.root();
    root.expect_fields()?;
    Ok(StoreOptions {
        previous_response_id: optional_str(root, "previous_response_id")?,
        conversation: root.some("conversation").map(conversation_id).transpose()?,
        store: optional_bool(root, "store")?.unwrap_or(true),
        background: optional_bool(root, "background")?.unwrap_or(false),
    })
}

/// An id, or an object that has one. The object is read here: the document may record the top level only.
fn conversation_id(value: Node<'_>) -> Result<String, Fault> {
    if !value.is_object() {
        return Ok(value.expect_str()?.into_owned());
    }
    let object =
        Document::parse(value.text().as_bytes()).map_err(|fault| value.invalid(fault.to_string()))?;
    match object.root().str("id") {
        Some(id) => Ok(id.into_owned()),
        None => {
            Err(Fault::invalid("Invalid `conversation.id`: must be a text").with_param("conversation.id"))
        }
    }
}

/// Reads a whole request.
///
/// What the API remembers is not looked up here: `input` has to hold all that was said. Fields that the
/// format does not have, and those that only this vendor's models understand, are kept in [`Request::extra`],
/// by path.
///
/// Source: <https://platform.openai.com/docs/api-reference/responses/create>.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode(document: &Document<'_>) -> Result<Request, Fault> {
    let root = document.root();
    store_options(document)?;
    let mut request = Request { include_usage: true, ..Request::default() };
    for (name, value) in root.fields().filter(|(_, value)| !value.is_null()) {
        decode_field(&name, value, &mut request)?;
    }
    root.expect("model")?;
    let mut turns = Turns::new(&mut request.extra);
    if let Some(instructions) = root.some("instructions") {
        turns.instructions(instructions)?;
    }
    turns.input(root.expect("input")?)?;
    (request.messages, request.places) = turns.finish();
    Ok(request)
}

fn decode_field(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let sampling = &mut request.sampling;
    match name {
        // Read before and behind this.
        "instructions" | "input" | "previous_response_id" | "conversation" | "store" | "background" => {}
        "model" => request.model = value.expect_str()?.into_owned(),
        "stream" => request.stream = value.expect_bool()?,
        "stream_options" => {
            value.expect_fields()?;
            report_unknown(value, &["include_obfuscation"], &mut request.extra);
        }
        "tools" => tools::decode(value, request)?,
        "tool_choice" => tools::decode_choice(value, request)?,
        "parallel_tool_calls" => request.parallel_tool_calls = Some(value.expect_bool()?),
        "max_output_tokens" => sampling.max_tokens = Some(value.expect_u64()?),
        "temperature" => sampling.temperature = value.expect_number().map(|_| Some(Json::of(value)))?,
        "top_p" => sampling.top_p = value.expect_number().map(|_| Some(Json::of(value)))?,
        "top_logprobs" => top_logprobs(value.expect_u64()?, request),
        "include" => include(value, request)?,
        "text" => output::text(value, request)?,
        "reasoning" => output::reasoning(value, request)?,
        "user" => request.user = Some(value.expect_str()?.into_owned()),
        "service_tier" => request.service_tier = Some(value.expect_str()?.into_owned()),
        // Not to shorten what is too long is what everybody does.
        "truncation" if value.expect_str()? == "disabled" => {}
        _ => return keep(name, value, request),
    }
    Ok(())
}

/// Fields that have no word in the hub: their types are looked at, what they mean is for upstreams to know.
fn keep(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    match name {
        "metadata" | "prompt" => value.expect_fields().map(drop)?,
        "prompt_cache_key" | "prompt_cache_retention" | "safety_identifier" => {
            value.expect_str().map(drop)?
        }
        "max_tool_calls" => value.expect_u64().map(drop)?,
        _ => {}
    }
    request.extra.push((name.to_owned(), Json::of(value)));
    Ok(())
}

/// 0 is the default, and asks for nothing.
fn top_logprobs(top: u64, request: &mut Request) {
    if top > 0 {
        request.sampling.logprobs = Some(Logprobs { top: Some(top) });
    }
}

/// What an answer is to hold besides. Only log-probabilities concern the model; everything else that can be
/// named is told anyway, or belongs to tools that the vendor runs.
fn include(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    for item in value.expect_items()? {
        if item.expect_str()? == "message.output_text.logprobs" {
            request.sampling.logprobs.get_or_insert(Logprobs { top: None });
        }
    }
    Ok(())
}
