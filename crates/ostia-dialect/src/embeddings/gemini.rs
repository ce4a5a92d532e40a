//! Google's embeddings (<https://ai.google.dev/api/embeddings>).
//!
//! One method takes one content, another takes a list; both answer with `values`. Vectors come as numbers only.

mod client;

pub use client::{decode_batch_request, decode_request, encode_response};

use super::purpose::Purpose;
use super::{Input, Part, Request, Response, Usage, tokens_fault, vector};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands, by the names that clients give them.
const OWN_FIELDS: [(&str, &str); 4] = [
    ("title", "title"),
    ("auto_truncate", "autoTruncate"),
    ("autoTruncate", "autoTruncate"),
    ("embedContentConfig", "embedContentConfig"),
];

/// Does this request need the method for lists? For a list also of one, because that is what the client wrote.
pub(super) fn is_batch(request: &Request) -> bool {
    request.is_list || request.input.len() != 1
}

/// The body for the method that this request needs.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    if request.input.iter().any(|input| matches!(input, Input::Tokens(_))) {
        return Err(tokens_fault());
    }
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        if is_batch(request) {
            w.field_array("requests", |w| {
                for input in &request.input {
                    w.object(|w| {
                        w.field_str("model", &resource(&request.model));
                        fields(w, request, input);
                    });
                }
            });
        } else {
            request.input.iter().for_each(|input| fields(w, request, input));
        }
    });
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request), ..Encoded::default() })
}

/// Each request of a list names its model once more, as a resource.
fn resource(model: &str) -> String {
    if model.contains('/') { model.to_owned() } else { format!("models/{model}") }
}

fn fields(w: &mut Writer, request: &Request, input: &Input) {
    w.field_object("content", |w| {
        w.field_array("parts", |w| match input {
            Input::Text(text) => write_text(w, text),
            Input::Parts(parts) => parts.iter().for_each(|part| write_part(w, part)),
            Input::Tokens(_) => {}
        });
    });
    if let Some(dimensions) = request.dimensions {
        w.field_u64("outputDimensionality", dimensions);
    }
    if let Some(task) = request.input_type.as_deref().and_then(task) {
        w.field_str("taskType", task);
    }
    for (name, value) in &request.extra {
        if let Some(name) = own_field(name) {
            w.field_raw(name, value.as_str());
        }
    }
}

fn write_text(w: &mut Writer, text: &str) {
    w.object(|w| w.field_str("text", text));
}

fn write_part(w: &mut Writer, part: &Part) {
    match part {
        Part::Text(text) => write_text(w, text),
        Part::Image(url) => match data_url(url) {
            Some((mime, data)) => w.object(|w| {
                w.field_object("inlineData", |w| {
                    w.field_str("mimeType", mime);
                    w.field_str("data", data);
                });
            }),
            None => w.object(|w| w.field_object("fileData", |w| w.field_str("fileUri", url))),
        },
    }
}

/// Media type and base64 of a `data:` URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    Some((mime.split(';').next().unwrap_or(mime), data))
}

/// The vendor's word for what the vectors are for. Words that are none of the usual ones go as they are, so that a new
/// one of the vendor works; `image` is said by the content itself.
pub(super) fn task(word: &str) -> Option<&str> {
    match Purpose::of(word) {
        Some(Purpose::Document) => Some("RETRIEVAL_DOCUMENT"),
        Some(Purpose::Query) => Some("RETRIEVAL_QUERY"),
        Some(Purpose::Classification) => Some("CLASSIFICATION"),
        Some(Purpose::Clustering) => Some("CLUSTERING"),
        Some(Purpose::Similarity) => Some("SEMANTIC_SIMILARITY"),
        None if word == "image" => None,
        None => Some(word),
    }
}

/// The vendor's name of an extra field, if it is one that no other vendor has.
pub(super) fn own_field(name: &str) -> Option<&'static str> {
    OWN_FIELDS.iter().find(|(known, _)| *known == name).map(|(_, own)| *own)
}

fn dropped(request: &Request) -> Vec<String> {
    request.dropped(&["user", "truncate", "output_dtype"], |name| own_field(name).is_some())
}

/// Reads `embedding` or `embeddings`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let values = |embedding: Node<'_>| vector(embedding.some("values")?);
    let vectors = match (root.some("embeddings"), root.some("embedding")) {
        (Some(list), _) if list.is_array() => list.items().map(values).collect::<Option<Vec<_>>>()?,
        (_, Some(one)) => vec![values(one)?],
        (Some(_), None) | (None, None) => return None,
    };
    let usage = root.some("usageMetadata").and_then(usage).or_else(|| counted(root));
    Some(Response { vectors, usage, ..Response::default() })
}

/// In batches all tokens are one number (googleapis/python-genai, `SingleEmbedContentResponse`), which Google may write as a text.
fn counted(root: Node<'_>) -> Option<Usage> {
    let tokens = root.u64("tokenCount").or_else(|| root.str("tokenCount")?.parse().ok())?;
    Some(Usage { prompt_tokens: tokens, total_tokens: tokens })
}

fn usage(usage: Node<'_>) -> Option<Usage> {
    let prompt_tokens = usage.u64("promptTokenCount")?;
    Some(Usage { prompt_tokens, total_tokens: usage.u64("totalTokenCount").unwrap_or(prompt_tokens) })
}
