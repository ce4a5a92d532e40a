//! An event stream in another dialect: decoded to events, and encoded for the client.

use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use ostia_dialect::frame::{Framer, Framing};
use ostia_dialect::frame::{KeepAlive, is_ping};
use ostia_dialect::{Decoder, Encoder, Event, Fault, Observed, Undo};

use super::State;
use super::continuing::Continuing;
use crate::errors::failure;
use crate::message::body::{Events, FramePoll, Rest, Resume};
use crate::message::inflate::Inflate;
use crate::responses_api::StoreHandle;
use crate::upstream::{BodyFault, UpstreamBody};

/// An event stream in another dialect: decoded to events, encoded for the client.
#[derive(Debug)]
pub struct Translated {
    answer: UpstreamBody,
    inflate: Option<Inflate>,
    framer: Framer,
    decoder: Decoder,
    encoder: Encoder,
    undo: Undo,
    keep: Option<Rc<StoreHandle>>,
    continuing: Option<Box<Continuing>>,
    events: Vec<Event>,
    observed: Observed,
    /// The client has had something of it.
    begun: bool,
    /// The upstream has said that it is there, and nothing else.
    pinged: bool,
    state: State,
    /// Why it has to end here.
    ending: Option<Fault>,
    /// Why it broke off.
    fault: Option<Fault>,
}

impl Translated {
    /// Translates `answer`.
    pub fn new(
        answer: UpstreamBody,
        inflate: Option<Inflate>,
        decoder: Decoder,
        encoder: Encoder,
    ) -> Translated {
        Translated {
            answer,
            inflate,
            framer: Framer::new(Framing::Sse),
            decoder,
            encoder,
            undo: Undo::default(),
            keep: None,
            continuing: None,
            events: Vec::new(),
            observed: Observed::default(),
            begun: false,
            pinged: false,
            state: State::Open,
            ending: None,
            fault: None,
        }
    }

    /// The same with what has to be undone, with somebody who remembers the answer, and with
    /// notes on what is said, so that somebody else can go on with it.
    pub fn with(mut self, undo: Undo, keep: Option<Rc<StoreHandle>>, continues: Option<Bytes>) -> Translated {
        (self.undo, self.keep) = (undo, keep);
        self.continuing = continues.map(Continuing::of);
        self
    }

    /// Has the stream broken off, and may somebody get the rest of it? Then that begins.
    fn resume(&mut self, fault: Fault) -> Result<(), Fault> {
        let Some(continuing) = &mut self.continuing else { return Err(fault) };
        let Some(failover) = continuing.failover.take() else { return Err(fault) };
        let beginning = continuing.said.beginning().map(str::to_owned);
        continuing.resuming = Some(failover.resume(fault, continuing.request.clone(), beginning));
        Ok(())
    }

    /// Waits for the rest of a stream that broke off, if there is one to wait for.
    fn poll_resuming(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let Some(continuing) = &mut self.continuing else { return Poll::Ready(Ok(())) };
        let Some(resuming) = &mut continuing.resuming else { return Poll::Ready(Ok(())) };
        let (failover, rest) = std::task::ready!(resuming.as_mut().poll(context));
        continuing.resuming = None;
        let Rest { answer, inflate, decoder, undo } = match rest {
            Ok(rest) => rest,
            Err(fault) => return Poll::Ready(Err(fault)),
        };
        continuing.failover = Some(failover);
        continuing.said.go_on();
        (self.answer, self.inflate, self.decoder, self.framer) =
            (answer, inflate, decoder, Framer::new(Framing::Sse));
        self.undo = undo;
        self.events.clear();
        Poll::Ready(Ok(()))
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        match &mut self.inflate {
            Some(inflate) => self.framer.push(&inflate.push(bytes)?),
            None => self.framer.push(bytes),
        }
        while let Some(frame) = self.framer.next()? {
            if is_ping(&frame) {
                self.pinged = true;
                continue;
            }
            let pushed = self.decoder.push(frame, &mut self.events);
            self.encode(out);
            pushed?;
        }
        self.pinged |= self.framer.take_ping();
        Ok(())
    }

    /// Tells the client that the upstream is there, where that is all that has come.
    fn pass_ping(&mut self, out: &mut Vec<u8>) {
        let pinged = std::mem::take(&mut self.pinged);
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
        if let Some(frame) = self.framer.finish()? {
            let pushed = self.decoder.push(frame, &mut self.events);
            self.encode(out);
            pushed?;
        }
        let finished =
            if self.state == State::Whole { Ok(()) } else { self.decoder.finish(&mut self.events) };
        self.encode(out);
        finished
    }

    fn encode(&mut self, out: &mut Vec<u8>) {
        self.undo.events(&mut self.events);
        if let Some(continuing) = &mut self.continuing {
            continuing.said.pass(&mut self.events);
        }
        for event in self.events.drain(..) {
            let before = out.len();
            self.encoder.push(&event, out);
            self.observed.event(&event, out.len() > before);
            if event == Event::Finish {
                self.state = State::Whole;
            }
        }
        if self.state == State::Whole
            && let (Some(keep), Encoder::OpenaiResponses(encoder)) = (self.keep.take(), &self.encoder)
            && let Some(body) = encoder.whole()
        {
            keep.put(&body);
        }
    }

    /// The last words of a stream that broke off, behind what there is to send.
    fn tell_fault(&mut self, fault: Fault, mut out: Vec<u8>) -> Bytes {
        self.encoder.fail(&fault, &mut out);
        self.state = State::Broken;
        self.fault = Some(fault);
        out.into()
    }

    /// The answer is whole: whatever the upstream still sends is passed over, so that its connection can be used again.
    fn drain(&mut self, context: &mut Context<'_>) -> Option<Result<Frame<Bytes>, BodyFault>> {
        while let Poll::Ready(Some(Ok(_))) = self.answer.poll_bytes(context) {}
        None
    }
}

impl Events for Translated {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        loop {
            match self.state {
                State::Open => {}
                State::Broken => return Poll::Ready(Some(Err(BodyFault::Broken))),
                State::Whole => return Poll::Ready(self.drain(context)),
            }
            let mut out = Vec::new();
            if let Some(fault) = self.ending.take() {
                return Poll::Ready(Some(Ok(Frame::data(self.tell_fault(fault, out)))));
            }
            let done = match std::task::ready!(self.poll_resuming(context)) {
                Ok(()) => match std::task::ready!(self.answer.poll_bytes(context)) {
                    Some(Ok(bytes)) => self.push(&bytes, &mut out),
                    Some(Err(fault)) => Err(failure::of_body(&fault)),
                    None => self.end(&mut out),
                },
                Err(fault) => Err(fault),
            };
            if let Err(fault) = done.or_else(|fault| self.resume(fault)) {
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
        Some(&self.observed)
    }

    fn can_be_resumed(&self) -> bool {
        self.continuing.is_some()
    }

    fn resumed_by(&mut self, failover: Box<dyn Resume>) {
        if let Some(continuing) = &mut self.continuing {
            continuing.failover = Some(failover);
        }
    }
}
