//! The client, as its request, its answer and its socket see it: what holds for its connection, and what holds for one request.
//!
//! Three things are known here that HTTP's own machinery does not see: until when an answer has to be through although the
//! client does not read, whether a client that closed its half of the connection still waits, and that the gateway stops.

pub mod socket;

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use ostia_dialect::frame::Grammar;
use tokio::time::Instant;

/// How much larger than its bound a head may be to be read all the same, and get an answer in the client's own words.
const HEAD_SLACK_BYTES: usize = 4 << 10;

/// What holds for a connection, whatever is asked on it.
#[derive(Debug)]
pub struct Connection {
    /// Where it comes from.
    pub(crate) peer: Option<IpAddr>,
    /// How requests are told apart on it.
    pub(crate) protocol: Protocol,
    /// It is encrypted.
    pub(crate) is_tls: bool,
    /// The gateway stops now, and what is open ends with an error.
    pub(crate) is_cut: Cell<bool>,
    /// The gateway stops: what is open comes to its end.
    pub(crate) is_draining: Cell<bool>,
    /// How often all that there was to write has been written.
    flushes: Cell<usize>,
    /// Those who wait for the next time.
    unflushed: RefCell<Vec<Waker>>,
    /// Whoever writes, where that is somebody else than those who wait.
    driver: RefCell<Option<Waker>>,
}

/// How requests are told apart on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// One comes after the other: the same [`Client`] is there for all of them.
    Http1,
    /// Each is a stream, and has a [`Client`] of its own.
    Http2,
}

impl Connection {
    /// One on which nothing was said.
    pub fn new(peer: Option<IpAddr>, protocol: Protocol, is_tls: bool) -> Rc<Connection> {
        Rc::new(Connection {
            peer,
            protocol,
            is_tls,
            is_cut: Cell::default(),
            is_draining: Cell::default(),
            flushes: Cell::default(),
            unflushed: RefCell::default(),
            driver: RefCell::default(),
        })
    }

    /// What its URLs begin with.
    pub fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// Ends what is on its way. Whoever drives the connection has to be woken.
    pub fn cut(&self) {
        self.is_cut.set(true);
    }

    /// This is who writes.
    pub fn driven_by(&self, context: &Context<'_>) {
        let mut driver = self.driver.borrow_mut();
        if driver.as_ref().is_none_or(|driver| !driver.will_wake(context.waker())) {
            *driver = Some(context.waker().clone());
        }
    }

    /// All that there was to write has been written.
    pub fn flushed(&self) {
        self.flushes.set(self.flushes.get().wrapping_add(1));
        if !self.unflushed.borrow().is_empty() {
            self.unflushed.take().into_iter().for_each(Waker::wake);
        }
    }

    /// How often it has been by now.
    pub fn flushes(&self) -> usize {
        self.flushes.get()
    }

    /// Wakes this task once all that there is to write now has been written: `flushes` is another number then.
    pub fn wait_for_flush(&self, context: &Context<'_>) -> usize {
        self.unflushed.borrow_mut().push(context.waker().clone());
        if let Some(driver) = self.driver.borrow().as_ref() {
            driver.wake_by_ref();
        }
        self.flushes.get()
    }
}

/// What the parts of a request tell each other, and where requests come one after the other, those of each in its time.
#[derive(Debug)]
pub struct Client {
    /// What it comes on.
    pub(crate) connection: Rc<Connection>,
    /// When the answer has to be through.
    pub(crate) due: Cell<Instant>,
    /// A request has come whose answer is not at its end.
    pub(crate) is_busy: Cell<bool>,
    /// The request's body has been read to its end, or is not wanted.
    pub(crate) is_read: Cell<bool>,
    /// The client understands answers before the answer.
    pub(crate) takes_interim: Cell<bool>,
    /// Something of the answer has been written.
    pub(crate) has_begun: Cell<bool>,
    /// The last piece of the answer that was asked for is there, and no other one has been asked for: it is the client who is
    /// waited for.
    pub(crate) is_handed_over: Cell<bool>,
    /// How much may still come of a head.
    pub(crate) head_bytes_left: Cell<usize>,
    pub(crate) head_bytes_max: usize,
    /// How long it may hear nothing on an open stream before it gets a sign of life.
    pub(crate) keep_alive: Cell<Option<Duration>>,
    /// The answer begins before it is known whose it is.
    pub(crate) early: RefCell<Option<Box<Early>>>,
    /// It has begun so.
    pub(crate) is_early: Cell<bool>,
    /// A provider has said that it is there since then.
    pub(crate) is_pinged: Cell<bool>,
    /// The body of a stream that nobody wants to read any more.
    pub(crate) unwanted: RefCell<Option<Incoming>>,
    /// What its stream is for once the answer has begun.
    pub(crate) after: RefCell<Option<AfterAnswer>>,
}

/// What a stream is for that has gone over to another protocol.
pub struct AfterAnswer(pub Pin<Box<dyn Future<Output = ()>>>);

impl std::fmt::Debug for AfterAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AfterAnswer")
    }
}

/// How an answer begins before it is known whose it is.
#[derive(Debug)]
pub struct Early {
    /// Its head.
    pub head: Response<()>,
    /// What the client takes for a stream.
    pub grammar: Grammar,
}

/// When an answer has to be through, where that is not what holds for all: a companion of the response.
#[derive(Debug, Clone, Copy)]
pub struct AnswerDeadline(pub Instant);

impl Client {
    /// One that has asked for nothing.
    pub fn new(header_bytes_max: usize, connection: Rc<Connection>) -> Rc<Client> {
        let head_bytes_max = header_bytes_max + HEAD_SLACK_BYTES;
        Rc::new(Client {
            connection,
            due: Cell::new(Instant::now()),
            is_busy: Cell::default(),
            is_read: Cell::new(true),
            takes_interim: Cell::default(),
            has_begun: Cell::default(),
            is_handed_over: Cell::default(),
            head_bytes_left: Cell::new(head_bytes_max),
            head_bytes_max,
            keep_alive: Cell::default(),
            early: RefCell::default(),
            is_early: Cell::default(),
            is_pinged: Cell::default(),
            unwanted: RefCell::default(),
            after: RefCell::default(),
        })
    }

    /// A request has come: its body, the end of its answer by `due`, and how long it may hear nothing on an open stream.
    pub fn begin(
        self: &Rc<Client>,
        body: Incoming,
        version: Version,
        due: Instant,
        keep_alive: Option<Duration>,
    ) -> ClientBody {
        self.due.set(due);
        self.keep_alive.set(keep_alive);
        self.is_busy.set(true);
        self.head_bytes_left.set(self.head_bytes_max);
        self.has_begun.set(false);
        self.early.take();
        self.is_early.set(false);
        self.is_pinged.set(false);
        self.is_handed_over.set(false);
        self.is_read.set(body.is_end_stream());
        self.takes_interim.set(version > Version::HTTP_10);
        ClientBody { body: Some(body), client: self.clone() }
    }

    /// Has the body of the last request been read to its end?
    pub fn is_read(&self) -> bool {
        self.is_read.get()
    }

    /// How long it may hear nothing on an open stream; `None`: for ever.
    pub fn keep_alive(&self) -> Option<Duration> {
        self.keep_alive.get()
    }

    /// Has the answer begun before it is known whose it is?
    pub fn is_early(&self) -> bool {
        self.is_early.get()
    }

    /// Begins the answer now. Whoever is asked for the answer next gives this.
    pub fn begin_early(&self, early: Early) {
        self.is_early.set(true);
        self.early.replace(Some(Box::new(early)));
    }

    /// A provider has said that it is there.
    pub fn ping(&self) {
        self.is_pinged.set(self.is_early.get());
    }

    /// Is a request on its way?
    pub fn is_busy(&self) -> bool {
        self.is_busy.get()
    }

    /// Did more come of a head than one may have?
    pub fn has_too_large_head(&self) -> bool {
        self.head_bytes_left.get() == 0
    }

    /// Does the gateway stop?
    pub fn is_draining(&self) -> bool {
        self.connection.is_draining.get()
    }

    /// Does the gateway stop now?
    pub fn is_cut(&self) -> bool {
        self.connection.is_cut.get()
    }

    /// May the client say no more now, and still wait? Between requests there is nothing to wait for, and who ends in the middle
    /// of an answer leaves.
    pub fn may_half_close(&self) -> bool {
        self.is_busy.get() && !self.has_begun.get() && self.takes_interim.get()
    }
}

/// A request's body. Tells the connection when it has come whole.
#[derive(Debug)]
pub struct ClientBody {
    /// Always there, but for the end.
    body: Option<Incoming>,
    client: Rc<Client>,
}

impl ClientBody {
    /// The connection that it comes on.
    pub fn client(&self) -> &Rc<Client> {
        &self.client
    }
}

impl HttpBody for ClientBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        if frame.is_none() || body.is_end_stream() {
            // What was written until now is no answer: it said that the body may come.
            self.client.has_begun.set(false);
            self.client.is_read.set(true);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for ClientBody {
    /// A body that is dropped unread resets its stream, and clients in the middle of it do not see why. In HTTP/1.1 it is
    /// the connection that is lingered on.
    fn drop(&mut self) {
        if self.client.connection.protocol == Protocol::Http2 && !self.client.is_read.get() {
            self.client.unwanted.replace(self.body.take());
        }
    }
}
