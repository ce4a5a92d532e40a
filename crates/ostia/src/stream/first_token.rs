//! The beginning of a stream, held back until it says something: until then another target may still answer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Fault, FaultKind, Observed};
use ostia_routing::{Limit, Verdict};
use tokio::time::Instant;

use crate::client::{Client, Early};
use crate::errors::attempt_error::AttemptError;
use crate::errors::failure;
use crate::message::body::{Body, Events, FramePoll, Resume};
use crate::record::Record;
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

    fn observed(&mut self) -> Option<&Observed> {
        self.rest.observed()
    }

    fn is_malformed(&self) -> bool {
        self.rest.is_malformed()
    }

    fn can_be_resumed(&self) -> bool {
        self.rest.can_be_resumed()
    }

    fn resumed_by(&mut self, failover: Box<dyn Resume>) {
        self.rest.resumed_by(failover);
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
    pub fn new(record: &'w Record, begin: &'w dyn Fn() -> Early) -> Option<Waiting<'w>> {
        let client = record.client()?;
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

/// Waits until an answer that is a stream says something: words, thoughts, a call, or its own end.
///
/// # Errors
/// The stream breaks off or tells an error before that.
pub async fn wait(
    answer: Response<Body>,
    mut waiting: Option<Waiting<'_>>,
) -> Result<Response<Body>, AttemptError> {
    let (head, body) = answer.into_parts();
    let Body::Events(mut events) = body else { return Ok(Response::from_parts(head, body)) };
    let (mut held, mut bytes, mut pings) = (VecDeque::new(), 0, 0);
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
        let observed = events.observed();
        if let Some(fault) = observed.and_then(|observed| observed.fault.as_ref()) {
            return Err(broken(fault.clone()));
        }
        let Some(frame) = frame else { break };
        let spoke = observed.is_none_or(|observed| observed.first_token);
        let pinged = observed.map_or(pings, |observed| observed.pings);
        if let Some(waiting) = waiting.as_ref().filter(|_| pinged != pings) {
            waiting.client.ping();
        }
        pings = pinged;
        let Ok(data) = frame.map_err(|fault| broken(failure::of_body(&fault)))?.into_data() else { continue };
        bytes += data.len();
        held.push_back(data);
        if spoke {
            break;
        }
    }
    Ok(Response::from_parts(head, Body::events(Opened { held, rest: events })))
}

/// A stream that told an error, or broke off.
fn broken(fault: Fault) -> AttemptError {
    match (&fault.code, &fault.vendor_type, fault.kind) {
        (None, None, FaultKind::Timeout) => AttemptError::without_answer(fault, Verdict::Late(Limit::Idle)),
        (None, None, FaultKind::Upstream) => AttemptError::without_answer(fault, Verdict::Broken),
        _ => AttemptError::told(fault),
    }
}
