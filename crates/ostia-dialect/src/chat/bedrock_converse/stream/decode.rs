//! The vendor's stream to canonical events
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>).
//!
//! The name of an event is its message's header. Every event of a block carries the block's index; texts and thoughts begin
//! with their first words, all others with an event of their own. Blocks that begin while another is told wait for it. What
//! only this dialect knows is put together and sent whole. `messageStop` ends the answer, and `metadata` behind it tells the
//! usage. Exceptions are faults already where the messages are cut.

mod open;
#[cfg(test)]
mod tests;

use open::Open;

use crate::chat::bedrock_converse::response::ending;
use crate::chat::bedrock_converse::usage;
use crate::chat::block_queue::BlockQueue;
use crate::frame::Frame;
use crate::json::{Document, Node};
use crate::{Event, Fault};

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    stopped: bool,
    finished: bool,
    /// The blocks by their indexes, with the events of those that wait.
    queue: BlockQueue<u64, (Saying, Box<str>)>,
    open: Option<Open>,
    /// Characters of the message's text so far.
    text_chars: u64,
}

/// What an event says of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    Begin,
    More,
    End,
}

impl Decoder {
    /// Takes the next frame.
    ///
    /// Fails with 502 on data that is not this dialect, and where the model's words could not be read.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let saying = match frame.event {
            "contentBlockStart" => Some(Saying::Begin),
            "contentBlockDelta" => Some(Saying::More),
            "contentBlockStop" => Some(Saying::End),
            "messageStart" | "messageStop" | "metadata" => None,
            // What the vendor may add later.
            _ => return Ok(()),
        };
        if self.finished {
            return Ok(());
        }
        let document = read(frame.data)?;
        let event = document.root();
        if !self.started {
            self.started = true;
            events.push(Event::Start { id: String::new(), model: String::new(), created: None });
        }
        match (saying, frame.event) {
            (Some(saying), _) => self.block_event(saying, event, events)?,
            (None, "messageStop") => self.message_stop(event, events)?,
            (None, "metadata") => self.metadata(event, events),
            (None, _) => {}
        }
        Ok(())
    }

    /// The upstream has closed the stream. Fails where it broke off before `messageStop`.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        if !self.stopped {
            return Err(Fault::upstream("The provider broke off before the answer was whole."));
        }
        if !self.finished {
            self.finished = true;
            events.push(Event::Finish);
        }
        Ok(())
    }

    /// Says what this event says of its block, or lets it wait.
    fn block_event(&mut self, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.stopped {
            return Err(Fault::upstream("The provider went on after the end of its answer."));
        }
        let index = event.u64("contentBlockIndex").unwrap_or(0);
        let open = self.queue.open();
        let has_turn = open == Some(index) || open.is_none() && saying != Saying::End;
        if !has_turn && (saying != Saying::End || self.queue.waits(index)) {
            return self.queue.wait(index, (saying, event.text().into()), event.text().len());
        }
        if has_turn {
            self.queue.begin(index);
            self.say(saying, event, events)?;
        }
        self.release(events)
    }

    /// Lets the waiting blocks speak, up to the first that has not ended.
    fn release(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        while let Some((index, waited)) = self.queue.next() {
            for (saying, text) in waited {
                // A block that is begun once more after its end is another one.
                self.queue.begin(index);
                self.say(saying, read(text.as_bytes())?.root(), events)?;
            }
        }
        Ok(())
    }

    fn say(&mut self, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        match saying {
            Saying::Begin => {
                self.close(events);
                self.queue.begin(event.u64("contentBlockIndex").unwrap_or(0));
                self.open = event.some("start").and_then(|start| Open::begun(start, events));
                Ok(())
            }
            Saying::More => {
                let Some(delta) = event.some("delta") else { return Ok(()) };
                Open::more(&mut self.open, delta, &mut self.text_chars, events)
            }
            Saying::End => {
                self.close(events);
                Ok(())
            }
        }
    }

    /// Tells what was held back of the open block, and ends it.
    fn close(&mut self, events: &mut Vec<Event>) {
        self.queue.end();
        if let Some(open) = self.open.take() {
            open.close(&mut self.text_chars, events);
        }
    }

    fn message_stop(&mut self, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.stopped {
            return Ok(());
        }
        let native = event.str("stopReason").map(|word| word.into_owned());
        let finish = ending::finish(native.as_deref())?;
        self.close(events);
        while self.queue.is_awaited() {
            self.release(events)?;
            self.close(events);
        }
        let extra = ending::own_fields(event);
        events.extend(extra.map(|(name, value)| Event::Extra { choice: None, name, value }));
        let stop_sequence = ending::stop_sequence(event);
        events.push(Event::Stop { choice: 0, finish, native, stop_sequence });
        self.stopped = true;
        Ok(())
    }

    fn metadata(&mut self, event: Node<'_>, events: &mut Vec<Event>) {
        let used = event.some("usage");
        let extra = ending::beside(event).chain(used.and_then(usage::cache_details));
        events.extend(extra.map(|(name, value)| Event::Extra { choice: None, name, value }));
        if let Some(tier) = ending::service_tier(event) {
            events.push(Event::Meta { service_tier: Some(tier), system_fingerprint: None });
        }
        events.extend(used.map(|used| Event::Usage(usage::decode(used))));
        if self.stopped {
            self.finished = true;
            events.push(Event::Finish);
        }
    }
}

fn read(text: &[u8]) -> Result<Document<'_>, Fault> {
    Document::parse(text)
        .map_err(|fault| Fault::upstream(format!("An event of the provider's stream is {fault}.")))
}
