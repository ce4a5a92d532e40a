//! Errors where an answer was due: <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>.

use crate::fault::classify;
use crate::json::Node;
use crate::{Fault, FaultKind};

/// `{"message": ...}`, with the exception's name in `__type` where the answer has it in its body.
pub(super) fn decode(node: Node<'_>) -> Fault {
    let message = node.str("message").or_else(|| node.str("Message")).filter(|message| !message.is_empty());
    let message = message.map_or_else(
        || "The provider sent an answer without a message.".to_owned(),
        |message| message.into_owned(),
    );
    let name = node.str("__type").and_then(|name| Some(name.rsplit('#').next()?.into()));
    let mut fault = Fault { vendor_type: name, ..Fault::upstream(message) };
    classify(&mut fault, None, None);
    // It did answer: it failed.
    if fault.kind == FaultKind::Upstream {
        fault.kind = FaultKind::Server;
    }
    fault
}
