//! Errors in OpenAI's envelope: `{"error": {"message", "type", "param", "code"}}`.
//!
//! Source: <https://platform.openai.com/docs/guides/error-codes>.

use crate::json::Writer;
use crate::{Fault, FaultKind};

/// The whole body of an error answer. `provider` is named where an upstream answered or failed.
pub fn encode(fault: &Fault, provider: Option<&str>) -> Vec<u8> {
    let mut w = Writer::with_capacity(256);
    w.object(|w| {
        w.field_object("error", |w| {
            w.field_str("message", &fault.message);
            w.field_str("type", kind(fault));
            optional(w, "param", fault.param.as_deref());
            optional(w, "code", code(fault));
        });
        if let Some(provider) = provider {
            w.field_str("provider", provider);
        }
    });
    w.into_bytes()
}

/// The same as the last event of a stream.
pub fn encode_event(fault: &Fault, provider: Option<&str>) -> Vec<u8> {
    [b"data: ".as_slice(), &encode(fault, provider), b"\n\n"].concat()
}

fn optional(w: &mut Writer, name: &str, value: Option<&str>) {
    match value {
        Some(value) => w.field_str(name, value),
        None => w.key(name).null(),
    }
}

/// The code by which this vendor's clients know that they have to shorten the conversation: Codex compacts on it
/// (openai/codex#20866), agent frameworks cut the history.
pub const TOO_LONG: &str = "context_length_exceeded";

/// Would this vendor's clients understand what this fault means?
pub fn is_understood(fault: &Fault) -> bool {
    code(fault) == fault.code.as_deref() || fault.kind == FaultKind::Quota
}

/// The upstream's code; the vendor's own where clients do something about it.
pub(crate) fn code(fault: &Fault) -> Option<&str> {
    match (fault.kind, fault.code.as_deref()) {
        (FaultKind::ContextLength, _) => Some(TOO_LONG),
        (FaultKind::Quota, None) => Some("insufficient_quota"),
        (_, code) => code,
    }
}

/// The upstream's word where it has one, else OpenAI's for this kind.
pub(crate) fn kind(fault: &Fault) -> &str {
    if let Some(kind) = &fault.vendor_type {
        return kind;
    }
    match fault.kind {
        FaultKind::InvalidRequest
        | FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::NotFound
        | FaultKind::TooLarge => "invalid_request_error",
        FaultKind::Authentication => "authentication_error",
        FaultKind::Permission => "permission_error",
        FaultKind::RateLimit => "rate_limit_error",
        FaultKind::Quota => "insufficient_quota",
        FaultKind::Timeout => "timeout_error",
        FaultKind::Overloaded => "overloaded_error",
        FaultKind::Upstream => "upstream_error",
        FaultKind::Server => "server_error",
    }
}

#[cfg(test)]
mod tests;
