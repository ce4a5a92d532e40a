//! What a message or the output of a tool holds: a text, or a list of parts.

use crate::chat::openai_chat::part::{decode_audio, source_of_url};
use crate::chat::openai_responses::item::citation;
use crate::chat::response::characters;
use crate::json::{Json, Node, optional_str, report_unknown};
use crate::media::{kind_of_mime, mime_of_name};
use crate::{Block, Citation, Content, Fault, Media, MediaKind, Source};

/// Reads the parts of one turn, and counts their characters: sources have their places in all that a turn
/// says.
#[derive(Debug)]
pub(super) struct Parts<'u> {
    /// Characters of text before.
    pub(super) characters: u64,
    /// Where fields that nobody knows go, by path.
    pub(super) unknown: &'u mut Vec<(String, Json)>,
}

impl Parts<'_> {
    /// The blocks of a content: a string or a list of parts.
    pub(super) fn decode(&mut self, content: Node<'_>) -> Result<Vec<Block>, Fault> {
        if let Some(text) = content.as_str() {
            return Ok(vec![Block::new(self.text(text.into_owned(), Vec::new()))]);
        }
        if !content.is_array() {
            return Err(content.invalid("must be a string or an array of content parts"));
        }
        content.items().map(|part| self.part(part)).collect()
    }

    fn part(&mut self, part: Node<'_>) -> Result<Block, Fault> {
        let kind = part.expect("type")?;
        let (content, known): (Content, &[&str]) = match kind.expect_str()?.as_ref() {
            "input_text" | "output_text" | "text" => {
                (self.words(part)?, &["text", "annotations", "logprobs"])
            }
            "refusal" => (Content::Refusal(part.expect("refusal")?.expect_str()?.into()), &["refusal"]),
            "input_image" => (image(part)?, &["image_url", "file_id", "detail"]),
            "input_audio" => (decode_audio(part, self.unknown)?, &["input_audio"]),
            "input_file" => (file(part)?, &["file_data", "file_url", "file_id", "filename"]),
            _ => {
                return Err(kind.invalid(
                    "must be input_text, output_text, refusal, input_image, input_file or input_audio",
                ));
            }
        };
        report_unknown(part, &[known, &["type"]].concat(), self.unknown);
        Ok(Block::new(content))
    }

    fn words(&mut self, part: Node<'_>) -> Result<Content, Fault> {
        let text = part.expect("text")?.expect_str()?.into_owned();
        let mut citations = Vec::new();
        if let Some(notes) = part.some("annotations") {
            for note in notes.expect_items()? {
                note.expect_fields()?;
                citations.push(citation(note, self.characters));
            }
        }
        Ok(self.text(text, citations))
    }

    fn text(&mut self, text: String, citations: Vec<Citation>) -> Content {
        self.characters += characters(&text);
        Content::Text { text, citations }
    }
}

fn image(part: Node<'_>) -> Result<Content, Fault> {
    let (source, mime) = match (part.some("image_url"), part.some("file_id")) {
        (Some(url), _) => source_of_url(&url.expect_str()?),
        (None, Some(id)) => (Source::FileId(id.expect_str()?.into_owned()), None),
        (None, None) => return Err(part.invalid("must have image_url or file_id")),
    };
    let kind = mime.as_deref().map_or(MediaKind::Image, kind_of_mime);
    Ok(Content::Media(Media { kind, source, mime, name: None, detail: optional_str(part, "detail")? }))
}

fn file(part: Node<'_>) -> Result<Content, Fault> {
    let (source, mime) = match (part.some("file_data"), part.some("file_url"), part.some("file_id")) {
        (Some(data), _, _) => {
            let data = data.expect_str()?;
            match source_of_url(&data) {
                (Source::Base64(data), mime) => (Source::Base64(data), mime),
                _ => (Source::Base64(data.into_owned()), None),
            }
        }
        (None, Some(url), _) => source_of_url(&url.expect_str()?),
        (None, None, Some(id)) => (Source::FileId(id.expect_str()?.into_owned()), None),
        (None, None, None) => return Err(part.invalid("must have file_data, file_url or file_id")),
    };
    let name = optional_str(part, "filename")?;
    let mime = mime.or_else(|| name.as_deref().and_then(mime_of_name).map(str::to_owned));
    let kind = mime.as_deref().map_or(MediaKind::Document, kind_of_mime);
    Ok(Content::Media(Media { kind, source, mime, name, detail: None }))
}
