//! Canonical events to the client's chunks.

use crate::chat::limits::GivenIds;
use crate::chat::openai_chat::response::{
    annotation, audio_of, content_block, encode_call_body, encode_call_head, encode_image, invented_id, or,
    proof, shown_proof,
};
use crate::chat::openai_chat::usage;
use crate::chat::response::characters;
use crate::frame::sse;
use crate::json::Writer;
use crate::{
    Block, Citation, Content, Delta, Dialect, Event, Fault, MediaKind, RenderOptions, Signature, ToolKind,
    Usage,
};

/// Writes a stream of chat completion chunks.
///
/// One event gives at most one chunk. The usage chunk and `[DONE]` come with [`Event::Finish`].
#[derive(Debug)]
pub struct Encoder {
    options: RenderOptions,
    /// `{"id":..., "model":...` of every chunk, open at the end.
    head: Vec<u8>,
    /// Facts that the head has besides.
    told: Vec<&'static str>,
    choices: Vec<Open>,
    usage: Option<Usage>,
}

/// What is known of one choice.
#[derive(Debug)]
struct Open {
    index: u32,
    role_sent: bool,
    /// How many calls and blocks have begun.
    calls: usize,
    blocks: u64,
    ids: GivenIds,
    /// Characters of text so far, and before the open block.
    characters: u64,
    block_start: u64,
    kind: Kind,
}

/// Which block of a choice is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Text,
    Refusal,
    Reasoning,
    Call,
    Custom,
}

impl Encoder {
    /// An encoder for a client that sees this.
    pub fn new(options: RenderOptions) -> Encoder {
        Encoder { options, head: Vec::new(), told: Vec::new(), choices: Vec::new(), usage: None }
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, created } => self.start(id, model, *created, out),
            Event::BlockStart { choice, block } => self.block_start(*choice, block, out),
            Event::Delta { choice, delta } => self.delta(*choice, delta, out),
            Event::BlockEnd { choice } => self.open(*choice).kind = Kind::None,
            Event::Logprobs { choice, value } => {
                let beside = Beside { logprobs: Some(value.as_str()), ..Beside::default() };
                self.chunk_with(*choice, out, beside, |_| {});
            }
            Event::Stop { choice, finish, .. } => {
                let beside = Beside { finish: Some(finish.openai()), ..Beside::default() };
                self.chunk_with(*choice, out, beside, |_| {});
            }
            Event::Extra { choice, name, value } if !self.options.strict => {
                self.extra(*choice, name, value.as_str(), out);
            }
            Event::Extra { .. } => {}
            Event::Meta { service_tier, system_fingerprint } => {
                self.meta("service_tier", service_tier.as_deref());
                self.meta("system_fingerprint", system_fingerprint.as_deref());
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Finish => self.finish(out),
        }
    }

    /// Appends an error event. Nothing may follow it.
    pub fn fail(&self, fault: &Fault, out: &mut Vec<u8>) {
        out.extend(crate::chat::openai_chat::error::encode_event(fault, Some(&self.options.provider)));
    }

    fn start(&mut self, id: &str, model: &str, created: Option<u64>, out: &mut Vec<u8>) {
        let mut w = Writer::default();
        w.object(|w| {
            match id {
                "" => w.field_str("id", &invented_id(&self.options)),
                id => w.field_str("id", id),
            }
            w.field_str("object", "chat.completion.chunk");
            w.field_u64("created", created.unwrap_or(self.options.created));
            w.field_str("model", or(model, &self.options.model));
            if !self.options.strict {
                w.field_str("provider", &self.options.provider);
            }
        });
        self.head = w.into_bytes();
        self.head.pop();
        // The client's clock for the first token starts here: say at once that there is an answer.
        self.chunk(0, out, |_| {});
    }

    /// A fact that every chunk from here on tells, as the vendor's do. The first word counts.
    fn meta(&mut self, name: &'static str, value: Option<&str>) {
        let Some(value) = value.filter(|_| !self.told.contains(&name)) else { return };
        self.told.push(name);
        let mut w = Writer::appending(std::mem::take(&mut self.head));
        w.field_str(name, value);
        self.head = w.into_bytes();
    }

    fn block_start(&mut self, choice: u32, block: &Block, out: &mut Vec<u8>) {
        let strict = self.options.strict;
        let open = self.open(choice);
        open.blocks += 1;
        open.block_start = open.characters;
        let position = open.block();
        match &block.content {
            Content::Text { text, citations } => {
                open.kind = Kind::Text;
                self.words(choice, text, out);
                block.signature.iter().for_each(|signature| self.signature(choice, signature, out));
                citations.iter().for_each(|citation| self.citation(choice, citation, out));
            }
            Content::Refusal(text) => {
                open.kind = Kind::Refusal;
                self.words(choice, text, out);
            }
            Content::Reasoning(text) => {
                open.kind = Kind::Reasoning;
                self.words(choice, text, out);
                block.signature.iter().for_each(|signature| self.signature(choice, signature, out));
            }
            Content::ToolCall { kind, .. } => {
                open.kind = if *kind == ToolKind::Custom { Kind::Custom } else { Kind::Call };
                self.call(choice, block, out);
            }
            Content::Media(image) if image.kind == MediaKind::Image => {
                self.chunk(choice, out, |w| {
                    w.field_array("images", |w| encode_image(w, image));
                    if !strict {
                        block_delta(w, position, |w| content_block(w, block));
                    }
                });
            }
            Content::Foreign { .. } => match audio_of(block) {
                Some(audio) => self.chunk(choice, out, |w| w.field_raw("audio", audio.as_str())),
                None if strict => {}
                None => self.chunk(choice, out, |w| {
                    block_delta(w, position, |w| content_block(w, block));
                }),
            },
            Content::Media(_) | Content::ToolResult { .. } => {}
        }
    }

    fn delta(&mut self, choice: u32, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => self.words(choice, text, out),
            Delta::Arguments(arguments) => {
                let open = self.open(choice);
                let index = open.call();
                let custom = open.kind == Kind::Custom;
                let (group, input) = if custom { ("custom", "input") } else { ("function", "arguments") };
                self.chunk(choice, out, |w| {
                    call_delta(w, index, |w| w.field_object(group, |w| w.field_str(input, arguments)));
                });
            }
            Delta::Signature(signature) => self.signature(choice, signature, out),
            Delta::Citation(citation) => self.citation(choice, citation, out),
        }
    }

    fn words(&mut self, choice: u32, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let strict = self.options.strict;
        let open = self.open(choice);
        let (field, part) = match open.kind {
            Kind::Reasoning => ("reasoning_content", Some("thinking")),
            // Its own field is its only one.
            Kind::Refusal => ("refusal", None),
            Kind::Text | Kind::Call | Kind::Custom | Kind::None => ("content", Some("text")),
        };
        if field == "content" {
            open.characters += characters(text);
        }
        let block = open.block();
        self.chunk(choice, out, |w| {
            w.field_str(field, text);
            if let Some(part) = part.filter(|_| !strict) {
                block_delta(w, block, |w| w.object(|w| w.field_str(part, text)));
            }
        });
    }

    fn signature(&mut self, choice: u32, signature: &Signature, out: &mut Vec<u8>) {
        if self.options.strict {
            return;
        }
        let open = self.open(choice);
        let (block, call) = (open.block(), open.call());
        match open.kind {
            Kind::Reasoning => self.chunk(choice, out, |w| {
                block_delta(w, block, |w| w.object(|w| w.field_str("signature", &proof(signature))));
            }),
            Kind::Text => self.chunk(choice, out, |w| {
                block_delta(w, block, |w| w.object(|w| shown_proof(w, signature)));
            }),
            Kind::Call | Kind::Custom => self.chunk(choice, out, |w| {
                call_delta(w, call, |w| shown_proof(w, signature));
            }),
            Kind::Refusal | Kind::None => {}
        }
    }

    fn citation(&mut self, choice: u32, citation: &Citation, out: &mut Vec<u8>) {
        if citation.url.is_none() {
            return;
        }
        let open = self.open(choice);
        let (start, end) = (open.block_start, open.characters);
        self.chunk(choice, out, |w| {
            w.field_array("annotations", |w| annotation(w, citation, start, end));
        });
    }

    fn call(&mut self, choice: u32, block: &Block, out: &mut Vec<u8>) {
        let Content::ToolCall { id, name, arguments, kind } = &block.content else { return };
        let (id_suffix, strict) = (self.options.id_suffix.clone(), self.options.strict);
        let open = self.open(choice);
        let position = open.calls;
        open.calls += 1;
        let id = open.ids.next(id, &id_suffix);
        self.chunk(choice, out, |w| {
            call_delta(w, position as u64, |w| {
                encode_call_head(w, &id, *kind);
                encode_call_body(w, name, arguments, *kind);
                if let (false, Some(signature)) = (strict, &block.signature) {
                    shown_proof(w, signature);
                }
            });
        });
    }

    fn extra(&mut self, choice: Option<u32>, name: &str, value: &str, out: &mut Vec<u8>) {
        match choice {
            Some(choice) => {
                let beside = Beside { extra: Some((name, value)), ..Beside::default() };
                self.chunk_with(choice, out, beside, |_| {});
            }
            None => self.envelope(out, |w| {
                w.field_array("choices", |_| {});
                w.field_raw(name, value);
            }),
        }
    }

    fn finish(&self, out: &mut Vec<u8>) {
        if let (true, Some(usage)) = (self.options.include_usage, &self.usage) {
            self.envelope(out, |w| {
                w.field_array("choices", |_| {});
                w.key("usage");
                usage::encode(w, usage, &self.options);
            });
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn chunk(&mut self, choice: u32, out: &mut Vec<u8>, delta: impl FnOnce(&mut Writer)) {
        self.chunk_with(choice, out, Beside::default(), delta);
    }

    /// A chunk with one choice. The first one of a choice tells the role.
    fn chunk_with(
        &mut self,
        choice: u32,
        out: &mut Vec<u8>,
        beside: Beside<'_>,
        delta: impl FnOnce(&mut Writer),
    ) {
        let open = self.open(choice);
        let first = !std::mem::replace(&mut open.role_sent, true);
        self.envelope(out, |w| {
            w.field_array("choices", |w| {
                w.object(|w| {
                    w.field_u64("index", choice.into());
                    w.field_object("delta", |w| {
                        if first {
                            w.field_str("role", "assistant");
                        }
                        delta(w);
                    });
                    w.field_raw("logprobs", beside.logprobs.unwrap_or("null"));
                    match beside.finish {
                        Some(reason) => w.field_str("finish_reason", reason),
                        None => w.key("finish_reason").null(),
                    }
                    if let Some((name, value)) = beside.extra {
                        w.field_raw(name, value);
                    }
                });
            });
        });
    }

    fn envelope(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Writer)) {
        out.extend_from_slice(b"data: ");
        sse::object(out, &self.head, write);
        out.extend_from_slice(b"\n\n");
    }

    fn open(&mut self, choice: u32) -> &mut Open {
        let at = match self.choices.iter().position(|open| open.index == choice) {
            Some(at) => at,
            None => {
                self.choices.push(Open {
                    index: choice,
                    role_sent: false,
                    calls: 0,
                    ids: GivenIds::of(Dialect::OpenaiChat, choice),
                    blocks: 0,
                    characters: 0,
                    block_start: 0,
                    kind: Kind::None,
                });
                self.choices.len() - 1
            }
        };
        &mut self.choices[at]
    }
}

impl Open {
    /// Position of the last block.
    fn block(&self) -> u64 {
        self.blocks.saturating_sub(1)
    }

    /// Position of the last call.
    fn call(&self) -> u64 {
        (self.calls as u64).saturating_sub(1)
    }
}

/// What a choice tells beside its delta.
#[derive(Default)]
struct Beside<'a> {
    logprobs: Option<&'a str>,
    finish: Option<&'a str>,
    extra: Option<(&'a str, &'a str)>,
}

/// `"tool_calls": [{"index": n, ...}]`
fn call_delta(w: &mut Writer, index: u64, write: impl FnOnce(&mut Writer)) {
    w.field_array("tool_calls", |w| {
        w.object(|w| {
            w.field_u64("index", index);
            write(w);
        });
    });
}

/// `"content_blocks": [{"index": n, "delta": {...}}]`, the form in which Portkey's clients expect vendor blocks.
fn block_delta(w: &mut Writer, index: u64, delta: impl FnOnce(&mut Writer)) {
    w.field_array("content_blocks", |w| {
        w.object(|w| {
            w.field_u64("index", index);
            w.key("delta");
            delta(w);
        });
    });
}

#[cfg(test)]
mod tests;
