//! The vendor's stream to canonical events (<https://docs.cohere.com/v2/docs/streaming>).
//!
//! The vendor names the start and the end of every part itself, with its index, so parts may alternate: what is said of
//! one that begins before the one before it has ended waits for that. A part is nonetheless held open until the next one
//! begins, because citations of a text may follow its `content-end`. The stream is whole at `message-end`; the
//! `[DONE]` behind it says nothing more.

#[cfg(test)]
mod tests;

use crate::chat::block_queue::BlockQueue;
use crate::chat::cohere_chat::response::{citation, ending};
use crate::chat::cohere_chat::{error, response, usage};
use crate::chat::response::characters;
use crate::frame::Frame;
use crate::json::{Document, Json, Node, SurrogateJoiner};
use crate::{Block, Content, Delta, Event, Fault};

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    whole: bool,
    queue: BlockQueue<Place, (Saying, Box<str>)>,
    open: Option<Open>,
    /// The vendor has said that the part whose turn it is has ended.
    is_ended: bool,
    halves: SurrogateJoiner,
    /// Characters of the texts before the open block, and of all texts so far: citations count from their own text.
    text_start: u64,
    text_end: u64,
    /// Citations that no text can hold.
    loose: Vec<Json>,
}

/// What tells a part from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Plan,
    Content(u64),
    Call(u64),
}

/// What an event says of its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    ContentStart,
    Content,
    Plan,
    CallStart,
    Call,
    Citation,
    ContentEnd,
    CallEnd,
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
        let is_bare = kind.is_empty() && event.some("message").or(event.some("error")).is_some();
        if kind == "error" || is_bare {
            return Err(error::decode(event));
        }
        self.start(event, events);
        // `debug`, and what the vendor may add, says nothing.
        if let Some(saying) = Saying::of(&kind) {
            self.part(saying, event, events)?;
        }
        if let Some(item) = event.some("logprobs") {
            events.push(Event::Logprobs { choice: 0, value: ending::logprobs(std::iter::once(item)) });
        }
        if kind == "message-end" { self.end(event, events) } else { Ok(()) }
    }

    /// The upstream has closed the stream.
    ///
    /// Fails with 502 where it did so before `message-end`.
    pub fn finish(&self) -> Result<(), Fault> {
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

    /// Says what this event says of its part, or lets it wait.
    fn part(&mut self, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let place = saying.place(event, self.queue.open());
        let Some(place) = place else { return self.say(saying, event, events) };
        if self.queue.open() != Some(place) {
            if self.queue.waits(place) || saying.begins() && !self.is_over() {
                return self.queue.wait(place, (saying, event.text().into()), event.text().len());
            }
            if saying.begins() {
                self.begin(place);
            }
        } else if matches!(saying, Saying::ContentStart | Saying::CallStart) {
            self.begin(place);
        }
        self.say(saying, event, events)?;
        self.release(false, events)
    }

    /// Lets the waiting parts speak, up to the first that has not ended; at the end of the answer all of them.
    fn release(&mut self, is_last: bool, events: &mut Vec<Event>) -> Result<(), Fault> {
        while self.queue.is_awaited() && (is_last || self.is_over()) {
            self.close(events);
            self.queue.end();
            let Some((place, waited)) = self.queue.next() else { break };
            self.begin(place);
            for (saying, text) in waited {
                let document = Document::parse(text.as_bytes()).map_err(|fault| {
                    Fault::upstream(format!("The provider sent an event that is {fault}."))
                })?;
                self.say(saying, document.root(), events)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, place: Place) {
        self.queue.begin(place);
        self.is_ended = false;
    }

    /// May the part whose turn it is end, if another begins? A plan's end is not told.
    fn is_over(&self) -> bool {
        self.is_ended || matches!(self.queue.open(), Some(Place::Plan) | None)
    }

    fn say(&mut self, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let index = event.u64("index").unwrap_or(0);
        let message = event.some("delta").and_then(|delta| delta.some("message"));
        match (saying, message) {
            (Saying::ContentStart, Some(message)) => self.content_start(index, message, events),
            (Saying::Content, Some(message)) => self.content_delta(index, message, events),
            (Saying::Plan, Some(message)) => self.plan(message, events),
            (Saying::CallStart, Some(message)) => self.call_start(index, message, events),
            (Saying::Call, Some(message)) => return self.call_delta(index, message, events),
            (Saying::Citation, Some(message)) => self.citations(message, events),
            (Saying::ContentEnd | Saying::CallEnd, _) => {
                self.is_ended |= self.queue.open() == saying.place(event, None);
            }
            (_, None) => {}
        }
        Ok(())
    }

    fn content_start(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) {
        let Some(content) = message.some("content") else { return };
        match content.str("type").as_deref() {
            Some("text") | None => self.text(Open::Text(index), content.get("text"), events),
            Some("thinking") => self.text(Open::Thinking(index), content.get("thinking"), events),
            Some(_) => self.open(Open::Foreign, response::foreign(content), events),
        }
    }

    fn content_delta(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) {
        let Some(content) = message.some("content") else { return };
        if let Some(thought) = content.some("thinking") {
            self.text(Open::Thinking(index), Some(thought), events);
        }
        if let Some(text) = content.some("text") {
            self.text(Open::Text(index), Some(text), events);
        }
    }

    fn plan(&mut self, message: Node<'_>, events: &mut Vec<Event>) {
        let plan = message.some("tool_plan").filter(|plan| plan.is_string() && plan.text() != "\"\"");
        if let Some(plan) = plan {
            self.text(Open::Plan, Some(plan), events);
        }
    }

    /// Words for this block, which is opened where it is not.
    fn text(&mut self, block: Open, text: Option<Node<'_>>, events: &mut Vec<Event>) {
        if self.open != Some(block) {
            let empty = match block {
                Open::Thinking(_) => Block::new(Content::Reasoning(String::new())),
                Open::Plan | Open::Text(_) | Open::Call(_) | Open::Foreign => Block::text(""),
            };
            self.open(block, empty, events);
        }
        let text = text.and_then(|text| self.halves.join(text)).filter(|text| !text.is_empty());
        let Some(text) = text else { return };
        if !matches!(block, Open::Thinking(_)) {
            self.text_end += characters(&text);
        }
        events.push(Event::Delta { choice: 0, delta: Delta::Text(text.into_owned()) });
    }

    fn call_start(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) {
        if let Some(call) = call_in(message) {
            self.open(Open::Call(index), response::call(call), events);
        }
    }

    fn call_delta(&mut self, index: u64, message: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.open != Some(Open::Call(index)) {
            return Err(Fault::upstream("The provider sent arguments for a call that it had not begun."));
        }
        let function = call_in(message).and_then(|call| call.some("function"));
        let arguments = function.and_then(|function| function.some("arguments"));
        let arguments = arguments.and_then(|arguments| self.halves.join(arguments));
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
            let found = citation::decode(citation, self.text_start).into_iter();
            events.extend(found.map(|one| Event::Delta { choice: 0, delta: Delta::Citation(one) }));
        }
    }

    fn end(&mut self, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let delta = event.some("delta");
        if let Some(delta) = delta
            && delta.some("error").is_some()
        {
            return Err(error::decode(delta));
        }
        let native = delta.and_then(|delta| delta.str("finish_reason")).map(|word| word.into_owned());
        let finish = ending::finish(native.as_deref())?;
        self.release(true, events)?;
        self.close(events);
        let usage = delta.and_then(|delta| delta.some("usage"));
        if let Some((name, value)) = citation::loose(&self.loose) {
            events.push(Event::Extra { choice: Some(0), name, value });
        }
        if let Some((name, value)) = usage.and_then(usage::billed_units) {
            events.push(Event::Extra { choice: None, name, value });
        }
        events.push(Event::Stop { choice: 0, finish, native, stop_sequence: None });
        events.extend(usage.and_then(usage::decode).map(Event::Usage));
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
        let Some(open) = self.open.take() else { return };
        if let Some(half) = self.halves.end().map(str::to_owned) {
            let is_call = matches!(open, Open::Call(_));
            self.text_end += u64::from(!is_call && !matches!(open, Open::Thinking(_)));
            let delta = if is_call { Delta::Arguments(half) } else { Delta::Text(half) };
            events.push(Event::Delta { choice: 0, delta });
        }
        events.push(Event::BlockEnd { choice: 0 });
        self.text_start = self.text_end;
    }
}

impl Saying {
    /// What an event of this kind says of a part, if it does.
    fn of(kind: &str) -> Option<Saying> {
        Some(match kind {
            "content-start" => Saying::ContentStart,
            "content-delta" => Saying::Content,
            "tool-plan-delta" => Saying::Plan,
            "tool-call-start" => Saying::CallStart,
            "tool-call-delta" => Saying::Call,
            "citation-start" => Saying::Citation,
            "content-end" => Saying::ContentEnd,
            "tool-call-end" => Saying::CallEnd,
            _ => return None,
        })
    }

    /// The part that the event is about, while `open` is open; `None` where it is about no part that can wait.
    fn place(self, event: Node<'_>, open: Option<Place>) -> Option<Place> {
        let index = event.u64("index").unwrap_or(0);
        match self {
            Saying::ContentStart | Saying::Content | Saying::ContentEnd => Some(Place::Content(index)),
            Saying::CallStart | Saying::Call | Saying::CallEnd => Some(Place::Call(index)),
            Saying::Plan => Some(Place::Plan),
            Saying::Citation => {
                let message = event.some("delta").and_then(|delta| delta.some("message"))?;
                let citation = one_or_many(message.some("citations")).next()?;
                match citation.str("type").as_deref() {
                    Some("PLAN") => Some(Place::Plan),
                    _ => citation.u64("content_index").map(Place::Content).or(open),
                }
            }
        }
    }

    /// May a part begin with this?
    fn begins(self) -> bool {
        match self {
            Saying::ContentStart | Saying::Content | Saying::Plan | Saying::CallStart => true,
            Saying::Call | Saying::Citation | Saying::ContentEnd | Saying::CallEnd => false,
        }
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
