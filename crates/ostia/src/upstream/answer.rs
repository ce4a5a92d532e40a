//! The bodies of answers, with what they come on.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::BodyFault;
use super::deadline::ReadDeadline;
use super::http1::Connection;
use super::http2::OpenStream;
use super::pool::HostPool;
use crate::timer::LazyTimer;

/// What an answer comes on.
#[derive(Debug)]
pub(super) enum Carrier {
    /// A connection of its own.
    Http1(Box<Connection>),
    /// A stream of a connection that others use too.
    Http2(Box<Http2Call>),
}

/// A call on a stream, which is free for others when the call is over.
#[derive(Debug)]
pub(super) struct Http2Call {
    timer: LazyTimer,
    _stream: OpenStream,
}

impl Http2Call {
    pub(super) fn new(stream: OpenStream, timer: LazyTimer) -> Http2Call {
        Http2Call { timer, _stream: stream }
    }
}

impl Carrier {
    /// Reads and writes what can be read and written. A connection with several streams has a task that does so.
    fn drive(&mut self, context: &mut Context<'_>) {
        match self {
            Carrier::Http1(connection) => connection.drive(context),
            Carrier::Http2(_) => {}
        }
    }

    fn timer(&mut self) -> &mut LazyTimer {
        match self {
            Carrier::Http1(connection) => connection.timer(),
            Carrier::Http2(call) => &mut call.timer,
        }
    }
}

/// The body of an upstream's answer. Its connection is kept when the body has come whole, and closed when it is dropped
/// before (of HTTP/2, its stream is reset): a client that leaves ends the call.
#[derive(Debug)]
pub struct UpstreamBody {
    body: Incoming,
    /// What has been looked at and not taken yet.
    seen: Option<Bytes>,
    /// What came in the place of more.
    broken: Option<BodyFault>,
    pool: Rc<HostPool>,
    carrier: Option<Carrier>,
    deadline: ReadDeadline,
    /// When its connection stood, where that was made for it.
    connected: Option<Instant>,
}

impl UpstreamBody {
    /// The body of an answer whose head has come on this carrier.
    pub(super) fn new(
        body: Incoming,
        pool: Rc<HostPool>,
        carrier: Carrier,
        deadline: ReadDeadline,
    ) -> UpstreamBody {
        let mut answer = UpstreamBody {
            body,
            seen: None,
            broken: None,
            pool,
            carrier: Some(carrier),
            deadline,
            connected: None,
        };
        if answer.body.is_end_stream() {
            answer.release();
        }
        answer
    }

    /// The next piece. Fails when none comes in time.
    pub fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        if let Some(seen) = self.seen.take() {
            return Poll::Ready(Some(Ok(Frame::data(seen))));
        }
        if let Some(fault) = self.broken.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                self.carrier.iter_mut().for_each(|carrier| carrier.drive(context));
                match Pin::new(&mut self.body).poll_frame(context) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => {
                        let Some(carrier) = &mut self.carrier else { return Poll::Pending };
                        ready!(carrier.timer().poll_over(self.deadline.due(), context));
                        return Poll::Ready(Some(Err(BodyFault::Silence)));
                    }
                }
            }
        };
        self.deadline.renew();
        match frame {
            Some(Ok(frame)) => {
                if self.body.is_end_stream() {
                    self.release();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(BodyFault::Connection(error)))),
            None => {
                self.release();
                Poll::Ready(None)
            }
        }
    }

    /// The next bytes; trailers are passed over.
    pub fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyFault>>> {
        loop {
            match ready!(self.poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Some(Err(fault)) => return Poll::Ready(Some(Err(fault))),
                None => return Poll::Ready(None),
            }
        }
    }

    /// The next bytes, awaited.
    pub async fn bytes(&mut self) -> Option<Result<Bytes, BodyFault>> {
        poll_fn(|context| self.poll_bytes(context)).await
    }

    /// When all of it has to be there.
    pub fn end(&self) -> Instant {
        self.deadline.end()
    }

    /// Has all of it come?
    pub fn is_end(&self) -> bool {
        self.seen.is_none() && self.broken.is_none() && self.body.is_end_stream()
    }

    /// The beginning, which stays where it is, as does the fault that came in its place; nothing where there is none.
    pub async fn beginning(&mut self) -> &[u8] {
        if self.seen.is_none() && self.broken.is_none() {
            self.see().await;
        }
        self.seen.as_deref().unwrap_or_default()
    }

    /// All of it, where it comes whole and has at most so many bytes. It stays to be read, as does what has come of any other.
    pub async fn whole(&mut self, bytes_max: usize) -> Option<Bytes> {
        let mut whole = BytesMut::new();
        while self.see().await {
            whole.extend_from_slice(&self.seen.take().unwrap_or_default());
            if whole.len() > bytes_max {
                break;
            }
        }
        let whole = whole.freeze();
        self.put_back(whole.clone());
        (self.broken.is_none() && whole.len() <= bytes_max).then_some(whole)
    }

    /// Looks at the next piece. Is there one?
    async fn see(&mut self) -> bool {
        match self.bytes().await.transpose() {
            Ok(seen) => self.seen = seen,
            Err(fault) => self.broken = Some(fault),
        }
        self.seen.is_some()
    }

    /// Has these bytes read next.
    pub fn put_back(&mut self, bytes: Bytes) {
        self.seen = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    /// The same answer, whose connection was made for it and stood then.
    pub(super) fn over(self, connected: Option<Instant>) -> UpstreamBody {
        UpstreamBody { connected, ..self }
    }

    /// When its connection stood, where that was made for it.
    pub fn connected(&self) -> Option<std::time::Instant> {
        self.connected.map(Instant::into_std)
    }

    /// When the head or the last piece came.
    pub fn last(&self) -> Instant {
        self.deadline.last()
    }

    /// How much is to come, what has been looked at included.
    pub fn size_hint(&self) -> SizeHint {
        let rest = self.body.size_hint();
        match (&self.seen, rest.exact()) {
            (Some(seen), Some(bytes)) => SizeHint::with_exact(bytes + seen.len() as u64),
            (Some(_) | None, _) => rest,
        }
    }

    /// The connection is free for the next call.
    fn release(&mut self) {
        if let Some(Carrier::Http1(connection)) = self.carrier.take() {
            self.pool.keep(connection, self.deadline.last());
        }
    }
}
