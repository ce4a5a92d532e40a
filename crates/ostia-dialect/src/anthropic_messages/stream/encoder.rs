//! Canonical events to the client's events.
//!
//! `message_start`, a `ping`, the blocks one after the other, `message_delta` with the reason of the end and all tokens,
//! `message_stop`.

use super::super::error;
use super::super::said::{
    call_id, is_foreign, proof, stop_reason, words, write_carrier, write_citation, write_foreign, write_usage,
};
use crate::json::{Json, Writer};
use crate::seal::Sealed;
use crate::{Block, Content, Delta, Event, Fault, Finish, Signature, Usage, View};

/// Writes a stream of message events. Only the first choice has a place in it.
#[derive(Debug)]
pub struct Encoder {
    view: View,
    /// Blocks so far.
    index: u64,
    calls: u64,
    open: Open,
    /// A proof that came when the block had been begun; it goes into a block of its own behind it.
    late: Option<Signature>,
    ending: (Finish, Option<String>),
    usage: Usage,
    service_tier: Option<String>,
}

/// What kind of block is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Thinking,
    Call,
    Whole,
}

impl Encoder {
    /// An encoder at the start of a stream.
    pub fn new(view: View) -> Encoder {
        Encoder {
            view,
            index: 0,
            calls: 0,
            open: Open::Nothing,
            late: None,
            ending: (Finish::Stop, None),
            usage: Usage::default(),
            service_tier: None,
        }
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, .. } => self.start(id, model, out),
            Event::BlockStart { choice: 0, block } => self.begin(block, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::BlockEnd { choice: 0 } => self.end(out),
            Event::Stop { choice: 0, finish, stop_sequence, .. } => {
                self.ending = (*finish, stop_sequence.clone())
            }
            Event::Meta { service_tier, .. } => {
                self.service_tier = service_tier.clone().or(self.service_tier.take())
            }
            Event::Usage(usage) => self.usage = *usage,
            Event::Finish => self.finish(out),
            // Other choices, and vendor fields, have no place in this dialect.
            Event::BlockStart { .. }
            | Event::Delta { .. }
            | Event::BlockEnd { .. }
            | Event::Stop { .. }
            | Event::Logprobs { .. }
            | Event::Extra { .. } => {}
        }
    }

    /// Appends an error event. Nothing may follow it.
    pub fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        out.extend_from_slice(&error::encode_event(fault));
    }

    fn start(&mut self, id: &str, model: &str, out: &mut Vec<u8>) {
        let id = if id.is_empty() { format!("msg_{}", self.view.stem) } else { id.to_owned() };
        let model = if model.is_empty() { &self.view.model } else { model };
        event(out, "message_start", |w| {
            w.field_object("message", |w| {
                w.field_str("id", &id);
                w.field_str("type", "message");
                w.field_str("role", "assistant");
                w.field_str("model", model);
                w.field_array("content", |_| {});
                w.key("stop_reason").null();
                w.key("stop_sequence").null();
                write_usage(w, Usage::default(), None);
            });
        });
        event(out, "ping", |_| {});
    }

    fn begin(&mut self, block: &Block, out: &mut Vec<u8>) {
        let carried = block.signature.as_ref().filter(|signature| is_foreign(signature));
        if let (Some(signature), false) = (carried, matches!(block.content, Content::Reasoning(_))) {
            self.carry(&Sealed::Next(signature.clone()), out);
        }
        match &block.content {
            Content::Reasoning(thought) => {
                self.block(Open::Thinking, out, |w| {
                    w.object(|w| {
                        w.field_str("type", "thinking");
                        w.field_str("thinking", "");
                        w.field_str("signature", "");
                    });
                });
                self.piece("thinking_delta", "thinking", thought, out);
                self.late.clone_from(&block.signature);
            }
            Content::ToolCall { id, name, arguments, .. } => {
                let id = call_id(id, &self.view.stem, self.calls);
                self.calls += 1;
                let caller = block.signature.as_ref().filter(|signature| !is_foreign(signature));
                self.block(Open::Call, out, |w| {
                    w.object(|w| {
                        w.field_str("type", "tool_use");
                        w.field_str("id", &id);
                        w.field_str("name", name);
                        w.field_object("input", |_| {});
                        if let Some(caller) = caller {
                            w.field_raw("caller", &caller.value);
                        }
                    });
                });
                self.piece("input_json_delta", "partial_json", arguments, out);
            }
            Content::Foreign { dialect, value } => {
                self.block(Open::Whole, out, |w| write_foreign(w, *dialect, value));
            }
            Content::Text { citations, .. } => {
                self.text(&block.content, out);
                citations.iter().for_each(|citation| self.citation(citation, out));
            }
            Content::Refusal(_) | Content::Media(_) => self.text(&block.content, out),
            Content::ToolResult { .. } => {}
        }
    }

    fn text(&mut self, content: &Content, out: &mut Vec<u8>) {
        self.block(Open::Text, out, |w| {
            w.object(|w| {
                w.field_str("type", "text");
                w.field_str("text", "");
            });
        });
        self.piece("text_delta", "text", &words(content).unwrap_or_default(), out);
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match (delta, self.open) {
            (Delta::Text(text), Open::Text) => self.piece("text_delta", "text", text, out),
            (Delta::Text(text), Open::Thinking) => self.piece("thinking_delta", "thinking", text, out),
            (Delta::Arguments(text), Open::Call) => self.piece("input_json_delta", "partial_json", text, out),
            (Delta::Citation(citation), Open::Text) => self.citation(citation, out),
            (Delta::Signature(signature), _) => self.late = Some(signature.clone()),
            // The hub's grammar has no other deltas for these blocks.
            (Delta::Text(_) | Delta::Arguments(_) | Delta::Citation(_), _) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let late = self.late.take();
        if let (Open::Thinking, Some(signature)) = (self.open, &late) {
            self.piece("signature_delta", "signature", &proof(signature), out);
        }
        if self.open != Open::Nothing {
            self.close(out);
        }
        if let Some(signature) = late.filter(|signature| is_foreign(signature) && self.open != Open::Thinking)
        {
            self.carry(&Sealed::Previous(signature), out);
        }
        self.open = Open::Nothing;
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let (finish, stop_sequence) = &self.ending;
        event(out, "message_delta", |w| {
            w.field_object("delta", |w| {
                w.field_str("stop_reason", stop_reason(*finish, stop_sequence.as_deref()));
                match stop_sequence {
                    Some(sequence) => w.field_str("stop_sequence", sequence),
                    None => w.key("stop_sequence").null(),
                }
            });
            write_usage(w, self.usage, self.service_tier.as_deref());
        });
        event(out, "message_stop", |_| {});
    }

    /// A block that is begun and ended at once.
    fn carry(&mut self, piece: &Sealed, out: &mut Vec<u8>) {
        let open = self.open;
        self.block(Open::Whole, out, |w| write_carrier(w, piece));
        self.close(out);
        self.open = open;
    }

    fn block(&mut self, open: Open, out: &mut Vec<u8>, write: impl FnOnce(&mut Writer)) {
        self.open = open;
        event(out, "content_block_start", |w| {
            w.field_u64("index", self.index);
            write(w.key("content_block"));
        });
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        event(out, "content_block_stop", |w| w.field_u64("index", self.index));
        self.index += 1;
    }

    fn piece(&self, kind: &str, field: &str, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.block_delta(kind, out, |w| w.field_str(field, text));
        }
    }

    fn citation(&self, citation: &crate::Citation, out: &mut Vec<u8>) {
        self.block_delta("citations_delta", out, |w| write_citation(w.key("citation"), citation));
    }

    fn block_delta(&self, kind: &str, out: &mut Vec<u8>, field: impl FnOnce(&mut Writer)) {
        event(out, "content_block_delta", |w| {
            w.field_u64("index", self.index);
            w.field_object("delta", |w| {
                w.field_str("type", kind);
                field(w);
            });
        });
    }
}

/// One event; its type stands in it and before it.
fn event(out: &mut Vec<u8>, kind: &str, fields: impl FnOnce(&mut Writer)) {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("type", kind);
            fields(w);
        });
    });
    // A vendor's own JSON may have line ends between its values; an event is one line.
    let line = body.as_str().replace(['\n', '\r'], " ");
    for piece in ["event: ", kind, "\ndata: ", &line, "\n\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}
