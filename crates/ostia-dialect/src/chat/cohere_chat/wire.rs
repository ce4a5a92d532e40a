//! What unary answers and streams have in common.

use crate::fault::settle;
use crate::json::{Json, Node};
use crate::{Citation, Fault, FaultKind, Finish, Usage};

/// Why the answer ended. `ERROR` and `TIMEOUT` are failures and not ends: what was said so far is not an answer.
///
/// Fails with 500 and 504 for those two.
pub(super) fn finish(word: Option<&str>) -> Result<Finish, Fault> {
    match word {
        Some("MAX_TOKENS" | "ERROR_LIMIT") => Ok(Finish::Length),
        Some("TOOL_CALL") => Ok(Finish::ToolCalls),
        Some("ERROR_TOXIC") => Ok(Finish::ContentFilter),
        Some("ERROR") => {
            Err(failed(FaultKind::Server, "The provider failed while it was answering.", "ERROR"))
        }
        Some("TIMEOUT") => Err(failed(FaultKind::Timeout, "The provider ran out of time.", "TIMEOUT")),
        // COMPLETE, STOP_SEQUENCE, USER_CANCEL, and what comes next.
        Some(_) | None => Ok(Finish::Stop),
    }
}

fn failed(kind: FaultKind, message: &str, word: &str) -> Fault {
    Fault { vendor_type: Some(word.into()), ..Fault::new(kind, message) }
}

/// `usage`: the tokens that went through the model, or where they are not said those that are billed.
pub(super) fn usage(usage: Node<'_>) -> Option<Usage> {
    let tokens = usage.some("tokens").or_else(|| usage.some("billed_units"))?;
    Some(Usage {
        prompt: tokens.u64("input_tokens").unwrap_or(0),
        completion: tokens.u64("output_tokens").unwrap_or(0),
        cached: usage.u64("cached_tokens"),
        reasoning: tokens.u64("reasoning_tokens"),
        ..Usage::default()
    })
}

/// Units that are billed, which differ from the tokens used; kept for clients that want them.
pub(super) fn billed_units(usage: Node<'_>) -> Option<(String, Json)> {
    usage.some("billed_units").map(|units| ("billed_units".to_owned(), Json::of(units)))
}

/// A citation of a text that begins at character `offset` of the message. The first that comes back holds the vendor's
/// own value; sources with addresses of their own follow.
pub(super) fn citations(citation: Node<'_>, offset: u64) -> Vec<Citation> {
    let (start, end) = (citation.u64("start"), citation.u64("end"));
    let place = |url: Option<String>, title: Option<String>, value: Option<Json>| Citation {
        url,
        title,
        start: start.map(|at| at + offset),
        end: end.map(|at| at + offset),
        value,
    };
    let sources = citation.some("sources");
    let mut named = sources.iter().flat_map(|sources| sources.items()).map(source);
    let mut all: Vec<Citation> = Vec::new();
    let mut first = named.next().unwrap_or_default();
    for (url, title) in named {
        if first.0.is_none() && url.is_some() {
            first = (url, title);
        } else if url.is_some() && url != first.0 {
            all.push(place(url, title, None));
        }
    }
    all.insert(0, place(first.0, first.1, Some(Json::of(citation))));
    all
}

/// Address and title of a source, where the document or the tool's output has such fields.
fn source(source: Node<'_>) -> (Option<String>, Option<String>) {
    let held = source.some("document").or_else(|| source.some("tool_output"));
    let field = |name: &str| held.and_then(|held| held.str(name)).map(|text| text.into_owned());
    (field("url"), field("title"))
}

/// Log-probabilities in OpenAI's shape. The vendor gives one entry for a piece of text, which may be several tokens: their
/// sum is the piece's own.
pub(super) fn logprobs<'d>(items: impl Iterator<Item = Node<'d>>) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_array("content", |w| {
                for item in items {
                    let text = item.str("text").unwrap_or_default();
                    w.object(|w| {
                        w.field_str("token", &text);
                        w.field_raw("logprob", &joint(item));
                        w.field_array("bytes", |w| text.bytes().for_each(|byte| w.u64(byte.into())));
                        w.field_array("top_logprobs", |_| {});
                    });
                }
            });
        });
    })
}

fn joint(item: Node<'_>) -> String {
    let Some(list) = item.some("logprobs") else { return "0".into() };
    let mut numbers = list.items();
    match (numbers.next(), numbers.next()) {
        (Some(only), None) => only.text().to_owned(),
        _ => Json::from_value(&list.items().filter_map(|number| number.as_f64()).sum::<f64>().into())
            .as_str()
            .to_owned(),
    }
}

/// An error where an answer or an event was due: `{"message": ...}`, `{"error": ...}` or a status beside them.
pub(super) fn fault(node: Node<'_>) -> Fault {
    let error = node.some("error").filter(Node::is_object).unwrap_or(node);
    let message = error.str("message").or_else(|| node.str("error")).map(|text| text.into_owned());
    let message = message.unwrap_or_else(|| "The provider sent an answer without a message.".into());
    let status = ["status_code", "status", "code"].iter().find_map(|name| error.u64(name));
    let status = status.and_then(|status| u16::try_from(status).ok()).filter(|s| (400..600).contains(s));
    let mut fault = Fault {
        code: error.str("code").map(|text| text.into_owned()),
        vendor_type: error.str("type").filter(|word| word != "error").map(|text| text.into_owned()),
        ..Fault::upstream(message)
    };
    settle(&mut fault, status, None);
    // It did answer: it failed.
    if fault.kind == FaultKind::Upstream {
        fault.kind = FaultKind::Server;
    }
    fault
}

/// Citations that no text can hold, as a field of the choice.
pub(super) fn loose_citations(citations: &[Json]) -> Option<(String, Json)> {
    if citations.is_empty() {
        return None;
    }
    let list = Json::build(|w| w.array(|w| citations.iter().for_each(|one| w.raw(one.as_str()))));
    Some(("citations".to_owned(), list))
}
