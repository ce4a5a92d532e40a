//! Vertex AI's embeddings by `predict`
//! (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>).
//!
//! Texts only, each an instance of a list; vectors come as numbers. How many texts a call may have is the model's to say: five, 250,
//! or one (`gemini-embedding-001`).

use super::gemini::task;
use super::{Request, Response, Usage, text, vector};
use crate::json::{Document, Node, Writer};
use crate::{Encoded, Fault};

/// The names that clients give the field by which texts that are too long are cut.
const AUTO_TRUNCATE: [&str; 2] = ["auto_truncate", "autoTruncate"];

/// The body for `:predict`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let texts = request.input.iter().map(text).collect::<Result<Vec<&str>, Fault>>()?;
    let task = request.input_type.as_deref().and_then(task);
    let extra = |name: &str| request.extra.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_array("instances", |w| {
            for text in texts {
                w.object(|w| {
                    w.field_str("content", text);
                    if let Some(task) = task {
                        w.field_str("task_type", task);
                    }
                    if let Some(title) = extra("title") {
                        w.field_raw("title", title.as_str());
                    }
                });
            }
        });
        let own = AUTO_TRUNCATE.iter().find_map(|name| extra(name)).map(|value| value.as_str());
        let cuts = own.or_else(|| cuts(request));
        if request.dimensions.is_some() || cuts.is_some() {
            w.field_object("parameters", |w| {
                if let Some(dimensions) = request.dimensions {
                    w.field_u64("outputDimensionality", dimensions);
                }
                if let Some(cuts) = cuts {
                    w.field_raw("autoTruncate", cuts);
                }
            });
        }
    });
    Ok(Encoded { body: body.into_bytes(), dropped: dropped(request), ..Encoded::default() })
}

/// Texts are cut at their end, or not at all.
fn cuts(request: &Request) -> Option<&'static str> {
    match request.truncate.as_deref() {
        Some("NONE") => Some("false"),
        Some("END") => Some("true"),
        _ => None,
    }
}

fn dropped(request: &Request) -> Vec<String> {
    let is_own = |name: &str| name == "title" || AUTO_TRUNCATE.contains(&name);
    let unsaid: &[&str] = match cuts(request) {
        Some(_) => &["user", "output_dtype"],
        None => &["user", "truncate", "output_dtype"],
    };
    request.dropped(unsaid, is_own)
}

/// Reads `predictions`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let list = root.some("predictions").filter(Node::is_array)?;
    let (mut vectors, mut tokens) = (Vec::new(), None);
    for prediction in list.items() {
        let embeddings = prediction.some("embeddings")?;
        // The vectors stand one level deeper than those of others.
        let document = Document::parse_to(embeddings.text().as_bytes(), 2).ok()?;
        vectors.push(vector(document.root().some("values")?)?);
        let statistics = document.root().some("statistics");
        let count = statistics.and_then(|all| all.some("token_count")).and_then(|count| count.as_f64());
        // A number with a decimal point, as all numbers of `google.protobuf.Value` are.
        tokens = count.map(|count| tokens.unwrap_or(0) + count as u64).or(tokens);
    }
    let usage = tokens.map(|tokens| Usage { prompt_tokens: tokens, total_tokens: tokens });
    Some(Response { vectors, usage, ..Response::default() })
}
