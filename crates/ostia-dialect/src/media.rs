//! Kinds of media and what tells them.

use std::collections::HashMap;
use std::sync::Arc;

/// What kind of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A PDF, a text file, a table.
    Document,
}

/// The kind of a media type (`image/png`).
pub(crate) fn kind_of_mime(mime: &str) -> MediaKind {
    let top = mime.split('/').next().unwrap_or_default();
    let kinds = [("image", MediaKind::Image), ("audio", MediaKind::Audio), ("video", MediaKind::Video)];
    let known = kinds.iter().find(|(name, _)| top.eq_ignore_ascii_case(name));
    known.map_or(MediaKind::Document, |(_, kind)| *kind)
}

/// How the base64 of images begins.
const IMAGE_STARTS: [(&str, &str); 4] =
    [("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];

/// The media type of an image in base64, by how it begins.
pub(crate) fn image_type_of(data: &str) -> Option<&'static str> {
    IMAGE_STARTS.iter().find(|(start, _)| data.starts_with(start)).map(|(_, mime)| *mime)
}

/// Base64 of this media type as an address.
pub(crate) fn data_url(mime: &str, data: &str) -> String {
    format!("data:{mime};base64,{data}")
}

impl MediaKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [MediaKind; 4] =
        [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::Document];

    /// The word for it in configuration and messages.
    pub fn name(self) -> &'static str {
        match self {
            MediaKind::Image => "image",
            MediaKind::Audio => "audio",
            MediaKind::Video => "video",
            MediaKind::Document => "document",
        }
    }
}

/// A file that was fetched from its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What its server says that it is.
    pub content_type: Option<String>,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfetched {
    /// For the client, to go behind "the file ": `was not there within 15 s`.
    pub why: String,
    /// For the operator.
    pub detail: Option<String>,
}

/// A medium that has to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where it is.
    pub url: String,
    /// What it is to be.
    pub kind: MediaKind,
}

impl Remote {
    /// A file that could be it, for whoever only wants to know what would become of the request.
    pub fn stand_in(&self) -> File {
        let bytes: &[u8] = match self.kind {
            MediaKind::Image => b"\x89PNG\r\n\x1a\n",
            MediaKind::Audio => b"ID3",
            MediaKind::Video => b"\0\0\0\x18ftypisom",
            MediaKind::Document => b"%PDF-",
        };
        File { content_type: None, bytes: bytes.to_vec() }
    }
}

/// Files by their addresses, as far as they were fetched for a request.
pub type Files = HashMap<String, Result<Arc<File>, Unfetched>>;

/// How files begin, by which their types are told: place, bytes, type.
const SIGNATURES: [(usize, &[u8], &str); 24] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mp3"),
    (0, b"\xff\xfb", "audio/mp3"),
    (0, b"\xff\xf3", "audio/mp3"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\0\0\x01\xba", "video/mpeg"),
];
/// How pages begin, in small letters.
const PAGES: [&[u8]; 3] = [b"<!doctype html", b"<html", b"<head"];
/// Containers that hold sound as well as moving pictures.
const CONTAINERS: [&str; 5] = ["audio/ogg", "audio/mp4", "video/mp4", "video/webm", "video/quicktime"];
/// Types that say nothing of what a file is.
const UNTOLD: [&str; 3] = ["application/octet-stream", "binary/octet-stream", "application/x-download"];

impl File {
    /// The type that its bytes tell.
    pub(crate) fn seen(&self) -> Option<&'static str> {
        let begins = |(at, start, _): &&(usize, &[u8], &str)| {
            self.bytes.get(*at..).is_some_and(|rest| rest.starts_with(start))
        };
        let known = SIGNATURES.iter().find(begins).map(|(.., mime)| *mime);
        let start = self.bytes.trim_ascii_start();
        let is_page =
            |page: &&[u8]| start.get(..page.len()).is_some_and(|start| start.eq_ignore_ascii_case(page));
        known.or_else(|| PAGES.iter().any(is_page).then_some("text/html"))
    }

    /// The type that its server tells, without parameters.
    fn told(&self) -> Option<String> {
        let told = self.content_type.as_deref()?.split(';').next()?.trim().to_ascii_lowercase();
        (told.contains('/') && !UNTOLD.contains(&told.as_str())).then_some(told)
    }

    /// Its media type, for one who says that it is of this kind, and perhaps of this type. Bytes go before what anybody says.
    ///
    /// # Errors
    /// Why it cannot be of that kind, to go behind "the file ".
    pub(crate) fn media_type(
        &self,
        kind: MediaKind,
        said: Option<&str>,
        name: &str,
    ) -> Result<String, String> {
        if self.bytes.is_empty() {
            return Err("is empty".to_owned());
        }
        let (seen, told) = (self.seen(), self.told());
        match kind {
            MediaKind::Document => self.document_type(seen, told, said, name),
            MediaKind::Image | MediaKind::Audio | MediaKind::Video => {
                let is_kind = |mime: &str| kind_of_mime(mime) == kind;
                // Words count where bytes do not say it: containers, and sound without a beginning of its own.
                let words = [told.as_deref(), said, mime_of_name(name)];
                let word = || words.into_iter().flatten().find(|mime| is_kind(mime)).map(str::to_owned);
                match seen {
                    Some(seen) if is_kind(seen) => Ok(seen.to_owned()),
                    Some(seen) if kind != MediaKind::Image && CONTAINERS.contains(&seen) => {
                        Ok(word().unwrap_or_else(|| seen.replacen(kind_of_mime(seen).name(), kind.name(), 1)))
                    }
                    None if kind != MediaKind::Image => word().ok_or_else(|| not_a(kind.name(), seen, told)),
                    _ => Err(not_a(kind.name(), seen, told)),
                }
            }
        }
    }

    fn document_type(
        &self,
        seen: Option<&'static str>,
        told: Option<String>,
        said: Option<&str>,
        name: &str,
    ) -> Result<String, String> {
        const PDF: &str = "application/pdf";
        if said == Some(PDF) && seen != Some(PDF) {
            return Err(not_a("PDF", seen, told));
        }
        if let Some(seen) = seen {
            return Ok(seen.to_owned());
        }
        let words = told.as_deref().filter(|told| *told != PDF).or(said).or_else(|| mime_of_name(name));
        let mime = words.unwrap_or("text/plain");
        let is_text = mime.starts_with("text/") || mime.ends_with("json") || mime.ends_with("xml");
        if is_text && std::str::from_utf8(&self.bytes).is_err() {
            return Err(not_a("text", seen, told));
        }
        Ok(mime.to_owned())
    }
}

fn not_a(kind: &str, seen: Option<&str>, told: Option<String>) -> String {
    match (seen, told) {
        (Some(seen), _) => format!("is no {kind}: its bytes are {seen}"),
        (None, Some(told)) => format!("is no {kind} that is known by its bytes; its server calls it {told}"),
        (None, None) => format!("is no {kind} that is known by its bytes"),
    }
}

/// The media type that the ending of a file's name tells.
pub(crate) fn mime_of_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" => "text/html",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

/// Base64 in the alphabet that every vendor takes. Google takes the other too, in which its SDKs send bytes.
pub(crate) fn standard_base64(data: &str) -> String {
    let mut data = data.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let missing = (4 - data.len() % 4) % 4;
    data.extend(std::iter::repeat_n('=', missing));
    data
}
