//! The connection of one client, as its request, its answer and its socket see it.
//!
//! Three things are known here that HTTP's own machinery does not see: until when an answer has to be through although the
//! client does not read, whether a client that closed its half of the connection still waits, and that the gateway stops.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use ostia_dialect::frame::Grammar;
use tokio::time::Instant;

/// How much larger than its bound a head may be to be read all the same, and get an answer in the client's own words.
const HEAD_SLACK_BYTES: usize = 4 << 10;

/// What the parts of a connection tell each other. One request at a time is on its way.
#[derive(Debug)]
pub struct Client {
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
    /// All that there was to write has been written, since somebody last asked to be told.
    pub(crate) is_flushed: Cell<bool>,
    /// The gateway stops now, and what is open ends with an error.
    pub(crate) is_cut: Cell<bool>,
    /// The gateway stops: what is open comes to its end.
    pub(crate) is_draining: Cell<bool>,
    /// How much may still come of a head.
    pub(crate) head_bytes_left: Cell<usize>,
    pub(crate) head_bytes_max: usize,
    /// How long it may hear nothing on an open stream before it gets a sign of life.
    pub(crate) keep_alive: Cell<Option<Duration>>,
    /// Where it comes from.
    pub(crate) peer: Option<IpAddr>,
    /// The answer begins before it is known whose it is.
    pub(crate) early: RefCell<Option<Box<Early>>>,
    /// It has begun so.
    pub(crate) is_early: Cell<bool>,
    /// A provider has said that it is there since then.
    pub(crate) is_pinged: Cell<bool>,
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
    /// A connection on which nothing was said.
    pub fn new(header_bytes_max: usize, peer: Option<IpAddr>) -> Rc<Client> {
        let head_bytes_max = header_bytes_max + HEAD_SLACK_BYTES;
        Rc::new(Client {
            due: Cell::new(Instant::now()),
            is_busy: Cell::default(),
            is_read: Cell::new(true),
            takes_interim: Cell::default(),
            has_begun: Cell::default(),
            is_flushed: Cell::default(),
            is_cut: Cell::default(),
            is_draining: Cell::default(),
            head_bytes_left: Cell::new(head_bytes_max),
            head_bytes_max,
            keep_alive: Cell::default(),
            peer,
            early: RefCell::default(),
            is_early: Cell::default(),
            is_pinged: Cell::default(),
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
        self.is_read.set(body.is_end_stream());
        self.takes_interim.set(version > Version::HTTP_10);
        ClientBody { body, client: self.clone() }
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
        self.is_draining.get()
    }

    /// Ends what is on its way. Whoever drives the connection has to be woken.
    pub fn cut(&self) {
        self.is_cut.set(true);
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
    body: Incoming,
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
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            // What was written until now is no answer: it said that the body may come.
            self.client.has_begun.set(false);
            self.client.is_read.set(true);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
