//! Where a stream that is read comes from: an upstream's body, and everything by which its bytes become events.

use std::task::{Context, Poll};

use bytes::Bytes;
use ostia_dialect::frame::{Framer, Framing, is_ping};
use ostia_dialect::{Decoder, Dialect, Event, Fault, Metered, Undo, Usage};

use crate::message::inflate::Inflate;
use crate::upstream::{BodyFault, UpstreamBody};

/// An upstream's stream, from its bytes to events in the client's words. When somebody else goes on with an answer, all of it
/// is replaced at once.
#[derive(Debug)]
pub struct Source {
    answer: UpstreamBody,
    inflate: Option<Inflate>,
    framer: Framer,
    decoder: Decoder,
    undo: Undo,
    /// The upstream has said that it is there, and nothing else.
    has_ping: bool,
}

impl Source {
    /// The answer of an upstream that speaks this dialect, in this framing; `undo`: what has to be undone in it.
    pub fn new(
        answer: UpstreamBody,
        inflate: Option<Inflate>,
        (dialect, framing): (Dialect, Framing),
        undo: Undo,
    ) -> Source {
        let framer = Framer::new(framing);
        Source { answer, inflate, framer, decoder: Decoder::new(dialect), undo, has_ping: false }
    }

    /// Waits for more bytes, which then have to be pushed.
    pub fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyFault>>> {
        self.answer.poll_bytes(context)
    }

    /// Takes the bytes that have come.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.inflate {
            Some(inflate) => self.framer.push(&inflate.push(bytes)?),
            None => self.framer.push(bytes),
        }
        Ok(())
    }

    /// Decodes the next whole frame; `None`: more bytes have to come. The events before a fault count.
    pub fn next(&mut self, events: &mut Vec<Event>) -> Option<Result<(), Fault>> {
        loop {
            return match self.framer.next() {
                Ok(Some(frame)) if is_ping(&frame) => {
                    self.has_ping = true;
                    continue;
                }
                Ok(Some(frame)) => {
                    let decoded = self.decoder.push(frame, events);
                    self.undo.events(events);
                    Some(decoded)
                }
                Ok(None) => {
                    self.has_ping |= self.framer.take_ping();
                    None
                }
                Err(fault) => Some(Err(fault)),
            };
        }
    }

    /// The upstream has closed the stream: decodes what stands behind the last whole frame, if that counts.
    pub fn last(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(frame) = self.framer.finish()? else { return Ok(()) };
        let decoded = self.decoder.push(frame, events);
        self.undo.events(events);
        decoded
    }

    /// Then: what ends the answer. Fails where it is not whole.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let finished = self.decoder.finish(events);
        self.undo.events(events);
        finished
    }

    /// What has been counted so far, where the dialect tells it before the end.
    pub fn usage(&self) -> Option<Usage> {
        self.decoder.usage()
    }

    /// Tools that it shows traces of so far, where the dialect counts them with the tokens alone.
    pub fn tools(&self) -> Metered {
        self.decoder.tools()
    }

    /// Has the upstream said, since this was last asked, that it is there, and nothing else?
    pub fn take_ping(&mut self) -> bool {
        std::mem::take(&mut self.has_ping)
    }
}
