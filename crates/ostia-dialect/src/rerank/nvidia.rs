//! NVIDIA's ranking (<https://docs.nvidia.com/nim/nemo-retriever/text-reranking/latest/reference.html>). Scores are logits, of
//! which the greatest fits best.

use super::{Request, Response, Usage, dropped, ranked, tokens};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// The body for `POST /ranking`. It ranks all passages; how many of them the client wants is seen to where the answer is read.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let own = request.extra.iter().find(|(name, _)| is_own(name)).map(|(_, value)| value.as_str());
    let cuts = request.truncation.map(|cuts| if cuts { "\"END\"" } else { "\"NONE\"" });
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.key("query");
        request.query.write_object(w, "text");
        w.field_array("passages", |w| {
            request.documents.iter().for_each(|document| document.write_object(w, "text"));
        });
        if let Some(cuts) = own.or(cuts) {
            w.field_raw("truncate", cuts);
        }
    });
    let hub = [("max_tokens_per_doc", request.max_tokens_per_doc.is_some())];
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request, &hub, is_own), ..Encoded::default() })
}

fn is_own(name: &str) -> bool {
    name == "truncate"
}

/// Reads `rankings`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    Some(Response {
        results: ranked(root.some("rankings")?, "logit")?,
        usage: Usage { tokens: tokens(root), search_units: None },
        ..Response::default()
    })
}
