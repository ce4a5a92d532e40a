//! The beginning of a stream, held back until it says something: until then another target may still answer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use ostia_dialect::frame::sse::Framer;
use ostia_dialect::{Block, Content, Decoder, Delta, Dialect, Event, Fault, FaultKind};
use ostia_routing::{Limit, Verdict};

use crate::body::{Body, Events, FramePoll, Mender};
use crate::failure;
use crate::miss::Miss;

/// Most bytes of a stream that are held back, in bytes. A stream that says nothing for so long goes out as it is.
const HELD_BYTES_MAX: usize = 256 << 10;

/// A stream whose beginning has been read.
#[derive(Debug)]
pub struct Opened {
    held: VecDeque<Bytes>,
    rest: Box<dyn Events>,
}

impl Events for Opened {
    /// What was held back, then the rest.
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        match self.held.pop_front() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => self.rest.poll_frame(context),
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.rest.fail(fault);
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.rest.take_fault()
    }

    fn can_be_mended(&self) -> bool {
        self.rest.can_be_mended()
    }

    fn mended_by(&mut self, mender: Box<dyn Mender>) {
        self.rest.mended_by(mender);
    }
}

/// Waits until an answer that is a stream in the client's dialect says something: words, thoughts, a call, or its own end.
///
/// # Errors
/// The stream breaks off or tells an error before that.
pub async fn first_words(answer: Response<Body>, dialect: Dialect) -> Result<Response<Body>, Miss> {
    let (head, body) = answer.into_parts();
    let Body::Events(mut events) = body else { return Ok(Response::from_parts(head, body)) };
    let (mut held, mut bytes) = (VecDeque::new(), 0);
    let mut reader = Reader { framer: Framer::default(), decoder: Decoder::new(dialect), events: Vec::new() };
    while bytes < HELD_BYTES_MAX {
        let frame = poll_fn(|context| events.poll_frame(context)).await;
        if let Some(fault) = events.take_fault() {
            return Err(broken(fault));
        }
        let Some(frame) = frame else {
            reader.end().map_err(broken)?;
            break;
        };
        let Ok(data) = frame.map_err(|fault| broken(failure::of_body(&fault)))?.into_data() else { continue };
        bytes += data.len();
        let spoke = reader.push(&data).map_err(broken)?;
        held.push_back(data);
        if spoke {
            break;
        }
    }
    Ok(Response::from_parts(head, Body::events(Opened { held, rest: events })))
}

/// A stream that told an error, or broke off.
fn broken(fault: Fault) -> Miss {
    match (&fault.code, &fault.vendor_type, fault.kind) {
        (None, None, FaultKind::Timeout) => Miss::without_answer(fault, Verdict::Late(Limit::Idle)),
        (None, None, FaultKind::Upstream) => Miss::without_answer(fault, Verdict::Broken),
        _ => Miss::told(fault),
    }
}

/// Understands what goes by.
struct Reader {
    framer: Framer,
    decoder: Decoder,
    events: Vec<Event>,
}

impl Reader {
    /// Does this say something?
    fn push(&mut self, data: &[u8]) -> Result<bool, Fault> {
        self.framer.push(data);
        while let Some(frame) = self.framer.next()? {
            self.decoder.push(frame, &mut self.events)?;
        }
        Ok(self.events.drain(..).any(|event| says_something(&event)))
    }

    /// The stream is over; it was not cut off.
    fn end(&mut self) -> Result<(), Fault> {
        if let Some(frame) = self.framer.finish()? {
            self.decoder.push(frame, &mut self.events)?;
        }
        self.decoder.finish(&mut self.events)
    }
}

fn says_something(event: &Event) -> bool {
    match event {
        Event::BlockStart { block, .. } => holds_something(block),
        Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => !text.is_empty(),
        Event::Finish => true,
        _ => false,
    }
}

fn holds_something(block: &Block) -> bool {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => !text.is_empty(),
        Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => true,
    }
}
