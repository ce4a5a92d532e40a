//! The vendor's stream to canonical events (<https://docs.cohere.com/v2/docs/streaming>).
//!
//! The vendor names the start and the end of every part itself. A part is nonetheless held open until the next one
//! begins, because citations of a text may follow its `content-end`. The stream is whole at `message-end`; the
//! `[DONE]` behind it says nothing more.

#[cfg(test)]
mod tests;

use super::{response, wire};
use crate::frame::sse::Frame;
use crate::json::{Document, Json, Node};
use crate::response::characters;
use crate::{Block, Content, Delta, Event, Fault};

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    whole: bool,
    open: Option<Open>,
    /// Characters of the texts before the open block, and of all texts so far: citations count from their own text.
    text_start: u64,
    text_end: u64,
    has_calls: bool,
    /// Citations that no text can hold.
    loose: Vec<Json>,
}

/// The block that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Plan,
    Text(u64),
    Thinking(u64),
    Call(u64),
    Foreign,
}

impl Decoder {
    /// Takes the next frame.
    ///
    /// Fails with the vendor's message where the frame is an error or the answer ended with one, and with 502 where it is
    /// no JSON or breaks the order of events.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.whole || frame.data.is_empty() || frame.data == b"[DONE]" {
            return Ok(());
        }
        let document = Document::parse(frame.data)
            .map_err(|fault| Fault::upstream(format!("The provider sent an event that is {fault}.")))?;
        let event = document.root();
        let kind = event.str("type").unwrap_or_else(|| frame.event.into());
        let message = event.some("delta").and_then(|delta| delta.some("message"));
        let index = event.u64("index").unwrap_or(0);
        let is_bare = kind.is_empty() && event.some("message").or(event.some("error")).is_some();
        if kind == "error" || is_bare {
            return Err(wire::fault(event));
        }
        self.start(event, events);
        match (&*kind, message) {
            ("content-start", Some(message)) => self.content_start(index, message, events),
            ("content-delta", Some(message)) => self.content_delta(index, message, events),
            ("tool-plan-delta", Some(message)) => self.plan(message, events),
            ("tool-call-start", Some(message)) => self.call_start(index, message, events),
            ("tool-call-delta", Some(message)) => self.call_delta(index, message, events)?,
            ("citation-start", Some(message)) => self.citations(message, events),
            // The ends of parts, `debug`, and what the vendor may add.
            _ => {}
        }
        if let Some(item) = event.some("logprobs") {
            events.push(Event::Logprobs { choice: 0, value: wire::logprobs(std::iter::once(item)) });
        }
        if kind == "message-end" { self.end(event, events) } else { Ok(()) }
    }

    /// The upstream has closed the stream.
    ///
    /// Fails with 502 where it did so before `message-end`.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let _ = events;
        if self.whole {
            return Ok(());
        }
        Err(Fault::upstream("The provider broke off before the answer was whole."))
    }

    /// The first event starts the answer, whatever it is; `message-start` brings the id.
    fn start(&mut self, event: Node<'_>, events: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let id = event.str("id").unwrap_or_default().into_owned();
        events.push(Event::Start { id, model: String::new(), created: None });
    }

    fn content_start(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) {
        let Some(content) = message.some("content") else { return };
        match content.str("type").as_deref() {
            Some("text") | None => self.text(Open::Text(index), content.str("text").as_deref(), events),
            Some("thinking") => {
                self.text(Open::Thinking(index), content.str("thinking").as_deref(), events);
            }
            Some(_) => self.open(Open::Foreign, response::foreign(content), events),
        }
    }

    fn content_delta(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) {
        let Some(content) = message.some("content") else { return };
        if let Some(thought) = content.str("thinking") {
            self.text(Open::Thinking(index), Some(&thought), events);
        }
        if let Some(text) = content.str("text") {
            self.text(Open::Text(index), Some(&text), events);
        }
    }

    fn plan(&mut self, message: Node<'_>, events: &mut Vec<Event>) {
        let plan = message.str("tool_plan").filter(|plan| !plan.is_empty());
        if let Some(plan) = plan {
            self.text(Open::Plan, Some(&plan), events);
        }
    }

    /// Words for this block, which is opened where it is not.
    fn text(&mut self, block: Open, text: Option<&str>, events: &mut Vec<Event>) {
        if self.open != Some(block) {
            let empty = match block {
                Open::Thinking(_) => Block::new(Content::Reasoning(String::new())),
                Open::Plan | Open::Text(_) | Open::Call(_) | Open::Foreign => Block::text(""),
            };
            self.open(block, empty, events);
        }
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        if !matches!(block, Open::Thinking(_)) {
            self.text_end += characters(text);
        }
        events.push(Event::Delta { choice: 0, delta: Delta::Text(text.to_owned()) });
    }

    fn call_start(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) {
        if let Some(call) = call_in(message) {
            self.has_calls = true;
            self.open(Open::Call(index), response::call(call), events);
        }
    }

    fn call_delta(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.open != Some(Open::Call(index)) {
            return Err(Fault::upstream("The provider sent arguments for a call that it had not begun."));
        }
        let function = call_in(message).and_then(|call| call.some("function"));
        let arguments = function.and_then(|function| function.str("arguments"));
        if let Some(more) = arguments.filter(|more| !more.is_empty()) {
            events.push(Event::Delta { choice: 0, delta: Delta::Arguments(more.into_owned()) });
        }
        Ok(())
    }

    /// Hangs citations on the open text if they quote in it.
    fn citations(&mut self, message: Node<'_>, events: &mut Vec<Event>) {
        for citation in one_or_many(message.some("citations")) {
            let is_here = match (citation.str("type").as_deref(), self.open) {
                (Some("PLAN"), open) => open == Some(Open::Plan),
                (Some("TEXT_CONTENT") | None, Some(Open::Text(open))) => {
                    citation.u64("content_index").is_none_or(|index| index == open)
                }
                _ => false,
            };
            if !is_here {
                self.loose.push(Json::of(citation));
                continue;
            }
            let found = wire::citations(citation, self.text_start).into_iter();
            events.extend(found.map(|one| Event::Delta { choice: 0, delta: Delta::Citation(one) }));
        }
    }

    fn end(&mut self, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let delta = event.some("delta");
        if let Some(delta) = delta
            && delta.some("error").is_some()
        {
            return Err(wire::fault(delta));
        }
        let native = delta.and_then(|delta| delta.str("finish_reason")).map(|word| word.into_owned());
        let finish = wire::finish(native.as_deref(), self.has_calls)?;
        self.close(events);
        let usage = delta.and_then(|delta| delta.some("usage"));
        if let Some((name, value)) = wire::loose_citations(&self.loose) {
            events.push(Event::Extra { choice: Some(0), name, value });
        }
        if let Some((name, value)) = usage.and_then(wire::billed_units) {
            events.push(Event::Extra { choice: None, name, value });
        }
        events.push(Event::Stop { choice: 0, finish, native, stop_sequence: None });
        events.extend(usage.and_then(wire::usage).map(Event::Usage));
        events.push(Event::Finish);
        self.whole = true;
        Ok(())
    }

    fn open(&mut self, open: Open, block: Block, events: &mut Vec<Event>) {
        self.close(events);
        self.open = Some(open);
        events.push(Event::BlockStart { choice: 0, block });
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        if self.open.take().is_some() {
            events.push(Event::BlockEnd { choice: 0 });
        }
        self.text_start = self.text_end;
    }
}

/// The call of an event: the vendor sends one, under a name that says many.
fn call_in(message: Node<'_>) -> Option<Node<'_>> {
    one_or_many(message.some("tool_calls")).next()
}

/// The object that stands here, or the elements of the list that does.
fn one_or_many<'d>(node: Option<Node<'d>>) -> impl Iterator<Item = Node<'d>> {
    let one = node.filter(Node::is_object);
    one.into_iter().chain(node.into_iter().flat_map(|list| list.items()))
}
