//! A request for speech in a vendor's form.

use crate::api::MediaReader;
use crate::json::Json;

/// A request in a vendor's form.
pub(super) struct Encoded {
    /// What the path names.
    pub in_path: String,
    /// The query.
    pub query: String,
    /// The body.
    pub body: Json,
    /// Fields that could not be said.
    pub dropped: Vec<String>,
    /// Reads the answer.
    pub reader: MediaReader,
}
