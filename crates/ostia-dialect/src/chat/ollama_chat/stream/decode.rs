//! The vendor's stream to canonical events (<https://docs.ollama.com/api/streaming>).
//!
//! Each line is an answer that holds what is new. Words and thoughts come in pieces, calls whole. The stream is whole at
//! the line that says `done`; a line with an `error` may come at any time.

#[cfg(test)]
mod tests;

use crate::chat::ollama_chat::{error, response, usage};
use crate::chat::time;
use crate::frame::Frame;
use crate::json::{Document, Node, SurrogateJoiner};
use crate::{Block, Content, Delta, Event, Fault};

/// Reads a stream, line by line.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    whole: bool,
    open: Option<Open>,
    halves: SurrogateJoiner,
}

/// The block that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
}

impl Decoder {
    /// Takes the next line.
    ///
    /// Fails with the vendor's message where it is an error, and with 502 where it is no JSON.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.whole || frame.data.is_empty() {
            return Ok(());
        }
        let document = Document::parse(frame.data)
            .map_err(|fault| Fault::upstream(format!("The provider sent a line that is {fault}.")))?;
        let line = document.root();
        let message = line.some("message").filter(Node::is_object);
        let is_done = line.get("done").and_then(|done| done.as_bool()) == Some(true);
        if line.some("error").is_some() || message.is_none() && !is_done {
            return Err(error::decode(line));
        }
        self.start(line, events);
        if let Some(message) = message {
            self.say(Open::Thinking, message.some("thinking"), events);
            self.say(Open::Text, message.some("content"), events);
            self.calls(message, events);
        }
        if let Some(value) = response::logprobs(line) {
            events.push(Event::Logprobs { choice: 0, value });
        }
        if is_done {
            self.end(line, events);
        }
        Ok(())
    }

    /// The upstream has closed the stream.
    ///
    /// Fails with 502 where it did so before the last line.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.whole {
            true => Ok(()),
            false => Err(Fault::upstream("The provider broke off before the answer was whole.")),
        }
    }

    fn start(&mut self, line: Node<'_>, events: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let model = line.str("model").unwrap_or_default().into_owned();
        let created = line.str("created_at").and_then(|at| time::unix_seconds(&at));
        events.push(Event::Start { id: String::new(), model, created });
    }

    /// Words for a block of this kind, which is opened where it is not.
    fn say(&mut self, block: Open, text: Option<Node<'_>>, events: &mut Vec<Event>) {
        let Some(text) = text.filter(|text| text.is_string() && text.text() != "\"\"") else { return };
        if self.open != Some(block) {
            self.close(events);
            self.open = Some(block);
            let block = match block {
                Open::Text => Block::text(""),
                Open::Thinking => Block::new(Content::Reasoning(String::new())),
            };
            events.push(Event::BlockStart { choice: 0, block });
        }
        if let Some(text) = self.halves.join(text).filter(|text| !text.is_empty()) {
            events.push(Event::Delta { choice: 0, delta: Delta::Text(text.into_owned()) });
        }
    }

    fn calls(&mut self, message: Node<'_>, events: &mut Vec<Event>) {
        let calls = message.some("tool_calls");
        for call in calls.iter().flat_map(|calls| calls.items()) {
            self.close(events);
            events.push(Event::BlockStart { choice: 0, block: response::call(call) });
            events.push(Event::BlockEnd { choice: 0 });
        }
    }

    fn end(&mut self, line: Node<'_>, events: &mut Vec<Event>) {
        self.close(events);
        let rest = response::rest(line);
        events.extend(rest.map(|(name, value)| Event::Extra { choice: None, name, value }));
        let native = line.str("done_reason").map(|word| word.into_owned());
        let finish = response::finish(native.as_deref());
        events.push(Event::Stop { choice: 0, finish, native, stop_sequence: None });
        events.extend(usage::decode(line).map(Event::Usage));
        events.push(Event::Finish);
        self.whole = true;
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        if self.open.take().is_none() {
            return;
        }
        if let Some(half) = self.halves.end() {
            events.push(Event::Delta { choice: 0, delta: Delta::Text(half.to_owned()) });
        }
        events.push(Event::BlockEnd { choice: 0 });
    }
}
