//! The bodies of answers to clients, as one type without boxes on the common path.

use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Fault, Observed, Usage};

use crate::client::socket::Channel;
use crate::log::End;
use crate::message::source::Source;
use crate::upstream::{BodyFault, UpstreamBody};

/// What a poll for the next frame gives.
pub type FramePoll = Poll<Option<Result<Frame<Bytes>, BodyFault>>>;

/// A body on its way to a client.
#[derive(Debug)]
pub enum Body {
    /// Bytes that are all here.
    Full(Option<Bytes>),
    /// An upstream's answer, handed on as it comes.
    Passed(UpstreamBody),
    /// Events that are watched, translated, or made here.
    Events(Box<dyn Events>),
    /// An answer, and what has to live as long as it.
    With(Box<Accompanied>),
}

/// An answer, and what has to live as long as it.
#[derive(Debug)]
pub struct Accompanied {
    body: Body,
    /// Only kept.
    _companion: Option<Box<dyn Debug>>,
    /// Looks at what passes.
    watcher: Option<Box<dyn Watcher>>,
}

/// Whoever looks at an answer on its way, and changes nothing.
pub trait Watcher: Debug {
    /// A piece of it.
    fn piece(&mut self, bytes: &Bytes);
    /// It has ended so. Not told where the client leaves.
    fn end(&mut self, end: End);
}

impl Accompanied {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => self.end(End::Whole),
            Poll::Ready(Some(Err(fault))) => {
                let end = fault.end();
                self.end(end);
            }
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(watcher), Some(bytes)) = (&mut self.watcher, frame.data_ref()) {
                    watcher.piece(bytes);
                }
            }
            Poll::Pending => {}
        }
        polled
    }

    fn end(&mut self, end: End) {
        if let Some(mut watcher) = self.watcher.take() {
            watcher.end(end);
        }
    }
}

impl Drop for Accompanied {
    /// Whoever knows the length of an answer does not ask for its end.
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.end(End::Whole);
        }
    }
}

/// A stream of events in the client's dialect.
pub trait Events: Debug {
    /// The next whole events.
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll;

    /// Ends the stream here, with this fault told in the client's dialect.
    fn fail(&mut self, fault: Fault);

    /// What may be sent between what `poll_frame` gives, so that nobody takes the stream for dead; `None`: nothing.
    fn keep_alive(&self) -> Option<KeepAlive>;

    /// Why the stream breaks off, once it does. Tells it once.
    fn take_fault(&mut self) -> Option<Fault> {
        None
    }

    /// What the answer has said so far; `None` where nobody looks at it.
    fn observed(&mut self) -> Option<&Observed> {
        None
    }

    /// What was counted before, of attempts that this answer goes on from; it is in what is observed too.
    fn spent(&self) -> Option<Usage> {
        None
    }

    /// Has an event passed as it came although it is malformed?
    fn is_malformed(&self) -> bool {
        false
    }

    /// Could somebody else go on with it if it breaks off?
    fn can_be_resumed(&self) -> bool {
        false
    }

    /// Takes somebody who gets the rest if the stream breaks off.
    fn resumed_by(&mut self, _failover: Box<dyn Resume>) {}

    /// Takes the client's connection, which has gone over to another protocol (status 101), and what was read of it. From here on
    /// `poll_frame` serves it and gives nothing but its end.
    fn switch(&mut self, _client: Channel, _unread: Bytes) {}

    /// Tells a connection that has gone over to another protocol that the gateway stops: what is under way may come to its end.
    fn drain(&mut self) {}
}

/// Whoever can get the rest of an answer that broke off.
pub trait Resume: Debug {
    /// Gets the rest of an answer to `request` that broke off with this fault, when the client had these words of it;
    /// `None`: it has something that nobody can go on with.
    fn resume(self: Box<Self>, fault: Fault, request: Bytes, beginning: Option<String>) -> Resuming;
}

/// A failover at work: what goes on with the answer, and itself, for the next time.
pub type Resuming = Pin<Box<dyn Future<Output = (Box<dyn Resume>, Result<Source, Fault>)>>>;

impl Body {
    /// A stream of events.
    pub fn events(events: impl Events + 'static) -> Body {
        Body::Events(Box::new(events))
    }

    /// Ends what is not whole yet: a stream of events with this fault, any other answer by breaking off.
    pub fn fail(&mut self, fault: &Fault) {
        match self {
            Body::Full(_) => {}
            Body::Passed(_) => *self = Body::events(BrokenOff),
            Body::Events(events) => events.fail(fault.clone()),
            Body::With(with) => with.body.fail(fault),
        }
    }

    /// Takes the client's connection, if the answer goes over to another protocol.
    pub fn switch(&mut self, client: Channel, unread: Bytes) {
        match self {
            Body::Full(_) | Body::Passed(_) => {}
            Body::Events(events) => events.switch(client, unread),
            Body::With(with) => with.body.switch(client, unread),
        }
    }

    /// Tells an answer that has gone over to another protocol that the gateway stops.
    pub fn drain(&mut self) {
        match self {
            Body::Full(_) | Body::Passed(_) => {}
            Body::Events(events) => events.drain(),
            Body::With(with) => with.body.drain(),
        }
    }

    /// What may be sent between two pieces; `None`: nothing.
    pub fn keep_alive(&self) -> Option<KeepAlive> {
        match self {
            Body::Full(_) | Body::Passed(_) => None,
            Body::Events(events) => events.keep_alive(),
            Body::With(with) => with.body.keep_alive(),
        }
    }

    /// The answer, and something that lives as long as it.
    pub fn with(self, companion: impl Debug + 'static) -> Body {
        let companion = Some(Box::new(companion) as Box<dyn Debug>);
        Body::With(Box::new(Accompanied { body: self, _companion: companion, watcher: None }))
    }

    /// The answer, which somebody looks at on its way.
    pub fn watched(self, watcher: impl Watcher + 'static) -> Body {
        let watcher = Some(Box::new(watcher) as Box<dyn Watcher>);
        match self {
            Body::With(mut with) if with.watcher.is_none() => {
                with.watcher = watcher;
                Body::With(with)
            }
            body => Body::With(Box::new(Accompanied { body, _companion: None, watcher })),
        }
    }
}

/// What is left of an answer that is not gone on with.
#[derive(Debug)]
struct BrokenOff;

impl Events for BrokenOff {
    fn poll_frame(&mut self, _context: &mut Context<'_>) -> FramePoll {
        Poll::Ready(Some(Err(BodyFault::Broken)))
    }

    fn fail(&mut self, _fault: Fault) {}

    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::Full(Some(bytes.into()))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body::Full(Some(bytes))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> FramePoll {
        match self.get_mut() {
            Body::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::Passed(answer) => answer.poll_frame(context),
            Body::Events(events) => events.poll_frame(context),
            Body::With(with) => with.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Full(bytes) => bytes.is_none(),
            Body::Passed(answer) => answer.is_end(),
            Body::Events(_) => false,
            Body::With(with) => with.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Body::Passed(answer) => answer.size_hint(),
            Body::Events(_) => SizeHint::default(),
            Body::With(with) => with.body.size_hint(),
        }
    }
}
