//! Images, recordings and documents as parts.

use std::borrow::Cow;

use crate::chat::gemini_generate::part::Body;
use crate::{Media, MediaKind, Source};

/// The part for a medium. Bytes go inline; an address or an id that the vendor gave is a file
/// (<https://ai.google.dev/gemini-api/docs/file-input-methods>).
pub(in crate::chat::gemini_generate) fn body(media: &Media) -> Body<'_> {
    match &media.source {
        Source::Base64(data) => {
            Body::Inline { mime: mime(media).unwrap_or_else(|| guess(media.kind, data)), data: data.into() }
        }
        Source::Url(url) => {
            let mime = mime(media).or_else(|| extension(url).map(Cow::Borrowed));
            Body::File { uri: url.into(), mime: mime.or_else(|| usual(media.kind, url)) }
        }
        Source::FileId(id) => Body::File { uri: id.into(), mime: mime(media) },
        Source::Text(text) => Body::Text(text),
    }
}

/// The media type that the client gave, in the vendor's word for it.
fn mime(media: &Media) -> Option<Cow<'_, str>> {
    let mime = media.mime.as_deref().filter(|mime| !mime.is_empty())?;
    Some(match mime {
        "image/jpg" => "image/jpeg".into(),
        "audio/opus" => "audio/ogg".into(),
        "audio/pcm16" => "audio/pcm".into(),
        "audio/x-wav" | "audio/wave" => "audio/wav".into(),
        _ => mime.into(),
    })
}

/// The media type of bytes that came without one: told by how their base64 begins, else the usual one.
fn guess(kind: MediaKind, data: &str) -> Cow<'static, str> {
    const BEGINNINGS: [(&str, &str); 8] = [
        ("/9j/", "image/jpeg"),
        ("iVBORw0KGgo", "image/png"),
        ("R0lGOD", "image/gif"),
        ("JVBERi", "application/pdf"),
        ("SUQz", "audio/mp3"),
        ("//u", "audio/mp3"),
        ("T2dnUw", "audio/ogg"),
        ("ZkxhQw", "audio/flac"),
    ];
    let known = BEGINNINGS.iter().find(|(beginning, _)| data.starts_with(beginning));
    let mime = match (known, kind) {
        (Some((_, mime)), _) => mime,
        (None, MediaKind::Image) if data.starts_with("UklGR") => "image/webp",
        (None, MediaKind::Image) => "image/jpeg",
        (None, MediaKind::Audio) => "audio/wav",
        (None, MediaKind::Video) => "video/mp4",
        (None, MediaKind::Document) => "application/pdf",
    };
    mime.into()
}

/// The media type that the end of an address tells.
pub(in crate::chat::gemini_generate) fn extension(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "ogg" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "aac" => "audio/aac",
        "m4a" => "audio/m4a",
        "aiff" => "audio/aiff",
        "mp4" => "video/mp4",
        "mov" => "video/mov",
        "mpeg" | "mpg" => "video/mpeg",
        "webm" => "video/webm",
        "avi" => "video/avi",
        "wmv" => "video/wmv",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "xml" => "text/xml",
        "json" => "application/json",
        _ => return None,
    })
}

/// A type where the address tells none: the vendor knows its own files by themselves.
fn usual(kind: MediaKind, url: &str) -> Option<Cow<'static, str>> {
    let own = ["https://generativelanguage.googleapis.com/", "https://www.youtube.com/", "https://youtu.be/"];
    if own.iter().any(|start| url.starts_with(start)) {
        return None;
    }
    match kind {
        MediaKind::Image => Some("image/jpeg".into()),
        MediaKind::Audio => Some("audio/mp3".into()),
        MediaKind::Video => Some("video/mp4".into()),
        MediaKind::Document => Some("application/pdf".into()),
    }
}
