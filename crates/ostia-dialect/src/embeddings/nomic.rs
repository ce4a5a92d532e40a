//! Nomic's embeddings of texts (<https://docs.nomic.ai/reference/api/embed-text-v-1-embedding-text-post>).

use super::purpose::Purpose;
use super::{Request, Response, Usage, text, vector};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 2] = ["long_text_mode", "max_tokens_per_text"];

/// The body for `POST /embedding/text`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let texts = request.input.iter().map(text).collect::<Result<Vec<&str>, Fault>>()?;
    let task = request.input_type.as_deref().and_then(Purpose::of).and_then(task);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_array("texts", |w| texts.iter().for_each(|text| w.string(text)));
        if let Some(task) = task {
            w.field_str("task_type", task);
        }
        if let Some(dimensions) = request.dimensions {
            w.field_u64("dimensionality", dimensions);
        }
        if let Some(mode) = cut_mode(request) {
            w.field_str("long_text_mode", mode);
        }
        let own = request.extra.iter().filter(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let unsaid = [
        ("input_type", task.is_none()),
        ("truncate", request.truncate.as_deref() != Some("END")),
        ("user", true),
        ("output_dtype", true),
    ];
    let names: Vec<&str> = unsaid.iter().filter(|(_, is_unsaid)| *is_unsaid).map(|(name, _)| *name).collect();
    let dropped = request.dropped(&names, |name| OWN_FIELDS.contains(&name));
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

fn task(purpose: Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::Query => Some("search_query"),
        Purpose::Document => Some("search_document"),
        Purpose::Classification => Some("classification"),
        Purpose::Clustering => Some("clustering"),
        Purpose::Similarity => None,
    }
}

/// What becomes of a text that is too long, where the client does not say it in the vendor's own words.
fn cut_mode(request: &Request) -> Option<&'static str> {
    let has_own = request.extra.iter().any(|(name, _)| name == "long_text_mode");
    (!has_own && request.truncate.as_deref() == Some("END")).then_some("truncate")
}

/// Reads `embeddings`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let list = root.some("embeddings").filter(Node::is_array)?;
    let usage = root.some("usage").and_then(|usage| {
        let total_tokens = usage.u64("total_tokens")?;
        let prompt_tokens = usage.u64("prompt_tokens").unwrap_or(total_tokens);
        Some(Usage { prompt_tokens, total_tokens })
    });
    Some(Response {
        model: root.str("model").unwrap_or_default().into_owned(),
        vectors: list.items().map(vector).collect::<Option<Vec<_>>>()?,
        usage,
        ..Response::default()
    })
}
