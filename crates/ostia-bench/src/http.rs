//! Reads HTTP/1.1 responses (RFC 9112) as they come, without copying the body.
//!
//! `httparse` reads the heads and the sizes of chunks; here is which bytes are the body's. Only what the load generator needs:
//! one response at a time, length-delimited, chunked or until the connection ends. It refuses compressed bodies, because the
//! answer could not be checked in them.

use std::mem::{self, MaybeUninit};

use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};

/// A head, or a line between chunks, may not be longer than this.
const HEAD_BYTES_MAX: usize = 1 << 16;
/// More fields than this are not read in a head or a trailer.
const FIELDS_MAX: usize = 64;

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
    /// Bytes of a head, or of a line between chunks, that came without their end.
    held: Vec<u8>,
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

/// How many bytes a part of the response takes, and what comes behind it; `None` where its end has not come.
type Part = Option<(usize, State)>;

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

    /// Makes ready for the next response.
    pub fn reset(&mut self) {
        self.state = State::Head;
        self.held.clear();
        self.status = 0;
        self.closes = false;
    }

    /// Takes more bytes and hands the body's bytes among them to `body`.
    ///
    /// # Errors
    /// Says what is wrong with the response; the connection is of no use afterwards.
    pub fn push(&mut self, bytes: &[u8], body: &mut impl FnMut(&[u8])) -> Result<Progress, &'static str> {
        if self.held.is_empty() {
            return self.take(bytes, body);
        }
        let mut held = mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        self.take(&held, body)
    }

    fn take(&mut self, mut bytes: &[u8], body: &mut impl FnMut(&[u8])) -> Result<Progress, &'static str> {
        while !bytes.is_empty() && self.state != State::Whole {
            let Some((length, next)) = self.part(bytes, body)? else {
                self.held.extend_from_slice(bytes);
                let is_bounded = bytes.len() <= HEAD_BYTES_MAX;
                return if is_bounded { Ok(Progress::More) } else { Err("head too long") };
            };
            bytes = bytes.get(length..).unwrap_or_default();
            self.state = next;
        }
        match (self.state, bytes.is_empty()) {
            (State::Whole, true) => Ok(Progress::Whole),
            (State::Whole, false) => Err("bytes behind the end of the response"),
            _ => Ok(Progress::More),
        }
    }

    /// The part of the response that `bytes` begin with.
    fn part(&mut self, bytes: &[u8], body: &mut impl FnMut(&[u8])) -> Result<Part, &'static str> {
        Ok(match self.state {
            State::Head => return self.head(bytes),
            State::Length(left) => {
                let (length, left) = take_body(bytes, left, body);
                Some((length, State::of_length(left)))
            }
            State::Chunk(left) => {
                let (length, left) = take_body(bytes, left, body);
                Some((length, if left == 0 { State::ChunkEnd } else { State::Chunk(left) }))
            }
            State::UntilClose => Some((take_body(bytes, u64::MAX, body).0, State::UntilClose)),
            State::ChunkSize => chunk_size(bytes)?,
            State::ChunkEnd => chunk_end(bytes)?,
            State::Trailer => trailer(bytes)?,
            State::Whole => Some((0, State::Whole)),
        })
    }

    /// The connection has ended: is the response whole?
    #[must_use]
    pub fn ends(&self) -> bool {
        matches!(self.state, State::Whole | State::UntilClose)
    }

    fn head(&mut self, bytes: &[u8]) -> Result<Part, &'static str> {
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
        let mut head = Response::new(&mut []);
        let parsed =
            ParserConfig::default().parse_response_with_uninit_headers(&mut head, bytes, &mut fields);
        let length = match parsed.map_err(head_fault)? {
            Status::Complete(length) => length,
            Status::Partial => return Ok(None),
        };
        self.status = head.code.filter(|_| head.version == Some(1)).ok_or(NO_STATUS_LINE)?;
        if (100..200).contains(&self.status) {
            return Ok(Some((length, State::Head)));
        }
        let state = self.framing(head.headers)?;
        self.closes |= state == State::UntilClose;
        Ok(Some((length, state)))
    }

    /// How the body is framed.
    fn framing(&mut self, fields: &[Header]) -> Result<State, &'static str> {
        let mut framing = if matches!(self.status, 204 | 304) { State::Whole } else { State::UntilClose };
        for Header { name, value } in fields {
            if name.eq_ignore_ascii_case("content-length") && framing == State::UntilClose {
                let length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                framing = State::of_length(length.ok_or("content-length is no number")?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                framing = State::ChunkSize;
            } else if name.eq_ignore_ascii_case("connection") {
                self.closes = value.eq_ignore_ascii_case(b"close");
            } else if name.eq_ignore_ascii_case("content-encoding") {
                return Err("compressed body");
            }
        }
        Ok(framing)
    }
}

impl State {
    /// A body of which so many bytes are to come.
    fn of_length(left: u64) -> State {
        if left == 0 { State::Whole } else { State::Length(left) }
    }
}

const NO_STATUS_LINE: &str = "no HTTP/1.1 status line";

fn head_fault(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::Status | httparse::Error::Version => NO_STATUS_LINE,
        _ => "broken head",
    }
}

/// Hands over the bytes that are among the `left` ones of the body: how many, and how many are still to come.
fn take_body(bytes: &[u8], left: u64, body: &mut impl FnMut(&[u8])) -> (usize, u64) {
    let length = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    body(bytes.get(..length).unwrap_or_default());
    (length, left - length as u64)
}

fn chunk_size(bytes: &[u8]) -> Result<Part, &'static str> {
    Ok(match httparse::parse_chunk_size(bytes).map_err(|_| "chunk size is no number")? {
        Status::Complete((length, 0)) => Some((length, State::Trailer)),
        Status::Complete((length, size)) => Some((length, State::Chunk(size))),
        Status::Partial => None,
    })
}

fn chunk_end(bytes: &[u8]) -> Result<Part, &'static str> {
    match bytes {
        [b'\r', b'\n', ..] => Ok(Some((2, State::ChunkSize))),
        [b'\r'] => Ok(None),
        _ => Err("chunk longer than its size"),
    }
}

fn trailer(bytes: &[u8]) -> Result<Part, &'static str> {
    let mut fields = [EMPTY_HEADER; FIELDS_MAX];
    Ok(match httparse::parse_headers(bytes, &mut fields).map_err(|_| "broken trailer")? {
        Status::Complete((length, _)) => Some((length, State::Whole)),
        Status::Partial => None,
    })
}

#[cfg(test)]
mod tests;
