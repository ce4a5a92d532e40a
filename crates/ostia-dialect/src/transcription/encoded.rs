//! A request for text from speech in a vendor's form.

use crate::Fault;
use crate::api::job::Upload;
use crate::form::{File, Piece, Writer};

/// A request in a vendor's form.
#[derive(Default)]
pub(super) struct Encoded {
    /// What the path names.
    pub in_path: String,
    /// The query.
    pub query: String,
    /// What the body is.
    pub content_type: String,
    /// The body.
    pub body: Vec<Piece>,
    /// What has to be sent before.
    pub upload: Option<Box<Upload>>,
    /// Fields that could not be said.
    pub dropped: Vec<String>,
}

impl Encoded {
    /// A form, with the file last: some vendors read no field behind it.
    pub(super) fn form(
        fields: &[(&str, Option<&str>)],
        file: &File,
        mut writer: Writer,
        dropped: Vec<String>,
    ) -> Result<Encoded, Fault> {
        let content_type = writer.content_type();
        for (name, text) in fields {
            text.map_or(Ok(()), |text| writer.field(name, text))?;
        }
        writer.file("file", file);
        Ok(Encoded { content_type, body: writer.finish(), dropped, ..Encoded::default() })
    }
}
