//! What a relayed stream says, read from the few of its events that say something that counts.
//!
//! Until the first token every event is decoded. Behind it most events hold only more words, and are recognised at a look;
//! the dialect's decoder gets the others, so that it tells of them what it would tell of the whole stream.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::hosted;
use super::observed::{self, Observed, USAGE, USAGE_GOOGLE};
use crate::frame::sse::Framer;
use crate::frame::{Frame, Grammar, is_ping};
use crate::json::Document;
use crate::{Content, Decoder, Dialect, Event, Fault, fault};

/// Largest event that is kept for the tokens that it counts, in bytes. Larger ones are read at once.
const KEPT_BYTES_MAX: usize = 4 << 10;

/// Watches what one stream says.
#[derive(Debug)]
pub(super) struct Observer {
    /// Finds the data of an event; `None`: there are no events but elements of an array, which are data.
    framer: Option<Framer>,
    reader: Reader,
    /// The last event that counted tokens before there was an end. Some vendors count in every event, and only the last
    /// count holds (xAI, Perplexity, Google).
    kept: Vec<u8>,
    /// Bytes of the first event with words that are none of them: as many are in each of those behind it.
    around: Option<usize>,
    observed: Observed,
}

/// Understands the events that are looked into.
#[derive(Debug)]
struct Reader {
    grammar: Grammar,
    decoder: Option<Decoder>,
    events: Vec<Event>,
    /// There are calls. The reason to end depends on that, and not on how many there are.
    has_calls: bool,
}

/// What an event behind the first token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Pass,
    Keep,
    Read,
}

impl Observer {
    pub(super) fn new(grammar: Grammar) -> Observer {
        Observer {
            framer: Some(Framer::default()),
            reader: Reader::new(grammar),
            kept: Vec::new(),
            around: None,
            observed: Observed::default(),
        }
    }

    /// Of a stream that is one JSON array: what is said of events holds for its elements.
    pub(super) fn of_array(grammar: Grammar) -> Observer {
        Observer { framer: None, ..Observer::new(grammar) }
    }

    /// What has been said so far.
    pub(super) fn observed(&mut self) -> &Observed {
        self.read_kept();
        if let Some(decoder) = &self.reader.decoder {
            if let Some(usage) = decoder.usage().filter(|_| self.observed.finish.is_none()) {
                self.observed.count = Some(usage).into();
            }
            self.observed.note_tools(decoder.tools());
        }
        &self.observed
    }

    /// A comment has passed.
    pub(super) fn ping(&mut self) {
        self.observed.ping();
    }

    /// A whole event has passed; `ends`: the stream has told the end of a choice, or its own. `is_suspect`: it may be an
    /// error, or tell one.
    pub(super) fn event(&mut self, event: &[u8], ends: bool, is_suspect: bool) {
        if self.observed.fault.is_some() {
            return;
        }
        if !self.observed.first_token || is_suspect {
            return match event.trim_ascii().is_empty() {
                // What clients of Google's format get in place of a comment.
                true => self.ping(),
                false => self.read(event, true),
            };
        }
        match self.reader.look(event, ends) {
            Look::Pass => self.pass(event),
            Look::Keep if event.len() <= KEPT_BYTES_MAX => {
                let mut kept = std::mem::take(&mut self.kept);
                if !kept.is_empty() {
                    self.pass(&kept);
                }
                kept.clear();
                kept.extend_from_slice(event);
                self.kept = kept;
            }
            Look::Keep | Look::Read => {
                self.read_kept();
                self.read(event, false);
            }
        }
    }

    /// An event that only holds more words, which are counted without reading them.
    fn pass(&mut self, event: &[u8]) {
        let words = event.len().saturating_sub(self.around.unwrap_or(event.len()));
        self.observed.said_bytes = self.observed.said_bytes.saturating_add(words as u64);
    }

    /// The stream is over. `rest`: what stands behind its last whole event and is one too.
    pub(super) fn end(&mut self, rest: &[u8]) {
        self.read_kept();
        if self.observed.fault.is_some() {
            return;
        }
        let is_first = !self.observed.first_token;
        let rest = match &mut self.framer {
            Some(framer) => {
                framer.push(rest);
                framer.finish()
            }
            None => Ok(None),
        };
        let ended = rest.and_then(|rest| self.reader.finish(rest, &mut self.observed));
        self.observed.fault = ended.err().filter(|_| is_first);
    }

    fn read_kept(&mut self) {
        if !self.kept.is_empty() {
            let kept = std::mem::take(&mut self.kept);
            self.read(&kept, false);
            self.kept = kept;
            self.kept.clear();
        }
    }

    /// Reads an event. A fault counts where it is one of the stream, and not of what was passed over.
    fn read(&mut self, event: &[u8], fault_counts: bool) {
        let before = self.observed.said_bytes;
        self.decode(event, fault_counts);
        let words = self.observed.said_bytes - before;
        if self.around.is_none() && words > 0 {
            self.around = Some(event.len().saturating_sub(usize::try_from(words).unwrap_or(usize::MAX)));
        }
    }

    fn decode(&mut self, event: &[u8], fault_counts: bool) {
        let Some(framer) = &mut self.framer else {
            let element = Frame { event: "", data: event };
            let read = self.reader.frame(element, &mut self.observed);
            self.observed.fault = read.err().filter(|_| fault_counts);
            return;
        };
        framer.push(event);
        loop {
            let read = match framer.next() {
                Ok(Some(frame)) if is_ping(&frame) => {
                    self.observed.ping();
                    continue;
                }
                Ok(Some(frame)) => self.reader.frame(frame, &mut self.observed),
                Ok(None) => break,
                Err(fault) => Err(fault),
            };
            if let Err(fault) = read {
                self.observed.fault = Some(fault).filter(|_| fault_counts);
                break;
            }
        }
        if framer.take_ping() {
            self.observed.ping();
        }
    }
}

impl Reader {
    fn new(grammar: Grammar) -> Reader {
        let dialect = match grammar {
            // The chunks of both are alike but for the words.
            Grammar::OpenaiChat | Grammar::OpenaiCompletions => Some(Dialect::OpenaiChat),
            Grammar::OpenaiResponses => Some(Dialect::OpenaiResponses),
            Grammar::AnthropicMessages => Some(Dialect::AnthropicMessages),
            Grammar::GeminiGenerate => Some(Dialect::GeminiGenerate),
            Grammar::Unknown => None,
        };
        Reader { grammar, decoder: dialect.map(Decoder::new), events: Vec::new(), has_calls: false }
    }

    /// What an event behind the first token is good for.
    fn look(&self, event: &[u8], ends: bool) -> Look {
        let (calls, counts) = match self.grammar {
            // Every other event of these two is one of few, and most begin with their name.
            Grammar::OpenaiResponses => return passed(is_delta(event, b".delta", &DELTA)),
            Grammar::AnthropicMessages => {
                return passed(is_delta(event, b"content_block_delta", &BLOCK_DELTA));
            }
            Grammar::OpenaiChat | Grammar::OpenaiCompletions => (&CALL, &USAGE),
            Grammar::GeminiGenerate => (&CALL_GOOGLE, &USAGE_GOOGLE),
            Grammar::Unknown => (&CALL, &USAGE),
        };
        let is_call = || !self.has_calls && calls.find(event).is_some();
        if ends || is_call() || hosted::may_tell(self.grammar, event) {
            return Look::Read;
        }
        // OpenAI says `null` in every event but the last.
        let is_object = |at: usize| observed::is_object(&event[at + counts.needle().len()..]);
        if counts.find_iter(event).any(is_object) { Look::Keep } else { Look::Pass }
    }

    fn frame(&mut self, frame: Frame<'_>, observed: &mut Observed) -> Result<(), Fault> {
        let read = match &mut self.decoder {
            Some(decoder) => decoder.push(frame, &mut self.events),
            None => Ok(()),
        };
        self.note(observed);
        match self.grammar {
            Grammar::OpenaiCompletions | Grammar::Unknown => self.other(frame, observed),
            Grammar::OpenaiChat
            | Grammar::OpenaiResponses
            | Grammar::AnthropicMessages
            | Grammar::GeminiGenerate => read,
        }
    }

    /// An event of a stream that is no conversation: of many only the form is known.
    fn other(&self, frame: Frame<'_>, observed: &mut Observed) -> Result<(), Fault> {
        if frame.data == b"[DONE]" {
            observed.first_token = true;
            return Ok(());
        }
        let document = Document::parse_to(frame.data, 3)
            .map_err(|fault| Fault::upstream(format!("The provider sent an event that is {fault}.")))?;
        let root = document.root();
        let is_answer = match self.grammar {
            Grammar::OpenaiCompletions => {
                root.some("choices").is_some_and(|choices| choices.items().next().is_some())
            }
            // An error is an event by its own name too (`error`, OpenAI).
            _ => root.is_object() && !root.some("error").is_some_and(|error| error.is_object()),
        };
        if !is_answer && let Some(fault) = fault::in_success(frame.data) {
            return Err(fault);
        }
        observed.first_token |= is_answer;
        if let Some(usage) = root.some("usage").and_then(|counts| observed::usage(self.grammar, counts)) {
            observed.count = Some(usage).into();
        }
        Ok(())
    }

    fn finish(&mut self, rest: Option<Frame<'_>>, observed: &mut Observed) -> Result<(), Fault> {
        rest.map_or(Ok(()), |frame| self.frame(frame, observed))?;
        let ended = match &mut self.decoder {
            Some(decoder) => decoder.finish(&mut self.events),
            None => Ok(()),
        };
        self.note(observed);
        if self.grammar == Grammar::OpenaiCompletions { Ok(()) } else { ended }
    }

    fn note(&mut self, observed: &mut Observed) {
        for event in self.events.drain(..) {
            observed.event(&event, true);
            if let Event::BlockStart { block, .. } = &event {
                self.has_calls |= matches!(block.content, Content::ToolCall { .. });
            }
        }
    }
}

fn passed(is_delta: bool) -> Look {
    if is_delta { Look::Pass } else { Look::Read }
}

/// Does an event only add words? Its name ends so. Where it does not begin with its name, that is the value of a field.
fn is_delta(event: &[u8], name: &[u8], quoted: &Finder<'_>) -> bool {
    match event.strip_prefix(b"event:") {
        Some(line) => {
            let end = memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
            line[..end].trim_ascii_end().ends_with(name)
        }
        None => quoted.find(event).is_some(),
    }
}

// Inside a text a quote is escaped, so these cannot match in the words of an answer.
static DELTA: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(".delta\""));
static BLOCK_DELTA: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"content_block_delta\""));
/// Of `"tool_calls": [{`, and of the older `"function_call": {`. A text that has it is read in vain.
static CALL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("_call"));
static CALL_GOOGLE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"functionCall\""));

#[cfg(test)]
mod tests;
