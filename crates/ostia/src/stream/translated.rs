//! An event stream in another dialect: decoded to events, and encoded for the client.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Encoder, Event, Fault, Observed, Usage};

use super::State;
use super::resumable::Resumable;
use super::stage::Stages;
use crate::message::body::{Events, FramePoll, Resume};
use crate::message::source::Source;
use crate::upstream::BodyFault;

/// An event stream in another dialect: from its source through all stages to the client's encoder.
#[derive(Debug)]
pub struct Translated {
    source: Resumable,
    stages: Stages,
    encoder: Encoder,
    events: Vec<Event>,
    observed: Observed,
    /// The client has had something of it.
    begun: bool,
    state: State,
    /// Why it has to end here.
    ending: Option<Fault>,
    /// Why it broke off.
    fault: Option<Fault>,
}

impl Translated {
    /// Translates what comes from `source`. `request`: what it answers, where somebody may have to go on with it.
    pub fn new(source: Source, request: Option<Bytes>, stages: Stages, encoder: Encoder) -> Translated {
        Translated {
            source: Resumable::new(source, request),
            stages,
            encoder,
            events: Vec::new(),
            observed: Observed::default(),
            begun: false,
            state: State::Open,
            ending: None,
            fault: None,
        }
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        self.source.push(bytes)?;
        while let Some(decoded) = self.source.next(&mut self.events) {
            self.encode(out);
            decoded?;
        }
        Ok(())
    }

    /// Tells the client that the upstream is there, where that is all that has come.
    fn pass_ping(&mut self, out: &mut Vec<u8>) {
        let pinged = self.source.take_ping();
        if pinged {
            self.observed.ping();
        }
        match out.is_empty() {
            false => self.begun = true,
            true if pinged => {
                out.extend_from_slice(self.keep_alive().map(KeepAlive::bytes).unwrap_or_default())
            }
            true => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let last = self.source.last(&mut self.events);
        self.encode(out);
        last?;
        if self.state == State::Whole {
            return Ok(());
        }
        let finished = self.source.finish(&mut self.events);
        self.encode(out);
        finished
    }

    fn encode(&mut self, out: &mut Vec<u8>) {
        self.stages.iter_mut().for_each(|stage| stage.events(&mut self.events));
        let was_open = self.state == State::Open;
        for event in self.events.drain(..) {
            let before = out.len();
            self.encoder.push(&event, out);
            self.observed.event(&event, out.len() > before);
            if event == Event::Finish {
                self.state = State::Whole;
            }
        }
        if was_open && self.state == State::Whole && !self.stages.is_empty() {
            self.tell_stages();
        }
    }

    /// The answer is whole.
    fn tell_stages(&mut self) {
        if let Some(body) = self.encoder.whole() {
            self.stages.iter_mut().for_each(|stage| stage.whole(&body));
        }
    }

    /// The last words of a stream that broke off, behind what there is to send.
    fn tell_fault(&mut self, fault: Fault, mut out: Vec<u8>) -> Bytes {
        self.encoder.fail(&fault, &mut out);
        self.state = State::Broken;
        self.fault = Some(fault);
        out.into()
    }
}

impl Events for Translated {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        loop {
            match self.state {
                State::Open => {}
                State::Broken => return Poll::Ready(Some(Err(BodyFault::Broken))),
                State::Whole => {
                    self.source.drain(context);
                    return Poll::Ready(None);
                }
            }
            let mut out = Vec::new();
            if let Some(fault) = self.ending.take() {
                return Poll::Ready(Some(Ok(Frame::data(self.tell_fault(fault, out)))));
            }
            let polled = self.source.poll_bytes(context);
            if self.source.take_change() {
                self.observed.begin_again();
            }
            let done = match ready!(polled) {
                Some(Ok(bytes)) => self.push(&bytes, &mut out),
                Some(Err(fault)) => Err(fault),
                None => self.end(&mut out),
            };
            if let Err(fault) = done.or_else(|fault| self.source.resume(fault)) {
                return Poll::Ready(Some(Ok(Frame::data(self.tell_fault(fault, out)))));
            }
            self.pass_ping(&mut out);
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.ending = Some(fault);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        (self.state == State::Open).then(|| self.encoder.keep_alive(self.begun))
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    fn observed(&mut self) -> Option<&Observed> {
        let counted = self.source.usage().filter(|_| self.observed.finish.is_none());
        if let Some(usage) = counted {
            self.observed.count = Some(usage).into();
        }
        self.observed.note_tools(self.source.tools());
        Some(&self.observed)
    }

    fn spent(&self) -> Option<Usage> {
        self.source.spent()
    }

    fn can_be_resumed(&self) -> bool {
        self.source.can_be_resumed()
    }

    fn resumed_by(&mut self, failover: Box<dyn Resume>) {
        self.source.resumed_by(failover);
    }
}
