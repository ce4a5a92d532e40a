//! The conversation.
//!
//! Content is one string, and the images of a turn stand beside it as bare base64. A turn of which nothing can be said is
//! left out.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::chat::order;
use crate::chat::tools::arguments;
use crate::json::{Json, Writer};
use crate::{Block, Content, Media, MediaKind, Message, Role, Source, ToolKind};

/// Between the texts of a turn, as the vendor joins turns of one role (template/template.go in ollama/ollama, `collate`).
const BETWEEN: &str = "\n\n";

pub(super) fn write(messages: &[Message], w: &mut Writer, dropped: &mut Vec<String>) {
    let order = order::results_behind_calls(messages);
    let mut rest = order.as_slice();
    w.field_array("messages", |w| {
        while let [place, ..] = *rest {
            let (run, behind) = rest.split_at(run(messages, rest));
            let mut turn = Turn { path: String::new(), dropped };
            turn.at(place, &messages[place]);
            match messages[place].role {
                Role::System | Role::Developer => turn.said(w, "system", &messages[place]),
                Role::User => turn.said(w, "user", &messages[place]),
                Role::Assistant => turn.answered(w, messages, run),
                Role::Tool => turn.results(w, &messages[place], messages),
            }
            rest = behind;
        }
    });
}

/// How many messages are told as one: what the model says after a call belongs to the turn of the call, because the
/// results have to follow.
fn run(messages: &[Message], order: &[usize]) -> usize {
    let calls = |place: usize| messages[place].blocks.iter().any(|block| call(block).is_some());
    let says = |place: &&usize| messages[**place].role == Role::Assistant;
    if calls(order[0]) { order.iter().take_while(says).count().max(1) } else { 1 }
}

/// What is being written, and where its losses go.
struct Turn<'a> {
    path: String,
    dropped: &'a mut Vec<String>,
}

/// What can be said of a turn.
#[derive(Default)]
struct Said<'m> {
    content: String,
    thinking: String,
    images: Vec<&'m str>,
}

impl Turn<'_> {
    fn drop(&mut self, what: &str) {
        self.dropped.push(format!("{}{what}", self.path));
    }

    /// Begins a message.
    fn at(&mut self, place: usize, message: &Message) {
        self.path = format!("messages[{place}]");
        if message.name.is_some() {
            self.drop(".name");
        }
    }

    /// A turn of the operator or the user.
    fn said(&mut self, w: &mut Writer, role: &str, message: &Message) {
        let mut said = Said::default();
        self.read(&message.blocks, message.role, "", &mut said);
        if said.is_empty() {
            return;
        }
        w.object(|w| {
            w.field_str("role", role);
            said.write(w);
        });
    }

    /// A turn of the model, which may be several messages.
    fn answered(&mut self, w: &mut Writer, messages: &[Message], run: &[usize]) {
        let (mut said, mut calls) = (Said::default(), Vec::new());
        for (number, &place) in run.iter().enumerate() {
            let message = &messages[place];
            if number > 0 {
                self.at(place, message);
            }
            self.read(&message.blocks, Role::Assistant, "", &mut said);
            calls.extend(message.blocks.iter().filter_map(call));
        }
        if said.is_empty() && calls.is_empty() {
            return;
        }
        w.object(|w| {
            w.field_str("role", "assistant");
            said.write(w);
            if !calls.is_empty() {
                w.field_array("tool_calls", |w| calls.iter().for_each(|call| call.write(w)));
            }
        });
    }

    /// The answers of tools: one message for each. The vendor joins them to calls by name; newer ones read the id too.
    fn results(&mut self, w: &mut Writer, message: &Message, messages: &[Message]) {
        for (place, block) in message.blocks.iter().enumerate() {
            let Content::ToolResult { id, name, content, is_error } = &block.content else {
                self.drop(&format!(".content[{place}]"));
                continue;
            };
            self.marks(&format!(".content[{place}]"), block);
            if *is_error {
                self.drop(&format!(".content[{place}].is_error"));
            }
            // Most clients send one result a message, and its content is the message's.
            let inside = if message.blocks.len() == 1 { String::new() } else { format!(".content[{place}]") };
            let mut said = Said::default();
            self.read(content, Role::Tool, &inside, &mut said);
            w.object(|w| {
                w.field_str("role", "tool");
                if let Some(name) = name.as_deref().or_else(|| called(messages, id)) {
                    w.field_str("tool_name", name);
                }
                if !id.is_empty() {
                    w.field_str("tool_call_id", id);
                }
                said.write(w);
            });
        }
    }

    /// What can be said of the blocks, calls apart; the rest is reported.
    fn read<'m>(&mut self, blocks: &'m [Block], role: Role, inside: &str, said: &mut Said<'m>) {
        // The model's own words are cut wherever somebody quoted or signed some of them.
        let between = if role == Role::Assistant { "" } else { BETWEEN };
        for (place, block) in blocks.iter().enumerate() {
            let path = format!("{inside}.content[{place}]");
            self.marks(&path, block);
            match &block.content {
                Content::Text { text, citations } => {
                    add(&mut said.content, between, text);
                    if !citations.is_empty() {
                        self.drop(&format!("{path}.citations"));
                    }
                }
                Content::Refusal(text) => add(&mut said.content, between, text),
                // Another vendor's signed thoughts are its own; unsigned ones read like the model's.
                Content::Reasoning(text) if role == Role::Assistant && block.signature.is_none() => {
                    add(&mut said.thinking, between, text);
                }
                Content::Media(media) => match told(media, role) {
                    Some(Told::Image(data)) => said.images.push(data),
                    Some(Told::Text(text)) => add(&mut said.content, BETWEEN, &text),
                    None => self.drop(&path),
                },
                Content::ToolCall { kind: ToolKind::Function, .. } if role == Role::Assistant => {}
                Content::ToolCall { kind: ToolKind::Custom, .. } if role == Role::Assistant => {
                    self.drop(&format!("{path}.type"));
                }
                Content::Reasoning(_)
                | Content::Foreign { .. }
                | Content::ToolCall { .. }
                | Content::ToolResult { .. } => self.drop(&path),
            }
        }
    }

    /// Reports the marks of a block, none of which the vendor has a place for.
    fn marks(&mut self, path: &str, block: &Block) {
        if block.cache_control.is_some() {
            self.drop(&format!("{path}.cache_control"));
        }
        if block.signature.is_some() && !matches!(block.content, Content::Reasoning(_)) {
            self.drop(&format!("{path}.signature"));
        }
    }
}

impl Said<'_> {
    fn is_empty(&self) -> bool {
        self.content.is_empty() && self.thinking.is_empty() && self.images.is_empty()
    }

    fn write(&self, w: &mut Writer) {
        w.field_str("content", &self.content);
        if !self.thinking.is_empty() {
            w.field_str("thinking", &self.thinking);
        }
        if !self.images.is_empty() {
            w.field_array("images", |w| self.images.iter().for_each(|data| w.string(data)));
        }
    }
}

fn add(before: &mut String, between: &str, text: &str) {
    if !before.is_empty() && !text.is_empty() {
        before.push_str(between);
    }
    before.push_str(text);
}

/// The name of the tool that was called under this id. The last one counts, because some clients use ids twice.
fn called<'m>(messages: &'m [Message], wanted: &str) -> Option<&'m str> {
    let blocks = messages.iter().rev().flat_map(|message| &message.blocks);
    blocks.filter_map(call).find(|call| call.id == wanted).map(|call| call.name)
}

/// A call of the model in the history.
struct Call<'a> {
    id: &'a str,
    name: &'a str,
    arguments: &'a str,
    kind: ToolKind,
}

fn call(block: &Block) -> Option<Call<'_>> {
    match &block.content {
        Content::ToolCall { id, name, arguments, kind } => Some(Call { id, name, arguments, kind: *kind }),
        _ => None,
    }
}

impl Call<'_> {
    fn write(&self, w: &mut Writer) {
        w.object(|w| {
            if !self.id.is_empty() {
                w.field_str("id", self.id);
            }
            w.field_object("function", |w| {
                w.field_str("name", self.name);
                match self.kind {
                    ToolKind::Function => w.field_raw("arguments", &arguments::object(self.arguments)),
                    ToolKind::Custom => {
                        let input = Json::build(|w| w.object(|w| w.field_str("input", self.arguments)));
                        w.field_raw("arguments", input.as_str());
                    }
                }
            });
        });
    }
}

/// A medium as the vendor takes it.
enum Told<'m> {
    Image(&'m str),
    Text(String),
}

/// Images as their bytes, for the user and for tools; documents of text as words, under their title. There is nothing else.
fn told(media: &Media, role: Role) -> Option<Told<'_>> {
    let shows = matches!(role, Role::User | Role::Tool);
    match (media.kind, &media.source) {
        (MediaKind::Image, Source::Base64(data)) if shows => Some(Told::Image(data)),
        (MediaKind::Document, Source::Text(text)) => Some(Told::Text(titled(media, text.clone()))),
        (MediaKind::Document, Source::Base64(data)) => {
            let is_text = media.mime.as_deref().is_some_and(|mime| mime.starts_with("text/"));
            let bytes = BASE64_STANDARD.decode(data).ok().filter(|_| is_text)?;
            String::from_utf8(bytes).ok().map(|text| Told::Text(titled(media, text)))
        }
        _ => None,
    }
}

/// The name stands above the text, or it would be lost.
fn titled(media: &Media, text: String) -> String {
    match &media.name {
        Some(name) => format!("{name}:\n{text}"),
        None => text,
    }
}
