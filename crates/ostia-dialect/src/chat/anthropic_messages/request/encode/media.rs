//! Images and documents: <https://platform.claude.com/docs/en/build-with-claude/vision> and `/pdf-support`.
//! Sound and video have no form in this dialect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::json::Writer;
use crate::media::image_type_of;
use crate::{Content, Media, MediaKind, Message, Source};

/// Has this medium a form in this dialect?
pub(super) fn is_sayable(medium: &Media) -> bool {
    match (medium.kind, &medium.source) {
        (MediaKind::Audio | MediaKind::Video, _) => false,
        (MediaKind::Image | MediaKind::Document, Source::Url(url)) => {
            url.starts_with("https://") || url.starts_with("http://")
        }
        (MediaKind::Image | MediaKind::Document, Source::FileId(_)) => true,
        (MediaKind::Image, Source::Base64(data)) => image_type(medium, data).is_some(),
        (MediaKind::Image, Source::Text(_)) => false,
        (MediaKind::Document, Source::Base64(data)) => is_pdf(medium) || text_of(medium, data).is_some(),
        (MediaKind::Document, Source::Text(_)) => true,
    }
}

/// Does any turn refer to a file that lies with the vendor?
pub(super) fn names_a_file(messages: &[Message]) -> bool {
    let is_file = |content: &Content| match content {
        Content::Media(medium) => matches!(medium.source, Source::FileId(_)) && is_sayable(medium),
        _ => false,
    };
    messages.iter().flat_map(|message| &message.blocks).any(|block| match &block.content {
        Content::ToolResult { content, .. } => content.iter().any(|inner| is_file(&inner.content)),
        content => is_file(content),
    })
}

/// The fields of an image or document block.
pub(super) fn write(out: &mut Writer, medium: &Media) {
    let document = medium.kind == MediaKind::Document;
    out.field_str("type", if document { "document" } else { "image" });
    out.field_object("source", |out| match &medium.source {
        Source::Url(url) => {
            out.field_str("type", "url");
            out.field_str("url", url);
        }
        Source::FileId(id) => {
            out.field_str("type", "file");
            out.field_str("file_id", id);
        }
        Source::Text(text) => write_text(out, text),
        Source::Base64(data) if document && !is_pdf(medium) => {
            write_text(out, &text_of(medium, data).unwrap_or_default());
        }
        Source::Base64(data) => {
            let mime = if document { Some("application/pdf") } else { image_type(medium, data) };
            out.field_str("type", "base64");
            out.field_str("media_type", mime.unwrap_or_default());
            out.field_str("data", data);
        }
    });
    // OpenAI's `file` part has to have a name, so clients without one write this.
    if let Some(name) = medium.name.as_deref().filter(|name| document && *name != "document.pdf") {
        out.field_str("title", name);
    }
}

fn write_text(out: &mut Writer, text: &str) {
    out.field_str("type", "text");
    out.field_str("media_type", "text/plain");
    out.field_str("data", text);
}

fn is_pdf(medium: &Media) -> bool {
    medium.mime.as_deref().is_none_or(|mime| mime.eq_ignore_ascii_case("application/pdf"))
}

/// A document of some textual kind, which the vendor takes as plain text only.
fn text_of(medium: &Media, data: &str) -> Option<String> {
    let mime = medium.mime.as_deref()?;
    let mime = mime.split(';').next()?.trim().to_ascii_lowercase();
    if !mime.starts_with("text/") && mime != "application/json" && mime != "application/xml" {
        return None;
    }
    String::from_utf8(STANDARD.decode(data).ok()?).ok()
}

/// The media type of an image: as the client says, or as the first bytes tell.
fn image_type<'m>(medium: &'m Media, data: &str) -> Option<&'m str> {
    medium.mime.as_deref().or_else(|| image_type_of(data))
}
