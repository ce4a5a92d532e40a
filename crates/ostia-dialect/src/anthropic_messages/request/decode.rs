//! The client's body to the canonical request.

use crate::{Fault, Request};

/// What the hub calls by another name than this dialect does: the hub's name and the dialect's.
pub const WORDS: &[(&str, &str)] = &[];

/// Reads a whole request.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode(body: &[u8]) -> Result<Request, Fault> {
    let _ = body;
    unimplemented!()
}
