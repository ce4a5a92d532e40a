//! Voyage's rerank (<https://docs.voyageai.com/reference/reranker-api>), for clients and upstreams.

use super::{Request, Response, Usage, dropped, ranked, tokens, write_results};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// The body for `POST /rerank`. Documents are not asked for: the client's are here.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let (query, texts) = (request.query_text()?, request.texts()?);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_raw("query", query.as_str());
        w.field_array("documents", |w| texts.iter().for_each(|text| w.raw(text.as_str())));
        if let Some(top_n) = request.top_n {
            w.field_u64("top_k", top_n);
        }
        if let Some(truncation) = request.truncation {
            w.field_bool("truncation", truncation);
        }
    });
    let hub = [("max_tokens_per_doc", request.max_tokens_per_doc.is_some())];
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request, &hub, |_| false), ..Encoded::default() })
}

/// Reads `data`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    Some(Response {
        model: root.str("model").unwrap_or_default().into_owned(),
        results: ranked(root.some("data")?, "relevance_score")?,
        usage: Usage { tokens: tokens(root), search_units: None },
        ..Response::default()
    })
}

/// Writes the answer for a client. Its SDK wants the count of tokens, so that is 0 where the upstream does not say.
pub(super) fn encode_response(request: &Request, response: &Response) -> Vec<u8> {
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("object", "list");
        w.field_array("data", |w| {
            write_results(w, request, response, |w, document| document.write(w));
        });
        w.field_str("model", if response.model.is_empty() { &request.model } else { &response.model });
        w.field_object("usage", |w| w.field_u64("total_tokens", response.usage.tokens.unwrap_or(0)));
    });
    body.into_bytes()
}
