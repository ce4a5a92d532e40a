//! Nova's multimodal embeddings over InvokeModel
//! (<https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html>): one text or one image a call.

use super::{Input, Part, Request, Response, image_data, input_fault, lone, tokens_fault, vector};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// The body for one text or one image.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let content = content(lone(request)?)?;
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("taskType", "SINGLE_EMBEDDING");
        w.field_object("singleEmbeddingParams", |w| {
            w.field_str("embeddingPurpose", purpose(request.input_type.as_deref()));
            request.dimensions.into_iter().for_each(|length| w.field_u64("embeddingDimension", length));
            match content {
                Content::Text(text) => w.field_object("text", |w| {
                    // It has to be said; vectors of what is there are what other vendors give.
                    w.field_str("truncationMode", request.truncate.as_deref().unwrap_or("END"));
                    w.field_str("value", text);
                }),
                Content::Image { format, data } => w.field_object("image", |w| {
                    w.field_str("format", format);
                    w.field_object("source", |w| w.field_str("bytes", data));
                }),
            }
        });
    });
    let dropped = request.dropped(&["user", "output_dtype"], |_| false);
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

enum Content<'r> {
    Text(&'r str),
    Image { format: &'r str, data: &'r str },
}

fn content(input: &Input) -> Result<Content<'_>, Fault> {
    let parts = match input {
        Input::Text(text) => return Ok(Content::Text(text)),
        Input::Tokens(_) => return Err(tokens_fault()),
        Input::Parts(parts) => parts,
    };
    match parts.as_slice() {
        [Part::Text(text)] => Ok(Content::Text(text)),
        [Part::Image(url)] => {
            let (mime, data) = image_data(url)?;
            Ok(Content::Image { format: mime.strip_prefix("image/").unwrap_or(mime), data })
        }
        _ => Err(input_fault("this model takes one text or one image for each vector")),
    }
}

/// What the vectors are for: an index, where clients do not say. Words that are none of the usual ones go as they are.
fn purpose(input_type: Option<&str>) -> &str {
    match input_type {
        None | Some("search_document" | "document" | "passage" | "image" | "RETRIEVAL_DOCUMENT") => {
            "GENERIC_INDEX"
        }
        Some("search_query" | "query" | "RETRIEVAL_QUERY") => "GENERIC_RETRIEVAL",
        Some("classification") => "CLASSIFICATION",
        Some("clustering") => "CLUSTERING",
        Some(word) => word,
    }
}

/// Reads `embeddings`, of which there is one.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let entries = root.some("embeddings").filter(Node::is_array)?.items();
    let vectors = entries.map(|entry| vector(entry.some("embedding")?)).collect::<Option<Vec<_>>>()?;
    Some(Response { vectors, ..Response::default() })
}
