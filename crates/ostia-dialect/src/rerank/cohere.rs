//! Cohere's rerank, version 2 (<https://docs.cohere.com/reference/rerank>), for clients and upstreams.

use super::{Request, Response, Usage, dropped, ranked, write_results};
use crate::json::{Json, Node, Writer};
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 1] = ["priority"];

/// The body for `POST /v2/rerank`. Documents are texts only; they are never sent back.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let (query, texts) = (request.query_text()?, request.texts()?);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        write_fields(w, request, &query, &texts);
        if let Some(tokens) = request.max_tokens_per_doc {
            w.field_u64("max_tokens_per_doc", tokens);
        }
        let own = request.extra.iter().filter(|(name, _)| is_own(name));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let dropped = dropped(request, &[("truncation", request.truncation == Some(false))], is_own);
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

fn is_own(name: &str) -> bool {
    OWN_FIELDS.contains(&name)
}

/// Query, documents and how many of them are wanted.
pub(super) fn write_fields(w: &mut Writer, request: &Request, query: &Json, texts: &[Json]) {
    w.field_raw("query", query.as_str());
    w.field_array("documents", |w| texts.iter().for_each(|text| w.raw(text.as_str())));
    if let Some(top_n) = request.top_n {
        w.field_u64("top_n", top_n);
    }
}

/// Reads `results`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let meta = root.some("meta").filter(Node::is_object);
    let count = |of: &str, name: &str| meta.and_then(|meta| meta.some(of)).and_then(|of| of.u64(name));
    Some(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        model: String::new(),
        results: ranked(root.some("results")?, "relevance_score")?,
        usage: Usage {
            tokens: count("tokens", "input_tokens"),
            search_units: count("billed_units", "search_units"),
        },
        meta: meta.map(Json::of),
    })
}

/// Writes the answer for a client of version 2.
pub(super) fn encode_response(request: &Request, response: &Response) -> Vec<u8> {
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        if !response.id.is_empty() {
            w.field_str("id", &response.id);
        }
        w.field_array("results", |w| {
            write_results(w, request, response, |w, document| document.write_object(w, "text"));
        });
        write_meta(w, response);
    });
    body.into_bytes()
}

/// The vendor's own account where it wrote one, else what is known of the cost in its words.
pub(super) fn write_meta(w: &mut Writer, response: &Response) {
    let Usage { tokens, search_units } = response.usage;
    if let Some(meta) = &response.meta {
        return w.field_raw("meta", meta.as_str());
    }
    if tokens.is_none() && search_units.is_none() {
        return;
    }
    w.field_object("meta", |w| {
        if let Some(units) = search_units {
            w.field_object("billed_units", |w| w.field_u64("search_units", units));
        }
        if let Some(tokens) = tokens {
            w.field_object("tokens", |w| w.field_u64("input_tokens", tokens));
        }
    });
}
