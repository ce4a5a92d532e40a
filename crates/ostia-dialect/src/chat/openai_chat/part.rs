//! Content parts and other pieces that requests and answers share.

use crate::chat::opaque::{self, Opaque};
use crate::json::{Json, Node, optional_str, report_unknown};
use crate::media::{kind_of_mime, mime_of_name};
use crate::{Block, Content, Dialect, Fault, Media, MediaKind, Signature, Source};

/// The blocks of a `content` value: a string, a list of parts, or `null`.
///
/// Fields of a part that nobody knows are added to `unknown`, by path.
pub(super) fn decode_content(
    content: Node<'_>,
    unknown: &mut Vec<(String, Json)>,
) -> Result<Vec<Block>, Fault> {
    if content.is_null() {
        return Ok(Vec::new());
    }
    if let Some(text) = content.as_str() {
        return Ok(vec![Block::text(text)]);
    }
    if !content.is_array() {
        return Err(content.invalid("must be a string or an array of content parts"));
    }
    content.items().map(|part| decode_part(part, unknown)).collect()
}

fn decode_part(part: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Block, Fault> {
    part.expect_fields()?;
    let Some(kind) = part.some("type") else { return untyped_part(part) };
    let kind = kind.expect_str()?;
    if let Some(wrapped) = opaque_block(part) {
        return Ok(Block::new(wrapped));
    }
    let (content, known): (Content, &[&str]) = match kind.as_ref() {
        "text" => (text(&part.expect("text")?.expect_str()?), &["text"]),
        "refusal" => (Content::Refusal(part.expect("refusal")?.expect_str()?.into()), &["refusal"]),
        "image_url" => (decode_image(part, unknown)?, &["image_url"]),
        "input_audio" => (decode_audio(part, unknown)?, &["input_audio"]),
        "file" => (decode_file(part, unknown)?, &["file"]),
        "thinking" if part.some("thinking").is_some_and(|thinking| thinking.is_string()) => {
            return Ok(decode_thinking(part));
        }
        "thinking" if part.some("thinking").is_some_and(|thinking| thinking.is_array()) => {
            (Content::Reasoning(thinking_text(part, whole)), &["thinking"])
        }
        // Blocks that a non-strict answer showed to the client, on their way back to their vendor.
        _ => (Content::Foreign { dialect: Dialect::AnthropicMessages, value: Json::of(part) }, &[]),
    };
    if !matches!(content, Content::Foreign { .. }) {
        report_unknown(part, &[known, &["type", "cache_control", "extra_content"]].concat(), unknown);
    }
    Ok(Block {
        signature: thought_signature(part),
        cache_control: part.some("cache_control").map(Json::of),
        ..Block::new(content)
    })
}

/// A part without a type: Gemini's own parts have none.
fn untyped_part(part: Node<'_>) -> Result<Block, Fault> {
    match part.str("text") {
        Some(words) => Ok(Block::new(text(&words))),
        None if part.fields().next().is_some() => {
            Ok(Block::new(Content::Foreign { dialect: Dialect::GeminiGenerate, value: Json::of(part) }))
        }
        None => part.expect("type").map(|_| Block::text("")),
    }
}

fn text(text: &str) -> Content {
    Content::Text { text: text.into(), citations: Vec::new() }
}

/// An Anthropic thinking block, as non-strict answers show it.
fn decode_thinking(part: Node<'_>) -> Block {
    let thinking = part.str("thinking").unwrap_or_default().into_owned();
    let signature = part.str("signature").map(|proof| match opaque::decode(&proof) {
        Some(Opaque::Own(signature)) => signature,
        Some(_) | None => Signature { dialect: Dialect::AnthropicMessages, value: proof.into_owned() },
    });
    Block { signature, ..Block::new(Content::Reasoning(thinking)) }
}

fn whole(text: Node<'_>) -> String {
    text.as_str().unwrap_or_default().into_owned()
}

/// Mistral: `{"type": "thinking", "thinking": [{"type": "text", "text": "..."}]}`.
pub(super) fn thinking_text<'d>(part: Node<'d>, mut read: impl FnMut(Node<'d>) -> String) -> String {
    let Some(thinking) = part.some("thinking") else { return String::new() };
    match thinking.is_string() {
        true => read(thinking),
        false => thinking.items().filter_map(|piece| piece.some("text")).map(read).collect(),
    }
}

/// A block of another vendor's as an opaque value, in Anthropic's block for what is not to be read.
fn opaque_block(part: Node<'_>) -> Option<Content> {
    match opaque::decode(&part.str("data")?)? {
        Opaque::Foreign { dialect, value } => Some(Content::Foreign { dialect, value }),
        Opaque::Own(_) | Opaque::Next(_) | Opaque::Previous(_) => None,
    }
}

/// Google's signature, where its OpenAI-compatible API and ours put it; or that of another vendor, which our
/// answers put there as an opaque value.
pub(super) fn thought_signature(node: Node<'_>) -> Option<Signature> {
    let value = node.some("extra_content")?.some("google")?.str("thought_signature")?.into_owned();
    match opaque::decode(&value) {
        Some(Opaque::Own(signature)) => Some(signature),
        Some(_) | None => Some(Signature { dialect: Dialect::GeminiGenerate, value }),
    }
}

fn decode_image(part: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Content, Fault> {
    let image = part.expect("image_url")?;
    report_unknown(image, &["url", "detail", "mime_type"], unknown);
    // Some clients send the address without the object around it.
    let url = if image.is_string() { image } else { image.expect("url")? };
    let (source, mime) = source_of_url(&url.expect_str()?);
    let kind = mime.as_deref().map_or(MediaKind::Image, kind_of_mime);
    Ok(Content::Media(Media {
        kind,
        source,
        mime: mime.or(optional_str(image, "mime_type")?),
        name: None,
        detail: optional_str(image, "detail")?,
    }))
}

pub(crate) fn decode_audio(part: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Content, Fault> {
    let audio = part.expect("input_audio")?;
    report_unknown(audio, &["data", "format"], unknown);
    let (source, mime) = source_of_data(&audio.expect("data")?.expect_str()?);
    let mime = mime.or(optional_str(audio, "format")?.map(|format| format!("audio/{format}")));
    Ok(Content::Media(Media { kind: MediaKind::Audio, source, mime, name: None, detail: None }))
}

fn decode_file(part: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Content, Fault> {
    let file = part.expect("file")?;
    let known = ["file_data", "file_url", "file_id", "filename", "file_name", "mime_type"];
    report_unknown(file, &known, unknown);
    let given = optional_str(file, "mime_type")?;
    let (source, mime) = if let Some(data) = file.some("file_data") {
        source_of_data(&data.expect_str()?)
    } else if let Some(url) = file.some("file_url") {
        source_of_url(&url.expect_str()?)
    } else {
        (Source::FileId(file.expect("file_id")?.expect_str()?.into_owned()), None)
    };
    let name = optional_str(file, "filename")?.or(optional_str(file, "file_name")?);
    let mime = given.or(mime).or_else(|| name.as_deref().and_then(mime_of_name).map(str::to_owned));
    let kind = mime.as_deref().map_or(MediaKind::Document, kind_of_mime);
    Ok(Content::Media(Media { kind, source, mime, name, detail: None }))
}

/// A data URL becomes its bytes and media type; anything else stays an address.
pub(crate) fn source_of_url(url: &str) -> (Source, Option<String>) {
    bytes_of_url(url).unwrap_or_else(|| (Source::Url(url.into()), None))
}

/// Bytes in base64, which some clients put into a data URL.
fn source_of_data(data: &str) -> (Source, Option<String>) {
    bytes_of_url(data).unwrap_or_else(|| (Source::Base64(data.into()), None))
}

/// What a data URL holds (RFC 2397). Its scheme and media type are written in any case.
fn bytes_of_url(url: &str) -> Option<(Source, Option<String>)> {
    let (scheme, rest) = url.split_at_checked("data:".len())?;
    let (head, data) = rest.split_once(',').filter(|_| scheme.eq_ignore_ascii_case("data:"))?;
    let mime = head.strip_suffix(";base64")?.split(';').next().filter(|mime| !mime.is_empty());
    Some((Source::Base64(data.into()), mime.map(str::to_owned)))
}
