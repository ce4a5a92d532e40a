//! The vendor's error envelope, for clients: <https://google.aip.dev/193>.

use crate::json::Writer;
use crate::{Fault, FaultKind};

/// The vendor's words for what went wrong (<https://google.aip.dev/193#http11json-representation>).
const WORDS: [&str; 16] = [
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
];

/// `{"error": {"code", "message", "status", "details"}}`
///
/// `code` is the HTTP status. `details` has the upstream's machine-readable code as the reason, and the field to blame;
/// it is absent where there is neither.
pub fn encode(fault: &Fault) -> Vec<u8> {
    let mut w = Writer::with_capacity(256);
    // The vendor's SDKs know an error in a stream by its first name: nothing may stand before it.
    w.object(|w| {
        w.field_object("error", |w| {
            w.field_u64("code", fault.status.into());
            w.field_str("message", &fault.message);
            w.field_str("status", status(fault));
            details(w, fault);
        });
    });
    w.into_bytes()
}

/// The last event of a stream that broke.
pub fn encode_event(fault: &Fault) -> Vec<u8> {
    [b"data: ".as_slice(), &encode(fault), b"\r\n\r\n"].concat()
}

/// The same as the last element of an array, and the array's end; `is_first`: nothing of the array has been sent before.
pub fn encode_last_element(fault: &Fault, is_first: bool) -> Vec<u8> {
    [if is_first { b"[".as_slice() } else { b",\r\n" }, &encode(fault), b"\n]"].concat()
}

/// The upstream's word where it is one of the vendor's, else the word for this kind.
fn status(fault: &Fault) -> &str {
    if let Some(word) = fault.vendor_type.as_deref().filter(|word| WORDS.contains(word)) {
        return word;
    }
    match fault.kind {
        FaultKind::InvalidRequest if fault.status == 409 => "ABORTED",
        FaultKind::InvalidRequest
        | FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::TooLarge => "INVALID_ARGUMENT",
        FaultKind::Authentication => "UNAUTHENTICATED",
        FaultKind::Permission => "PERMISSION_DENIED",
        FaultKind::NotFound => "NOT_FOUND",
        FaultKind::RateLimit | FaultKind::Quota => "RESOURCE_EXHAUSTED",
        FaultKind::Overloaded | FaultKind::Upstream => "UNAVAILABLE",
        FaultKind::Timeout => "DEADLINE_EXCEEDED",
        FaultKind::Server if fault.status == 501 => "UNIMPLEMENTED",
        FaultKind::Server => "INTERNAL",
    }
}

fn details(w: &mut Writer, fault: &Fault) {
    // A code that only repeats the status says nothing.
    let reason = fault.code.as_deref().filter(|code| *code != status(fault));
    if reason.is_none() && fault.param.is_none() {
        return;
    }
    w.field_array("details", |w| {
        if let Some(reason) = reason {
            w.object(|w| {
                w.field_str("@type", "type.googleapis.com/google.rpc.ErrorInfo");
                w.field_str("reason", reason);
            });
        }
        if let Some(field) = &fault.param {
            w.object(|w| {
                w.field_str("@type", "type.googleapis.com/google.rpc.BadRequest");
                w.field_array("fieldViolations", |w| {
                    w.object(|w| {
                        w.field_str("field", field);
                        w.field_str("description", &fault.message);
                    });
                });
            });
        }
    });
}

#[cfg(test)]
mod tests;
