//! A request for images in a vendor's form.

use memchr::memmem;

use super::Picture;
use crate::Fault;
use crate::form::{Mask, Piece, Writer};

/// A request in a vendor's form.
#[derive(Debug, Default)]
pub struct Encoded {
    /// What the path names, where that is not the model.
    pub in_path: Option<String>,
    /// What the body is.
    pub content_type: String,
    /// The body.
    pub body: Vec<Piece>,
    /// Headers that go with it.
    pub headers: Vec<(&'static str, String)>,
    /// Fields of the client's that could not be said.
    pub dropped: Vec<String>,
}

/// Stands on both sides of the number of a file whose base64 is to stand there. JSON has no such byte (RFC 8259, section 7): what a
/// client wrote cannot be taken for one.
const BASE64_MARK: char = '\u{1}';

/// The same of the number of a mask, in the order in which these were written.
const MASK_MARK: char = '\u{2}';

/// The mark of a file.
pub(super) fn mark(index: usize) -> String {
    format!("{BASE64_MARK}{index}{BASE64_MARK}")
}

/// The mark of the mask. A request has one.
pub(super) fn mask_mark() -> String {
    format!("{MASK_MARK}{MASK_MARK}")
}

impl Encoded {
    /// A form: fields, pictures under the name `image`, and a mask. `boundary`: that of the client's form, where it sent one.
    pub(super) fn form(
        boundary: Option<&str>,
        fields: &[(String, String)],
        (pictures, mask): (&[Picture], Option<Mask>),
        dropped: Vec<String>,
    ) -> Result<Encoded, Fault> {
        let inline: Vec<Vec<u8>> = pictures.iter().map(Picture::bytes).collect::<Result<_, _>>()?;
        let own = || boundary_of_none(fields, &inline);
        let mut form = Writer::new(&boundary.map_or_else(own, str::to_owned));
        let content_type = form.content_type();
        for (name, text) in fields {
            form.field(name, text)?;
        }
        for (picture, bytes) in pictures.iter().zip(&inline) {
            match picture {
                Picture::File(file) => form.file("image", file),
                Picture::Inline { .. } | Picture::Address(_) => form.bytes("image", &picture.media(), bytes),
            }
        }
        if let Some(mask) = mask {
            form.mask("mask", mask);
        }
        Ok(Encoded { content_type, body: form.finish(), dropped, ..Encoded::default() })
    }

    /// JSON, with marks where files are to stand.
    pub(super) fn json(body: Vec<u8>, dropped: Vec<String>) -> Encoded {
        let body = pieces(body, &|number| Some(Piece::Base64(number.parse().ok()?)), BASE64_MARK);
        Encoded { content_type: "application/json".to_owned(), body, dropped, ..Encoded::default() }
    }

    /// The same with this mask where [`mask_mark`] stands.
    pub(super) fn with_mask(mut self, mask: Option<Mask>) -> Encoded {
        let Some(mask) = mask else { return self };
        let cut = |piece: Piece| match piece {
            Piece::Bytes(bytes) => pieces(bytes, &|_| Some(Piece::Mask(mask.clone())), MASK_MARK),
            other => vec![other],
        };
        self.body = std::mem::take(&mut self.body).into_iter().flat_map(cut).collect();
        self
    }
}

/// A boundary that is in none of these.
fn boundary_of_none(fields: &[(String, String)], contents: &[Vec<u8>]) -> String {
    let texts = || fields.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
    let is_in = |boundary: &str, bytes: &[u8]| memmem::find(bytes, boundary.as_bytes()).is_some();
    let is_free = |boundary: &String| {
        let mut all = texts().chain(contents.iter().map(Vec::as_slice));
        !all.any(|bytes| is_in(boundary, bytes))
    };
    (0_u64..).map(|number| format!("form-boundary-{number}")).find(is_free).unwrap_or_default()
}

/// JSON with marks, cut at them: what is between two of them becomes a piece.
fn pieces(body: Vec<u8>, marked: &dyn Fn(&str) -> Option<Piece>, mark: char) -> Vec<Piece> {
    let is_mark = |byte: &u8| char::from(*byte) == mark;
    if !body.iter().any(is_mark) {
        return vec![Piece::Bytes(body)];
    }
    let between = body.split(|byte| is_mark(byte)).enumerate();
    between
        .filter_map(|(place, part)| match place % 2 {
            0 => Some(Piece::Bytes(part.to_vec())),
            _ => marked(std::str::from_utf8(part).ok()?),
        })
        .collect()
}
