//! Watching a stream pass: where its events, or the elements of its array, end, and whether the answer was whole.

use std::sync::LazyLock;

use memchr::{memchr2, memmem::Finder};

use super::observer::Observer;
use crate::Fault;
use crate::frame::{Elements, FRAME_BYTES_MAX, Grammar, too_large};
use crate::json::Document;
use crate::observe::Observed;

/// Watches one stream.
///
/// ```
/// use ostia_dialect::frame::Grammar;
/// use ostia_dialect::observe::Watch;
/// let mut watch = Watch::new(Grammar::OpenaiChat);
/// let bytes = b"data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DO";
/// // Only whole events are passed on: the rest is given again, with what follows it.
/// assert_eq!(watch.scan(bytes).unwrap(), 46);
/// assert!(watch.ending(b"data: [DO").is_ok());
/// ```
#[derive(Debug)]
pub struct Watch {
    grammar: Grammar,
    /// Where, in the unfinished event, the first unfinished line begins.
    line: usize,
    /// How far the unfinished event has been searched for the end of that line.
    searched: usize,
    data_seen: bool,
    choices_seen: bool,
    finish_seen: bool,
    end_seen: bool,
    error_seen: bool,
    /// The data of the unfinished event: is it a JSON object, and is it closed so far?
    object: bool,
    closed: bool,
    /// An event held a part of a JSON object only.
    malformed: bool,
    /// Where the elements are, if the stream is one JSON array.
    array: Option<Elements>,
    observer: Observer,
}

/// How a whole stream has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// What stands behind the last whole event is an event too, and has to be passed on.
    pub rest_counts: bool,
    /// [`DONE`] has to be added.
    pub add_done: bool,
}

/// What is added to a whole stream that did not say its end.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

impl Watch {
    /// Watches a stream of events of this grammar.
    pub fn new(grammar: Grammar) -> Watch {
        Watch {
            grammar,
            line: 0,
            searched: 0,
            data_seen: false,
            choices_seen: false,
            finish_seen: false,
            end_seen: false,
            error_seen: false,
            object: false,
            closed: false,
            malformed: false,
            array: None,
            observer: Observer::new(grammar),
        }
    }

    /// Watches a stream that is one JSON array, whose elements are what the data of events is in this grammar. Everything
    /// that is said of events holds for its elements.
    pub fn of_array(grammar: Grammar) -> Watch {
        let array = Some(Elements::default());
        Watch { array, observer: Observer::of_array(grammar), ..Watch::new(grammar) }
    }

    /// Is the stream one JSON array?
    pub fn is_array(&self) -> bool {
        self.array.is_some()
    }

    /// Looks at `window`: everything behind the events already passed on. Gives the length of the whole events in it;
    /// the rest has to be given again, together with what comes next. An event that is malformed passes as it came: the
    /// client's own software decides what it is worth.
    ///
    /// Fails when an event grows beyond [`FRAME_BYTES_MAX`], and where what should be an array is none.
    pub fn scan(&mut self, window: &[u8]) -> Result<usize, Fault> {
        match self.array {
            Some(elements) => self.scan_array(elements, window),
            None => self.scan_events(window),
        }
    }

    fn scan_events(&mut self, window: &[u8]) -> Result<usize, Fault> {
        let mut whole = 0;
        while let Some(length) = memchr2(b'\n', b'\r', &window[self.searched..]) {
            let end = self.searched + length;
            let next = match &window[end..] {
                [b'\r', b'\n', ..] => end + 2,
                // The LF that belongs to this CR may still come.
                [b'\r'] => break,
                _ => end + 1,
            };
            if end == self.line {
                let is_malformed = self.object && !self.closed;
                self.malformed |= is_malformed;
                let ends = self.finish_seen || self.end_seen;
                self.observer.event(&window[whole..next], ends, self.error_seen || is_malformed);
                (whole, self.object) = (next, false);
            } else if self.line == whole && window[self.line] == b':' {
                // A comment between two events need not wait for the next one: it may be a sign of life.
                self.observer.ping();
                whole = next;
            } else {
                self.data_line(&window[self.line..end]);
            }
            (self.line, self.searched) = (next, next);
        }
        if window.len() - whole > FRAME_BYTES_MAX {
            return Err(too_large());
        }
        let unended = usize::from(window.last() == Some(&b'\r'));
        self.searched = self.searched.max(window.len() - unended) - whole;
        self.line -= whole;
        Ok(whole)
    }

    /// What stands behind the last whole element waits, the end of the array too: one more element may have to be put there,
    /// to tell an error.
    fn scan_array(&mut self, mut elements: Elements, window: &[u8]) -> Result<usize, Fault> {
        let mut whole = 0;
        while !elements.is_closed() {
            match elements.next(window) {
                Ok(Some(element)) => {
                    whole = element.end;
                    let data = &window[element];
                    self.data(data);
                    self.observer.event(data, self.finish_seen, self.error_seen);
                }
                Ok(None) => break,
                // It fails again when it is asked again. What the provider says behind its array, the client may judge.
                Err(_) if whole > 0 || elements.is_closed() => break,
                Err(fault) => return Err(fault),
            }
        }
        if window.len() - whole > FRAME_BYTES_MAX {
            return Err(too_large());
        }
        elements.forget(whole);
        self.array = Some(elements);
        Ok(whole)
    }

    fn data_line(&mut self, line: &[u8]) {
        let Some(data) = line.strip_prefix(b"data:") else { return };
        let data = data.strip_prefix(b" ").unwrap_or(data);
        self.data_seen |= !data.is_empty();
        self.object |= data.first() == Some(&b'{');
        self.closed = data.trim_ascii_end().last() == Some(&b'}');
        self.data(data);
    }

    fn data(&mut self, data: &[u8]) {
        match self.grammar {
            Grammar::OpenaiChat => self.chat(data),
            Grammar::OpenaiCompletions => {
                self.choices_seen = self.choices_seen || CHOICES.find(data).is_some();
                self.chat(data);
            }
            Grammar::Unknown => {
                self.end_seen |= data == b"[DONE]";
                self.error(data);
            }
            Grammar::OpenaiResponses => self
                .typed(data, &["\"response.completed\"", "\"response.incomplete\"", "\"response.failed\""]),
            Grammar::AnthropicMessages => self.typed(data, &["\"message_stop\""]),
            Grammar::GeminiGenerate => {
                let said = |name: &Finder<'_>| {
                    name.find_iter(data).any(|at| value_is_word(&data[at + name.needle().len()..]))
                };
                self.finish_seen |= said(&FINISH_GOOGLE) || said(&BLOCKED);
                self.error(data);
            }
        }
    }

    fn chat(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.end_seen = true;
            return;
        }
        if !self.finish_seen {
            // Some servers send `""` in every event but the last (adolfousier/opencrabs#1499).
            self.finish_seen =
                FINISH.find_iter(data).any(|at| value_is_word(&data[at + FINISH_NAME.len()..]));
        }
        self.error(data);
    }

    /// Streams whose events name their type, somewhere in the event. The end is searched for in all of it: not every
    /// server writes the type first.
    fn typed(&mut self, data: &[u8], ends: &[&str]) {
        let ended = ends.iter().any(|end| memchr::memmem::find(data, end.as_bytes()).is_some());
        self.end_seen |= ended;
        self.finish_seen |= ended;
        // One way for a Response to end is to fail.
        self.error(data);
    }

    fn error(&mut self, data: &[u8]) {
        let told = |at: usize| {
            let value = &data[at + ERROR_NAME.len()..];
            value_starts_with(value, b'{') || value_is_word(value)
        };
        self.error_seen |= ERROR.find_iter(data).any(told);
    }

    /// What the end of the stream means, with `rest` behind the last whole event.
    ///
    /// An error that the upstream put into the stream has been passed on: nothing is added to it. Fails if the answer was
    /// not whole.
    pub fn ending(&mut self, rest: &[u8]) -> Result<Ending, Fault> {
        match self.array {
            Some(_) => self.ending_of_array(),
            None => self.ending_of_events(rest),
        }
    }

    /// Behind the last element stands at most the end of the array, which goes on as it came.
    fn ending_of_array(&mut self) -> Result<Ending, Fault> {
        if !self.ended() {
            return Err(broken_off());
        }
        self.observer.end(b"");
        Ok(Ending { rest_counts: true, add_done: false })
    }

    fn ending_of_events(&mut self, rest: &[u8]) -> Result<Ending, Fault> {
        let line = rest.get(self.line..).unwrap_or_default().trim_ascii_end();
        self.data_line(line);
        // Servers that forget the last blank line mean their last event all the same; half of an event means nothing.
        let data = line.strip_prefix(b"data:").unwrap_or_default().trim_ascii();
        let is_known = match self.grammar {
            Grammar::Unknown => false,
            Grammar::OpenaiCompletions => self.choices_seen,
            Grammar::OpenaiChat
            | Grammar::OpenaiResponses
            | Grammar::AnthropicMessages
            | Grammar::GeminiGenerate => true,
        };
        let rest_counts = !is_known || data == b"[DONE]" || data.is_empty() || Document::parse(data).is_ok();
        let add_done = match self.end_seen || self.error_seen || !is_known && self.data_seen {
            true => false,
            false if self.finish_seen => self.is_openai(),
            false => return Err(broken_off()),
        };
        self.observer.end(if rest_counts { rest } else { b"" });
        Ok(Ending { rest_counts, add_done })
    }

    fn is_openai(&self) -> bool {
        matches!(self.grammar, Grammar::OpenaiChat | Grammar::OpenaiCompletions)
    }

    /// What the stream has said so far.
    pub fn observed(&mut self) -> &Observed {
        self.observer.observed()
    }

    /// Has the upstream told an error?
    pub fn has_error(&self) -> bool {
        self.error_seen
    }

    /// Has an event passed that holds a part of a JSON object only?
    pub fn is_malformed(&self) -> bool {
        self.malformed
    }

    /// Has the stream said that it is whole? An array has when it is closed, and has told why the answer ended or failed.
    pub fn ended(&self) -> bool {
        match self.array {
            Some(elements) => elements.is_closed() && (self.finish_seen || self.error_seen),
            None => self.end_seen,
        }
    }
}

fn broken_off() -> Fault {
    Fault::upstream("The provider ended the stream before the answer was whole.")
}

const FINISH_NAME: &str = "\"finish_reason\"";
const ERROR_NAME: &str = "\"error\"";

// Inside a string a quote is escaped, so these cannot match in the words of an answer.
static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(FINISH_NAME));
static FINISH_GOOGLE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finishReason\""));
static BLOCKED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"blockReason\""));
static CHOICES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"choices\""));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ERROR_NAME));

/// Is `text` a colon and then a value that starts with this byte?
fn value_starts_with(text: &[u8], first: u8) -> bool {
    let rest = text.trim_ascii_start();
    rest.strip_prefix(b":").is_some_and(|rest| rest.trim_ascii_start().first() == Some(&first))
}

/// Is `text` a colon and then a text with something in it?
fn value_is_word(text: &[u8]) -> bool {
    let value = text.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    value.is_some_and(|value| value.starts_with(b"\"") && !value.starts_with(b"\"\""))
}

#[cfg(test)]
mod tests;
