//! Forms with files (`multipart/form-data`, RFC 7578 and RFC 2046, section 5.1), cut while their bytes come.
//!
//! Read by hand because a form that is only handed on has to keep every byte, which parsers for applications throw away, and
//! because files may be larger than memory: their contents go to the caller piece by piece, and everything else, which is small,
//! stays here. What is between the files is kept as it came ([`Form::pieces`]); where a field has to say something else the form is
//! written anew around the same files ([`Form::edited`]).

mod decode;
#[cfg(test)]
mod tests;
mod write;

pub use decode::Decoder;
pub use write::Writer;

use crate::json::Writer as JsonWriter;
use crate::{Fault, json};

/// Largest sum of what is not the contents of files, in bytes.
pub const FIELDS_BYTES_MAX: usize = 1 << 20;
/// Most parts of a form.
pub const PARTS_MAX: usize = 256;
/// Longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;
/// Fields that decide who is asked and how the answer is read: given twice, the gateway and a provider could read different ones.
const SINGLE: [&str; 2] = ["model", "stream"];

/// A form, or as much of it as has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// The word between its parts.
    pub boundary: String,
    /// The parts in their order.
    pub parts: Vec<Part>,
    /// All of it as it came, with the contents of files in their places.
    pub pieces: Vec<Piece>,
    /// The last file is still coming, and with it whatever stands behind.
    pub is_partial: bool,
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// Its header fields as they came, without the blank line.
    head: Vec<u8>,
    /// What it holds.
    pub content: Content,
}

/// What a part of a form holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// A file.
    File(File),
}

/// A file of a form: all but its contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Which of the form's files it is.
    pub index: usize,
    /// Its name; empty where it has none.
    pub name: String,
    /// Its media type, where it says so.
    pub media: Option<String>,
    /// Its length so far, in bytes.
    pub bytes: u64,
}

/// A piece of a body that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The contents of a file that the client sent.
    File(usize),
    /// The same in base64.
    Base64(usize),
    /// The address of what was uploaded before, as a string of JSON.
    Uploaded,
    /// A mask that the client sent, painted in black and white.
    Mask(Mask),
}

/// A picture that is transparent where another one is to change, for a vendor that wants to see that in black and white.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// The picture.
    pub content: MaskContent,
    /// What is painted where it is transparent.
    pub changes: Shade,
    /// It is sent in base64.
    pub is_base64: bool,
}

/// What a mask is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskContent {
    /// A file that the client sent.
    File(usize),
    /// Base64 that the client sent.
    Base64(String),
}

/// Black or white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// Black.
    Black,
    /// White.
    White,
}

impl Form {
    /// The files.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.parts.iter().filter_map(|part| match &part.content {
            Content::File(file) => Some(file),
            Content::Text(_) => None,
        })
    }

    /// The file in the field of this name, and the only one there.
    ///
    /// # Errors
    /// 400 that names the field where there is none, or several.
    pub fn file(&self, name: &str) -> Result<&File, Fault> {
        let mut found = self.parts.iter().filter(|part| part.base_name() == name);
        let fault = |what: &str| Err(Fault::invalid(format!("{what} `{name}`.")).with_param(name));
        match (found.next().map(|part| &part.content), found.next()) {
            (Some(Content::File(file)), None) => Ok(file),
            (Some(Content::Text(_)), None) => fault("Send a file, with a name, as"),
            (None, _) => fault("Missing file"),
            (Some(_), Some(_)) => fault("Send one file only as"),
        }
    }

    /// The fields as a JSON object: what routing asks, and what a config edits. A text stays a text; `stream` is true or false; fields
    /// that are there several times, or whose names end with `[]`, are lists; of a file name and type are told.
    pub fn to_json(&self) -> Vec<u8> {
        let mut w = JsonWriter::with_capacity(256);
        w.object(|w| {
            for (place, part) in self.parts.iter().enumerate() {
                let name = part.base_name();
                if self.parts[..place].iter().all(|earlier| earlier.base_name() != name) {
                    w.key(name);
                    self.write_values(w, name);
                }
            }
        });
        w.into_bytes()
    }

    fn write_values(&self, w: &mut JsonWriter, name: &str) {
        let same: Vec<&Part> = self.parts.iter().filter(|part| part.base_name() == name).collect();
        match same.as_slice() {
            [only] if only.name == name => only.write_value(w),
            several => w.array(|w| several.iter().for_each(|part| part.write_value(w))),
        }
    }

    /// The form with what these fields say now, in the order of its parts; what it did not have comes first. Parts whose fields say
    /// the same stay byte for byte.
    ///
    /// # Errors
    /// 400 for a value that holds the form's boundary, or a text that is no JSON.
    pub fn edited(&self, fields: &[u8]) -> Result<Vec<Piece>, Fault> {
        let old = self.to_json();
        let old = json::Document::of_request_to(&old, 1)?;
        // Lists are written item by item.
        let new = json::Document::of_request_to(fields, 2)?;
        let mut writer = Writer::new(&self.boundary);
        for (name, value) in new.root().fields() {
            if old.root().get(&name).is_none() && !value.is_null() {
                writer.value(&name, value)?;
            }
        }
        let mut written = Vec::new();
        for part in &self.parts {
            let name = part.base_name();
            let Some(value) = new.root().get(name) else { continue };
            if old.root().get(name).is_some_and(|old| old.text() == value.text()) {
                writer.part(part);
            } else if !written.contains(&name) {
                written.push(name);
                writer.value(name, value)?;
            }
        }
        Ok(writer.finish())
    }

    /// A field that decides something is there once.
    fn check_names(&self) -> Result<(), Fault> {
        for name in SINGLE {
            if self.parts.iter().filter(|part| part.base_name() == name).count() > 1 {
                let message = format!("The form has several fields `{name}`: send one.");
                return Err(Fault::invalid(message).with_param(name).with_code("form_invalid"));
            }
        }
        Ok(())
    }
}

impl Part {
    /// The name without the `[]` of lists.
    pub fn base_name(&self) -> &str {
        self.name.strip_suffix("[]").unwrap_or(&self.name)
    }

    fn write_value(&self, w: &mut JsonWriter) {
        match &self.content {
            Content::Text(text) if self.name == "stream" && (text == "true" || text == "false") => {
                w.bool(text == "true");
            }
            Content::Text(text) => w.string(text),
            Content::File(file) => w.object(|w| {
                w.field_str("filename", &file.name);
                if let Some(media) = &file.media {
                    w.field_str("content_type", media);
                }
            }),
        }
    }
}

/// The boundary that a content type names; `None` for what is no form.
///
/// # Errors
/// 400 for a form without one, or with one that no form can have.
pub fn boundary(content_type: &str) -> Result<Option<String>, Fault> {
    let mut parameters = content_type.split(';');
    let media = parameters.next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let found = parameters.filter_map(|parameter| parameter.split_once('=')).find_map(|(name, value)| {
        let is_it = name.trim().eq_ignore_ascii_case("boundary");
        is_it.then(|| value.trim().trim_matches('"').to_owned())
    });
    let is_sound = |word: &String| {
        !word.is_empty()
            && word.len() <= BOUNDARY_BYTES_MAX
            && !word.contains(|c: char| c.is_control() || c == '"' || c == '\\')
    };
    found.filter(is_sound).map(Some).ok_or_else(|| {
        let message = "The content type of a form has to name its boundary: multipart/form-data; boundary=WORD. Let the HTTP \
                       library write this header.";
        Fault::invalid(message).with_param("content-type").with_code("form_invalid")
    })
}
