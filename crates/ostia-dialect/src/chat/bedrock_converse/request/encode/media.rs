//! Images, documents, recordings and moving pictures
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>): their bytes, or a place in S3. What
//! is at another address has no form here.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::chat::rules::Converse;
use crate::json::{Json, Writer};
use crate::media::image_type_of;
use crate::{Content, Media, MediaKind, Request, Source};

/// Formats by the media type.
const IMAGES: [(&str, &str); 4] =
    [("image/png", "png"), ("image/jpeg", "jpeg"), ("image/gif", "gif"), ("image/webp", "webp")];
const DOCUMENTS: [(&str, &str); 18] = [
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/x-markdown", "md"),
    // No registered types, but clients write them.
    ("application/doc", "doc"),
    ("application/docx", "docx"),
    ("application/xls", "xls"),
    ("application/xlsx", "xlsx"),
    // Texts of other kinds are read as what they are: texts.
    ("application/json", "txt"),
    ("application/xml", "txt"),
    ("text/xml", "txt"),
];
const VIDEOS: [(&str, &str); 10] = [
    ("video/x-matroska", "mkv"),
    ("video/quicktime", "mov"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/mpg", "mpg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];
const SOUNDS: [(&str, &str); 14] = [
    ("audio/mp3", "mp3"),
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/opus", "opus"),
    ("audio/aac", "aac"),
    ("audio/flac", "flac"),
    ("audio/mp4", "mp4"),
    ("audio/m4a", "m4a"),
    ("audio/ogg", "ogg"),
    ("audio/webm", "webm"),
    ("audio/pcm", "pcm"),
    ("audio/pcm16", "pcm"),
    ("audio/x-matroska", "mka"),
];
/// What a document is called that has no name.
const NAME_DEFAULT: &str = "document";
/// Most characters of a name.
const NAME_CHARS_MAX: usize = 200;
/// Signs that a name may have. The vendor's words leave out `_`, which it takes:
/// <https://github.com/vercel/ai/pull/20366>.
const NAME_SIGNS: &str = " -()[]_";
/// How the place of an object in S3 begins.
const S3: &str = "s3://";

/// Has this medium a form in this dialect, and does the model take its kind?
pub(super) fn is_sayable(medium: &Media, converse: &Converse) -> bool {
    let takes = medium.kind != MediaKind::Video || converse.video;
    let has_bytes = match &medium.source {
        Source::Base64(_) => true,
        Source::Url(url) => url.starts_with(S3),
        Source::Text(_) => medium.kind == MediaKind::Document,
        Source::FileId(_) => false,
    };
    takes && has_bytes && format(medium).is_some()
}

/// The format, from the media type, the first bytes or the name.
fn format(medium: &Media) -> Option<&'static str> {
    let formats: &[(&str, &str)] = match medium.kind {
        MediaKind::Image => &IMAGES,
        MediaKind::Document => &DOCUMENTS,
        MediaKind::Video => &VIDEOS,
        MediaKind::Audio => &SOUNDS,
    };
    let of = |mime: &str| {
        let mime = mime.split(';').next().unwrap_or_default().trim();
        formats.iter().find(|(known, _)| known.eq_ignore_ascii_case(mime)).map(|(_, format)| *format)
    };
    let ending = |path: &str| {
        let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())?;
        let ending = if ending == "jpg" { "jpeg" } else { ending.as_str() };
        formats.iter().find(|(_, format)| *format == ending).map(|(_, format)| *format)
    };
    if let Some(mime) = &medium.mime {
        let is_text = medium.kind == MediaKind::Document && mime.starts_with("text/");
        return of(mime).or(is_text.then_some("txt"));
    }
    match &medium.source {
        Source::Text(_) => Some("txt"),
        Source::Base64(data) if medium.kind == MediaKind::Image => image_type_of(data).and_then(of),
        Source::Url(url) => ending(url),
        Source::Base64(_) | Source::FileId(_) => {
            let is_pdf = medium.kind == MediaKind::Document;
            medium.name.as_deref().and_then(ending).or(is_pdf.then_some("pdf"))
        }
    }
}

/// Names of documents so far: "Messages can't contain duplicate document names."
/// (<https://github.com/maximhq/bifrost/issues/7003>).
#[derive(Default)]
pub(super) struct Names {
    given: HashSet<String>,
}

impl Names {
    /// A name that the vendor takes, and that no other document has.
    pub(super) fn give(&mut self, name: Option<&str>) -> String {
        let name = name.map(fitted).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| NAME_DEFAULT.to_owned());
        let mut fresh = name.clone();
        let mut number = 1;
        while !self.given.insert(fresh.clone()) {
            number += 1;
            let end = format!(" {number}");
            let room = NAME_CHARS_MAX - end.len();
            fresh = name.chars().take(room).collect::<String>().trim_end().to_owned() + &end;
        }
        fresh
    }
}

/// "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square
/// brackets. The name can't contain more than one consecutive whitespace character."
/// (<https://github.com/simonw/llm-bedrock/issues/8>). The ending goes too: the format says it.
fn fitted(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |c: char| if c.is_ascii_alphanumeric() || NAME_SIGNS.contains(c) { c } else { ' ' };
    let spaced: String = stem.chars().map(plain).collect();
    let words: Vec<&str> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(NAME_CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// What a client says of a document besides, in Anthropic's words: the hub's path of each field.
const BESIDE: [&str; 2] = ["citations", "context"];

/// Is this a field of a document that is said with it?
pub(super) fn is_read(path: &str, request: &Request) -> bool {
    let Some((place, field)) = path.rsplit_once('.') else { return false };
    if !BESIDE.contains(&field) {
        return false;
    }
    let numbers = place.strip_prefix("messages[").and_then(|rest| rest.split_once("].content["));
    let Some((message, rest)) = numbers else { return false };
    let block = rest.strip_suffix(']').and_then(|block| block.parse::<usize>().ok());
    let message = message.parse::<usize>().ok().and_then(|message| request.messages.get(message));
    let block = message.zip(block).and_then(|(message, block)| message.blocks.get(block));
    block.is_some_and(
        |block| matches!(&block.content, Content::Media(medium) if medium.kind == MediaKind::Document),
    )
}

/// The fields of a document by its place: `context`, and whether it is to be cited.
#[derive(Default)]
pub(super) struct Beside<'r> {
    pub(super) citations: Option<&'r Json>,
    pub(super) context: Option<&'r Json>,
}

impl<'r> Beside<'r> {
    pub(super) fn of(request: &'r Request, place: &str) -> Beside<'r> {
        if request.extra.is_empty() {
            return Beside::default();
        }
        let field = |name: &str| {
            let is_it =
                |path: &str| path.strip_prefix(place).and_then(|rest| rest.strip_prefix('.')) == Some(name);
            request.extra.iter().find(|(path, _)| is_it(path)).map(|(_, value)| value)
        };
        Beside { citations: field(BESIDE[0]), context: field(BESIDE[1]) }
    }
}

/// Writes the block of a medium that is sayable.
pub(super) fn write(w: &mut Writer, medium: &Media, names: &mut Names, beside: &Beside<'_>) {
    let kind = match medium.kind {
        MediaKind::Image => "image",
        MediaKind::Document => "document",
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
    };
    w.object(|w| {
        w.field_object(kind, |w| {
            w.field_str("format", format(medium).unwrap_or_default());
            if medium.kind == MediaKind::Document {
                w.field_str("name", &names.give(medium.name.as_deref()));
            }
            w.field_object("source", |w| source(w, &medium.source));
            beside.context.into_iter().for_each(|context| w.field_raw("context", context.as_str()));
            beside.citations.into_iter().for_each(|cites| w.field_raw("citations", cites.as_str()));
        });
    });
}

fn source(w: &mut Writer, source: &Source) {
    match source {
        Source::Base64(data) => w.field_str("bytes", data),
        Source::Text(text) => w.field_str("bytes", &BASE64_STANDARD.encode(text)),
        Source::Url(uri) | Source::FileId(uri) => {
            w.field_object("s3Location", |w| w.field_str("uri", uri));
        }
    }
}

/// The document, if it is one: it has to stand beside words.
pub(super) fn document(content: &Content) -> Option<&Media> {
    match content {
        Content::Media(medium) if medium.kind == MediaKind::Document => Some(medium),
        _ => None,
    }
}

/// What a document is called before people and models.
pub(super) fn title(document: &Media) -> &str {
    document.name.as_deref().filter(|name| !name.trim_start().is_empty()).unwrap_or(NAME_DEFAULT)
}
