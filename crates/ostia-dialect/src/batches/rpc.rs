//! Errors of rows as `google.rpc.Status`.

use crate::json::Node;
use crate::{Fault, fault};

/// What a row was refused with. The code is one of gRPC's (<https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>),
/// or one of HTTP's.
pub(super) fn refused(error: Node<'_>) -> Fault {
    let status = match error.u64("code") {
        Some(3 | 9 | 11) => 400,
        Some(16) => 401,
        Some(7) => 403,
        Some(5) => 404,
        Some(6 | 10) => 409,
        Some(8) => 429,
        Some(CANCELLED) => 499,
        Some(14) => 503,
        Some(4) => 504,
        Some(code @ 400..=599) => u16::try_from(code).unwrap_or(500),
        _ => 500,
    };
    fault::from_answer(status, error.text().as_bytes())
}

/// The code of what was cancelled.
pub(super) const CANCELLED: u64 = 1;
