//! Is the answer right? And when was each of its chunks sent?
//!
//! The mock writes a mark into the text of every chunk, `@INDEX:NANOSECONDS@`, and figures that occur
//! nowhere else into the usage. A gateway may reword everything around them (it translates), but text
//! and usage have to come through whole and in order.

use memchr::memchr;
use memchr::memmem::{Finder, FinderRev};

use crate::workloads::{Client, Expected};

/// Ends the text of every unary answer of the mock.
pub const TEXT_END: &str = "and that is the whole of the answer";
/// Prompt tokens in the usage of every answer.
pub const PROMPT_TOKENS: u64 = 40_571;
/// Completion tokens in the usage of every chat answer.
pub const COMPLETION_TOKENS: u64 = 60_643;
/// The last number of the mock's embedding.
pub const EMBEDDING_END: &str = "-0.040712345";
/// One line of a stream may not be longer than this.
const LINE_BYTES_MAX: usize = 1 << 16;

/// Takes the body of one answer in any pieces.
#[derive(Debug)]
pub struct Answer {
    expected: Expected,
    wanted: Wanted,
    /// The whole body, or of a stream the line that is not yet ended.
    held: Vec<u8>,
    seen: Seen,
}

/// What has been seen of a stream.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    chunks: u32,
    out_of_order: bool,
    prompt_tokens: bool,
    completion_tokens: bool,
    ended: bool,
}

/// Searches made ready. Those for what stands at the end of an answer go from there, and so read little of a long body.
#[derive(Debug)]
struct Wanted {
    text: FinderRev<'static>,
    /// Stands in every event that adds text. Events that repeat the whole text at its end do not have it.
    delta: Finder<'static>,
    /// The name of a field of the client's usage; a gateway that does not translate the usage lacks it.
    usage: FinderRev<'static>,
    prompt_tokens: FinderRev<'static>,
    completion_tokens: FinderRev<'static>,
    /// Stands in the last event.
    end: FinderRev<'static>,
}

impl Wanted {
    fn new(text: &'static str, client: Client) -> Self {
        let number = |number: u64| FinderRev::new(number.to_string().as_bytes()).into_owned();
        let (delta, usage, end) = match client {
            Client::Chat => ("\"delta\"", "\"prompt_tokens\"", "[DONE]"),
            Client::Responses => {
                ("response.output_text.delta", "\"output_tokens\"", "\"response.completed\"")
            }
            Client::Messages => ("content_block_delta", "\"output_tokens\"", "\"message_stop\""),
        };
        Self {
            text: FinderRev::new(text),
            delta: Finder::new(delta),
            usage: FinderRev::new(usage),
            prompt_tokens: number(PROMPT_TOKENS),
            completion_tokens: number(COMPLETION_TOKENS),
            end: FinderRev::new(end),
        }
    }
}

impl Answer {
    /// An answer of which nothing has come yet.
    #[must_use]
    pub fn new(expected: Expected, client: Client) -> Self {
        let text = if expected == Expected::Embedding { EMBEDDING_END } else { TEXT_END };
        Self { expected, wanted: Wanted::new(text, client), held: Vec::new(), seen: Seen::default() }
    }

    /// Forgets the answer and keeps the buffer.
    pub fn reset(&mut self) {
        self.held.clear();
        self.seen = Seen::default();
    }

    /// Chunks that have come.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        self.seen.chunks
    }

    /// Takes more of the body; `chunk` gets the time in each chunk's mark.
    pub fn push(&mut self, bytes: &[u8], chunk: &mut impl FnMut(u64)) {
        if !matches!(self.expected, Expected::Stream { .. }) {
            self.held.extend_from_slice(bytes);
            return;
        }
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end);
            if self.held.is_empty() {
                self.take_line(line, chunk);
            } else {
                let mut held = std::mem::take(&mut self.held);
                held.extend_from_slice(line);
                self.take_line(&held, chunk);
                held.clear();
                self.held = held;
            }
            rest = behind.get(1..).unwrap_or_default();
        }
        if self.held.len() < LINE_BYTES_MAX {
            self.held.extend_from_slice(rest);
        }
    }

    /// Whether a whole answer is right.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn check(&self) -> Result<(), String> {
        let complete = match self.expected {
            Expected::Stream { chunks } => return self.seen.check(chunks),
            Expected::Chat => true,
            Expected::Embedding => false,
        };
        let require = |finder: &FinderRev, name| match finder.rfind(&self.held) {
            Some(_) => Ok(()),
            None => Err(format!("the answer lacks {name}")),
        };
        require(&self.wanted.text, "the expected text")?;
        require(&self.wanted.usage, "usage")?;
        require(&self.wanted.prompt_tokens, "the prompt tokens")?;
        if complete { require(&self.wanted.completion_tokens, "the completion tokens") } else { Ok(()) }
    }

    fn take_line(&mut self, line: &[u8], chunk: &mut impl FnMut(u64)) {
        let Some(data) = line.strip_prefix(b"data:") else { return };
        let data = data.trim_ascii();
        let marked = self.wanted.delta.find(data).is_some() && self.take_marks(data, chunk);
        // Usage comes in an event of its own or with the finish, never in one that adds text.
        if marked {
            return;
        }
        if self.wanted.usage.rfind(data).is_some() {
            self.seen.prompt_tokens |= self.wanted.prompt_tokens.rfind(data).is_some();
            self.seen.completion_tokens |= self.wanted.completion_tokens.rfind(data).is_some();
        }
        self.seen.ended |= self.wanted.end.rfind(data).is_some();
    }

    /// Whether there were any.
    fn take_marks(&mut self, data: &[u8], chunk: &mut impl FnMut(u64)) -> bool {
        let mut rest = data;
        let mut marked = false;
        while let Some(at) = memchr(b'@', rest) {
            rest = rest.get(at + 1..).unwrap_or_default();
            if let Some((index, sent_ns)) = parse_mark(rest) {
                marked = true;
                self.seen.out_of_order |= index != self.seen.chunks;
                self.seen.chunks += 1;
                chunk(sent_ns);
                rest = memchr(b'@', rest).and_then(|end| rest.get(end + 1..)).unwrap_or_default();
            }
        }
        marked
    }
}

impl Seen {
    fn check(&self, chunks: u32) -> Result<(), String> {
        let problem = if self.chunks != chunks {
            format!("{} of {chunks} chunks", self.chunks)
        } else if self.out_of_order {
            "chunks out of order".into()
        } else if !self.prompt_tokens || !self.completion_tokens {
            "no usage in the stream".into()
        } else if !self.ended {
            "no end of the stream".into()
        } else {
            return Ok(());
        };
        Err(problem)
    }
}

/// `INDEX:NANOSECONDS@`, the first `@` taken off.
fn parse_mark(text: &[u8]) -> Option<(u32, u64)> {
    let text = text.get(..memchr(b'@', text)?)?;
    let (index, sent_ns) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Some((index.parse().ok()?, sent_ns.parse().ok()?))
}

#[cfg(test)]
mod tests;
