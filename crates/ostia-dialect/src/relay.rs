//! Same dialect on both sides: the bytes pass as they came. A request gets its few edits spliced in; an
//! answer is only watched ([`observe`](crate::observe)).

mod cut;
mod splice;
#[cfg(test)]
mod tests;

pub use cut::{Patch, Path, without};
pub use splice::Splice;

use crate::Fault;
use crate::json::Document;

/// What has to be known of a request body before it is relayed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peek {
    /// The `model` field, if the body has one that is not `null`.
    pub model: Option<String>,
    /// The `stream` field.
    pub stream: bool,
}

/// Scans a JSON body to its end and reads the two fields that routing needs.
///
/// `document` must record at least one level ([`Document::parse_to`] with depth 1).
pub fn peek(document: &Document<'_>) -> Result<Peek, Fault> {
    let mut peek = Peek::default();
    for (name, value) in document.root().expect_fields()? {
        match name.as_ref() {
            _ if value.is_null() => {}
            "model" => peek.model = Some(value.expect_str()?.into_owned()),
            "stream" => peek.stream = value.expect_bool()?,
            _ => {}
        }
    }
    Ok(peek)
}
