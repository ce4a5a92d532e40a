//! The error envelope: <https://platform.claude.com/docs/en/api/errors>.

use std::borrow::Cow;

use crate::fault::classify;
use crate::json::{Json, Node};
use crate::{Fault, FaultKind};

/// The body that tells a client of this dialect what went wrong:
/// `{"type":"error","error":{"type","message"},"request_id"}`, the last only where given.
pub fn encode(fault: &Fault, request_id: Option<&str>) -> Vec<u8> {
    let body = Json::build(|out| {
        out.object(|out| {
            out.field_str("type", "error");
            out.field_object("error", |out| {
                out.field_str("type", type_of(fault));
                out.field_str("message", &message(fault));
            });
            if let Some(id) = request_id {
                out.field_str("request_id", id);
            }
        });
    });
    body.as_str().as_bytes().to_vec()
}

/// The same as an event of a stream that has already begun.
pub fn encode_event(fault: &Fault) -> Vec<u8> {
    let body = encode(fault, None);
    [b"event: error\ndata: ".as_slice(), &body, b"\n\n"].concat()
}

/// Is this object an error of this dialect?
pub(super) fn is_error(envelope: Node<'_>) -> bool {
    envelope.str("type").is_some_and(|kind| kind == "error")
}

/// Reads an envelope. The status follows from the error's type.
pub(super) fn decode(envelope: Node<'_>) -> Fault {
    let error = envelope.some("error").unwrap_or(envelope);
    let vendor_type = error.str("type").unwrap_or_default().into_owned();
    let message = match error.str("message") {
        Some(message) if !message.is_empty() => message.into_owned(),
        _ => format!("The provider reported an error without a message: {}", error.text()),
    };
    let status = status_of(&vendor_type);
    let mut fault = Fault::upstream(message);
    fault.vendor_type =
        Some(vendor_type).filter(|word| !word.is_empty() && word != "error").map(String::into_boxed_str);
    classify(&mut fault, status, None);
    if fault.kind == FaultKind::Upstream {
        (fault.kind, fault.status) = (FaultKind::Server, 500);
    }
    fault
}

/// What marks a message by which this vendor's clients know that they have to shorten the conversation: Claude Code
/// compacts on it (anthropics/claude-code#476, musistudio/claude-code-router#1799), and Cline and opencode look for the
/// first of them.
const TOO_LONG: [&str; 2] = ["prompt is too long", "exceed context limit"];

/// Would this vendor's clients understand what this fault means?
pub fn is_understood(fault: &Fault) -> bool {
    status(fault) == fault.status && matches!(message(fault), Cow::Borrowed(_))
}

/// The status by which this vendor's clients understand what it means: at 413 Claude Code sees a body of too many bytes,
/// whatever the words are (Alishahryar1/free-claude-code#1265).
pub fn status(fault: &Fault) -> u16 {
    match fault.kind {
        FaultKind::ContextLength => 400,
        _ => fault.status,
    }
}

/// The message, in words that this vendor's clients understand.
fn message(fault: &Fault) -> Cow<'_, str> {
    let is_marked = || {
        let message = fault.message.to_ascii_lowercase();
        TOO_LONG.iter().any(|mark| message.contains(mark))
    };
    match fault.kind == FaultKind::ContextLength && !is_marked() {
        false => Cow::Borrowed(&fault.message),
        true => Cow::Owned(format!("{}: {}", TOO_LONG[0], fault.message)),
    }
}

/// The vendor's word for this kind of failure.
fn type_of(fault: &Fault) -> &'static str {
    match fault.kind {
        FaultKind::InvalidRequest | FaultKind::ContextLength | FaultKind::ContentPolicy => {
            "invalid_request_error"
        }
        FaultKind::Authentication => "authentication_error",
        FaultKind::Permission => "permission_error",
        FaultKind::NotFound => "not_found_error",
        FaultKind::TooLarge => "request_too_large",
        FaultKind::RateLimit => "rate_limit_error",
        FaultKind::Quota => "billing_error",
        FaultKind::Overloaded => "overloaded_error",
        FaultKind::Timeout => "timeout_error",
        FaultKind::Upstream | FaultKind::Server => "api_error",
    }
}

/// The HTTP status that the vendor sends with this type of error, where that is one of its own.
fn status_of(vendor_type: &str) -> Option<u16> {
    let status = match vendor_type {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => return None,
    };
    Some(status)
}

#[cfg(test)]
mod tests;
