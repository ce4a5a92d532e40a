//! Errors: in bodies, in answers that failed, and as events of a stream.
//!
//! The documentation shows `code`, `message` and `param` beside the type; the API itself sends them in an
//! `error` object, and the vendor's SDKs raise what stands there. So both are told.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses-streaming/error>.

use super::response::output::Events;
use crate::chat::openai_chat::error::{self, kind};
use crate::fault::from_body;
use crate::json::{Node, Writer};
use crate::{Fault, FaultKind};

/// The last event of a stream that broke, under this `sequence_number`.
pub fn encode_event(fault: &Fault, mut number: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    Events::told(&mut number, &mut out).tell("error", |w| write(w, fault));
    out
}

/// The fields of an error event.
pub(super) fn write(w: &mut Writer, fault: &Fault) {
    told(w, fault);
    w.field_object("error", |w| {
        w.field_str("type", kind(fault));
        told(w, fault);
    });
}

fn told(w: &mut Writer, fault: &Fault) {
    w.field_str("code", code(fault));
    w.field_str("message", &fault.message);
    match &fault.param {
        Some(param) => w.field_str("param", param),
        None => w.key("param").null(),
    }
}

/// The upstream's code where it gave one, else the API's for this kind.
pub(super) fn code(fault: &Fault) -> &str {
    if let Some(code) = error::code(fault) {
        return code;
    }
    match fault.kind {
        FaultKind::RateLimit | FaultKind::Quota => "rate_limit_exceeded",
        FaultKind::InvalidRequest
        | FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::TooLarge => "invalid_prompt",
        FaultKind::Authentication
        | FaultKind::Permission
        | FaultKind::NotFound
        | FaultKind::Overloaded
        | FaultKind::Timeout
        | FaultKind::Upstream
        | FaultKind::Server => "server_error",
    }
}

/// What went wrong, from a Response that failed, an `error` event or a body that is an error.
pub(super) fn decode(node: Node<'_>) -> Fault {
    let fault = from_body(node, 502);
    let mut fault = fault.unwrap_or_else(|| Fault::upstream("The provider failed and did not say why."));
    // The type of an `error` event says only that it is one.
    fault.vendor_type = fault.vendor_type.filter(|word| **word != *"error");
    fault
}
