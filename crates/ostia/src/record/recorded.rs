//! A stream that closes the record of its request: with its end, or when the client leaves.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Fault, Observed};

use super::Answered;
use super::records::Ring;
use crate::message::body::{Body, Events, FramePoll};

/// A stream, and where the record of its request is.
#[derive(Debug)]
struct Recorded {
    events: Box<dyn Events>,
    ring: Arc<Ring>,
    number: u64,
    started: Option<Instant>,
    first_token: Option<Duration>,
    is_closed: bool,
}

/// The same stream; the record is that of this number in the ring.
pub(super) fn record(
    events: Box<dyn Events>,
    ring: Arc<Ring>,
    number: u64,
    started: Option<Instant>,
) -> Body {
    Body::events(Recorded { events, ring, number, started, first_token: None, is_closed: false })
}

impl Recorded {
    fn note_first_token(&mut self) {
        let has_spoken = self.events.observed().is_some_and(|observed| observed.first_token);
        self.first_token = self.started.filter(|_| has_spoken).map(|started| started.elapsed());
    }

    fn close(&mut self) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        let first_token = self.first_token;
        if let Some(observed) = self.events.observed() {
            self.ring.close(self.number, Answered { first_token, ..observed.into() });
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
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.close();
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
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.close();
    }
}
