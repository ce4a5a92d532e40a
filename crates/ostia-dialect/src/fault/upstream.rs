//! Reading the errors of upstreams. Vendors of one dialect disagree more about errors than about anything else, so one
//! lenient reader serves all.

use std::borrow::Cow;
use std::num::NonZeroU32;

use super::{Fault, FaultKind, classify};
use crate::json::{Document, Node};

/// Longest error text that is shown to a client where the body is no JSON, in characters.
const TEXT_CHARS_MAX: usize = 500;

/// What an upstream's error answer says. The status is kept.
///
/// Understands OpenAI's, Anthropic's, Google's, Cohere's, Mistral's, FastAPI's and Ollama's shapes, S3's XML, a bare string,
/// plain text and HTML.
pub fn from_answer(status: u16, body: &[u8]) -> Fault {
    let document = Document::parse(body);
    if let Ok(document) = &document
        && let Some(fault) = read(document.root(), Some(status))
    {
        return fault;
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if let Some(fault) = of_xml(text, status) {
        return fault;
    }
    let message = if text.is_empty() {
        format!("The provider answered with status {status} and an empty body.")
    } else if text.starts_with('<') {
        let title = title(text).map(|title| format!(": {title}")).unwrap_or_default();
        format!("The provider answered with status {status} and a page for people{title}")
    } else {
        text.chars().take(TEXT_CHARS_MAX).collect()
    };
    let mut fault = Fault::new(FaultKind::of_status(status), message);
    classify(&mut fault, Some(status), None);
    fault
}

/// The error in a body that came with a success: 502, or the status that it names itself. `None` where it tells none.
pub fn in_success(body: &[u8]) -> Option<Fault> {
    let document = Document::parse(body).ok()?;
    from_body(document.root(), 502)
}

/// The error in a JSON body, if it holds one that can be recognised. `status` is what the fault gets; 502 stands for
/// none, and then the body or what it means gives one (`{"error": {"code": 429}}`, `rate_limit_exceeded`).
pub(crate) fn from_body(root: Node<'_>, status: u16) -> Option<Fault> {
    read(root, Some(status).filter(|status| *status != 502))
}

/// Does an answer tell in MiniMax's way that it is none (<https://platform.minimax.io/docs/api-reference/errorcode>)?
pub(crate) fn is_refused(root: Node<'_>) -> bool {
    root.some("base_resp").and_then(|told| told.u64("status_code")).is_some_and(|code| code != 0)
}

fn read(root: Node<'_>, status: Option<u16>) -> Option<Fault> {
    // Google's JSON-array streams wrap the error in an array.
    let root = root.items().next().unwrap_or(root);
    let nested = ["error", "base_resp"].into_iter().find_map(|name| root.some(name).filter(Node::is_object));
    let error = nested.unwrap_or(root);
    let text = |name: &str| error.str(name).map(Cow::into_owned);
    let word = text("type").or_else(|| text("status")).or_else(|| text("error_type"));
    // An error without a message is at least called something.
    let message = message(error).or_else(|| message(root)).or_else(|| nested.and(word.clone()))?;
    let code = error.some("code").or(root.some("code")).or(error.some("status_code"));
    let code = code.filter(|code| !code.is_object() && !code.is_array());
    let own_status = code.and_then(|code| code.as_u64()).and_then(|code| u16::try_from(code).ok());
    let status = status.or(own_status.filter(|code| (400..600).contains(code)));
    let mut fault = Fault::new(FaultKind::Upstream, message);
    fault.vendor_type = word.map(String::into_boxed_str);
    fault.param = text("param").filter(|param| !param.is_empty());
    // Google's number is the status once more; its reason, or else its word, says more.
    fault.code = reason(error).or_else(|| error.u64("code").and(text("status"))).or_else(|| code.map(plain));
    fault.wait_s = wait_s(error);
    // OpenRouter's own message says only that somebody failed, and Azure's only that something is wrong; what it was
    // stands beside it.
    let beside = |name: &str, field: &str| error.some(name).and_then(|beside| beside.str(field));
    let more = beside("metadata", "raw").or_else(|| beside("innererror", "code"));
    classify(&mut fault, status, more.as_deref());
    Some(fault)
}

/// Google's machine-readable reason (`google.rpc.ErrorInfo`, <https://google.aip.dev/193>).
fn reason(error: Node<'_>) -> Option<String> {
    let details = error.some("details")?;
    details.items().find_map(|detail| detail.str("reason")).map(Cow::into_owned)
}

/// How long Google asks to be left alone (`google.rpc.RetryInfo` in error_details.proto): `"34s"`, `"17.384s"`; in whole
/// seconds, and not fewer.
fn wait_s(error: Node<'_>) -> Option<NonZeroU32> {
    let details = error.some("details")?;
    let delay = details.items().find_map(|detail| detail.str("retryDelay"))?;
    let seconds: f64 = delay.strip_suffix('s')?.parse().ok()?;
    // What is no number, or below zero, becomes none.
    NonZeroU32::new(seconds.ceil() as u32)
}

/// Where vendors keep the words of an error.
const NAMES: [&str; 10] = [
    "message",
    "Message",
    "detail",
    "error",
    "msg",
    "error_message",
    "errorMessage",
    // Deepgram's.
    "err_msg",
    // Baidu's, and MiniMax's in `base_resp`.
    "error_msg",
    "status_msg",
];

fn message(node: Node<'_>) -> Option<String> {
    for name in NAMES {
        if let Some(text) = node.str(name).filter(|text| !text.is_empty()) {
            return Some(text.into_owned());
        }
    }
    // FastAPI: {"detail": [{"loc": ["body", "model"], "msg": "field required"}]}; others: {"errors": [{"message"}]}.
    let list = node.some("detail").or(node.some("errors")).or(node.some("message"))?;
    let first = list.items().next().unwrap_or(list);
    let text =
        first.as_str().map(Cow::into_owned).or_else(|| message(first)).filter(|text| !text.is_empty())?;
    let place: Vec<_> =
        first.some("loc").iter().flat_map(|loc| loc.items()).map(|step| plain(step)).collect();
    Some(if place.is_empty() { text } else { format!("{text} ({})", place.join(".")) })
}

fn plain(step: Node<'_>) -> String {
    step.as_str().unwrap_or(Cow::Borrowed(step.text())).into_owned()
}

fn title(page: &str) -> Option<&str> {
    element(page, "<title>", "</title>")
}

/// The text between two tags.
fn element<'p>(page: &'p str, begin: &str, end: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(begin)?;
    let (text, _) = rest.split_once(end)?;
    Some(text.trim())
}

/// S3's errors, which other storages copy (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
fn of_xml(text: &str, status: u16) -> Option<Fault> {
    let error = element(text, "<Error>", "</Error>").filter(|_| text.starts_with('<'))?;
    let (code, message) = (element(error, "<Code>", "</Code>")?, element(error, "<Message>", "</Message>")?);
    let plain = message
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    let message: String = plain.chars().take(TEXT_CHARS_MAX).collect();
    let mut fault = Fault::new(FaultKind::of_status(status), message).with_code(code);
    classify(&mut fault, Some(status), None);
    Some(fault)
}

#[cfg(test)]
mod tests;
