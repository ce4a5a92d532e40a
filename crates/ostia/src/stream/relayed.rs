//! A stream in the client's own dialect: its bytes pass as they came, and are only watched.

use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use ostia_dialect::frame::aws_event_stream::{Joined, ToSse};
use ostia_dialect::frame::{Framing, Grammar, KeepAlive};
use ostia_dialect::observe::{DONE, Watch};
use ostia_dialect::{Fault, Observed};

use super::State;
use crate::errors::failure;
use crate::errors::reword;
use crate::message::body::{Events, FramePoll};
use crate::message::inflate::Inflate;
use crate::upstream::{BodyFault, UpstreamBody};

/// A stream in the client's own dialect: whole events, or whole elements of an array, are handed on as they came.
#[derive(Debug)]
pub struct Relayed {
    answer: UpstreamBody,
    inflate: Option<Inflate>,
    /// Takes the events out of Amazon's messages.
    unwrap: Option<Unwrap>,
    watch: Watch,
    grammar: Grammar,
    provider: String,
    /// The unfinished event at the end of what has come; of an array all that is behind its last element.
    rest: Vec<u8>,
    /// The client has had something of it.
    begun: bool,
    /// Its events end in LF, and not in CRLF.
    is_lf: bool,
    state: State,
    /// Why it has to end here.
    ending: Option<Fault>,
    /// Why it broke off.
    fault: Option<Fault>,
}

/// Takes the events of a stream out of Amazon's messages.
#[derive(Debug)]
pub enum Unwrap {
    /// Each stands in one.
    Chunks(Box<ToSse>),
    /// They are cut into pieces.
    Parts(Box<Joined>),
}

impl Unwrap {
    /// For a stream in this framing; `None`: there is nothing around its events.
    pub fn of(framing: Framing) -> Option<Unwrap> {
        match framing {
            Framing::AwsChunks => Some(Unwrap::Chunks(Box::default())),
            Framing::AwsParts => Some(Unwrap::Parts(Box::default())),
            Framing::Sse | Framing::JsonArray | Framing::JsonLines | Framing::AwsEventStream => None,
        }
    }

    fn push(&mut self, bytes: &[u8], events: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Unwrap::Chunks(chunks) => chunks.push(bytes, events),
            Unwrap::Parts(parts) => parts.push(bytes, events),
        }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        match self {
            Unwrap::Chunks(chunks) => chunks.finish(),
            Unwrap::Parts(parts) => parts.finish(),
        }
    }
}

impl Relayed {
    /// Relays the events of `answer`, which came from `provider`.
    pub fn new(answer: UpstreamBody, inflate: Option<Inflate>, grammar: Grammar, provider: &str) -> Relayed {
        let provider = provider.to_owned();
        Relayed {
            answer,
            inflate,
            unwrap: None,
            watch: Watch::new(grammar),
            grammar,
            provider,
            rest: Vec::new(),
            begun: false,
            is_lf: false,
            state: State::Open,
            ending: None,
            fault: None,
        }
    }

    /// Relays an answer that is one JSON array.
    pub fn of_array(
        answer: UpstreamBody,
        inflate: Option<Inflate>,
        grammar: Grammar,
        provider: &str,
    ) -> Relayed {
        Relayed { watch: Watch::of_array(grammar), ..Relayed::new(answer, inflate, grammar, provider) }
    }

    /// With its events taken out of what is around them.
    pub fn unwrapped_by(self, unwrap: Option<Unwrap>) -> Relayed {
        Relayed { unwrap, ..self }
    }

    /// The whole events in what has come; the rest waits.
    fn pass(&mut self, bytes: Bytes) -> Result<Bytes, Fault> {
        let bytes = match &mut self.inflate {
            Some(inflate) => inflate.push(&bytes)?,
            None => bytes,
        };
        let bytes = match &mut self.unwrap {
            Some(unwrap) => {
                let mut events = Vec::new();
                // The events before a fault count.
                self.ending = unwrap.push(&bytes, &mut events).err();
                events.into()
            }
            None => bytes,
        };
        if self.rest.is_empty() {
            let whole = self.watch.scan(&bytes)?;
            self.rest.extend_from_slice(&bytes[whole..]);
            return Ok(bytes.slice(..whole));
        }
        self.rest.extend_from_slice(&bytes);
        let whole = self.watch.scan(&self.rest)?;
        if whole == 0 {
            // Splitting here would copy all that waits, once for every piece of a long event.
            return Ok(Bytes::new());
        }
        let tail = self.rest.split_off(whole);
        Ok(std::mem::replace(&mut self.rest, tail).into())
    }

    /// The same, with errors among them in words that the client's software understands.
    fn understood(&self, events: Bytes) -> Bytes {
        match self.watch.has_error() {
            true => reword::reword(events, self.grammar, &self.provider),
            false => events,
        }
    }

    fn end(&mut self) -> Result<Bytes, Fault> {
        if let Some(unwrap) = &mut self.unwrap {
            unwrap.finish()?;
        }
        let mut rest = std::mem::take(&mut self.rest);
        let ending = self.watch.ending(&rest)?;
        if !ending.rest_counts {
            rest.clear();
        }
        if ending.add_done {
            if !rest.is_empty() {
                rest.extend_from_slice(b"\n\n");
            }
            rest.extend_from_slice(DONE);
        }
        self.state = State::Whole;
        Ok(rest.into())
    }

    fn tell_fault(&mut self, fault: Fault) -> Bytes {
        // A stream that said its end before the connection broke is whole.
        if self.watch.ended() {
            self.state = State::Whole;
            return std::mem::take(&mut self.rest).into();
        }
        self.state = State::Broken;
        let told = match self.watch.is_array() {
            true => failure::element(&fault, !self.begun),
            false => failure::event(self.grammar, &fault, &self.provider),
        };
        self.fault = Some(fault);
        told.into()
    }
}

impl Events for Relayed {
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
                    Some(Ok(bytes)) => self.pass(bytes).map(|events| self.understood(events)),
                    Some(Err(fault)) => Err(failure::of_body(&fault)),
                    None => self.end(),
                },
            };
            let bytes = passed.unwrap_or_else(|fault| self.tell_fault(fault));
            if !bytes.is_empty() {
                (self.begun, self.is_lf) = (true, bytes.ends_with(b"\n\n"));
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.ending = Some(fault);
    }

    /// Only whole events are passed on, so that what comes next is between two of them.
    fn keep_alive(&self) -> Option<KeepAlive> {
        (self.state == State::Open).then(|| match self.watch.is_array() {
            true => KeepAlive::Space,
            false => self.grammar.keep_alive(self.begun).in_lf(self.is_lf),
        })
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    fn observed(&mut self) -> Option<&Observed> {
        Some(self.watch.observed())
    }

    fn is_malformed(&self) -> bool {
        self.watch.is_malformed()
    }
}
