//! The canonical request to the vendor's body.

use crate::{Encoded, Fault, Request};

/// The body for this request, and what it could not say.
///
/// # Errors
/// 400 for a request that makes no sense to this vendor, naming the field.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    let _ = request;
    unimplemented!()
}
