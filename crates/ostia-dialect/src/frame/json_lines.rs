//! JSON lines: one JSON text on each line, ended by LF or CRLF (<https://jsonlines.org>).
//!
//! A line is cut out and not checked: whoever reads it does that.

use memchr::memchr;

use super::{FRAME_BYTES_MAX, Frame, too_large};
use crate::Fault;

/// Cuts a stream into its lines; empty ones are passed over.
#[derive(Debug, Default)]
pub struct Framer {
    /// Bytes from the first one that is not used up.
    input: Vec<u8>,
    /// How many of them have been used up since.
    used: usize,
    /// How many behind that are known to hold no line end.
    searched: usize,
    /// An empty line has come that nobody has heard of.
    has_ping: bool,
}

impl Framer {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.used);
        self.used = 0;
        self.input.extend_from_slice(bytes);
    }

    /// The next whole line, if the bytes hold one.
    #[allow(clippy::should_implement_trait)] // lends its buffer, which Iterator cannot say
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        while let Some(length) = memchr(b'\n', &self.input[self.used + self.searched..]) {
            let (start, end) = (self.used, self.used + self.searched + length);
            (self.used, self.searched) = (end + 1, 0);
            if self.input[start..end].trim_ascii().is_empty() {
                self.has_ping = true;
            } else {
                return self.frame(start, end).map(Some);
            }
        }
        self.searched = self.input.len() - self.used;
        if self.searched > FRAME_BYTES_MAX { Err(too_large()) } else { Ok(None) }
    }

    /// The stream has ended: a last line counts also where its end is missing.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        let (start, end) = (self.used, self.input.len());
        (self.used, self.searched) = (end, 0);
        match self.input[start..].trim_ascii().is_empty() {
            true => Ok(None),
            false => self.frame(start, end).map(Some),
        }
    }

    /// Has an empty line come since this was last asked?
    pub fn take_ping(&mut self) -> bool {
        std::mem::take(&mut self.has_ping)
    }

    fn frame(&self, start: usize, end: usize) -> Result<Frame<'_>, Fault> {
        if end - start > FRAME_BYTES_MAX {
            return Err(too_large());
        }
        Ok(Frame { event: "", data: self.input[start..end].trim_ascii() })
    }
}
