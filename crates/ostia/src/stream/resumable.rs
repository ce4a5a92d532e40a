//! The source of a translated stream, and whoever goes on with the answer if it breaks off.
//!
//! This stands around the source and is no stage behind it, because it puts another source in that one's place: what comes
//! behind sees one stream that never broke.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use ostia_dialect::continuation::Continuation;
use ostia_dialect::{Event, Fault, Metered, Usage};

use crate::errors::failure;
use crate::message::body::{Resume, Resuming};
use crate::message::source::Source;

/// A source that another one may replace.
#[derive(Debug)]
pub(super) struct Resumable {
    source: Source,
    /// `None`: nobody will go on with it.
    continuing: Option<Box<Continuing>>,
    /// Another source has taken its place since somebody last asked.
    is_other: bool,
}

/// What has been said of an answer, and who gets the rest if it breaks off.
struct Continuing {
    said: Continuation,
    /// The client's body.
    request: Bytes,
    /// Away while at work.
    failover: Option<Box<dyn Resume>>,
    resuming: Option<Resuming>,
}

impl Resumable {
    /// This source, of the answer to `request` where somebody may have to go on with it.
    pub(super) fn new(source: Source, request: Option<Bytes>) -> Resumable {
        let continuing = request.map(|request| {
            Box::new(Continuing { said: Continuation::default(), request, failover: None, resuming: None })
        });
        Resumable { source, continuing, is_other: false }
    }

    /// Could somebody go on with it?
    pub(super) fn can_be_resumed(&self) -> bool {
        self.continuing.is_some()
    }

    /// Takes somebody who gets the rest if it breaks off.
    pub(super) fn resumed_by(&mut self, failover: Box<dyn Resume>) {
        if let Some(continuing) = &mut self.continuing {
            continuing.failover = Some(failover);
        }
    }

    /// Has it broken off, and may somebody get the rest of it? Then that begins.
    pub(super) fn resume(&mut self, fault: Fault) -> Result<(), Fault> {
        let Some(continuing) = &mut self.continuing else { return Err(fault) };
        let Some(failover) = continuing.failover.take() else { return Err(fault) };
        let beginning = continuing.said.beginning().map(str::to_owned);
        continuing.resuming = Some(failover.resume(fault, continuing.request.clone(), beginning));
        Ok(())
    }

    /// Waits for more bytes, which then have to be pushed; and before that for the source that they come from.
    pub(super) fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        if let Err(fault) = ready!(self.poll_resuming(context)) {
            return Poll::Ready(Some(Err(fault)));
        }
        self.source.poll_bytes(context).map_err(|fault| failure::of_body(&fault))
    }

    /// Waits for the rest of a stream that broke off, if there is one to wait for.
    fn poll_resuming(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let Some(continuing) = &mut self.continuing else { return Poll::Ready(Ok(())) };
        let Some(resuming) = &mut continuing.resuming else { return Poll::Ready(Ok(())) };
        let (failover, source) = ready!(resuming.as_mut().poll(context));
        continuing.resuming = None;
        self.source = match source {
            Ok(source) => source,
            Err(fault) => return Poll::Ready(Err(fault)),
        };
        continuing.failover = Some(failover);
        continuing.said.go_on();
        self.is_other = true;
        Poll::Ready(Ok(()))
    }

    /// Passes over whatever the source still sends, so that its connection can be used again.
    pub(super) fn drain(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(Ok(_))) = self.source.poll_bytes(context) {}
    }

    /// Takes the bytes that have come.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.source.push(bytes)
    }

    /// As [`Source::next`], fitted to what the client has.
    pub(super) fn next(&mut self, events: &mut Vec<Event>) -> Option<Result<(), Fault>> {
        let next = self.source.next(events);
        self.fit(events);
        next
    }

    /// As [`Source::last`].
    pub(super) fn last(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let last = self.source.last(events);
        self.fit(events);
        last
    }

    /// As [`Source::finish`].
    pub(super) fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let finished = self.source.finish(events);
        self.fit(events);
        finished
    }

    /// Has another source taken its place, since this was last asked?
    pub(super) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.is_other)
    }

    /// What has been counted so far, that of earlier sources too.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = self.source.usage()?;
        Some(self.spent().map_or(usage, |spent| spent.plus(&usage)))
    }

    /// As [`Source::tools`].
    pub(super) fn tools(&self) -> Metered {
        self.source.tools()
    }

    /// What was counted of earlier sources, or is taken for it.
    pub(super) fn spent(&self) -> Option<Usage> {
        self.continuing.as_ref()?.said.spent()
    }

    /// As [`Source::take_ping`].
    pub(super) fn take_ping(&mut self) -> bool {
        self.source.take_ping()
    }

    fn fit(&mut self, events: &mut Vec<Event>) {
        if let Some(continuing) = &mut self.continuing {
            continuing.said.pass(events);
        }
    }
}

impl std::fmt::Debug for Continuing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Continuing")
            .field("said", &self.said)
            .field("failover", &self.failover)
            .finish_non_exhaustive()
    }
}
