//! Images, recordings and documents: <https://platform.openai.com/docs/guides/images-vision?api-mode=chat>, `/audio` and
//! `/pdf-files`.
//!
//! Documents of text become words: OpenAI takes no files but PDFs here, and every server takes words. The format has no
//! place for documents, recordings and films at an address.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::parts::Part;
use crate::media::{data_url, image_type_of};
use crate::{Media, MediaKind, Source};

/// The name of a document that came without one: the vendor refuses bytes without a name.
const FILE_NAME: &str = "document.pdf";

/// The part for a medium; `None` where the format has none.
pub(super) fn part(medium: &Media) -> Option<Part<'_>> {
    match (&medium.source, medium.kind) {
        (Source::FileId(id), _) => Some(Part::FileId { id, name: medium.name.as_deref() }),
        (Source::Url(url), MediaKind::Image) => Some(image(url.into(), medium)),
        (Source::Url(_), MediaKind::Audio | MediaKind::Video | MediaKind::Document) => None,
        (Source::Base64(data), MediaKind::Image) => Some(image(address(medium, data).into(), medium)),
        (Source::Base64(data), MediaKind::Audio) => Some(Part::Audio { data, format: format(medium, data) }),
        (Source::Base64(data), MediaKind::Video | MediaKind::Document) => Some(file(medium, data)),
        (Source::Text(text), _) => Some(Part::Text(titled(medium.name.as_deref(), text.into()))),
    }
}

/// A text document as words; any other medium has none.
pub(super) fn words(medium: &Media) -> Option<Part<'_>> {
    part(medium).filter(|part| matches!(part, Part::Text(_)))
}

fn image<'m>(url: Cow<'m, str>, medium: &'m Media) -> Part<'m> {
    Part::Image { url, detail: medium.detail.as_deref() }
}

fn file<'m>(medium: &'m Media, data: &'m str) -> Part<'m> {
    match text_of(medium, data) {
        Some(text) => Part::Text(titled(medium.name.as_deref(), text.into())),
        None => Part::File { url: address(medium, data), name: medium.name.as_deref().unwrap_or(FILE_NAME) },
    }
}

/// The name stands above the text, or it would be lost.
fn titled<'m>(name: Option<&str>, text: Cow<'m, str>) -> Cow<'m, str> {
    match name {
        Some(name) => format!("{name}:\n{text}").into(),
        None => text,
    }
}

fn text_of(medium: &Media, data: &str) -> Option<String> {
    let mime = medium.mime.as_deref()?.split(';').next()?.trim().to_ascii_lowercase();
    if !mime.starts_with("text/") && mime != "application/json" && mime != "application/xml" {
        return None;
    }
    String::from_utf8(STANDARD.decode(data).ok()?).ok()
}

fn address(medium: &Media, data: &str) -> String {
    let mime = medium.mime.as_deref().unwrap_or_else(|| match medium.kind {
        MediaKind::Image => image_type_of(data).unwrap_or("image/jpeg"),
        MediaKind::Audio => "audio/mpeg",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/pdf",
    });
    data_url(mime, data)
}

/// OpenAI's word for a format of sound (`wav`, `mp3`); other servers take more of them by the names of their media types.
fn format<'m>(medium: &'m Media, data: &str) -> &'m str {
    let mime = medium.mime.as_deref().and_then(|mime| mime.split(';').next()).map(str::trim);
    match mime.map(|mime| mime.strip_prefix("audio/").unwrap_or(mime)) {
        Some("wave" | "x-wav" | "vnd.wave") => "wav",
        Some("mpeg" | "mpeg3" | "x-mp3") => "mp3",
        Some(format) => format,
        // How a RIFF file begins, which is what a WAV file is.
        None if data.starts_with("UklGR") => "wav",
        None => "mp3",
    }
}
