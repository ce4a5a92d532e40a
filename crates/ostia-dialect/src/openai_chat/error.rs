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
            optional(w, "code", fault.code.as_deref());
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

/// The upstream's word where it has one, else OpenAI's for this kind.
pub(crate) fn kind(fault: &Fault) -> &str {
    if let Some(kind) = &fault.vendor_type {
        return kind;
    }
    match fault.kind {
        FaultKind::InvalidRequest | FaultKind::NotFound | FaultKind::TooLarge => "invalid_request_error",
        FaultKind::Authentication => "authentication_error",
        FaultKind::Permission => "permission_error",
        FaultKind::RateLimit => "rate_limit_error",
        FaultKind::Timeout => "timeout_error",
        FaultKind::Overloaded => "overloaded_error",
        FaultKind::Upstream => "upstream_error",
        FaultKind::Server => "server_error",
    }
}
