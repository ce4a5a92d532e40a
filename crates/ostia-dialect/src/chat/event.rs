//! The canonical stream.
//!
//! Grammar, for each choice: `Start (BlockStart Delta* BlockEnd)* Stop`, then `Usage? Finish` for the whole stream.
//! Blocks of different choices may interleave; blocks of one choice do not. A stream that ends without
//! [`Event::Finish`] is broken. [`EventGrammar`] is this as a check.

mod grammar;

pub use grammar::EventGrammar;

use crate::json::Json;
use crate::{Block, Choice, Citation, Content, Finish, Response, Signature, Usage};

/// Something that happened in a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer begins. Comes once, first.
    Start {
        /// The upstream's id; empty where it gave none.
        id: String,
        /// The model; empty where it was not said.
        model: String,
        /// Unix seconds, where the upstream said.
        created: Option<u64>,
    },
    /// A block begins. It may hold content already: all of it, for blocks that come whole.
    BlockStart {
        /// Which answer.
        choice: u32,
        /// The block so far.
        block: Block,
    },
    /// More of the open block of this choice.
    Delta {
        /// Which answer.
        choice: u32,
        /// What is added.
        delta: Delta,
    },
    /// The open block of this choice is whole.
    BlockEnd {
        /// Which answer.
        choice: u32,
    },
    /// Log-probabilities in OpenAI's shape for the text just said.
    Logprobs {
        /// Which answer.
        choice: u32,
        /// `{"content": [...]}`
        value: Json,
    },
    /// This choice ends.
    Stop {
        /// Which answer.
        choice: u32,
        /// Why.
        finish: Finish,
        /// The upstream's own word for it.
        native: Option<String>,
        /// The stop sequence that was met.
        stop_sequence: Option<String>,
    },
    /// Vendor fields, shown only to clients that want them.
    Extra {
        /// Which answer, or the whole response.
        choice: Option<u32>,
        /// The field's name.
        name: String,
        /// Its value.
        value: Json,
    },
    /// Facts about the response that may come at any time before the end.
    Meta {
        /// The tier that served it.
        service_tier: Option<String>,
        /// OpenAI's `system_fingerprint`.
        system_fingerprint: Option<String>,
    },
    /// Tokens; the last one counts.
    Usage(Usage),
    /// The stream is whole. Comes once, last.
    Finish,
}

/// What is added to an open block.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Words of a text, refusal or reasoning block.
    Text(String),
    /// Arguments of a call.
    Arguments(String),
    /// The vendor's proof for the block.
    Signature(Signature),
    /// A source of a text block.
    Citation(Citation),
}

/// Builds the whole answer from its events: the unary form of a stream.
#[derive(Debug, Default)]
pub struct Fold {
    response: Response,
    open: Vec<u32>,
    finished: bool,
}

impl Fold {
    /// Takes the next event.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Start { id, model, created } => {
                (self.response.id, self.response.model, self.response.created) = (id, model, created);
            }
            Event::BlockStart { choice, block } => {
                self.open.push(choice);
                self.choice(choice).blocks.push(block);
            }
            Event::Delta { choice, delta } => {
                if let Some(block) = self.choice(choice).blocks.last_mut() {
                    extend(block, delta);
                }
            }
            Event::BlockEnd { choice } => self.open.retain(|&open| open != choice),
            Event::Logprobs { choice, value } => {
                let choice = self.choice(choice);
                choice.logprobs = Some(join_logprobs(choice.logprobs.take(), value));
            }
            Event::Stop { choice, finish, native, stop_sequence } => {
                let choice = self.choice(choice);
                (choice.finish, choice.native_finish, choice.stop_sequence) = (finish, native, stop_sequence);
            }
            Event::Extra { choice: None, name, value } => set(&mut self.response.extra, name, value),
            Event::Extra { choice: Some(choice), name, value } => {
                set(&mut self.choice(choice).extra, name, value)
            }
            Event::Meta { service_tier, system_fingerprint } => {
                self.response.service_tier = service_tier.or(self.response.service_tier.take());
                self.response.system_fingerprint =
                    system_fingerprint.or(self.response.system_fingerprint.take());
            }
            Event::Usage(usage) => self.response.usage = Some(usage),
            Event::Finish => self.finished = true,
        }
    }

    /// The answer, if the stream was whole.
    pub fn finish(self) -> Option<Response> {
        (self.finished && self.open.is_empty()).then_some(self.response)
    }

    /// The choice of this number; choices stand in the order of their numbers, whichever spoke first.
    fn choice(&mut self, index: u32) -> &mut Choice {
        let choices = &mut self.response.choices;
        let at = choices.binary_search_by_key(&index, |choice| choice.index).unwrap_or_else(|at| {
            let fresh = Choice {
                index,
                blocks: Vec::new(),
                finish: Finish::Stop,
                native_finish: None,
                stop_sequence: None,
                logprobs: None,
                extra: Vec::new(),
            };
            choices.insert(at, fresh);
            at
        });
        &mut choices[at]
    }
}

fn set(fields: &mut Vec<(String, Json)>, name: String, value: Json) {
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some(field) => field.1 = value,
        None => fields.push((name, value)),
    }
}

fn extend(block: &mut Block, delta: Delta) {
    match (&mut block.content, delta) {
        (_, Delta::Signature(signature)) => block.signature = Some(signature),
        (
            Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text),
            Delta::Text(more),
        ) => {
            text.push_str(&more);
        }
        (Content::Text { citations, .. }, Delta::Citation(citation)) => citations.push(citation),
        (Content::ToolCall { arguments, .. }, Delta::Arguments(more)) => arguments.push_str(&more),
        // A decoder that sends a delta to a block that has no room for it breaks the grammar; its tests show it.
        (_, Delta::Text(_) | Delta::Arguments(_) | Delta::Citation(_)) => {}
    }
}

/// Joins the lists of two log-probability objects (`content`, `refusal`).
fn join_logprobs(before: Option<Json>, after: Json) -> Json {
    let Some(before) = before else { return after };
    let (mut joined, later) = (before.to_value(), after.to_value());
    for name in ["content", "refusal"] {
        let Some(more) = later.get(name).and_then(|list| list.as_array()) else { continue };
        match joined.get_mut(name).and_then(|list| list.as_array_mut()) {
            Some(list) => list.extend(more.iter().cloned()),
            None => joined[name] = later[name].clone(),
        }
    }
    Json::from_value(&joined)
}
