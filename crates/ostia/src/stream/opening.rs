//! The beginning of a stream, held back until it says something: until then another target may still answer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use ostia_dialect::frame::sse::Framer;
use ostia_dialect::frame::{KeepAlive, is_ping};
use ostia_dialect::json::Document;
use ostia_dialect::{Api, Block, Content, Decoder, Delta, Event, Fault, FaultKind, fault};
use ostia_routing::{Limit, Verdict};
use tokio::time::Instant;

use crate::client::{Client, Early};
use crate::errors::failure;
use crate::errors::miss::Miss;
use crate::message::body::{Body, Events, FramePoll, Mender};
use crate::record::mark::Mark;
use crate::timer::LazyTimer;

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

    fn keep_alive(&self) -> Option<KeepAlive> {
        self.rest.keep_alive()
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

/// A client that waits meanwhile, and must not hear nothing for too long although a stream is open.
pub struct Waiting<'w> {
    client: &'w Client,
    keep_alive: Duration,
    timer: Option<(Instant, LazyTimer)>,
    begin: &'w dyn Fn() -> Early,
}

impl<'w> Waiting<'w> {
    /// The client of this request. `begin` makes the head of an answer that is nobody's yet.
    pub fn new(mark: &'w Mark, begin: &'w dyn Fn() -> Early) -> Option<Waiting<'w>> {
        let client = mark.client()?;
        Some(Waiting { client, keep_alive: client.keep_alive()?, timer: None, begin })
    }

    /// Begins the answer when it is time.
    fn poll(&mut self, context: &mut Context<'_>) {
        if self.client.is_early() {
            return;
        }
        let keep_alive = self.keep_alive;
        let (due, timer) = self.timer.get_or_insert_with(|| {
            let due = Instant::now() + keep_alive;
            (due, LazyTimer::new(due))
        });
        if timer.poll_over(*due, context).is_ready() {
            self.client.begin_early((self.begin)());
        }
    }
}

/// Waits until an answer that is a stream to this API's clients says something: words, thoughts, a call, or its own end.
///
/// # Errors
/// The stream breaks off or tells an error before that.
pub async fn first_words(
    answer: Response<Body>,
    api: Api,
    mut waiting: Option<Waiting<'_>>,
) -> Result<Response<Body>, Miss> {
    let (head, body) = answer.into_parts();
    let Body::Events(mut events) = body else { return Ok(Response::from_parts(head, body)) };
    let (mut held, mut bytes) = (VecDeque::new(), 0);
    let mut reader = Reader::new(api);
    while bytes < HELD_BYTES_MAX {
        let frame = poll_fn(|context| {
            let polled = events.poll_frame(context);
            if let (true, Some(waiting)) = (polled.is_pending(), &mut waiting) {
                waiting.poll(context);
            }
            polled
        });
        let frame = frame.await;
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
        if let Some(waiting) = waiting.as_ref().filter(|_| reader.take_ping()) {
            waiting.client.ping();
        }
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
    api: Api,
    /// For conversations. Of any other stream only the form of its events is known.
    decoder: Option<Decoder>,
    events: Vec<Event>,
    pinged: bool,
}

impl Reader {
    fn new(api: Api) -> Reader {
        let decoder = api.dialect().map(Decoder::new);
        Reader { framer: Framer::default(), api, decoder, events: Vec::new(), pinged: false }
    }

    /// Does this say something?
    fn push(&mut self, data: &[u8]) -> Result<bool, Fault> {
        self.framer.push(data);
        // A blank line is what clients of Google's format get in place of a comment.
        self.pinged |= data.trim_ascii().is_empty();
        let mut spoke = false;
        while let Some(frame) = self.framer.next()? {
            if is_ping(&frame) {
                self.pinged = true;
                continue;
            }
            match &mut self.decoder {
                Some(decoder) => decoder.push(frame, &mut self.events)?,
                None => spoke |= is_answer(self.api, frame.data)?,
            }
        }
        Ok(spoke || self.events.drain(..).any(|event| says_something(&event)))
    }

    /// Has somebody said that it is there, since this was last asked?
    fn take_ping(&mut self) -> bool {
        self.framer.take_ping() | std::mem::take(&mut self.pinged)
    }

    /// The stream is over; it was not cut off.
    fn end(&mut self) -> Result<(), Fault> {
        let rest = self.framer.finish()?;
        match (&mut self.decoder, rest) {
            (Some(decoder), rest) => {
                rest.map_or(Ok(()), |frame| decoder.push(frame, &mut self.events))?;
                decoder.finish(&mut self.events)
            }
            (None, Some(frame)) => is_answer(self.api, frame.data).map(drop),
            (None, None) => Ok(()),
        }
    }
}

/// Is this event a part of an answer?
fn is_answer(api: Api, data: &[u8]) -> Result<bool, Fault> {
    if data == b"[DONE]" {
        return Ok(true);
    }
    let document = Document::parse_to(data, 1)
        .map_err(|fault| Fault::upstream(format!("The provider sent an event that is {fault}.")))?;
    match (api.is_answered_by(document.root()), fault::in_success(data)) {
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
