//! Reads HTTP/1.1 responses (RFC 9112) as they come, without copying the body.
//!
//! Only what the load generator needs: one response at a time, length-delimited, chunked or until the
//! connection ends. It refuses compressed bodies, because the answer could not be checked in them.

use memchr::{memchr, memmem};

/// A head may not be longer than this.
const HEAD_BYTES_MAX: usize = 1 << 16;

/// Whether the response has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More bytes belong to it.
    More,
    /// It is whole.
    Whole,
}

/// Takes the bytes of one response in any pieces; see [`ResponseReader::push`].
#[derive(Debug, Default)]
pub struct ResponseReader {
    state: State,
    /// Bytes of the head, or of a line between chunks, that came without their end.
    line: Vec<u8>,
    status: u16,
    closes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Head,
    /// Bytes left of a body of known length.
    Length(u64),
    UntilClose,
    ChunkSize,
    /// Bytes left of a chunk.
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    Trailer,
    Whole,
}

impl ResponseReader {
    /// The status code; 0 until the head is read.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The server will not take another request on this connection.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.closes
    }

    /// Makes ready for the next response and keeps the buffers.
    pub fn reset(&mut self) {
        self.state = State::Head;
        self.line.clear();
        self.status = 0;
        self.closes = false;
    }

    /// Takes more bytes and hands the body's bytes among them to `body`.
    ///
    /// # Errors
    /// Says what is wrong with the response; the connection is of no use afterwards.
    pub fn push(&mut self, mut bytes: &[u8], body: &mut impl FnMut(&[u8])) -> Result<Progress, &'static str> {
        while !bytes.is_empty() && self.state != State::Whole {
            bytes = match self.state {
                State::Head => self.take_head(bytes)?,
                State::Length(left) => {
                    let (now, rest) = cut(bytes, left);
                    body(now);
                    self.state = Self::length(left - now.len() as u64);
                    rest
                }
                State::Chunk(left) => {
                    let (now, rest) = cut(bytes, left);
                    body(now);
                    let left = left - now.len() as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    rest
                }
                State::UntilClose => {
                    body(bytes);
                    &[]
                }
                State::ChunkSize | State::ChunkEnd | State::Trailer => self.take_line(bytes)?,
                State::Whole => bytes,
            };
        }
        match (self.state, bytes.is_empty()) {
            (State::Whole, true) => Ok(Progress::Whole),
            (State::Whole, false) => Err("bytes behind the end of the response"),
            _ => Ok(Progress::More),
        }
    }

    /// The connection has ended: is the response whole?
    #[must_use]
    pub fn ends(&self) -> bool {
        matches!(self.state, State::Whole | State::UntilClose)
    }

    fn length(left: u64) -> State {
        if left == 0 { State::Whole } else { State::Length(left) }
    }

    /// Takes bytes up to the empty line that ends the head.
    fn take_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], &'static str> {
        let had = self.line.len();
        self.line.extend_from_slice(bytes);
        let from = had.saturating_sub(3);
        let Some(end) = self.line.get(from..).and_then(|new| memmem::find(new, b"\r\n\r\n")) else {
            return if self.line.len() > HEAD_BYTES_MAX { Err("head too long") } else { Ok(&[]) };
        };
        let head_bytes = from + end + 4;
        let mut head = std::mem::take(&mut self.line);
        head.truncate(head_bytes);
        self.state = self.read_head(&head)?;
        head.clear();
        self.line = head;
        Ok(bytes.get(head_bytes - had..).unwrap_or_default())
    }

    fn read_head(&mut self, head: &[u8]) -> Result<State, &'static str> {
        let head = std::str::from_utf8(head).map_err(|_| "head is not text")?;
        let mut lines = head.split("\r\n");
        let status =
            lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).and_then(|rest| rest.get(..3));
        self.status = status.and_then(|code| code.parse().ok()).ok_or("no HTTP/1.1 status line")?;
        if (100..200).contains(&self.status) {
            return Ok(State::Head);
        }
        let mut framing = if matches!(self.status, 204 | 304) { State::Whole } else { State::UntilClose };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") && framing == State::UntilClose {
                framing = Self::length(value.parse().map_err(|_| "content-length is no number")?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                framing = State::ChunkSize;
            } else if name.eq_ignore_ascii_case("connection") {
                self.closes = value.eq_ignore_ascii_case("close");
            } else if name.eq_ignore_ascii_case("content-encoding") {
                return Err("compressed body");
            }
        }
        self.closes |= framing == State::UntilClose;
        Ok(framing)
    }

    /// Takes bytes up to a line end, and acts when it is there.
    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], &'static str> {
        let Some(end) = memchr(b'\n', bytes) else {
            self.line.extend_from_slice(bytes);
            return if self.line.len() > HEAD_BYTES_MAX { Err("line too long") } else { Ok(&[]) };
        };
        let (now, rest) = bytes.split_at(end + 1);
        self.line.extend_from_slice(now);
        let line = self.line.trim_ascii_end();
        self.state = match self.state {
            State::ChunkSize => match chunk_size(line)? {
                0 => State::Trailer,
                size => State::Chunk(size),
            },
            State::ChunkEnd if !line.is_empty() => return Err("chunk longer than its size"),
            State::ChunkEnd => State::ChunkSize,
            State::Trailer if line.is_empty() => State::Whole,
            state => state,
        };
        self.line.clear();
        Ok(rest)
    }
}

/// The first `left` bytes at most, and what follows.
fn cut(bytes: &[u8], left: u64) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX)))
}

/// A size in hexadecimal, before any extension.
fn chunk_size(line: &[u8]) -> Result<u64, &'static str> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let digits = std::str::from_utf8(digits).map_err(|_| "chunk size is no number")?;
    u64::from_str_radix(digits, 16).map_err(|_| "chunk size is no number")
}

#[cfg(test)]
mod tests;
