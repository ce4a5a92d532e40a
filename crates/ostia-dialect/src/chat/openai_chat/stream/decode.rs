//! The upstream's chunks to canonical events.

mod calls;
mod choice;

use std::borrow::Cow;

use self::choice::Choice;
use crate::chat::block_queue::WAITING_BYTES_MAX;
use crate::chat::openai_chat::response::known;
use crate::chat::openai_chat::usage;
use crate::fault::{self, from_body};
use crate::frame::Frame;
use crate::json::{Document, Json, Node};
use crate::{Event, Fault, Metered};

/// Reads a stream, chunk by chunk.
///
/// The end is `[DONE]`, or the close of the stream after every choice gave its finish reason: several vendors never
/// send `[DONE]`, others no reasons.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    finished: bool,
    choices: Vec<Choice>,
    /// What was told before the answer began.
    early: Vec<Event>,
    /// Tools that the vendor ran.
    tools: Metered,
}

/// Most events that are held back until the answer begins; more are dropped.
const EARLY_EVENTS_MAX: usize = 16;

/// Most answers to one request. The vendor gives at most 128.
const CHOICES_MAX: usize = 256;

impl Decoder {
    /// Takes the next frame.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.finished || frame.data.is_empty() {
            return Ok(());
        }
        if frame.data == b"[DONE]" {
            self.choices.iter_mut().try_for_each(|choice| choice.stop(None, events))?;
            return self.end(events);
        }
        let document = Document::parse(frame.data)
            .map_err(|fault| Fault::upstream(format!("The provider sent a chunk that is {fault}.")))?;
        self.chunk(document.root(), events)
    }

    /// Tools that the vendor ran so far, which it counts nowhere where nobody asks for usage.
    pub fn tools(&self) -> Metered {
        self.tools
    }

    /// The upstream has closed the stream.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.finished { Ok(()) } else { self.end(events) }
    }

    fn end(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.choices.is_empty() || self.choices.iter().any(|choice| !choice.is_stopped()) {
            return Err(Fault::upstream("The provider ended the stream before the answer was whole."));
        }
        self.finished = true;
        events.push(Event::Finish);
        Ok(())
    }

    fn chunk(&mut self, chunk: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if chunk.some("error").is_some() || fault::is_refused(chunk) {
            // What came before it is counted all the same (OpenRouter).
            let usage =
                usage::decode(chunk).filter(|_| self.started).map(|usage| usage.with_tools(self.tools));
            events.extend(usage.map(Event::Usage));
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
            self.tools = usage::merged(self.tools, usage::choice_tools(choice));
            self.choice(choice)?.take(choice, events)?;
        }
        let waiting = self.choices.iter().map(Choice::waiting_bytes).sum::<usize>();
        if waiting > WAITING_BYTES_MAX {
            return Err(Fault::upstream(
                "The provider began too much before it ended what it had begun first.",
            ));
        }
        if self.started {
            facts(chunk, self.tools, events);
        } else {
            facts(chunk, self.tools, &mut self.early);
            self.early.truncate(EARLY_EVENTS_MAX);
        }
        Ok(())
    }

    fn choice(&mut self, choice: Node<'_>) -> Result<&mut Choice, Fault> {
        let index = choice.u64("index").and_then(|index| u32::try_from(index).ok()).unwrap_or_default();
        let at = match self.choices.iter().position(|known| known.index() == index) {
            Some(at) => at,
            None if self.choices.len() == CHOICES_MAX => {
                return Err(Fault::upstream(format!("The provider sent more than {CHOICES_MAX} choices.")));
            }
            None => {
                self.choices.push(Choice::new(index));
                self.choices.len() - 1
            }
        };
        Ok(&mut self.choices[at])
    }
}

/// Usage, tier, fingerprint and vendor fields, which may stand in any chunk.
fn facts(chunk: Node<'_>, tools: Metered, events: &mut Vec<Event>) {
    if let Some(usage) = usage::decode(chunk) {
        events.push(Event::Usage(usage.with_tools(tools)));
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

#[cfg(test)]
mod tests;
