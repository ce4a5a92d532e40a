//! The conversation as input items: <https://platform.openai.com/docs/api-reference/responses/create>, `input`.
//!
//! Messages hold words, images and files; calls, their results and thoughts are items between them, in the order in
//! which they were said.

use std::borrow::Cow;

use super::media;
use crate::chat::openai_responses::item::{CALL_ORIGIN, NAMESPACE};
use crate::chat::tools::arguments;
use crate::json::{Document, Json, Writer};
use crate::{Block, Citation, Content, Dialect, Message, Request, Role, Signature, ToolKind};

/// The items for the messages from this one on. What has none is reported.
pub(super) fn items(request: &Request, from: usize, dropped: &mut Vec<String>) -> Vec<Json> {
    let mut items = Vec::new();
    for (at, message) in request.messages.iter().enumerate().skip(from) {
        let path = format!("messages[{at}]");
        if message.name.is_some() && message.role != Role::Tool {
            dropped.push(format!("{path}.name"));
        }
        let before = &request.messages[..at];
        let mut turn = Turn { message, before, path, dropped, items: &mut items, parts: Vec::new() };
        message.blocks.iter().enumerate().for_each(|(at, block)| turn.block(at, block));
        turn.end_message();
    }
    items
}

/// A turn on its way into items.
struct Turn<'r, 'd> {
    message: &'r Message,
    before: &'r [Message],
    path: String,
    dropped: &'d mut Vec<String>,
    items: &'d mut Vec<Json>,
    /// Parts of the message that is being put together.
    parts: Vec<Part<'r>>,
}

/// A part of a message.
enum Part<'r> {
    /// Nothing but words.
    Words(&'r str),
    /// Anything else.
    Other(Json),
}

impl<'r> Turn<'r, '_> {
    fn block(&mut self, at: usize, block: &'r Block) {
        // A turn of one result is the result itself; elsewhere it is a block of the turn.
        let is_whole = self.message.role == Role::Tool && self.message.blocks.len() == 1;
        let path = if is_whole { self.path.clone() } else { format!("{}.content[{at}]", self.path) };
        if block.cache_control.is_some() {
            self.dropped.push(format!("{path}.cache_control"));
        }
        let says = self.message.role == Role::Assistant;
        match &block.content {
            Content::Text { text, .. } | Content::Refusal(text) if says && text.is_empty() => {}
            Content::Text { text, citations } => self.text(text, citations),
            Content::Refusal(text) if says => self.parts.push(Part::Other(refusal(text))),
            Content::Refusal(text) => self.parts.push(Part::Words(text)),
            Content::Reasoning(text) => self.reasoning(text, own(block)),
            Content::Media(_) if says => self.dropped.push(path),
            Content::Media(medium) => {
                let part = media::part(medium, &path, self.dropped);
                match part.or_else(|| media::audio(medium, &path, self.dropped)) {
                    Some(part) => self.parts.push(Part::Other(part)),
                    None => self.dropped.push(path),
                }
            }
            Content::ToolCall { id, name, arguments, kind } => {
                self.item(call(id, name, arguments, *kind, block));
            }
            Content::ToolResult { id, content, is_error, .. } => self.result(id, content, *is_error, &path),
            Content::Foreign { dialect: Dialect::OpenaiResponses, value } => self.item(value.clone()),
            Content::Foreign { .. } => self.dropped.push(path),
        }
    }

    /// Words, and of their sources those that the vendor has given.
    fn text(&mut self, text: &'r str, citations: &'r [Citation]) {
        let says = self.message.role == Role::Assistant;
        let own: Vec<&Json> = citations.iter().filter_map(own_citation).filter(|_| says).collect();
        if own.len() < citations.len() {
            self.dropped.push(format!("{}.annotations", self.path));
        }
        self.parts.push(match own.as_slice() {
            [] => Part::Words(text),
            own => Part::Other(output_text(text, own)),
        });
    }

    /// Thoughts go back to the vendor that had them, and only with its proof.
    fn reasoning(&mut self, text: &str, proof: Option<&Signature>) {
        match proof {
            Some(proof) => self.item(reasoning(text, &proof.value)),
            None if text.is_empty() => {}
            None => self.dropped.push(format!("{}.reasoning_content", self.path)),
        }
    }

    /// The answer of a tool. That it failed has no word here but what the answer itself says.
    fn result(&mut self, id: &str, content: &'r [Block], is_error: bool, path: &str) {
        if is_error {
            self.dropped.push(format!("{path}.is_error"));
        }
        let mut parts = Vec::new();
        for (at, block) in content.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            if block.cache_control.is_some() {
                self.dropped.push(format!("{path}.cache_control"));
            }
            match &block.content {
                Content::Text { text, .. } => parts.push(Part::Words(text)),
                Content::Media(medium) => match media::part(medium, &path, self.dropped) {
                    Some(part) => parts.push(Part::Other(part)),
                    None => self.dropped.push(path),
                },
                Content::Foreign { dialect: Dialect::OpenaiResponses, value } => {
                    parts.push(Part::Other(value.clone()));
                }
                Content::Refusal(_)
                | Content::Reasoning(_)
                | Content::ToolCall { .. }
                | Content::ToolResult { .. }
                | Content::Foreign { .. } => self.dropped.push(path),
            }
        }
        let kind = called_as(self.before, id);
        self.item(output(id, kind, &parts));
    }

    /// An item between messages.
    fn item(&mut self, item: Json) {
        self.end_message();
        self.items.push(item);
    }

    fn end_message(&mut self) {
        let parts = std::mem::take(&mut self.parts);
        if parts.is_empty() {
            return;
        }
        let (role, text) = match self.message.role {
            Role::System => ("system", "input_text"),
            Role::Developer => ("developer", "input_text"),
            Role::User | Role::Tool => ("user", "input_text"),
            Role::Assistant => ("assistant", "output_text"),
        };
        self.items.push(Json::build(|w| {
            w.object(|w| {
                w.field_str("type", "message");
                w.field_str("role", role);
                write_parts(w, "content", &parts, text);
            });
        }));
    }
}

/// One part of plain words is a string, which every server takes.
fn write_parts(w: &mut Writer, name: &str, parts: &[Part<'_>], text: &str) {
    match parts {
        [] => w.field_str(name, ""),
        [Part::Words(words)] => w.field_str(name, words),
        parts => w.field_array(name, |w| {
            for part in parts {
                match part {
                    Part::Words(words) if text == "output_text" => w.raw(output_text(words, &[]).as_str()),
                    Part::Words(words) => w.object(|w| {
                        w.field_str("type", text);
                        w.field_str("text", words);
                    }),
                    Part::Other(json) => w.raw(json.as_str()),
                }
            }
        }),
    }
}

fn output_text(text: &str, annotations: &[&Json]) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "output_text");
            w.field_str("text", text);
            w.field_array("annotations", |w| annotations.iter().for_each(|value| w.raw(value.as_str())));
        });
    })
}

fn refusal(text: &str) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "refusal");
            w.field_str("refusal", text);
        });
    })
}

/// Without its id, which the hub does not keep: the vendor takes the item so, and refuses it under another id.
fn reasoning(text: &str, proof: &str) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "reasoning");
            w.field_array("summary", |w| {
                if !text.is_empty() {
                    w.object(|w| {
                        w.field_str("type", "summary_text");
                        w.field_str("text", text);
                    });
                }
            });
            w.field_str("encrypted_content", proof);
        });
    })
}

fn call(id: &str, name: &str, arguments: &str, kind: ToolKind, block: &Block) -> Json {
    let origin = own(block).and_then(|origin| Document::parse(origin.value.as_bytes()).ok());
    Json::build(|w| {
        w.object(|w| {
            let (call, field, arguments) = match kind {
                ToolKind::Function => ("function_call", "arguments", arguments::object(arguments)),
                ToolKind::Custom => ("custom_tool_call", "input", arguments.into()),
            };
            w.field_str("type", call);
            w.field_str("call_id", id);
            w.field_str("name", name);
            w.field_str(field, &arguments);
            block.namespace.iter().for_each(|namespace| w.field_str(NAMESPACE, namespace));
            for name in CALL_ORIGIN.into_iter().filter(|name| *name != NAMESPACE || block.namespace.is_none())
            {
                let value = origin.as_ref().and_then(|origin| origin.root().some(name));
                value.iter().for_each(|value| w.field_raw(name, value.text()));
            }
        });
    })
}

fn output(id: &str, kind: ToolKind, parts: &[Part<'_>]) -> Json {
    let name = match kind {
        ToolKind::Function => "function_call_output",
        ToolKind::Custom => "custom_tool_call_output",
    };
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", name);
            w.field_str("call_id", id);
            write_parts(w, "output", parts, "input_text");
        });
    })
}

/// How the call with this id was made.
fn called_as(before: &[Message], id: &str) -> ToolKind {
    let earlier = before.iter().rev().flat_map(|message| &message.blocks);
    let mut kinds = earlier.filter_map(|block| match &block.content {
        Content::ToolCall { id: call, kind, .. } if call == id => Some(*kind),
        _ => None,
    });
    kinds.next().unwrap_or(ToolKind::Function)
}

/// The block's proof, if it is of this dialect.
fn own(block: &Block) -> Option<&Signature> {
    block.signature.as_ref().filter(|signature| signature.dialect == Dialect::OpenaiResponses)
}

/// A source as this vendor wrote it. Chat Completions has a `url_citation` too, with its fields one level deeper.
fn own_citation(citation: &Citation) -> Option<&Json> {
    let value = citation.value.as_ref()?;
    let document = Document::parse(value.as_str().as_bytes()).ok()?;
    let is_own = match document.root().str("type").unwrap_or(Cow::Borrowed("")).as_ref() {
        "url_citation" => document.root().str("url").is_some(),
        "file_citation" | "container_file_citation" | "file_path" => true,
        _ => false,
    };
    is_own.then_some(value)
}
