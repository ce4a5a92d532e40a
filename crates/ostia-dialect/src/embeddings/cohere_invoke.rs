//! Cohere's embeddings over InvokeModel
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html>): version 1 of Cohere's own, where the
//! path names the model. Vectors come as numbers; answers are read as Cohere's.

use super::cohere::{input_type, inputs};
use super::limits::is_older;
use super::{Dialect, Input, Part, Request, tokens_fault};
use crate::json::Writer;
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands; only those of version 4 on.
const OWN_FIELDS: [&str; 1] = ["max_tokens"];

/// The body for InvokeModel.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    if request.input.iter().any(|input| matches!(input, Input::Tokens(_))) {
        return Err(tokens_fault());
    }
    let is_third = is_older(Dialect::CohereInvoke, &request.model);
    let dimensions = request.dimensions.filter(|_| !is_third);
    let own = |name: &str| OWN_FIELDS.contains(&name) && !is_third;
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        inputs(w, &request.input, write_input);
        w.field_str("input_type", purpose(request, is_third));
        dimensions.into_iter().for_each(|length| w.field_u64("output_dimension", length));
        request.truncate.iter().for_each(|end| w.field_str("truncate", truncation(end, is_third)));
        let extra = request.extra.iter().filter(|(name, _)| own(name));
        extra.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let mut dropped = request.dropped(&["user", "output_dtype"], own);
    if request.dimensions.is_some() && dimensions.is_none() {
        dropped.push("dimensions".to_owned());
    }
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// Version 4 has no type of its own for images.
fn purpose(request: &Request, is_third: bool) -> &str {
    match input_type(request) {
        "image" if !is_third => "search_document",
        word => word,
    }
}

/// Version 4 has other words for the two ends of a text.
fn truncation(end: &str, is_third: bool) -> &str {
    match end {
        "START" if !is_third => "LEFT",
        "END" if !is_third => "RIGHT",
        end => end,
    }
}

fn write_input(w: &mut Writer, input: &Input) {
    let write = |w: &mut Writer, kind: &str, value: &str| {
        w.object(|w| {
            w.field_str("type", kind);
            w.field_str(kind, value);
        });
    };
    w.object(|w| {
        w.field_array("content", |w| match input {
            Input::Text(text) => write(w, "text", text),
            Input::Parts(parts) => parts.iter().for_each(|part| match part {
                Part::Text(text) => write(w, "text", text),
                Part::Image(url) => write(w, "image_url", url),
            }),
            Input::Tokens(_) => {}
        });
    });
}
