//! Voyage's embeddings (<https://docs.voyageai.com/reference/embeddings-api>), and those of texts and images together
//! (<https://docs.voyageai.com/reference/multimodal-embeddings-api>). Answers are as OpenAI's.

use super::openai::write_inputs;
use super::purpose::Purpose;
use super::{EncodingFormat, Input, Part, Request, input_fault, tokens_fault};
use crate::json::Writer;
use crate::{Encoded, Fault};

/// Fields of OpenAI's that it has under another name, in other words, or not at all. A body without them is one of its own.
pub(super) const OTHERWISE: [&str; 5] = ["dimensions", "user", "task", "task_type", "truncate"];

/// The body for `POST /embeddings`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    if request.input.iter().any(|input| matches!(input, Input::Tokens(_))) {
        return Err(tokens_fault());
    }
    if request.input.iter().any(|input| matches!(input, Input::Parts(_))) {
        return Err(input_fault("this model takes texts only"));
    }
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        write_inputs(w, request);
        write_options(w, request);
        if let Some(dtype) = request.output_dtype {
            w.field_str("output_dtype", dtype.name());
        }
        if request.encoding_format == EncodingFormat::Base64 {
            w.field_str("encoding_format", "base64");
        }
    });
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request, &["user"]), ..Encoded::default() })
}

/// The body for `POST /multimodalembeddings`: every input is a list of texts and images.
pub(super) fn encode_multimodal(request: &Request) -> Result<Encoded, Fault> {
    if request.input.iter().any(|input| matches!(input, Input::Tokens(_))) {
        return Err(tokens_fault());
    }
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_array("inputs", |w| request.input.iter().for_each(|input| write_content(w, input)));
        write_options(w, request);
        if request.encoding_format == EncodingFormat::Base64 {
            w.field_str("output_encoding", "base64");
        }
    });
    let dropped = dropped(request, &["user", "output_dtype"]);
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

fn write_content(w: &mut Writer, input: &Input) {
    w.object(|w| {
        w.field_array("content", |w| match input {
            Input::Text(text) => write_part(w, "text", text),
            Input::Parts(parts) => parts.iter().for_each(|part| match part {
                Part::Text(text) => write_part(w, "text", text),
                Part::Image(url) if url.starts_with("data:") => write_part(w, "image_base64", url),
                Part::Image(url) => write_part(w, "image_url", url),
            }),
            Input::Tokens(_) => {}
        });
    });
}

fn write_part(w: &mut Writer, kind: &str, value: &str) {
    w.object(|w| {
        w.field_str("type", kind);
        w.field_str(kind, value);
    });
}

/// What both say alike.
fn write_options(w: &mut Writer, request: &Request) {
    if let Some(purpose) = input_type(request) {
        w.field_str("input_type", purpose);
    }
    if let Some(cuts) = truncation(request) {
        w.field_bool("truncation", cuts);
    }
    if let Some(dimensions) = request.dimensions {
        w.field_u64("output_dimension", dimensions);
    }
}

/// The vendor tells queries from documents, and nothing else.
fn input_type(request: &Request) -> Option<&'static str> {
    match request.input_type.as_deref().and_then(Purpose::of)? {
        Purpose::Query => Some("query"),
        Purpose::Document => Some("document"),
        Purpose::Classification | Purpose::Clustering | Purpose::Similarity => None,
    }
}

/// Texts are cut at their end, or not at all.
fn truncation(request: &Request) -> Option<bool> {
    match request.truncate.as_deref()? {
        "END" => Some(true),
        "NONE" => Some(false),
        _ => None,
    }
}

fn dropped(request: &Request, always: &[&str]) -> Vec<String> {
    let unsaid = [("input_type", input_type(request).is_none()), ("truncate", truncation(request).is_none())];
    let unsaid = unsaid.iter().filter(|(_, is_unsaid)| *is_unsaid).map(|(name, _)| *name);
    let names: Vec<&str> = always.iter().copied().chain(unsaid).collect();
    request.dropped(&names, |_| false)
}
