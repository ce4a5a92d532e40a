//! Jina's embeddings (<https://api.jina.ai/redoc#tag/embeddings>), of texts and images. Answers are as OpenAI's.

use super::purpose::Purpose;
use super::{Dtype, EncodingFormat, Input, Part, Request, input_fault, tokens_fault};
use crate::json::Writer;
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 3] = ["late_chunking", "normalized", "return_multivector"];

/// Fields of OpenAI's and of others that it has under another name, or not at all. A body without them is one of its own.
pub(super) const OTHERWISE: [&str; 5] =
    ["encoding_format", "user", "input_type", "task_type", "output_dtype"];

/// The body for `POST /embeddings`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let parts = request.input.iter().map(part).collect::<Result<Vec<_>, Fault>>()?;
    let has_images = parts.iter().any(|part| matches!(part, Part::Image(_)));
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_array("input", |w| parts.iter().for_each(|part| write_part(w, part, has_images)));
        if let Some(task) = request.input_type.as_deref().map(task) {
            w.field_str("task", task);
        }
        if let Some(dimensions) = request.dimensions {
            w.field_u64("dimensions", dimensions);
        }
        if let Some(kind) = embedding_type(request) {
            w.field_str("embedding_type", kind);
        }
        if let Some(cuts) = truncate(request) {
            w.field_bool("truncate", cuts);
        }
        let own = request.extra.iter().filter(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request), ..Encoded::default() })
}

/// The one text or image of an input: more make no vector together here.
fn part(input: &Input) -> Result<Part, Fault> {
    match input {
        Input::Text(text) => Ok(Part::Text(text.clone())),
        Input::Parts(parts) => match parts.as_slice() {
            [one] => Ok(one.clone()),
            _ => Err(input_fault(
                "this model makes a vector of one text or of one image, not of several together",
            )),
        },
        Input::Tokens(_) => Err(tokens_fault()),
    }
}

/// Texts are strings, but for those among images. Images are addresses or bare base64.
fn write_part(w: &mut Writer, part: &Part, is_mixed: bool) {
    match part {
        Part::Text(text) if is_mixed => w.object(|w| w.field_str("text", text)),
        Part::Text(text) => w.string(text),
        Part::Image(url) => {
            let bytes = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
            w.object(|w| w.field_str("image", bytes.map_or(url, |(_, bytes)| bytes)));
        }
    }
}

/// The vendor's word for what the vectors are for. Words that are none of the usual ones go as they are: its models have
/// more of them (`code.query`).
fn task(word: &str) -> &str {
    match Purpose::of(word) {
        Some(Purpose::Query) => "retrieval.query",
        Some(Purpose::Document) => "retrieval.passage",
        Some(Purpose::Classification) => "classification",
        Some(Purpose::Clustering) => "separation",
        Some(Purpose::Similarity) => "text-matching",
        None => word,
    }
}

/// How the vendor is to write the vectors. Of other numbers than floats it has packed bits.
fn embedding_type(request: &Request) -> Option<&'static str> {
    match (request.output_dtype, request.encoding_format) {
        (Some(Dtype::Binary), _) => Some("binary"),
        (Some(Dtype::Ubinary), _) => Some("ubinary"),
        (_, EncodingFormat::Base64) => Some("base64"),
        (_, EncodingFormat::Float) => None,
    }
}

/// Texts are cut at their end, or not at all.
fn truncate(request: &Request) -> Option<bool> {
    match request.truncate.as_deref()? {
        "END" => Some(true),
        "NONE" => Some(false),
        _ => None,
    }
}

fn dropped(request: &Request) -> Vec<String> {
    let has_dtype = !matches!(request.output_dtype, Some(Dtype::Int8 | Dtype::Uint8));
    let unsaid = [("truncate", truncate(request).is_none()), ("output_dtype", !has_dtype)];
    let unsaid = unsaid.iter().filter(|(_, is_unsaid)| *is_unsaid).map(|(name, _)| *name);
    let names: Vec<&str> = std::iter::once("user").chain(unsaid).collect();
    request.dropped(&names, |name| OWN_FIELDS.contains(&name))
}
