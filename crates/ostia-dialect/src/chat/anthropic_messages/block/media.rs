//! Media that a model made, in words: answers of this dialect have no block for them.
//!
//! A picture is shown as an image of Markdown, any other medium as a link, so that the client sees it and can take it
//! out; bytes stand in a `data:` URL (RFC 2397). When the turn comes back, what stood in such a URL is a medium again, and
//! does not go to the next model as a long text.

use crate::media::kind_of_mime;
use crate::{Media, MediaKind, Source};

/// The text that shows this medium.
pub(in crate::chat::anthropic_messages) fn encode(medium: &Media) -> String {
    let name = medium.name.as_deref().unwrap_or(word(medium.kind));
    let mark = if medium.kind == MediaKind::Image { "!" } else { "" };
    match &medium.source {
        Source::Text(text) => text.clone(),
        Source::Url(at) | Source::FileId(at) => format!("{mark}[{name}]({at})"),
        Source::Base64(data) => {
            let mime = medium.mime.as_deref().unwrap_or(default_mime(medium.kind));
            format!("{mark}[{name}](data:{mime};base64,{data})")
        }
    }
}

/// The medium that this text shows, if it is nothing but one with its bytes.
pub(in crate::chat::anthropic_messages) fn decode(text: &str) -> Option<Media> {
    let (name, rest) = text.strip_prefix('!').unwrap_or(text).strip_prefix('[')?.split_once("](data:")?;
    let (mime, data) = rest.strip_suffix(')')?.split_once(";base64,")?;
    let is_base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    if name.contains(']') || mime.contains(char::is_whitespace) || !data.bytes().all(is_base64) {
        return None;
    }
    let kind = kind_of_mime(mime);
    let name = Some(name.to_owned()).filter(|name| name != word(kind));
    let source = Source::Base64(data.to_owned());
    Some(Media { kind, source, mime: Some(mime.to_owned()), name, detail: None })
}

fn word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
    }
}

fn default_mime(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image/png",
        MediaKind::Audio => "audio/wav",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/octet-stream",
    }
}
