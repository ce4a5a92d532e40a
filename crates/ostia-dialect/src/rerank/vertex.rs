//! Google's ranking of records, a part of Vertex AI Search
//! (<https://docs.cloud.google.com/generative-ai-app-builder/docs/reference/rest/v1/projects.locations.rankingConfigs/rank>).

use super::{Ranked, Request, Response, dropped};
use crate::json::{Json, Node, Writer};
use crate::{Encoded, Fault};

/// The body for `:rank`. A record's id is its place in the client's list.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let (query, texts) = (request.query_text()?, request.texts()?);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_raw("query", query.as_str());
        w.field_array("records", |w| {
            for (at, text) in texts.iter().enumerate() {
                w.object(|w| {
                    w.field_str("id", &at.to_string());
                    w.field_raw("content", text.as_str());
                });
            }
        });
        if let Some(top_n) = request.top_n {
            w.field_u64("topN", top_n);
        }
        w.field_bool("ignoreRecordDetailsInResponse", true);
    });
    let hub = [
        ("max_tokens_per_doc", request.max_tokens_per_doc.is_some()),
        ("truncation", request.truncation == Some(false)),
    ];
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request, &hub, |_| false), ..Encoded::default() })
}

/// Reads `records`. A score of 0 is left out, as all fields with their default are in Google's JSON.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let one = |record: Node<'_>| {
        let score = match record.some("score") {
            Some(score) if score.as_f64().is_some() => Json::of(score),
            Some(_) => return None,
            None => Json::build(|w| w.u64(0)),
        };
        Some(Ranked { index: record.str("id")?.parse().ok()?, score })
    };
    let records = root.some("records").filter(Node::is_array)?;
    Some(Response { results: records.items().map(one).collect::<Option<_>>()?, ..Response::default() })
}
