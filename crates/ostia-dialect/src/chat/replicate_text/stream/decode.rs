//! The vendor's stream to canonical events (<https://replicate.com/docs/topics/predictions/streaming>).
//!
//! Words come as events `output`, whose data are plain text. The stream is whole at the event `done`, which says a reason where it
//! ended otherwise than by an answer; an event `error` may come before. Tokens are not told.

#[cfg(test)]
mod tests;

use crate::chat::replicate_text::error;
use crate::frame::Frame;
use crate::json::Document;
use crate::{Block, Delta, Event, Fault, Finish};

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    speaks: bool,
    whole: bool,
}

impl Decoder {
    /// Takes the next event.
    ///
    /// Fails with the vendor's message where it is an error, and with 502 for words that are no UTF-8.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.whole {
            return Ok(());
        }
        match frame.event {
            "output" => self.say(frame.data, events),
            "error" => Err(error::of_event(frame.data)),
            "done" => self.end(frame.data, events),
            // `logs`, and what comes next.
            _ => Ok(()),
        }
    }

    /// The upstream has closed the stream.
    ///
    /// Fails with 502 where it did so before the event that ends it.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.whole {
            true => Ok(()),
            false => Err(Fault::upstream("The provider broke off before the answer was whole.")),
        }
    }

    fn start(&mut self, events: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            events.push(Event::Start { id: String::new(), model: String::new(), created: None });
        }
    }

    fn say(&mut self, words: &[u8], events: &mut Vec<Event>) -> Result<(), Fault> {
        let words = std::str::from_utf8(words)
            .map_err(|_| Fault::upstream("The provider sent an event that is no UTF-8."))?;
        self.start(events);
        if words.is_empty() {
            return Ok(());
        }
        if !self.speaks {
            self.speaks = true;
            events.push(Event::BlockStart { choice: 0, block: Block::text("") });
        }
        events.push(Event::Delta { choice: 0, delta: Delta::Text(words.to_owned()) });
        Ok(())
    }

    fn end(&mut self, data: &[u8], events: &mut Vec<Event>) -> Result<(), Fault> {
        let document = Document::parse(data);
        let reason = document.as_ref().ok().and_then(|document| document.root().str("reason"));
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            return Err(error::ended(&reason));
        }
        self.start(events);
        if self.speaks {
            events.push(Event::BlockEnd { choice: 0 });
        }
        events.push(Event::Stop { choice: 0, finish: Finish::Stop, native: None, stop_sequence: None });
        events.push(Event::Finish);
        self.whole = true;
        Ok(())
    }
}
