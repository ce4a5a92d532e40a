//! A stream that closes the account of its request: with its end, or when the client leaves.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Fault, Observed};

use super::account::Account;
use super::facts::Said;
use crate::client::socket::Channel;
use crate::log::End;
use crate::message::body::{Body, Events, FramePoll};

/// A stream, and the account of its request.
#[derive(Debug)]
struct Recorded {
    events: Box<dyn Events>,
    account: Rc<Account>,
    began: Option<Instant>,
    first_token: Option<Duration>,
    is_closed: bool,
}

/// The same stream, which closes this account.
pub(super) fn record(events: Box<dyn Events>, account: Rc<Account>) -> Body {
    let began = account.began();
    Body::events(Recorded { events, account, began, first_token: None, is_closed: false })
}

impl Recorded {
    fn note_first_token(&mut self) {
        let has_spoken = self.events.observed().is_some_and(|observed| observed.first_token);
        self.first_token = self.began.filter(|_| has_spoken).map(|began| began.elapsed());
    }

    /// `None`: the client does not wait for the end.
    fn close(&mut self, end: Option<End>) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        let said = self.events.observed().map(Said::from).unwrap_or_default();
        let told = self.events.take_fault();
        let fault = told.or_else(|| self.events.observed().and_then(|observed| observed.fault.clone()));
        self.account.streamed(Said { first_token: self.first_token, ..said }, fault.as_ref());
        let end = if fault.is_some() { Some(End::Broken) } else { end };
        if let Some(end) = end {
            self.account.end(end);
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

    fn switch(&mut self, client: Channel, unread: Bytes) {
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
