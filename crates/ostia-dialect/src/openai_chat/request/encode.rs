//! The canonical request to the vendor's body.

use crate::{Encoded, Fault, Form, Request};

/// The body for this request, and what it could not say.
///
/// # Errors
/// 400 for a request that makes no sense in this format, naming the field.
pub fn encode(request: &Request, form: &Form) -> Result<Encoded, Fault> {
    let _ = (request, form);
    unimplemented!()
}
