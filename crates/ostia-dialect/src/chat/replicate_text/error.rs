//! Errors: problems in answers (<https://replicate.com/docs/reference/http#errors>), a prediction that failed, and events of a
//! stream.

use std::borrow::Cow;

use crate::fault::from_body;
use crate::json::{Document, Node};
use crate::{Fault, FaultKind};

/// What is said of an error that says nothing.
const NO_MESSAGE: &str = "The provider's prediction failed without a reason.";

/// An error where an answer was due: `{"title": ..., "detail": ..., "status": ...}`, or a prediction with `error`.
pub(super) fn decode(root: Node<'_>) -> Fault {
    match reason(root) {
        Some(reason) => failed(&reason),
        None => from_body(root, 502).unwrap_or_else(|| failed(NO_MESSAGE)),
    }
}

/// The event `error` of a stream: a text, in JSON or not.
pub(super) fn of_event(data: &[u8]) -> Fault {
    let document = Document::parse(data);
    let told = document.as_ref().ok().map(Document::root);
    let told = told.and_then(|root| root.as_str().or_else(|| reason(root)).map(Cow::into_owned));
    let plain = || String::from_utf8_lossy(data).trim().to_owned();
    let text = told.unwrap_or_else(plain);
    failed(if text.is_empty() { NO_MESSAGE } else { &text })
}

/// A prediction that ended otherwise than by an answer.
pub(super) fn ended(word: &str) -> Fault {
    failed(&format!("The provider's prediction ended with `{word}`."))
}

fn reason(root: Node<'_>) -> Option<Cow<'_, str>> {
    ["error", "detail"].into_iter().find_map(|name| root.str(name).filter(|text| !text.is_empty()))
}

/// It did answer: it failed.
fn failed(message: &str) -> Fault {
    Fault::new(FaultKind::Server, message)
}
