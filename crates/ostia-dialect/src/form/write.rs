//! A form, written.

use std::borrow::Cow;

use super::{Content, File, Mask, Part, Piece};
use crate::Fault;
use crate::json::{Kind, Node};

/// Writes a form around files that a client sent. Its boundary is that of the client's form, which is in none of its files.
#[derive(Debug)]
pub struct Writer {
    boundary: String,
    pieces: Vec<Piece>,
    /// What comes before the next file.
    text: Vec<u8>,
}

impl Writer {
    /// A form with this boundary.
    pub fn new(boundary: &str) -> Writer {
        Writer { boundary: boundary.to_owned(), pieces: Vec::new(), text: Vec::new() }
    }

    /// What the content type of such a form is.
    pub fn content_type(&self) -> String {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match self.boundary.bytes().all(is_token) {
            true => format!("multipart/form-data; boundary={}", self.boundary),
            false => format!("multipart/form-data; boundary=\"{}\"", self.boundary),
        }
    }

    /// A field.
    ///
    /// # Errors
    /// 400 for a value that holds the boundary: it would be read as several fields.
    pub fn field(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        if value.contains(&self.boundary) || name.contains(&self.boundary) {
            let message =
                format!("The value of `{name}` holds the boundary of the form: choose another boundary.");
            return Err(Fault::invalid(message).with_param(name).with_code("form_invalid"));
        }
        self.begin(format!("Content-Disposition: form-data; name=\"{}\"", escaped(name)).as_bytes());
        self.text.extend_from_slice(value.as_bytes());
        self.text.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// A field from a JSON value: a text as it is, a list as a field for each of its items, anything else as its JSON.
    ///
    /// # Errors
    /// As for [`Writer::field`].
    pub fn value(&mut self, name: &str, value: Node<'_>) -> Result<(), Fault> {
        match value.kind() {
            Kind::Null => Ok(()),
            Kind::Array => {
                let name = format!("{name}[]");
                value.items().try_for_each(|item| self.field(&name, &text(item)))
            }
            Kind::String | Kind::Bool | Kind::Number | Kind::Object => self.field(name, &text(value)),
        }
    }

    /// A file under this name.
    pub fn file(&mut self, name: &str, file: &File) {
        let media = file.media.as_deref().unwrap_or("application/octet-stream");
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {media}",
            escaped(name),
            escaped(&file.name)
        );
        self.begin(head.as_bytes());
        self.content(file.index);
    }

    /// A mask under this name.
    pub fn mask(&mut self, name: &str, mask: Mask) {
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{name}.png\"\r\nContent-Type: image/png",
            name = escaped(name)
        );
        self.begin(head.as_bytes());
        self.piece(Piece::Mask(mask));
    }

    /// A file of these bytes, in which the boundary is not.
    pub fn bytes(&mut self, name: &str, media: &str, bytes: &[u8]) {
        let name = escaped(name);
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: {media}"
        );
        self.begin(head.as_bytes());
        self.text.extend_from_slice(bytes);
        self.text.extend_from_slice(b"\r\n");
    }

    /// A part as the client wrote it.
    pub(super) fn part(&mut self, part: &Part) {
        self.begin(&part.head);
        match &part.content {
            Content::Text(text) => {
                self.text.extend_from_slice(text.as_bytes());
                self.text.extend_from_slice(b"\r\n");
            }
            Content::File(file) => self.content(file.index),
        }
    }

    /// All of it.
    pub fn finish(mut self) -> Vec<Piece> {
        self.text.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self.pieces.push(Piece::Bytes(self.text));
        self.pieces
    }

    fn begin(&mut self, head: &[u8]) {
        self.text.extend_from_slice(format!("--{}\r\n", self.boundary).as_bytes());
        self.text.extend_from_slice(head);
        self.text.extend_from_slice(b"\r\n\r\n");
    }

    fn content(&mut self, index: usize) {
        self.piece(Piece::File(index));
    }

    fn piece(&mut self, piece: Piece) {
        self.pieces.push(Piece::Bytes(std::mem::take(&mut self.text)));
        self.pieces.push(piece);
        self.text.extend_from_slice(b"\r\n");
    }
}

fn text(value: Node<'_>) -> Cow<'_, str> {
    value.as_str().unwrap_or_else(|| Cow::Borrowed(value.text()))
}

/// As browsers write names in quotes (<https://html.spec.whatwg.org/multipage/form-control-infrastructure.html>).
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
