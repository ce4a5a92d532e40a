//! The conversation.
//!
//! Content goes out as a list of parts, which every role but `tool` takes; a tool's answer in one piece goes out as a
//! string. A turn of which nothing can be said is left out: the vendor refuses empty content.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::chat::order;
use crate::chat::tools::arguments;
use crate::json::{Document, Json, Writer};
use crate::media::{data_url, image_type_of};
use crate::{Block, Citation, Content, Dialect, Media, MediaKind, Message, Role, Source, ToolKind};

/// Writes `messages`; hands back the text documents that stood in them, which the vendor wants beside the conversation.
pub(super) fn write(messages: &[Message], w: &mut Writer, dropped: &mut Vec<String>) -> Vec<Json> {
    let mut documents = Vec::new();
    let order = order::results_behind_calls(messages);
    let mut rest = order.as_slice();
    w.field_array("messages", |w| {
        while let [place, ..] = *rest {
            let (run, behind) = rest.split_at(run(messages, rest));
            let mut turn = Turn { path: String::new(), dropped, documents: &mut documents };
            turn.at(place, &messages[place]);
            match messages[place].role {
                Role::System | Role::Developer => turn.said(w, "system", &messages[place]),
                Role::User => turn.said(w, "user", &messages[place]),
                Role::Assistant => turn.answered(w, messages, run),
                Role::Tool => turn.results(w, &messages[place]),
            }
            rest = behind;
        }
    });
    documents
}

/// How many messages are told as one: what the model says after a call belongs to the turn of the call, because the
/// results have to follow.
fn run(messages: &[Message], order: &[usize]) -> usize {
    let says = |place: &&usize| messages[**place].role == Role::Assistant;
    let calls = |place: &&usize| messages[**place].blocks.iter().any(|block| call(block).is_some());
    let all = order.iter().take_while(says).count();
    match order[..all].iter().position(|place| calls(&place)) {
        Some(0) => all,
        _ => 1,
    }
}

/// A part of some turn's content.
enum Part<'a> {
    Text(&'a str),
    Thinking(&'a str),
    Image(&'a Media),
    Own(&'a Json),
}

/// What is being written, and where its losses and documents go.
struct Turn<'a> {
    path: String,
    dropped: &'a mut Vec<String>,
    documents: &'a mut Vec<Json>,
}

impl Turn<'_> {
    fn drop(&mut self, what: &str) {
        self.dropped.push(format!("{}{what}", self.path));
    }

    /// A turn of the operator or the user.
    fn said(&mut self, w: &mut Writer, role: &str, message: &Message) {
        let parts = self.parts(message);
        if parts.is_empty() {
            return;
        }
        w.object(|w| {
            w.field_str("role", role);
            w.field_array("content", |w| parts.iter().for_each(|part| part.write(w)));
        });
    }

    /// Begins a message.
    fn at(&mut self, place: usize, message: &Message) {
        self.path = format!("messages[{place}]");
        if message.name.is_some() {
            self.drop(".name");
        }
    }

    /// A turn of the model, which may be several messages. Words beside calls stay content: `tool_plan`, where the vendor
    /// puts them itself, is refused on the way back by its newer models, while content is taken by all.
    fn answered(&mut self, w: &mut Writer, messages: &[Message], run: &[usize]) {
        let (mut parts, mut calls, mut citations) = (Vec::new(), Vec::new(), Vec::new());
        for (number, &place) in run.iter().enumerate() {
            let message = &messages[place];
            if number > 0 {
                self.at(place, message);
            }
            parts.extend(self.parts(message));
            calls.extend(message.blocks.iter().filter_map(call));
            citations.extend(self.citations(message));
        }
        if parts.is_empty() && calls.is_empty() {
            return;
        }
        w.object(|w| {
            w.field_str("role", "assistant");
            if !parts.is_empty() {
                w.field_array("content", |w| parts.iter().for_each(|part| part.write(w)));
            }
            if !calls.is_empty() {
                w.field_array("tool_calls", |w| calls.iter().for_each(|call| call.write(w)));
            }
            if !citations.is_empty() {
                w.field_array("citations", |w| citations.iter().for_each(|value| w.raw(value.as_str())));
            }
        });
    }

    /// What can be said of the blocks, calls and results apart; the rest is reported.
    fn parts<'m>(&mut self, message: &'m Message) -> Vec<Part<'m>> {
        let mut parts = Vec::with_capacity(message.blocks.len());
        let calls = message.blocks.iter().any(|block| call(block).is_some());
        for (place, block) in message.blocks.iter().enumerate() {
            self.marks(place, block);
            match &block.content {
                // Beside calls the vendor writes an empty text itself, and takes it back.
                Content::Text { text, .. } | Content::Refusal(text) if text.is_empty() && !calls => {}
                Content::Text { text, .. } | Content::Refusal(text) => parts.push(Part::Text(text)),
                // Another vendor's signed thoughts are its own; unsigned ones read like the model's.
                Content::Reasoning(text)
                    if message.role == Role::Assistant && !is_signed_elsewhere(block) =>
                {
                    parts.push(Part::Thinking(text));
                }
                Content::Media(media) if message.role == Role::User && is_image(media) => {
                    parts.push(Part::Image(media));
                }
                Content::Media(media) if message.role == Role::User => match document(media) {
                    Some(document) => self.documents.push(document),
                    None => self.drop(&format!(".content[{place}]")),
                },
                Content::Foreign { dialect: Dialect::CohereChat, value } => parts.push(Part::Own(value)),
                Content::ToolCall { kind: ToolKind::Function, .. } if message.role == Role::Assistant => {}
                Content::ToolCall { kind: ToolKind::Custom, .. } if message.role == Role::Assistant => {
                    // It goes out as a function's call, so that its result still has one to answer.
                    self.drop(&format!(".content[{place}].type"));
                }
                Content::Reasoning(_)
                | Content::Media(_)
                | Content::Foreign { .. }
                | Content::ToolCall { .. }
                | Content::ToolResult { .. } => self.drop(&format!(".content[{place}]")),
            }
        }
        parts
    }

    /// Reports the marks of a block that the vendor has no place for.
    fn marks(&mut self, place: usize, block: &Block) {
        if block.cache_control.is_some() {
            self.drop(&format!(".content[{place}].cache_control"));
        }
        if is_signed_elsewhere(block) && !matches!(block.content, Content::Reasoning(_)) {
            self.drop(&format!(".content[{place}].signature"));
        }
    }

    /// The vendor's own citations of a turn, as it wrote them.
    fn citations<'m>(&mut self, message: &'m Message) -> Vec<&'m Json> {
        let mut own = Vec::new();
        for (place, block) in message.blocks.iter().enumerate() {
            let Content::Text { citations, .. } = &block.content else { continue };
            let before = own.len();
            own.extend(citations.iter().filter_map(|citation| citation.value.as_ref()).filter(|v| is_own(v)));
            if citations.iter().any(is_foreign) || (own.len() == before && !citations.is_empty()) {
                self.drop(&format!(".content[{place}].citations"));
            }
        }
        own
    }

    /// The answers of tools: one message for each.
    fn results(&mut self, w: &mut Writer, message: &Message) {
        for (place, block) in message.blocks.iter().enumerate() {
            self.marks(place, block);
            let Content::ToolResult { id, name: _, content, is_error } = &block.content else {
                self.drop(&format!(".content[{place}]"));
                continue;
            };
            if *is_error {
                self.drop(&format!(".content[{place}].is_error"));
            }
            // Most clients send one result a message, and its content is the message's.
            let inside = if message.blocks.len() == 1 { String::new() } else { format!(".content[{place}]") };
            w.object(|w| {
                w.field_str("role", "tool");
                w.field_str("tool_call_id", id);
                w.key("content");
                self.outcome(w, content, &inside);
            });
        }
    }

    fn outcome(&mut self, w: &mut Writer, content: &[Block], inside: &str) {
        let mut parts = Vec::with_capacity(content.len());
        for (place, block) in content.iter().enumerate() {
            match &block.content {
                Content::Text { text, .. } => parts.push(text_part(text)),
                Content::Media(media) => match document(media) {
                    Some(document) => parts.push(document_part(&document)),
                    None => self.drop(&format!("{inside}.content[{place}]")),
                },
                Content::Foreign { dialect: Dialect::CohereChat, value } => parts.push(value.clone()),
                Content::Refusal(_)
                | Content::Reasoning(_)
                | Content::Foreign { .. }
                | Content::ToolCall { .. }
                | Content::ToolResult { .. } => self.drop(&format!("{inside}.content[{place}]")),
            }
        }
        match (parts.as_slice(), content) {
            ([], _) => w.string(""),
            ([_], [Block { content: Content::Text { text, .. }, .. }]) => w.string(text),
            _ => w.array(|w| parts.iter().for_each(|part| w.raw(part.as_str()))),
        }
    }
}

impl Part<'_> {
    fn write(&self, w: &mut Writer) {
        match self {
            Part::Text(text) => w.object(|w| {
                w.field_str("type", "text");
                w.field_str("text", text);
            }),
            Part::Thinking(text) => w.object(|w| {
                w.field_str("type", "thinking");
                w.field_str("thinking", text);
            }),
            Part::Image(media) => w.object(|w| {
                w.field_str("type", "image_url");
                w.field_object("image_url", |w| {
                    w.field_str("url", &image_url(media));
                    if let Some(detail) = &media.detail {
                        w.field_str("detail", detail);
                    }
                });
            }),
            Part::Own(value) => w.raw(value.as_str()),
        }
    }
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
            w.field_str("id", self.id);
            w.field_str("type", "function");
            w.field_object("function", |w| {
                w.field_str("name", self.name);
                match self.kind {
                    ToolKind::Function => w.field_str("arguments", &arguments::object(self.arguments)),
                    ToolKind::Custom => {
                        let input = Json::build(|w| w.object(|w| w.field_str("input", self.arguments)));
                        w.field_str("arguments", input.as_str());
                    }
                }
            });
        });
    }
}

fn text_part(text: &str) -> Json {
    Json::build(|w| Part::Text(text).write(w))
}

fn document_part(document: &Json) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "document");
            w.field_raw("document", document.as_str());
        });
    })
}

fn is_signed_elsewhere(block: &Block) -> bool {
    block.signature.as_ref().is_some_and(|signature| signature.dialect != Dialect::CohereChat)
}

/// Cohere's citations hold a list of `sources`; no other dialect's do.
fn is_own(value: &Json) -> bool {
    Document::parse(value.as_str().as_bytes())
        .is_ok_and(|document| document.root().get("sources").is_some_and(|sources| sources.is_array()))
}

fn is_foreign(citation: &Citation) -> bool {
    citation.value.as_ref().is_some_and(|value| !is_own(value))
}

fn is_image(media: &Media) -> bool {
    media.kind == MediaKind::Image && matches!(media.source, Source::Url(_) | Source::Base64(_))
}

/// The address of an image, or its bytes as a data URL.
fn image_url(media: &Media) -> String {
    match &media.source {
        Source::Base64(data) => {
            let mime = media.mime.as_deref().or_else(|| image_type_of(data));
            data_url(mime.unwrap_or("image/jpeg"), data)
        }
        Source::Url(text) | Source::FileId(text) | Source::Text(text) => text.clone(),
    }
}

/// A text document as the vendor takes it (`{"data": {"title": ..., "text": ...}}`); it reads no other formats.
fn document(media: &Media) -> Option<Json> {
    if media.kind != MediaKind::Document {
        return None;
    }
    let is_text = media.mime.as_deref().is_some_and(|mime| mime.starts_with("text/"));
    let text = match &media.source {
        Source::Text(text) => text.clone(),
        Source::Base64(data) if is_text => String::from_utf8(BASE64_STANDARD.decode(data).ok()?).ok()?,
        Source::Base64(_) | Source::Url(_) | Source::FileId(_) => return None,
    };
    Some(Json::build(|w| {
        w.object(|w| {
            w.field_object("data", |w| {
                if let Some(name) = &media.name {
                    w.field_str("title", name);
                }
                w.field_str("text", &text);
            });
        });
    }))
}
