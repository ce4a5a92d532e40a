//! Canonical events to the client's events: <https://platform.claude.com/docs/en/build-with-claude/streaming>.
//!
//! What is known only at the end (why it ended, what it cost) waits for [`Event::Finish`]; everything else goes out as it
//! comes. A proof is told when its block is whole: that of a thought in its `signature_delta`, that of a text in a block
//! behind it. Put together as the vendor's SDKs do, the stream is what the unary form of the same answer is, but for
//! arguments that begin as an object and are none: they go out as they come.

use std::borrow::Cow;

use crate::chat::anthropic_messages::block::media;
use crate::chat::anthropic_messages::response::pieces::{self, Beginning};
use crate::chat::anthropic_messages::{error, response};
use crate::chat::limits::GivenIds;
use crate::chat::tools::arguments::{self, WRAPPED_END, WRAPPED_START};
use crate::frame::sse;
use crate::json::{Json, Writer};
use crate::{
    Block, Citation, Content, Delta, Dialect, Event, Fault, Fold, RenderOptions, Response, Signature, Usage,
};

/// Writes a stream of message events.
#[derive(Debug)]
pub struct Encoder {
    options: RenderOptions,
    /// Everything but the blocks: why it ended, what it cost. Boxed, because the encoders of all dialects share an enum.
    facts: Box<Fold>,
    open: Option<Open>,
    /// Blocks so far, those that only carry a proof among them.
    blocks: u64,
    ids: GivenIds,
    refused: bool,
}

/// The block that is being said.
#[derive(Debug)]
enum Open {
    /// A text or a refusal.
    Text(Option<Signature>),
    Thinking(Option<Signature>),
    Call {
        input: Input,
        signature: Option<Signature>,
    },
    /// A block that came whole.
    Whole,
}

/// The arguments of a call on their way.
#[derive(Debug)]
enum Input {
    /// Nothing has come but what may yet be `null`.
    Open(String),
    /// An object, as it is.
    Object,
    /// Anything else: a text in an object that is still open.
    Wrapped,
}

impl Encoder {
    /// An encoder at the start of a stream.
    pub fn new(options: RenderOptions) -> Encoder {
        let ids = GivenIds::of(Dialect::AnthropicMessages, 0);
        Encoder { options, facts: Box::default(), open: None, blocks: 0, ids, refused: false }
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, .. } => self.start(id, model, out),
            Event::BlockStart { choice: 0, block } => self.block_start(block, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::BlockEnd { choice: 0 } => self.block_end(out),
            Event::Stop { .. } | Event::Extra { .. } | Event::Meta { .. } | Event::Usage(_) => {
                self.facts.push(event.clone());
            }
            Event::Finish => {
                self.facts.push(Event::Finish);
                self.finish(out);
            }
            // A message is one choice, and has no place for log-probabilities.
            Event::BlockStart { .. }
            | Event::Delta { .. }
            | Event::BlockEnd { .. }
            | Event::Logprobs { .. } => {}
        }
    }

    /// Appends an error event. Nothing may follow it.
    pub fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        out.extend(error::encode_event(fault));
    }

    fn start(&mut self, id: &str, model: &str, out: &mut Vec<u8>) {
        event("message_start", out, |w| {
            w.field_object("message", |w| {
                response::encode_head(w, id, model, &self.options);
                w.field_array("content", |_| {});
                w.key("stop_reason").null();
                w.key("stop_sequence").null();
                // The last event tells the real numbers: translated streams know them no earlier.
                let unknown = Response { usage: Some(Usage::default()), ..Response::default() };
                w.field_object("usage", |w| response::encode_usage(w, &unknown, &self.options));
            });
        });
        event("ping", out, |_| {});
    }

    fn block_start(&mut self, block: &Block, out: &mut Vec<u8>) {
        self.whole(pieces::carrier_before(block).as_ref(), out);
        let signature = block.signature.clone();
        match &block.content {
            Content::Text { text, citations } => {
                self.open_text(signature, text, out);
                citations.iter().for_each(|citation| self.citation(citation, out));
            }
            Content::Refusal(text) => {
                self.refused = true;
                self.open_text(None, text, out);
            }
            Content::Media(medium) => self.open_text(None, &media::encode(medium), out),
            Content::Reasoning(text) => {
                self.open(Open::Thinking(signature), out, |w| {
                    w.field_str("type", "thinking");
                    w.field_str("thinking", "");
                    w.field_str("signature", "");
                });
                self.words(text, out);
            }
            Content::ToolCall { id, arguments, .. } => self.open_call(block, id, arguments, out),
            Content::Foreign { dialect, value } => {
                self.whole(Some(&pieces::foreign(*dialect, value)), out);
                self.open = Some(Open::Whole);
            }
            // Models make none.
            Content::ToolResult { .. } => self.open = Some(Open::Whole),
        }
    }

    fn open_text(&mut self, signature: Option<Signature>, text: &str, out: &mut Vec<u8>) {
        self.open(Open::Text(signature), out, |w| {
            w.field_str("type", "text");
            w.field_str("text", "");
        });
        self.words(text, out);
    }

    fn open_call(&mut self, block: &Block, id: &str, arguments: &str, out: &mut Vec<u8>) {
        let id = self.ids.next(id, &self.options.id_suffix);
        let input = Input::Open(String::new());
        self.open(Open::Call { input, signature: None }, out, |w| {
            pieces::write_call_head(w, block, &id);
            w.field_object("input", |_| {});
        });
        self.arguments(arguments, out);
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => self.words(text, out),
            Delta::Arguments(arguments) => self.arguments(arguments, out),
            Delta::Citation(citation) => self.citation(citation, out),
            Delta::Signature(proof) => match &mut self.open {
                Some(Open::Text(signature) | Open::Thinking(signature) | Open::Call { signature, .. }) => {
                    *signature = Some(proof.clone());
                }
                Some(Open::Whole) | None => {}
            },
        }
    }

    fn words(&mut self, text: &str, out: &mut Vec<u8>) {
        let (kind, field) = match &self.open {
            Some(Open::Text(_)) => ("text_delta", "text"),
            Some(Open::Thinking(_)) => ("thinking_delta", "thinking"),
            Some(Open::Call { .. } | Open::Whole) | None => return,
        };
        if !text.is_empty() {
            self.block_delta(kind, out, |w| w.field_str(field, text));
        }
    }

    fn citation(&mut self, citation: &Citation, out: &mut Vec<u8>) {
        if let (Some(Open::Text(_)), Some(source)) = (&self.open, pieces::citation(citation)) {
            self.block_delta("citations_delta", out, |w| w.field_raw("citation", source.as_str()));
        }
    }

    fn arguments(&mut self, more: &str, out: &mut Vec<u8>) {
        let Some(Open::Call { input, .. }) = &mut self.open else { return };
        let json = input.take(more);
        self.partial_json(&json, out);
    }

    fn partial_json(&mut self, json: &str, out: &mut Vec<u8>) {
        if !json.is_empty() {
            self.block_delta("input_json_delta", out, |w| w.field_str("partial_json", json));
        }
    }

    fn block_end(&mut self, out: &mut Vec<u8>) {
        let Some(open) = self.open.take() else { return };
        match open {
            Open::Whole => {}
            Open::Thinking(signature) => {
                if let Some(signature) = &signature {
                    let proof = pieces::proof(signature);
                    self.block_delta("signature_delta", out, |w| w.field_str("signature", &proof));
                }
                self.close(None, out);
            }
            Open::Text(signature) => self.close(signature, out),
            Open::Call { input, signature } => {
                self.partial_json(&input.end(), out);
                self.close(signature, out);
            }
        }
    }

    fn open(&mut self, open: Open, out: &mut Vec<u8>, block: impl FnOnce(&mut Writer)) {
        self.open = Some(open);
        self.blocks += 1;
        event("content_block_start", out, |w| {
            w.field_u64("index", self.blocks - 1);
            w.field_object("content_block", block);
        });
    }

    fn block_delta(&self, kind: &str, out: &mut Vec<u8>, delta: impl FnOnce(&mut Writer)) {
        event("content_block_delta", out, |w| {
            w.field_u64("index", self.blocks.saturating_sub(1));
            w.field_object("delta", |w| {
                w.field_str("type", kind);
                delta(w);
            });
        });
    }

    /// Ends the open block, and says its proof behind it.
    fn close(&mut self, signature: Option<Signature>, out: &mut Vec<u8>) {
        self.block_stop(out);
        self.whole(signature.as_ref().map(pieces::carrier_behind).as_ref(), out);
    }

    fn block_stop(&self, out: &mut Vec<u8>) {
        event("content_block_stop", out, |w| w.field_u64("index", self.blocks.saturating_sub(1)));
    }

    /// A block that comes whole.
    fn whole(&mut self, block: Option<&Json>, out: &mut Vec<u8>) {
        let Some(block) = block else { return };
        self.blocks += 1;
        event("content_block_start", out, |w| {
            w.field_u64("index", self.blocks - 1);
            w.field_raw("content_block", block.as_str());
        });
        self.block_stop(out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let response = std::mem::take(&mut self.facts).finish().unwrap_or_default();
        event("message_delta", out, |w| {
            w.field_object("delta", |w| response::encode_end(w, &response, self.refused));
            w.field_object("usage", |w| response::encode_usage(w, &response, &self.options));
            response::encode_extra(w, &response.extra, "context_management");
        });
        event("message_stop", out, |_| {});
    }
}

impl Input {
    /// What to tell of the next piece.
    fn take<'m>(&mut self, more: &'m str) -> Cow<'m, str> {
        let text = match self {
            Input::Object => return Cow::Borrowed(more),
            Input::Wrapped => return Cow::Owned(arguments::escaped(more)),
            Input::Open(held) => format!("{held}{more}").trim_start().to_owned(),
        };
        match Beginning::of(&text) {
            Beginning::Open => {
                *self = Input::Open(text);
                Cow::Borrowed("")
            }
            Beginning::Object => {
                *self = Input::Object;
                Cow::Owned(text)
            }
            Beginning::Other => {
                *self = Input::Wrapped;
                Cow::Owned(format!("{WRAPPED_START}{}", arguments::escaped(&text)))
            }
        }
    }

    /// What is missing at the end.
    fn end(&self) -> Cow<'_, str> {
        match self {
            Input::Object => Cow::Borrowed(""),
            Input::Wrapped => Cow::Borrowed(WRAPPED_END),
            Input::Open(held) => arguments::object(held),
        }
    }
}

/// A named event, whose data repeats the name.
fn event(kind: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Writer)) {
    for piece in ["event: ", kind, "\ndata: "] {
        out.extend_from_slice(piece.as_bytes());
    }
    sse::object(out, b"{", |w| {
        w.field_str("type", kind);
        write(w);
    });
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
