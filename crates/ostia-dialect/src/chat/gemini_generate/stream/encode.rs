//! Canonical events to the client's chunks.
//!
//! Words go out as they come. A call is one part with a whole object of arguments, so it waits for its end; so does a
//! signature, which belongs behind the words that it signs. What ends an answer waits for [`Event::Finish`]: a stream
//! that breaks must not look whole.

use crate::chat::gemini_generate::error;
use crate::chat::gemini_generate::part::Part;
use crate::chat::gemini_generate::response::encode::candidate::{CandidateEncoder, silent, words};
use crate::chat::gemini_generate::response::encode::grounding;
use crate::chat::gemini_generate::response::encode::{Head, content, tail};
use crate::chat::opaque::Opaque;
use crate::frame::sse;
use crate::json::{Json, Writer};
use crate::{Block, Content, Delta, Event, Fault, Finish, RenderOptions, Signature, Usage};

/// Most text of one call's arguments, in bytes; a longer call is told as one that could not be written.
const ARGUMENTS_BYTES_MAX: usize = 16 << 20;

/// Writes a stream of `GenerateContentResponse` chunks, each with only what is new
/// (<https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>).
#[derive(Debug)]
pub struct Encoder {
    options: RenderOptions,
    array: bool,
    begun: bool,
    head: Head,
    candidates: Vec<Candidate>,
    extra: Vec<(String, Json)>,
    usage: Option<Usage>,
    service_tier: Option<String>,
}

/// What is known of one candidate.
#[derive(Debug)]
struct Candidate {
    parts: CandidateEncoder,
    open: Open,
    ending: Option<(Finish, Option<String>)>,
}

/// The open block of a candidate.
#[derive(Debug)]
enum Open {
    None,
    /// Words, which go out at once.
    Words {
        kind: Kind,
        said: bool,
        signature: Option<Signature>,
    },
    /// Anything else, which goes out whole.
    Whole(Block),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    Thought,
}

impl Encoder {
    /// An encoder at the start of a stream. `array` asks for Google's framing without `alt=sse`: one JSON array.
    pub fn new(options: RenderOptions, array: bool) -> Encoder {
        Encoder {
            head: Head::of("", "", None, &options),
            options,
            array,
            begun: false,
            candidates: Vec::new(),
            extra: Vec::new(),
            usage: None,
            service_tier: None,
        }
    }

    /// Is the stream one JSON array?
    pub fn is_array(&self) -> bool {
        self.array
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, created } => self.head = Head::of(id, model, *created, &self.options),
            Event::BlockStart { choice, block } => self.block_start(*choice, block, out),
            Event::Delta { choice, delta } => self.delta(*choice, delta, out),
            Event::BlockEnd { choice } => self.block_end(*choice, out),
            Event::Logprobs { choice, value } => {
                let nothing = words(false, "");
                self.chunk(*choice, &nothing, out, |w| grounding::encode_logprobs(w, value));
            }
            Event::Stop { choice, finish, native, .. } => {
                self.candidate(*choice).ending = Some((*finish, native.clone()));
            }
            Event::Extra { choice: Some(choice), name, value } => {
                let at = self.position(*choice);
                self.candidates[at].parts.extra(name, value, &self.options);
            }
            Event::Extra { choice: None, name, value } => {
                self.extra.retain(|(known, _)| known != name);
                self.extra.push((name.clone(), value.clone()));
            }
            Event::Meta { service_tier, .. } => {
                self.service_tier = service_tier.clone().or(self.service_tier.take());
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Finish => self.finish(out),
        }
    }

    /// Appends an error event. Nothing may follow it. In an array it is the last element, as the vendor writes it.
    pub fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        if self.array {
            out.extend(error::encode_last_element(fault, !self.begun));
        } else {
            out.extend(error::encode_event(fault));
        }
    }

    fn block_start(&mut self, choice: u32, block: &Block, out: &mut Vec<u8>) {
        let candidate = self.candidate(choice);
        let (kind, text) = match &block.content {
            Content::Text { text, citations } => {
                citations.iter().for_each(|citation| candidate.parts.cite(citation.clone()));
                (Kind::Text, text)
            }
            Content::Refusal(text) => {
                candidate.parts.decline();
                (Kind::Refusal, text)
            }
            Content::Reasoning(text) => (Kind::Thought, text),
            Content::Media(_)
            | Content::ToolCall { .. }
            | Content::ToolResult { .. }
            | Content::Foreign { .. } => {
                candidate.open = Open::Whole(block.clone());
                return;
            }
        };
        candidate.open = Open::Words { kind, said: false, signature: block.signature.clone() };
        self.words(choice, text, out);
    }

    fn delta(&mut self, choice: u32, delta: &Delta, out: &mut Vec<u8>) {
        let candidate = self.candidate(choice);
        match (delta, &mut candidate.open) {
            (Delta::Text(text), Open::Words { .. }) => self.words(choice, text, out),
            (Delta::Citation(citation), Open::Words { .. }) => candidate.parts.cite(citation.clone()),
            (Delta::Signature(more), Open::Words { signature, .. }) => *signature = Some(more.clone()),
            (Delta::Signature(more), Open::Whole(block)) => block.signature = Some(more.clone()),
            (Delta::Arguments(more), Open::Whole(block)) => {
                if let Content::ToolCall { arguments, .. } = &mut block.content
                    // One byte too many tells the end of the block that some are missing.
                    && arguments.len() <= ARGUMENTS_BYTES_MAX
                {
                    arguments.push_str(more);
                }
            }
            // No delta of a block that has room for it.
            (Delta::Text(_) | Delta::Citation(_), Open::Whole(_))
            | (Delta::Arguments(_), Open::Words { .. })
            | (_, Open::None) => {}
        }
    }

    fn block_end(&mut self, choice: u32, out: &mut Vec<u8>) {
        let at = self.position(choice);
        let candidate = &mut self.candidates[at];
        let open = std::mem::replace(&mut candidate.open, Open::None);
        let part = match &open {
            Open::None => None,
            Open::Words { kind, said, signature } => {
                let wrapped = if *said { Opaque::Previous } else { Opaque::Own };
                signature.as_ref().map(|signature| silent(*kind == Kind::Thought, signature, wrapped))
            }
            Open::Whole(block) => match &block.content {
                Content::ToolCall { name, arguments, .. } if arguments.len() > ARGUMENTS_BYTES_MAX => {
                    candidate.parts.malformed(name, arguments);
                    None
                }
                _ => candidate.parts.part(block, &self.options),
            },
        };
        if let Some(part) = part {
            self.chunk(choice, &part, out, |_| {});
        }
    }

    fn words(&mut self, choice: u32, text: &str, out: &mut Vec<u8>) {
        let candidate = self.candidate(choice);
        let Open::Words { kind, said, .. } = &mut candidate.open else { return };
        if text.is_empty() {
            return;
        }
        *said = true;
        let kind = *kind;
        if kind == Kind::Text {
            candidate.parts.quote(text);
        }
        self.chunk(choice, &words(kind == Kind::Thought, text), out, |_| {});
    }

    /// The last chunk: why each candidate ended, and what it cost. Its empty text is the vendor's.
    fn finish(&mut self, out: &mut Vec<u8>) {
        let nothing = [words(false, "")];
        self.envelope(out, |encoder, w| {
            w.field_array("candidates", |w| {
                for Candidate { parts, ending, .. } in &encoder.candidates {
                    w.object(|w| {
                        content(w, &nothing);
                        if let Some((finish, native)) = ending {
                            parts.end(w, *finish, native.as_deref());
                        }
                        w.field_u64("index", parts.index.into());
                    });
                }
            });
            let (usage, tier) = (encoder.usage.as_ref(), encoder.service_tier.as_deref());
            tail(w, &encoder.extra, usage, tier, &encoder.options);
        });
        if self.array {
            out.extend_from_slice(b"\n]");
        }
    }

    /// A chunk with one part of one candidate, and what stands beside it.
    fn chunk(&mut self, choice: u32, part: &Part<'_>, out: &mut Vec<u8>, beside: impl FnOnce(&mut Writer)) {
        self.position(choice);
        self.envelope(out, |_, w| {
            w.field_array("candidates", |w| {
                w.object(|w| {
                    content(w, std::slice::from_ref(part));
                    w.field_u64("index", choice.into());
                    beside(w);
                });
            });
        });
    }

    fn envelope(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&Encoder, &mut Writer)) {
        self.separate(out);
        sse::object(out, b"{", |w| {
            write(self, w);
            self.head.write(w);
        });
        if !self.array {
            out.extend_from_slice(b"\r\n\r\n");
        }
    }

    /// What stands before a chunk.
    fn separate(&mut self, out: &mut Vec<u8>) {
        let first = !std::mem::replace(&mut self.begun, true);
        out.extend_from_slice(match (self.array, first) {
            (false, _) => b"data: ",
            (true, true) => b"[",
            (true, false) => b",\r\n",
        });
    }

    fn candidate(&mut self, index: u32) -> &mut Candidate {
        let at = self.position(index);
        &mut self.candidates[at]
    }

    /// Where the candidate of this number stands; candidates stand in the order of their numbers.
    fn position(&mut self, index: u32) -> usize {
        self.candidates.binary_search_by_key(&index, |candidate| candidate.parts.index).unwrap_or_else(|at| {
            let candidate = Candidate { parts: CandidateEncoder::new(index), open: Open::None, ending: None };
            self.candidates.insert(at, candidate);
            at
        })
    }
}

#[cfg(test)]
mod tests;
