//! Models that rank at Amazon Bedrock, by InvokeModel
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html>): Amazon's own, and Cohere's, which are told
//! the version of their API.

use super::{Request, Response, cohere, dropped, ranked};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// What stands in the ids, profiles and ARNs of models that have Cohere's API of version 2.
const COHERE: &str = "cohere.";

/// The body for `POST /model/{model}/invoke`, whose path names the model.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let (query, texts) = (request.query_text()?, request.texts()?);
    let is_cohere = request.model.contains(COHERE);
    let tokens = request.max_tokens_per_doc.filter(|_| is_cohere);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        cohere::write_fields(w, request, &query, &texts);
        if is_cohere {
            w.field_u64("api_version", 2);
        }
        if let Some(tokens) = tokens {
            w.field_u64("max_tokens_per_doc", tokens);
        }
    });
    let hub = [
        ("max_tokens_per_doc", tokens != request.max_tokens_per_doc),
        ("truncation", request.truncation == Some(false)),
    ];
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request, &hub, |_| false), ..Encoded::default() })
}

/// Reads `results`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let results = ranked(root.some("results")?, "relevance_score")?;
    Some(Response { results, ..Response::default() })
}
