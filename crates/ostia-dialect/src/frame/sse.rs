//! Server-sent events (WHATWG HTML, section 9.2): CR, LF and CRLF line ends, comments, multi-line data.

use memchr::memchr2;

use super::{FRAME_BYTES_MAX, Frame, too_large};
use crate::Fault;
use crate::json::Writer;

/// Cuts a byte stream into events. Comments, ids and retry hints are passed over.
#[derive(Debug, Default)]
pub struct Framer {
    /// Bytes not yet cut into lines.
    input: Vec<u8>,
    /// How many of them are used up.
    at: usize,
    /// How many behind that are known to hold no line end.
    searched: usize,
    /// The last line ended in CR, so an LF that follows belongs to it.
    after_cr: bool,
    started: bool,
    event: String,
    data: Vec<u8>,
    /// The event that `next` handed out last stands in `event` and `data` until the next call.
    handed_out: bool,
    has_data: bool,
    /// A comment, or an event without data, has come that nobody has heard of.
    has_ping: bool,
}

impl Framer {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.input.drain(..self.at);
            self.at = 0;
        }
        self.input.extend_from_slice(bytes);
    }

    /// The next whole event, if the bytes hold one.
    ///
    /// Fails when an event grows beyond [`FRAME_BYTES_MAX`].
    #[allow(clippy::should_implement_trait)] // lends its buffer, which Iterator cannot say
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        if self.handed_out {
            self.clear();
        }
        while let Some((start, end)) = self.line() {
            if start < end {
                self.field(start, end)?;
            } else if self.has_data {
                return Ok(Some(self.hand_out()));
            } else {
                self.has_ping |= !self.event.is_empty();
                self.event.clear();
            }
        }
        if self.input.len() - self.at + self.data.len() > FRAME_BYTES_MAX {
            return Err(too_large());
        }
        Ok(None)
    }

    /// Has a comment come since this was last asked, or an event without data? Some servers send them so that nobody takes
    /// them for dead.
    pub fn take_ping(&mut self) -> bool {
        std::mem::take(&mut self.has_ping)
    }

    /// The stream has ended: an event whose last blank line is missing counts all the same, because some servers leave
    /// it out.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        if self.handed_out {
            self.clear();
        }
        let (start, end) = (self.at, self.input.len());
        self.at = end;
        self.searched = 0;
        if start < end {
            self.field(start, end)?;
        }
        if self.has_data { Ok(Some(self.hand_out())) } else { Ok(None) }
    }

    fn hand_out(&mut self) -> Frame<'_> {
        self.handed_out = true;
        Frame { event: &self.event, data: &self.data }
    }

    fn clear(&mut self) {
        self.event.clear();
        self.data.clear();
        self.has_data = false;
        self.handed_out = false;
    }

    /// The bounds of the next whole line, without its end.
    fn line(&mut self) -> Option<(usize, usize)> {
        if self.after_cr && self.at < self.input.len() {
            self.after_cr = false;
            if self.input[self.at] == b'\n' {
                self.at += 1;
            }
        }
        if !self.started {
            self.skip_byte_order_mark()?;
        }
        let start = self.at;
        let Some(length) = memchr2(b'\n', b'\r', &self.input[start + self.searched..]) else {
            self.searched = self.input.len() - start;
            return None;
        };
        let end = start + self.searched + length;
        self.searched = 0;
        self.after_cr = self.input[end] == b'\r';
        self.at = end + 1;
        Some((start, end))
    }

    /// `None` while it is not yet clear whether the stream starts with one.
    fn skip_byte_order_mark(&mut self) -> Option<()> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        let head = &self.input[self.at..];
        if head.len() < MARK.len() && MARK.starts_with(head) {
            return None;
        }
        if head.starts_with(MARK) {
            self.at += MARK.len();
        }
        self.started = true;
        Some(())
    }

    fn field(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        let line = &self.input[start..end];
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => {
                if self.data.len() + value.len() >= FRAME_BYTES_MAX {
                    return Err(too_large());
                }
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            b"event" => {
                self.event.clear();
                self.event.push_str(&String::from_utf8_lossy(value));
            }
            b"" => self.has_ping = true,
            // An id, a retry hint or a field that nobody knows.
            _ => {}
        }
        Ok(())
    }
}

/// Writes an object that begins with `open`, as one line of data. What clients and vendors said is told as they wrote it:
/// it may have line ends between its tokens, which would end the line, and nowhere else.
pub(crate) fn object(out: &mut Vec<u8>, open: &[u8], write: impl FnOnce(&mut Writer)) {
    let start = out.len();
    out.extend_from_slice(open);
    let mut w = Writer::appending(std::mem::take(out));
    write(&mut w);
    *out = w.into_bytes();
    out.push(b'}');
    one_line(&mut out[start..]);
}

fn one_line(json: &mut [u8]) {
    let mut from = 0;
    while let Some(length) = memchr2(b'\n', b'\r', &json[from..]) {
        json[from + length] = b' ';
        from += length + 1;
    }
}

#[cfg(test)]
mod tests;
