//! Jina's rerank (<https://api.jina.ai/redoc#tag/rerank>), for clients and upstreams. Cohere's first version
//! (<https://docs.cohere.com/v1/reference/rerank>) differs in the account of the cost, so clients get both.

use super::{Request, Response, Usage, dropped, ranked, tokens, write_results};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// The body for `POST /rerank`. Fields that the hub does not know go along, because servers that speak this dialect have many
/// of their own. Documents are not asked for: the client's are here.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.key("query");
        request.query.write(w);
        w.field_array("documents", |w| request.documents.iter().for_each(|document| document.write(w)));
        if let Some(top_n) = request.top_n {
            w.field_u64("top_n", top_n);
        }
        w.field_bool("return_documents", false);
        request.extra.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let hub = [
        ("max_tokens_per_doc", request.max_tokens_per_doc.is_some()),
        ("truncation", request.truncation == Some(false)),
    ];
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request, &hub, |_| true), ..Encoded::default() })
}

/// Reads `results`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    Some(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        model: root.str("model").unwrap_or_default().into_owned(),
        results: ranked(root.some("results")?, "relevance_score")?,
        usage: Usage { tokens: tokens(root), search_units: None },
        meta: None,
    })
}

/// Writes the answer for a client.
pub(super) fn encode_response(request: &Request, response: &Response) -> Vec<u8> {
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        if !response.id.is_empty() {
            w.field_str("id", &response.id);
        }
        w.field_str("model", if response.model.is_empty() { &request.model } else { &response.model });
        w.field_str("object", "list");
        w.field_array("results", |w| {
            write_results(w, request, response, |w, document| document.write_object(w, "text"));
        });
        if let Some(tokens) = response.usage.tokens {
            w.field_object("usage", |w| {
                w.field_u64("prompt_tokens", tokens);
                w.field_u64("total_tokens", tokens);
            });
        }
        super::cohere::write_meta(w, response);
    });
    body.into_bytes()
}
