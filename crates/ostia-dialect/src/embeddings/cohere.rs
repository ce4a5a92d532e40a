//! Cohere's embeddings, version 2 (<https://docs.cohere.com/reference/embed>).

use super::purpose::Purpose;
use super::{Dtype, EncodingFormat, Input, Part, Request, Response, Usage, tokens_fault, vector};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// The types of vectors in an answer. One was asked for.
const TYPES: [&str; 6] = ["float", "base64", "int8", "uint8", "binary", "ubinary"];
/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 2] = ["max_tokens", "priority"];

/// The body for `POST /v2/embed`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    if request.input.iter().any(|input| matches!(input, Input::Tokens(_))) {
        return Err(tokens_fault());
    }
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        inputs(w, &request.input, write_input);
        w.field_str("input_type", input_type(request));
        w.field_array("embedding_types", |w| w.string(embedding_type(request)));
        if let Some(dimensions) = request.dimensions {
            w.field_u64("output_dimension", dimensions);
        }
        if let Some(truncate) = &request.truncate {
            w.field_str("truncate", truncate);
        }
        let own = request.extra.iter().filter(|(name, _)| is_own(name));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let dropped = request.dropped(&["user"], is_own);
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// The vendor's base64 is of floats; other numbers are packed where the answer is written.
fn embedding_type(request: &Request) -> &'static str {
    match (request.output_dtype, request.encoding_format) {
        (None | Some(Dtype::Float), EncodingFormat::Base64) => "base64",
        (dtype, _) => dtype.unwrap_or(Dtype::Float).name(),
    }
}

fn is_own(name: &str) -> bool {
    OWN_FIELDS.contains(&name)
}

/// Texts have a field of their own, and so has one lone image, which is all that the older models take; anything else
/// goes as a list of contents.
///
/// `write_input` writes one such content.
pub(super) fn inputs(w: &mut Writer, inputs: &[Input], write_input: fn(&mut Writer, &Input)) {
    let texts: Option<Vec<&str>> = inputs.iter().map(text).collect();
    if let Some(texts) = texts {
        w.field_array("texts", |w| texts.iter().for_each(|text| w.string(text)));
    } else if let Some(url) = lone_image(inputs) {
        w.field_array("images", |w| w.string(url));
    } else {
        w.field_array("inputs", |w| inputs.iter().for_each(|input| write_input(w, input)));
    }
}

fn lone_image(inputs: &[Input]) -> Option<&str> {
    let [Input::Parts(parts)] = inputs else { return None };
    match parts.as_slice() {
        [Part::Image(url)] => Some(url),
        _ => None,
    }
}

/// The text of an input that is nothing else.
fn text(input: &Input) -> Option<&str> {
    match input {
        Input::Text(text) => Some(text),
        Input::Parts(parts) => match parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        },
        Input::Tokens(_) => None,
    }
}

fn write_input(w: &mut Writer, input: &Input) {
    w.object(|w| {
        w.field_array("content", |w| match input {
            Input::Text(text) => write_text(w, text),
            Input::Parts(parts) => parts.iter().for_each(|part| match part {
                Part::Text(text) => write_text(w, text),
                Part::Image(url) => w.object(|w| {
                    w.field_str("type", "image_url");
                    w.field_object("image_url", |w| w.field_str("url", url));
                }),
            }),
            Input::Tokens(_) => {}
        });
    });
}

fn write_text(w: &mut Writer, text: &str) {
    w.object(|w| {
        w.field_str("type", "text");
        w.field_str("text", text);
    });
}

/// The vendor demands to know what the vectors are for; clients of other vendors mostly store them, so that is assumed
/// where they do not say. Words that are none of the usual ones go as they are.
pub(super) fn input_type(request: &Request) -> &str {
    let is_image = |input: &Input| match input {
        Input::Parts(parts) => parts.iter().all(|part| matches!(part, Part::Image(_))),
        Input::Text(_) | Input::Tokens(_) => false,
    };
    let Some(word) = request.input_type.as_deref() else {
        return if request.input.iter().all(is_image) { "image" } else { "search_document" };
    };
    match Purpose::of(word) {
        Some(Purpose::Document) => "search_document",
        Some(Purpose::Query) => "search_query",
        Some(Purpose::Classification) => "classification",
        Some(Purpose::Clustering) => "clustering",
        Some(Purpose::Similarity) | None => word,
    }
}

/// Reads `embeddings`: lists by type, or the bare list of version 1.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let embeddings = root.some("embeddings")?;
    let list = if embeddings.is_array() {
        embeddings
    } else {
        TYPES.iter().find_map(|name| embeddings.some(name))?
    };
    Some(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        model: String::new(),
        vectors: list.items().map(vector).collect::<Option<Vec<_>>>()?,
        usage: root.some("meta").and_then(usage),
        images: root.some("meta").map_or(0, images),
    })
}

/// Billed images, which older models have no tokens of.
fn images(meta: Node<'_>) -> u64 {
    meta.some("billed_units").and_then(|units| units.u64("images")).unwrap_or(0)
}

/// Billed tokens, which are all that the vendor mostly tells; those of an image where there is no text.
fn usage(meta: Node<'_>) -> Option<Usage> {
    let units = meta.some("billed_units").or_else(|| meta.some("tokens"))?;
    let counts = [units.u64("input_tokens"), units.u64("image_tokens")];
    let tokens = counts.iter().flatten().copied().find(|count| *count > 0);
    let prompt_tokens = tokens.or(counts[0])?;
    Some(Usage { prompt_tokens, total_tokens: prompt_tokens })
}
