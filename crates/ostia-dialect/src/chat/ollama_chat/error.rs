//! Errors, as bodies and as lines of a stream: <https://docs.ollama.com/api/errors>.

use crate::fault::from_body;
use crate::json::Node;
use crate::{Fault, FaultKind};

/// What is said of an error that says nothing.
const NO_MESSAGE: &str = "The provider sent an answer without a message.";

/// An error where an answer or a line of one was due: `{"error": "..."}`, in which newer servers put a status too.
pub(super) fn decode(node: Node<'_>) -> Fault {
    let status = node.u64("status").and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (400..600).contains(status)).unwrap_or(502);
    let mut fault = from_body(node, status).unwrap_or_else(|| Fault::upstream(NO_MESSAGE));
    // It did answer: it failed.
    if fault.kind == FaultKind::Upstream {
        fault.kind = FaultKind::Server;
    }
    fault
}
