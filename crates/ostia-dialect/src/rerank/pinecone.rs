//! Pinecone's rerank (<https://docs.pinecone.io/reference/api/2025-04/inference/rerank>).

use super::{Request, Response, Usage, dropped, ranked};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 2] = ["rank_fields", "parameters"];

/// The body for `POST /rerank`. Documents are objects, and are not asked for: the client's are here.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let query = request.query_text()?;
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_raw("query", query.as_str());
        w.field_array("documents", |w| {
            request.documents.iter().for_each(|document| document.write_object(w, "text"));
        });
        if let Some(top_n) = request.top_n {
            w.field_u64("top_n", top_n);
        }
        w.field_bool("return_documents", false);
        let own = request.extra.iter().filter(|(name, _)| is_own(name));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
        if let Some(cuts) = cuts(request) {
            w.field_object("parameters", |w| w.field_str("truncate", cuts));
        }
    });
    let hub = [
        ("max_tokens_per_doc", request.max_tokens_per_doc.is_some()),
        ("truncation", request.truncation.is_some() && cuts(request).is_none()),
    ];
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request, &hub, is_own), ..Encoded::default() })
}

fn is_own(name: &str) -> bool {
    OWN_FIELDS.contains(&name)
}

/// Whether what is too long is cut, where the client does not say so in the vendor's own words.
fn cuts(request: &Request) -> Option<&'static str> {
    let has_own = request.extra.iter().any(|(name, _)| name == "parameters");
    request.truncation.filter(|_| !has_own).map(|cuts| if cuts { "END" } else { "NONE" })
}

/// Reads `data`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let units = root.some("usage").and_then(|usage| usage.u64("rerank_units"));
    Some(Response {
        model: root.str("model").unwrap_or_default().into_owned(),
        results: ranked(root.some("data")?, "score")?,
        usage: Usage { tokens: None, search_units: units },
        ..Response::default()
    })
}
