//! The conversation as a prompt.
//!
//! What the user says alone is the prompt as it is. More than that is a transcript in which every turn is told by who speaks, and
//! that ends where the model is to go on.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::inputs::{Inputs, PROMPT};
use crate::json::Writer;
use crate::media::data_url;
use crate::{Block, Content, Media, MediaKind, Message, Role, Source};

/// Between turns of a transcript, and texts of the operator.
const BETWEEN: &str = "\n\n";
/// Whose turn it is, where the transcript ends.
const ASSISTANT: &str = "Assistant:";

/// What is told of a conversation.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    system: String,
    turns: Vec<(Role, String)>,
    images: Vec<String>,
}

impl Prompt {
    /// Reads the conversation for a model with these inputs.
    pub fn of(messages: &[Message], inputs: &Inputs, dropped: &mut Vec<String>) -> Prompt {
        let mut prompt = Prompt::default();
        for (place, message) in messages.iter().enumerate() {
            let path = format!("messages[{place}]");
            if message.name.is_some() {
                dropped.push(format!("{path}.name"));
            }
            let mut words = String::new();
            prompt.read(&message.blocks, &path, inputs, &mut words, dropped);
            prompt.say(message.role, words);
        }
        prompt
    }

    /// Writes it into the input.
    pub fn write(&self, inputs: &Inputs, w: &mut Writer) {
        w.field_str(PROMPT, &self.words());
        if !self.system.is_empty() {
            w.field_str(inputs.system, &self.system);
        }
        match (self.images.as_slice(), inputs.images) {
            ([], _) => {}
            (images, (name, true)) => {
                w.field_array(name, |w| images.iter().for_each(|image| w.string(image)));
            }
            ([image, ..], (name, false)) => w.field_str(name, image),
        }
    }

    fn say(&mut self, role: Role, words: String) {
        match role {
            Role::System | Role::Developer => add(&mut self.system, &words),
            Role::User | Role::Assistant | Role::Tool if words.is_empty() => {}
            Role::User | Role::Assistant | Role::Tool => self.turns.push((role, words)),
        }
    }

    fn words(&self) -> String {
        match self.turns.as_slice() {
            [] => String::new(),
            [(Role::User, words)] => words.clone(),
            turns => {
                let mut told: Vec<String> =
                    turns.iter().map(|(role, words)| format!("{} {words}", label(*role))).collect();
                let is_open = turns.last().is_some_and(|(role, _)| *role == Role::Assistant);
                if !is_open {
                    told.push(ASSISTANT.to_owned());
                }
                told.join(BETWEEN)
            }
        }
    }

    /// What can be said of the blocks; the rest is reported.
    fn read(
        &mut self,
        blocks: &[Block],
        path: &str,
        inputs: &Inputs,
        words: &mut String,
        dropped: &mut Vec<String>,
    ) {
        for (place, block) in blocks.iter().enumerate() {
            let path = format!("{path}.content[{place}]");
            if block.cache_control.is_some() {
                dropped.push(format!("{path}.cache_control"));
            }
            match &block.content {
                Content::Text { text, .. } | Content::Refusal(text) => add(words, text),
                Content::Media(media) => self.show(media, path, inputs, words, dropped),
                Content::ToolCall { name, arguments, .. } => add(words, &format!("[{name} {arguments}]")),
                Content::ToolResult { content, .. } => self.read(content, &path, inputs, words, dropped),
                Content::Reasoning(_) | Content::Foreign { .. } => dropped.push(path),
            }
        }
    }

    fn show(
        &mut self,
        media: &Media,
        path: String,
        inputs: &Inputs,
        words: &mut String,
        dropped: &mut Vec<String>,
    ) {
        let has_room = inputs.images.1 || self.images.is_empty();
        match (image(media).filter(|_| has_room), text(media)) {
            (Some(image), _) => self.images.push(image),
            (None, Some(text)) => add(words, &text),
            (None, None) => dropped.push(path),
        }
    }
}

fn label(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "System:",
        Role::User => "User:",
        Role::Assistant => ASSISTANT,
        Role::Tool => "Tool:",
    }
}

fn add(before: &mut String, text: &str) {
    if !before.is_empty() && !text.is_empty() {
        before.push_str(BETWEEN);
    }
    before.push_str(text);
}

/// An image as an address, of the web or with its bytes in it.
fn image(media: &Media) -> Option<String> {
    if media.kind != MediaKind::Image {
        return None;
    }
    match &media.source {
        Source::Url(url) => Some(url.clone()),
        Source::Base64(data) => Some(data_url(media.mime.as_deref().unwrap_or("image/png"), data)),
        Source::Text(_) | Source::FileId(_) => None,
    }
}

/// A document of text, in words.
fn text(media: &Media) -> Option<String> {
    match &media.source {
        Source::Text(text) => Some(text.clone()),
        Source::Base64(data) => {
            let is_text = media.mime.as_deref().is_some_and(|mime| mime.starts_with("text/"));
            let bytes = BASE64_STANDARD.decode(data).ok().filter(|_| is_text)?;
            String::from_utf8(bytes).ok()
        }
        Source::Url(_) | Source::FileId(_) => None,
    }
}
