//! The beginning of a stream, held back until it says something: until then another target may still answer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use ostia_dialect::frame::sse::Framer;
use ostia_dialect::json::Document;
use ostia_dialect::{Block, Content, Decoder, Delta, Event, Fault, FaultKind, fault};
use ostia_providers::Offer;
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

    fn is_malformed(&self) -> bool {
        self.rest.is_malformed()
    }

    fn can_be_mended(&self) -> bool {
        self.rest.can_be_mended()
    }

    fn mended_by(&mut self, mender: Box<dyn Mender>) {
        self.rest.mended_by(mender);
    }
}

/// Waits until an answer that is a stream to this offer's clients says something: words, thoughts, a call, or its own end.
///
/// # Errors
/// The stream breaks off or tells an error before that.
pub async fn first_words(answer: Response<Body>, offer: Offer) -> Result<Response<Body>, Miss> {
    let (head, body) = answer.into_parts();
    let Body::Events(mut events) = body else { return Ok(Response::from_parts(head, body)) };
    let (mut held, mut bytes) = (VecDeque::new(), 0);
    let mut reader = Reader::new(offer);
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
    offer: Offer,
    /// For conversations. Of any other stream only the form of its events is known.
    decoder: Option<Decoder>,
    events: Vec<Event>,
}

impl Reader {
    fn new(offer: Offer) -> Reader {
        let decoder = offer.dialect().map(Decoder::new);
        Reader { framer: Framer::default(), offer, decoder, events: Vec::new() }
    }

    /// Does this say something?
    fn push(&mut self, data: &[u8]) -> Result<bool, Fault> {
        self.framer.push(data);
        let mut spoke = false;
        while let Some(frame) = self.framer.next()? {
            match &mut self.decoder {
                Some(decoder) => decoder.push(frame, &mut self.events)?,
                None => spoke |= is_answer(self.offer, frame.data)?,
            }
        }
        Ok(spoke || self.events.drain(..).any(|event| says_something(&event)))
    }

    /// The stream is over; it was not cut off.
    fn end(&mut self) -> Result<(), Fault> {
        let rest = self.framer.finish()?;
        match (&mut self.decoder, rest) {
            (Some(decoder), rest) => {
                rest.map_or(Ok(()), |frame| decoder.push(frame, &mut self.events))?;
                decoder.finish(&mut self.events)
            }
            (None, Some(frame)) => is_answer(self.offer, frame.data).map(drop),
            (None, None) => Ok(()),
        }
    }
}

/// Is this event a part of an answer?
fn is_answer(offer: Offer, data: &[u8]) -> Result<bool, Fault> {
    if data == b"[DONE]" {
        return Ok(true);
    }
    let document = Document::parse_to(data, 1)
        .map_err(|fault| Fault::upstream(format!("The provider sent an event that is {fault}.")))?;
    match (offer.is_answered_by(document.root()), fault::in_success(data)) {
        (false, Some(fault)) => Err(fault),
        (is_answer, _) => Ok(is_answer),
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
