//! Why an answer ended, and how probable its tokens were.

use crate::json::{Json, Node};
use crate::{Fault, FaultKind, Finish};

/// Why the answer ended. `ERROR` and `TIMEOUT` are failures and not ends: what was said so far is not an answer.
///
/// Fails with 500 and 504 for those two.
pub(in crate::chat::cohere_chat) fn finish(word: Option<&str>) -> Result<Finish, Fault> {
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

/// Log-probabilities in OpenAI's shape. The vendor gives one entry for a piece of text, which may be several tokens: their
/// sum is the piece's own.
pub(in crate::chat::cohere_chat) fn logprobs<'d>(items: impl Iterator<Item = Node<'d>>) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_array("content", |w| {
                for item in items {
                    let text = item.str("text").unwrap_or_default();
                    w.object(|w| {
                        w.field_str("token", &text);
                        w.field_raw("logprob", &joint_probability(item));
                        w.field_array("bytes", |w| text.bytes().for_each(|byte| w.u64(byte.into())));
                        w.field_array("top_logprobs", |_| {});
                    });
                }
            });
        });
    })
}

fn joint_probability(item: Node<'_>) -> String {
    let Some(list) = item.some("logprobs") else { return "0".into() };
    let mut numbers = list.items();
    match (numbers.next(), numbers.next()) {
        (Some(only), None) => only.text().to_owned(),
        _ => Json::from_value(&list.items().filter_map(|number| number.as_f64()).sum::<f64>().into())
            .as_str()
            .to_owned(),
    }
}
