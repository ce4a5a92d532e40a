//! The vendor's unary answer to the canonical one.

use crate::{Fault, Response};

/// Reads a whole answer.
///
/// # Errors
/// The provider's own error where the body is one, 502 where it is no answer.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let _ = body;
    unimplemented!()
}
