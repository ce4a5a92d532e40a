//! Joins the rest of an answer, told by another upstream, to a beginning that has gone out to the client.
//!
//! The second upstream is given the words so far as the beginning of the assistant's turn, and goes on from there. Only
//! words can be gone on with: a call that is half said, or said, cannot.

use crate::chat::tokens::estimate;
use crate::{Block, Content, Delta, Event, Message, Request, Role, Usage};

/// Most words that are kept to be gone on with, in bytes. A longer answer is not continued.
const SAID_BYTES_MAX: usize = 1 << 20;

/// What has been said, and how the rest is fitted to it.
#[derive(Debug, Default)]
pub struct Continuation {
    said: String,
    /// Bytes of it that earlier streams said.
    said_before: usize,
    open: Open,
    /// Something was said that nobody else can go on with.
    is_final: bool,
    /// Thoughts of the continuation, which belong to nothing that the client sees.
    skips: bool,
    /// Characters of white space that the client has already and the upstream, which was not given them, may say again.
    overlap: usize,
    /// What earlier streams cost, where the one that is read now continues them.
    spent: Option<Usage>,
    /// What the stream that is read now costs, so far as it says.
    usage: Option<Usage>,
}

/// Makes a request one that asks for the rest: with the beginning as the assistant's turn.
pub fn ask_for_rest(request: &mut Request, beginning: &str) {
    request.messages.push(Message::text(Role::Assistant, beginning));
}

/// What stands open at the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Open {
    #[default]
    Nothing,
    Words,
    Other,
}

impl Continuation {
    /// The words so far, if somebody can go on with them. Without white space at the end: some vendors refuse it.
    pub fn beginning(&self) -> Option<&str> {
        let words = self.said.trim_end();
        let fits = !self.is_final && self.open != Open::Other && self.said.len() <= SAID_BYTES_MAX;
        (fits && !words.is_empty()).then_some(words)
    }

    /// From here on the events are those of a continuation.
    pub fn go_on(&mut self) {
        self.overlap = self.said.chars().rev().take_while(|c| c.is_whitespace()).count();
        let told = &self.said[self.said_before..];
        let lost = self.usage.take();
        let lost = lost.unwrap_or_else(|| Usage { completion: estimate(told), ..Usage::default() });
        self.spent = Some(sum(self.spent, &lost));
        (self.skips, self.said_before) = (false, self.said.len());
    }

    /// What the attempts before took, by their own count or by an estimate: it is added to what the one that goes on tells.
    pub fn spent(&self) -> Option<Usage> {
        self.spent
    }

    /// Takes note of events on their way to the client, and fits those of a continuation.
    pub fn pass(&mut self, events: &mut Vec<Event>) {
        if self.spent.is_none() {
            return events.iter_mut().for_each(|event| self.note(event));
        }
        for event in std::mem::take(events) {
            let from = events.len();
            self.fit(event, events);
            events[from..].iter_mut().for_each(|event| self.note(event));
        }
    }

    /// One event of a continuation.
    fn fit(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::Start { .. } => {}
            Event::BlockStart { block: Block { content: Content::Reasoning(_), .. }, .. } => {
                self.skips = true
            }
            Event::BlockEnd { .. } if self.skips => self.skips = false,
            Event::Delta { .. } if self.skips => {}
            Event::BlockStart { choice, block } => self.begin(choice, block, out),
            Event::Delta { choice, delta: Delta::Text(text) } => {
                let text = self.without_overlap(text);
                out.push(Event::Delta { choice, delta: Delta::Text(text) });
            }
            Event::Stop { choice, .. } if self.open == Open::Words => {
                // The continuation had nothing to add.
                out.extend([Event::BlockEnd { choice }, event]);
            }
            event => out.push(event),
        }
    }

    /// A block of a continuation: words go on in the block that is open, anything else ends it.
    fn begin(&mut self, choice: u32, mut block: Block, out: &mut Vec<Event>) {
        if let Content::Text { text, .. } = &mut block.content {
            *text = self.without_overlap(std::mem::take(text));
        }
        match block.content {
            Content::Text { text, citations } if self.open == Open::Words => {
                out.push(Event::Delta { choice, delta: Delta::Text(text) });
                let cited = citations.into_iter().map(Delta::Citation);
                out.extend(cited.map(|delta| Event::Delta { choice, delta }));
            }
            content => {
                if self.open == Open::Words {
                    out.push(Event::BlockEnd { choice });
                }
                out.push(Event::BlockStart { choice, block: Block { content, ..block } });
            }
        }
    }

    /// What is new in these words.
    fn without_overlap(&mut self, mut text: String) -> String {
        let again = text.chars().take(self.overlap).take_while(|c| c.is_whitespace());
        let (characters, bytes) = again.fold((0, 0), |(count, bytes), c| (count + 1, bytes + c.len_utf8()));
        // The first word ends it.
        self.overlap = if bytes == text.len() { self.overlap - characters } else { 0 };
        text.drain(..bytes);
        text
    }

    /// What the client now has.
    fn note(&mut self, event: &mut Event) {
        match event {
            Event::BlockStart { choice, block } => {
                self.open = match &block.content {
                    Content::Text { text, .. } => {
                        self.say(text);
                        Open::Words
                    }
                    Content::Reasoning(_) => Open::Other,
                    _ => {
                        self.is_final = true;
                        Open::Other
                    }
                };
                self.is_final |= *choice != 0;
            }
            Event::Delta { delta: Delta::Text(text), .. } if self.open == Open::Words => self.say(text),
            Event::BlockEnd { .. } => self.open = Open::Nothing,
            Event::Stop { .. } => self.is_final = true,
            Event::Usage(usage) => {
                self.usage = Some(*usage);
                *usage = sum(self.spent, usage);
            }
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        if self.said.len() <= SAID_BYTES_MAX {
            self.said.push_str(text);
        }
    }
}

fn sum(spent: Option<Usage>, more: &Usage) -> Usage {
    spent.map_or(*more, |spent| spent.plus(more))
}

#[cfg(test)]
mod tests;
