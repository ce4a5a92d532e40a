//! What a model is known not to take, told before its vendor is asked.

use ostia_dialect::{Content, Fault, MediaKind, Request};

/// The media type of documents that models are known by; what becomes of others depends on the vendor.
const PDF: &str = "application/pdf";

/// Kinds of content that a model is known not to take. The default: nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CannotTake {
    /// Images.
    pub images: bool,
    /// Audio.
    pub audio: bool,
    /// Video.
    pub video: bool,
    /// Documents in PDF.
    pub pdf: bool,
}

impl CannotTake {
    /// Has the conversation something that its model does not take?
    ///
    /// # Errors
    /// 400 that names the first of it, in the client's words.
    pub(super) fn check(self, request: &Request) -> Result<(), Fault> {
        if self == CannotTake::default() {
            return Ok(());
        }
        for (at, message) in request.messages.iter().enumerate() {
            for (part, block) in message.blocks.iter().enumerate() {
                let Some((what, ability)) = self.refuses(&block.content) else { continue };
                let path = format!("messages[{at}].content[{part}]");
                let model = &request.model;
                let fault = Fault::invalid(format!(
                    "Invalid `{path}`: the model `{model}` takes no {what}, says the catalogue. Choose a model that does \
                     (`ostia models --can {ability}`); if the catalogue is wrong, correct it under `models` in ostia.yaml."
                ));
                let fault = fault.with_param(path).with_code("unsupported_content");
                return Err(request.client.map_or(fault.clone(), |client| client.refusal(request, fault)));
            }
        }
        Ok(())
    }

    /// What it holds that is not taken, also in what a tool answered; and the catalogue's word for taking it.
    fn refuses(self, content: &Content) -> Option<(&'static str, &'static str)> {
        match content {
            Content::Media(media) => match media.kind {
                MediaKind::Image => self.images.then_some(("images", "vision")),
                MediaKind::Audio => self.audio.then_some(("audio", "audio_input")),
                MediaKind::Video => self.video.then_some(("video", "video_input")),
                MediaKind::Document => {
                    let is_pdf = media.mime.as_deref() == Some(PDF);
                    (self.pdf && is_pdf).then_some(("PDF documents", "pdf"))
                }
            },
            Content::ToolResult { content, .. } => {
                content.iter().find_map(|block| self.refuses(&block.content))
            }
            Content::Text { .. }
            | Content::Refusal(_)
            | Content::Reasoning(_)
            | Content::ToolCall { .. }
            | Content::Foreign { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ostia_dialect::{Block, ClientDialect, Media, Message, Role, Source};

    use super::*;

    fn media(kind: MediaKind, mime: Option<&str>) -> Content {
        let source = Source::Base64("AAAA".to_owned());
        Content::Media(Media { kind, source, mime: mime.map(str::to_owned), name: None, detail: None })
    }

    fn check(known: CannotTake, content: Content, expected: Option<&str>) {
        let blocks = vec![Block::text("look"), Block::new(content)];
        let messages =
            vec![Message::text(Role::System, "s"), Message { role: Role::User, name: None, blocks }];
        let client = Some(ClientDialect::AnthropicMessages);
        let places = vec!["system".to_owned(), "messages[0]".to_owned()];
        let request = Request { model: "m".to_owned(), messages, places, client, ..Request::default() };
        let fault = known.check(&request).err();
        assert_eq!(fault.as_ref().map(|fault| fault.message.split(", says").next().unwrap()), expected);
        let param = fault.as_ref().map(|fault| fault.param.as_deref().unwrap());
        assert_eq!(param, expected.map(|_| "messages[0].content[1]"));
    }

    #[test]
    fn what_is_known_not_to_be_taken_is_refused_by_its_place() {
        let all = CannotTake { images: true, audio: true, video: true, pdf: true };
        let place = "Invalid `messages[0].content[1]`: the model `m` takes no";
        let result = |content| Content::ToolResult {
            id: String::new(),
            name: None,
            content: vec![Block::new(content)],
            is_error: false,
        };
        check(all, media(MediaKind::Image, None), Some(&format!("{place} images")));
        check(all, media(MediaKind::Audio, None), Some(&format!("{place} audio")));
        check(all, media(MediaKind::Video, None), Some(&format!("{place} video")));
        check(all, media(MediaKind::Document, Some(PDF)), Some(&format!("{place} PDF documents")));
        check(all, result(media(MediaKind::Image, None)), Some(&format!("{place} images")));
        check(all, media(MediaKind::Document, Some("text/csv")), None);
        check(all, media(MediaKind::Document, None), None);
        check(CannotTake { images: true, ..CannotTake::default() }, media(MediaKind::Audio, None), None);
        check(CannotTake::default(), media(MediaKind::Image, None), None);
    }
}
