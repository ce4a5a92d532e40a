//! Errors, as bodies and as events: <https://docs.cohere.com/reference/errors>.

use crate::fault::classify;
use crate::json::Node;
use crate::{Fault, FaultKind};

/// An error where an answer or an event was due: `{"message": ...}`, `{"error": ...}` or a status beside them.
pub(super) fn decode(node: Node<'_>) -> Fault {
    let error = node.some("error").filter(Node::is_object).unwrap_or(node);
    let message = error.str("message").or_else(|| node.str("error")).map(|text| text.into_owned());
    let message = message.unwrap_or_else(|| "The provider sent an answer without a message.".into());
    let status = ["status_code", "status", "code"].iter().find_map(|name| error.u64(name));
    let status = status.and_then(|status| u16::try_from(status).ok()).filter(|s| (400..600).contains(s));
    let mut fault = Fault {
        code: error.str("code").map(|text| text.into_owned()),
        vendor_type: error.str("type").filter(|word| word != "error").map(|text| text.into()),
        ..Fault::upstream(message)
    };
    classify(&mut fault, status, None);
    // It did answer: it failed.
    if fault.kind == FaultKind::Upstream {
        fault.kind = FaultKind::Server;
    }
    fault
}
