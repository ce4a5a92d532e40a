//! A stream that closes the record of its request: with its end, or when the client leaves.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::observe::Count;
use ostia_dialect::{Fault, Observed};

use super::Answered;
use super::account::Account;
use super::records::Ring;
use crate::client::socket::Socket;
use crate::log::cause::Cause;
use crate::log::{End, Line};
use crate::message::body::{Body, Events, FramePoll};

/// A stream, and where the record of its request is.
#[derive(Debug)]
struct Recorded {
    events: Box<dyn Events>,
    /// The ring, and the number there; `None` where the request is not remembered.
    place: Option<(Arc<Ring>, u64)>,
    started: Option<Instant>,
    first_token: Option<Duration>,
    line: Option<Line>,
    account: Rc<Account>,
    is_closed: bool,
}

/// The same stream; the record is that of this number in the ring, and its line is written with the end.
pub(super) fn record(
    events: Box<dyn Events>,
    place: Option<(Arc<Ring>, u64)>,
    started: Option<Instant>,
    line: Option<Line>,
    account: Rc<Account>,
) -> Body {
    Body::events(Recorded { events, place, started, first_token: None, line, account, is_closed: false })
}

impl Recorded {
    fn note_first_token(&mut self) {
        let has_spoken = self.events.observed().is_some_and(|observed| observed.first_token);
        self.first_token = self.started.filter(|_| has_spoken).map(|started| started.elapsed());
    }

    /// `None`: the client does not wait for the end.
    fn close(&mut self, end: Option<End>) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        let first_token = self.first_token;
        let answer = self.events.observed().map(|observed| Answered { first_token, ..observed.into() });
        let count = answer.as_ref().map(|answer| answer.count.clone()).unwrap_or_default();
        let finish = answer.as_ref().and_then(|answer| answer.finish);
        let told = self.events.take_fault();
        let fault = told.or_else(|| self.events.observed().and_then(|observed| observed.fault.clone()));
        let end = if fault.is_some() { Some(End::Broken) } else { end };
        self.account.streamed(finish, first_token, fault.as_ref());
        if let Some(end) = end {
            self.account.end(end);
        }
        if let (Some((ring, number)), Some(answer)) = (&self.place, answer) {
            ring.close(*number, answer);
        }
        if let Some(line) = self.line.take() {
            self.write_line(line, count, fault.as_ref().map(Cause::from), end);
        }
    }

    fn write_line(&mut self, mut line: Line, count: Count, cause: Option<Cause>, end: Option<End>) {
        if let Some(access) = line.access() {
            (access.count, access.first_token) = (count, self.first_token);
            access.cause = cause.or(access.cause.take());
        }
        if let Some(end) = end {
            line.end(end);
        }
    }
}

impl Events for Recorded {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        let polled = self.events.poll_frame(context);
        if self.first_token.is_none() && polled.is_ready() {
            self.note_first_token();
        }
        // Before the client sees the end, so that whoever asks then is told.
        match &polled {
            Poll::Ready(None) => self.close(Some(End::Whole)),
            Poll::Ready(Some(Err(fault))) => self.close(Some(fault.end())),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(bytes) = frame.data_ref() {
                    self.account.piece(bytes);
                }
            }
            Poll::Pending => {}
        }
        polled
    }

    fn fail(&mut self, fault: Fault) {
        self.events.fail(fault);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        self.events.keep_alive()
    }

    fn observed(&mut self) -> Option<&Observed> {
        self.events.observed()
    }

    fn switch(&mut self, client: Socket, unread: Bytes) {
        self.events.switch(client, unread);
    }

    fn drain(&mut self) {
        self.events.drain();
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.close(None);
    }
}
