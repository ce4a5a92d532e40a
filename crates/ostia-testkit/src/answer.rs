//! What a scripted upstream does with a request.

use std::io::Write;
use std::time::Duration;

use crate::Gate;

/// Between two pieces, so that they arrive as two.
const PIECE_PAUSE: Duration = Duration::from_millis(1);

/// One answer: what happens before its head, the head, and what happens behind it.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) before: Vec<Step>,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) framing: Framing,
    pub(crate) length: Option<usize>,
    pub(crate) steps: Vec<Step>,
}

/// One thing that a script does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends these bytes of the body; with chunked framing as one chunk.
    Send(Vec<u8>),
    /// Sends these bytes this many times over.
    Repeat(Vec<u8>, usize),
    /// Waits.
    Pause(Duration),
    /// Waits for the test.
    Wait(Gate),
    /// Sends nothing more and waits for the other side to leave.
    Stall,
    /// Ends the connection in good order (FIN), whatever is missing.
    Cut,
    /// Ends the connection with a reset (RST).
    Reset,
}

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `content-length`.
    Length,
    /// `transfer-encoding: chunked`.
    Chunked,
    /// The connection ends with the body.
    Close,
    /// The bytes are all there is: no head at all.
    Bare,
}

impl Answer {
    /// Status 200 without a body.
    pub fn empty() -> Answer {
        let (before, headers, steps) = (Vec::new(), Vec::new(), Vec::new());
        Answer { before, status: 200, headers, framing: Framing::Length, length: None, steps }
    }

    /// Status 200 and this body, in one piece, with its length.
    pub fn with(content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer::empty().header("content-type", content_type).then(Step::Send(body.into()))
    }

    /// A JSON answer.
    pub fn json(body: impl Into<Vec<u8>>) -> Answer {
        Answer::with("application/json", body)
    }

    /// An event stream in one piece, chunked.
    pub fn stream(body: impl Into<Vec<u8>>) -> Answer {
        Answer::with("text/event-stream", body).framing(Framing::Chunked)
    }

    /// JSON lines in one piece, chunked.
    pub fn json_lines(body: impl Into<Vec<u8>>) -> Answer {
        Answer::with("application/x-ndjson", body).framing(Framing::Chunked)
    }

    /// An event stream in these pieces, each a chunk that arrives alone.
    pub fn stream_in<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Answer {
        let answer = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
        let pieces = pieces.into_iter().filter(|piece| !piece.as_ref().is_empty());
        pieces.fold(answer, |answer, piece| {
            answer.then(Step::Send(piece.as_ref().to_vec())).then(Step::Pause(PIECE_PAUSE))
        })
    }

    /// These bytes in place of an answer.
    pub fn bare(bytes: impl Into<Vec<u8>>) -> Answer {
        Answer::empty().framing(Framing::Bare).then(Step::Send(bytes.into()))
    }

    /// The same with another status.
    pub fn status(mut self, status: u16) -> Answer {
        self.status = status;
        self
    }

    /// The same with one more header.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same in another framing.
    pub fn framing(mut self, framing: Framing) -> Answer {
        self.framing = framing;
        self
    }

    /// The same, then this.
    pub fn then(mut self, step: Step) -> Answer {
        self.steps.push(step);
        self
    }

    /// The same, but this first, before the head.
    pub fn first(mut self, step: Step) -> Answer {
        self.before.push(step);
        self
    }

    /// The same body packed, one chunk or the packed length; pieces are joined.
    pub fn gzip(mut self) -> Answer {
        let packed = gzip(&self.body());
        self.steps = vec![Step::Send(packed)];
        self.header("content-encoding", "gzip")
    }

    /// The same, but only the first `bytes` of the body; then the connection ends as `end` says. The head still promises
    /// all of it.
    pub fn broken_after(mut self, bytes: usize, end: Step) -> Answer {
        let body = self.body();
        self.length = Some(body.len());
        self.steps = vec![Step::Send(body[..bytes.min(body.len())].to_vec()), end];
        self
    }

    /// The same body, with this after its first `bytes`.
    pub fn split_after(mut self, bytes: usize, step: Step) -> Answer {
        let body = self.body();
        let (one, other) = body.split_at(bytes.min(body.len()));
        self.steps = vec![Step::Send(one.to_vec()), step, Step::Send(other.to_vec())];
        self
    }

    /// All bytes of the body.
    pub fn body(&self) -> Vec<u8> {
        let bytes = |step: &Step| match step {
            Step::Send(bytes) => bytes.clone(),
            Step::Repeat(bytes, times) => bytes.repeat(*times),
            Step::Pause(_) | Step::Wait(_) | Step::Stall | Step::Cut | Step::Reset => Vec::new(),
        };
        self.steps.iter().flat_map(bytes).collect()
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match self.framing {
            Framing::Bare => return Vec::new(),
            Framing::Length => head.push_str(&format!("content-length: {}\r\n", self.length())),
            Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
            Framing::Close => head.push_str("connection: close\r\n"),
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn length(&self) -> usize {
        let bytes = |step: &Step| match step {
            Step::Send(bytes) => bytes.len(),
            Step::Repeat(bytes, times) => bytes.len() * times,
            Step::Pause(_) | Step::Wait(_) | Step::Stall | Step::Cut | Step::Reset => 0,
        };
        self.length.unwrap_or_else(|| self.steps.iter().map(bytes).sum())
    }
}

/// Packs bytes as RFC 1952 has it.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
