//! The client's body to the canonical request.

use crate::json::{Document, Json};
use crate::{Fault, Request};

/// What the hub calls by another name than this dialect does: the hub's name and the dialect's.
pub const WORDS: &[(&str, &str)] = &[];

/// What a request says about remembering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// The answer that this one goes on from.
    pub previous_response_id: Option<String>,
    /// The conversation that this belongs to.
    pub conversation: Option<String>,
    /// The answer can be asked for later.
    pub store: bool,
    /// The client does not wait.
    pub background: bool,
}

/// Reads what a request says about remembering.
///
/// # Errors
/// 400 for fields of a wrong type.
pub fn keeping(document: &Document<'_>) -> Result<Keeping, Fault> {
    let _ = document;
    unimplemented!()
}

/// The fields of a request that its answer repeats.
pub fn echo(document: &Document<'_>) -> Vec<(String, Json)> {
    let _ = document;
    unimplemented!()
}

/// Reads a whole request.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode(body: &[u8]) -> Result<Request, Fault> {
    let _ = body;
    unimplemented!()
}
