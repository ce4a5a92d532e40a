//! The upstream's chunks to canonical events.

use std::borrow::Cow;

use super::super::part::thought_signature;
use super::super::response::{
    call_signature, called, choice_extra, decode_usage, decode_words, finish_of, known, native_finish,
};
use crate::fault::{self, from_body};
use crate::frame::sse::Frame;
use crate::json::{Document, Json, Node};
use crate::{Block, Content, Delta, Event, Fault, Signature, ToolKind};

/// Reads a stream, chunk by chunk.
///
/// The end is `[DONE]`, or the close of the stream after every choice gave its finish reason: several vendors never
/// send `[DONE]`, others no reasons.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    finished: bool,
    choices: Vec<Open>,
    /// What was told before the answer began.
    early: Vec<Event>,
}

/// Most events that are held back until the answer begins; more are dropped.
const EARLY_EVENTS_MAX: usize = 16;

/// Most answers to one request. The vendor gives at most 128.
const CHOICES_MAX: usize = 256;

/// What is known of one choice.
#[derive(Debug)]
struct Open {
    index: u32,
    block: Option<Kind>,
    /// Id and name of the open call.
    call: (String, String),
    called: bool,
    stopped: bool,
}

/// Which block of a choice is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    Reasoning,
    /// A call, by the index that the upstream gave it.
    Call(u64),
}

impl Decoder {
    /// Takes the next frame.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.finished || frame.data.is_empty() {
            return Ok(());
        }
        if frame.data == b"[DONE]" {
            self.choices
                .iter_mut()
                .filter(|choice| !choice.stopped)
                .for_each(|choice| choice.stop(None, events));
            return self.end(events);
        }
        let document = Document::parse(frame.data)
            .map_err(|fault| Fault::upstream(format!("The provider sent a chunk that is {fault}.")))?;
        self.chunk(document.root(), events)
    }

    /// The upstream has closed the stream.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.finished { Ok(()) } else { self.end(events) }
    }

    fn end(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.choices.is_empty() || self.choices.iter().any(|choice| !choice.stopped) {
            return Err(Fault::upstream("The provider ended the stream before the answer was whole."));
        }
        self.finished = true;
        events.push(Event::Finish);
        Ok(())
    }

    fn chunk(&mut self, chunk: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if chunk.some("error").is_some() || fault::is_refused(chunk) {
            return Err(
                from_body(chunk, 502).unwrap_or_else(|| Fault::upstream("The provider sent an error."))
            );
        }
        let choices = chunk.some("choices").filter(|choices| choices.items().next().is_some());
        // Azure's first chunk has neither id nor choices, only filter results.
        if !self.started && (choices.is_some() || chunk.str("id").is_some_and(|id| !id.is_empty())) {
            self.started = true;
            events.push(Event::Start {
                id: chunk.str("id").unwrap_or_default().into_owned(),
                model: chunk.str("model").unwrap_or_default().into_owned(),
                created: chunk.u64("created"),
            });
            events.append(&mut self.early);
        }
        for choice in choices.iter().flat_map(|choices| choices.items()) {
            self.choice(choice, events)?;
        }
        if self.started {
            facts(chunk, events);
        } else {
            facts(chunk, &mut self.early);
            self.early.truncate(EARLY_EVENTS_MAX);
        }
        Ok(())
    }

    fn choice(&mut self, choice: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let index = choice.u64("index").and_then(|index| u32::try_from(index).ok()).unwrap_or_default();
        let open = match self.choices.iter().position(|open| open.index == index) {
            Some(at) => &mut self.choices[at],
            None => {
                if self.choices.len() == CHOICES_MAX {
                    return Err(Fault::upstream(format!(
                        "The provider sent more than {CHOICES_MAX} choices."
                    )));
                }
                self.choices.push(Open {
                    index,
                    block: None,
                    call: Default::default(),
                    called: false,
                    stopped: false,
                });
                let last = self.choices.len() - 1;
                &mut self.choices[last]
            }
        };
        // Nothing may follow the end of a choice.
        if open.stopped {
            return Ok(());
        }
        // Perplexity sends the whole message so far beside the delta: only the delta is new.
        if let Some(delta) = choice.some("delta").or(choice.some("message")) {
            open.delta(delta, events)?;
        }
        if let Some(value) = choice.some("logprobs") {
            events.push(Event::Logprobs { choice: index, value: Json::of(value) });
        }
        let extra = choice_extra(choice);
        events.extend(extra.map(|(name, value)| Event::Extra { choice: Some(index), name, value }));
        if let Some(native) = native_finish(choice) {
            open.stop(Some(&native), events);
        }
        Ok(())
    }
}

impl Open {
    fn delta(&mut self, delta: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let mut blocks = Vec::new();
        decode_words(delta, &mut blocks);
        for block in blocks {
            self.words(block, events);
        }
        for call in delta.some("tool_calls").iter().flat_map(|calls| calls.items()) {
            self.call(call, events)?;
        }
        if let Some(call) = delta.some("function_call") {
            self.legacy_call(call, events);
        }
        Ok(())
    }

    fn words(&mut self, block: Block, events: &mut Vec<Event>) {
        let kind = match &block.content {
            Content::Text { .. } => Kind::Text,
            Content::Refusal(_) => Kind::Refusal,
            Content::Reasoning(_) => Kind::Reasoning,
            // Calls come in pieces and are handled apart.
            Content::ToolCall { .. } => return,
            Content::Media(_) | Content::ToolResult { .. } | Content::Foreign { .. } => {
                self.close(events);
                events.push(Event::BlockStart { choice: self.index, block });
                events.push(Event::BlockEnd { choice: self.index });
                return;
            }
        };
        if self.block == Some(kind) {
            self.more_words(block.content, events);
        } else {
            self.close(events);
            self.block = Some(kind);
            events.push(Event::BlockStart { choice: self.index, block });
        }
    }

    /// More of the open block.
    fn more_words(&self, content: Content, events: &mut Vec<Event>) {
        let (text, citations) = match content {
            Content::Text { text, citations } => (text, citations),
            Content::Refusal(text) | Content::Reasoning(text) => (text, Vec::new()),
            Content::Media(_)
            | Content::ToolCall { .. }
            | Content::ToolResult { .. }
            | Content::Foreign { .. } => return,
        };
        let said = (!text.is_empty()).then_some(Delta::Text(text));
        let deltas = said.into_iter().chain(citations.into_iter().map(Delta::Citation));
        events.extend(deltas.map(|delta| Event::Delta { choice: self.index, delta }));
    }

    fn call(&mut self, call: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let position = call.u64("index").unwrap_or_default();
        let Some((inner, kind)) = called(call) else {
            // A call's proof may come by itself, behind its arguments.
            let signed = thought_signature(call).filter(|_| self.block == Some(Kind::Call(position)));
            self.sign(signed, events);
            return Ok(());
        };
        let id = call.str("id").unwrap_or_default();
        let name = inner.str("name").unwrap_or_default();
        let arguments = match inner.some("arguments").or(inner.some("input")) {
            Some(arguments) => arguments.as_str().unwrap_or(Cow::Borrowed(arguments.text())),
            None => Cow::Borrowed(""),
        };
        let signature = call_signature(call, inner);
        if self.continues(position, &id, &name) {
            self.more(arguments.into_owned(), events);
            self.sign(signature, events);
        } else if !name.is_empty() {
            let (id, name, arguments) = (id.into_owned(), name.into_owned(), arguments.into_owned());
            let mut block = Block::new(Content::ToolCall { id, name, arguments, kind });
            block.signature = signature;
            self.open_call(position, block, events);
        } else if !arguments.is_empty() {
            return Err(Fault::upstream("The provider sent arguments for a tool call that is not open."));
        }
        Ok(())
    }

    fn sign(&self, signature: Option<Signature>, events: &mut Vec<Event>) {
        let signed = signature.map(Delta::Signature);
        events.extend(signed.map(|delta| Event::Delta { choice: self.index, delta }));
    }

    /// Is this a piece of the open call? Some servers give every call the index 0, some repeat id and name.
    fn continues(&self, position: u64, id: &str, name: &str) -> bool {
        let (open_id, open_name) = &self.call;
        self.block == Some(Kind::Call(position))
            && (id.is_empty() || id == open_id)
            && (name.is_empty() || name == open_name)
    }

    fn legacy_call(&mut self, call: Node<'_>, events: &mut Vec<Event>) {
        let name = call.str("name").unwrap_or_default().into_owned();
        let arguments = call.str("arguments").unwrap_or_default().into_owned();
        if self.block == Some(Kind::Call(0)) {
            self.more(arguments, events);
        } else if !name.is_empty() {
            let kind = ToolKind::Function;
            let block = Block::new(Content::ToolCall { id: name.clone(), name, arguments, kind });
            self.open_call(0, block, events);
        }
    }

    /// More arguments of the open call.
    fn more(&mut self, arguments: String, events: &mut Vec<Event>) {
        if !arguments.is_empty() {
            events.push(Event::Delta { choice: self.index, delta: Delta::Arguments(arguments) });
        }
    }

    fn open_call(&mut self, position: u64, block: Block, events: &mut Vec<Event>) {
        self.close(events);
        self.called = true;
        self.block = Some(Kind::Call(position));
        if let Content::ToolCall { id, name, .. } = &block.content {
            self.call = (id.clone(), name.clone());
        }
        events.push(Event::BlockStart { choice: self.index, block });
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        if self.block.take().is_some() {
            events.push(Event::BlockEnd { choice: self.index });
        }
    }

    fn stop(&mut self, native: Option<&str>, events: &mut Vec<Event>) {
        self.close(events);
        self.stopped = true;
        events.push(Event::Stop {
            choice: self.index,
            finish: finish_of(native.unwrap_or_default(), self.called),
            native: native.map(str::to_owned),
            stop_sequence: None,
        });
    }
}

/// Usage, tier, fingerprint and vendor fields, which may stand in any chunk.
fn facts(chunk: Node<'_>, events: &mut Vec<Event>) {
    if let Some(usage) = decode_usage(chunk) {
        events.push(Event::Usage(usage));
    }
    let text = |name: &str| chunk.str(name).map(Cow::into_owned);
    let (service_tier, system_fingerprint) = (text("service_tier"), text("system_fingerprint"));
    if service_tier.is_some() || system_fingerprint.is_some() {
        events.push(Event::Meta { service_tier, system_fingerprint });
    }
    for (name, value) in chunk.fields() {
        if !known::RESPONSE.contains(&name.as_ref()) && !value.is_null() {
            events.push(Event::Extra { choice: None, name: name.into_owned(), value: Json::of(value) });
        }
    }
}
