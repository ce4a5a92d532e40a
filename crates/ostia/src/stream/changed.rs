//! A sound on its way back that is changed while it passes: put into another container, or into events.

use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use ostia_dialect::api::Passing;
use ostia_dialect::frame::{Grammar, KeepAlive};
use ostia_dialect::{Fault, Observed};

use super::State;
use crate::errors::failure;
use crate::message::body::{Events, FramePoll};
use crate::message::inflate::Inflate;
use crate::upstream::{BodyFault, UpstreamBody};

/// What the type of a stream of events begins with.
const EVENTS: &str = "text/event-stream";

/// An answer that is changed piece by piece.
#[derive(Debug)]
pub struct Changed {
    answer: UpstreamBody,
    inflate: Option<Inflate>,
    passing: Box<dyn Passing>,
    observed: Observed,
    state: State,
    /// Why it has to end here.
    ending: Option<Fault>,
    /// Why it broke off.
    fault: Option<Fault>,
}

impl Changed {
    /// Changes what comes of `answer`.
    pub fn new(answer: UpstreamBody, inflate: Option<Inflate>, passing: Box<dyn Passing>) -> Changed {
        let observed = Observed::default();
        Changed { answer, inflate, passing, observed, state: State::Open, ending: None, fault: None }
    }

    fn is_events(&self) -> bool {
        self.passing.content_type().is_some_and(|media| media.starts_with(EVENTS))
    }

    fn pass(&mut self, bytes: Bytes) -> Result<Bytes, Fault> {
        let bytes = match &mut self.inflate {
            Some(inflate) => inflate.push(&bytes)?,
            None => bytes,
        };
        self.observed.first_token |= !bytes.is_empty();
        Ok(self.passing.push(&bytes).into())
    }

    fn end(&mut self) -> Result<Bytes, Fault> {
        if !self.observed.first_token {
            return Err(Fault::upstream("The provider's answer is empty."));
        }
        self.state = State::Whole;
        Ok(self.passing.finish().into())
    }

    /// In events a fault can be told; a sound can only break off.
    fn tell_fault(&mut self, fault: Fault) -> Bytes {
        self.state = State::Broken;
        let told = if self.is_events() { failure::event(Grammar::Unknown, &fault, "") } else { Vec::new() };
        self.fault = Some(fault);
        told.into()
    }
}

impl Events for Changed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        loop {
            match self.state {
                State::Open => {}
                State::Broken => return Poll::Ready(Some(Err(BodyFault::Broken))),
                State::Whole => return Poll::Ready(None),
            }
            let passed = match self.ending.take() {
                Some(fault) => Err(fault),
                None => match std::task::ready!(self.answer.poll_bytes(context)) {
                    Some(Ok(bytes)) => self.pass(bytes),
                    Some(Err(fault)) => Err(failure::of_body(&fault)),
                    None => self.end(),
                },
            };
            let bytes = passed.unwrap_or_else(|fault| self.tell_fault(fault));
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.ending = Some(fault);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        (self.state == State::Open && self.is_events()).then_some(KeepAlive::Comment)
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    fn observed(&mut self) -> Option<&Observed> {
        Some(&self.observed)
    }
}
