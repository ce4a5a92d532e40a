//! HTTP/2 connections to one host, each for many calls at once.
//!
//! A call is given to a connection only where it has room for one more stream, so that none waits inside of it for the end of
//! others; where none has room, another connection is opened. Each connection has a task of its own on this core, because no
//! single call can drive what others use too.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use hyper::rt::{Executor, Timer};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::counted::CountedStream;
use super::idle::{Counted, IDLE_AGE_MAX, IdleCount};
use super::{RequestBody, SendFault};
use crate::timer::LazyTimer;

/// Most streams of one connection at a time, whatever the server allows.
const STREAMS_MAX: usize = 100;
/// How much of an answer a server may send before it is taken, in bytes.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// The same for all streams of a connection together: enough for each of them, so that a client that does not read holds up
/// nobody else.
const CONNECTION_WINDOW_BYTES: u32 = STREAM_WINDOW_BYTES * STREAMS_MAX as u32;
/// Largest head of an answer, in bytes.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// After how long a silence of the server's, while answers are awaited, it is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(20);
/// How long it may take to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams that were given up and are remembered, and for how long: what the server still sends on them is passed over.
const RESET_STREAMS_MAX: usize = 1024;
const RESET_STREAMS_AGE_MAX: Duration = Duration::from_secs(10);
/// Streams that a connection has room for until the server has said how many it takes.
const STREAMS_AT_FIRST: usize = 1;
/// How long others wait for a server to say so before they open connections of their own.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(1);
/// After how long a server that chose HTTP/1.1 is asked for HTTP/2 again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(600);

/// Whether HTTP/2 is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Http2 {
    /// No.
    #[default]
    Off,
    /// Where a server behind TLS chooses it.
    Offered,
    /// The same, and to servers without TLS at once.
    PriorKnowledge,
}

impl Http2 {
    /// May it be spoken to a host, with TLS or without?
    pub(super) fn may_be(self, tls: bool) -> bool {
        match self {
            Http2::Off => false,
            Http2::Offered => tls,
            Http2::PriorKnowledge => true,
        }
    }
}

/// The HTTP/2 connections to one host.
#[derive(Debug)]
pub(super) struct Http2Pool {
    connections: RefCell<Vec<Rc<Connection>>>,
    /// The host, as requests name it.
    authority: Authority,
    /// The server chose HTTP/1.1, and is not asked again before then.
    speaks_http1_until: Cell<Option<Instant>>,
    /// Connections that are being opened, and calls that wait for room on them.
    opening: Cell<usize>,
    waiting: Cell<usize>,
    /// How many streams the server takes on one connection.
    streams_expected: Cell<usize>,
    /// No connection is kept without a call.
    is_retired: Cell<bool>,
    /// Whoever waits looks again: a stream has ended, a connection is there or over, or the server has said something.
    news: Rc<Notify>,
    idle: IdleCount,
}

/// A connection.
struct Connection {
    /// `None`: it takes no more calls, and ends with those that it has.
    sender: RefCell<Option<http2::SendRequest<RequestBody>>>,
    /// `None` when it is over.
    driver: RefCell<Option<Driver>>,
    streams: Cell<usize>,
    /// Until when others wait for the server to say how many streams it takes.
    fresh_until: Instant,
    idle_since: Cell<Instant>,
    /// Counts it while it is idle.
    counted: Cell<Option<Counted>>,
}

type Driver = http2::Connection<TokioIo<CountedStream>, RequestBody, LocalExecutor>;

/// What there is for a call.
pub(super) enum Place {
    /// Room on a connection.
    Stream(OpenStream),
    /// A connection has to be opened.
    Open(Opening),
    /// The server speaks HTTP/1.1.
    Http1,
}

impl Http2Pool {
    pub(super) fn new(authority: Authority, idle: IdleCount) -> Http2Pool {
        Http2Pool {
            connections: RefCell::default(),
            authority,
            speaks_http1_until: Cell::default(),
            opening: Cell::default(),
            waiting: Cell::default(),
            streams_expected: Cell::new(STREAMS_MAX),
            is_retired: Cell::default(),
            news: Rc::default(),
            idle,
        }
    }

    /// Room for a call, on another connection than the one that refused it.
    ///
    /// # Errors
    /// None was there when it was due.
    pub(super) async fn place(
        self: &Rc<Self>,
        refused_by: Option<&OpenStream>,
        due: Instant,
    ) -> Result<Place, SendFault> {
        loop {
            let now = Instant::now();
            match self.speaks_http1_until.get() {
                Some(until) if now < until => return Ok(Place::Http1),
                // One call asks again; others go on with what is known.
                Some(_) => {
                    self.speaks_http1_until.set(Some(now + ASK_AGAIN_AFTER));
                    return Ok(Place::Open(Opening::new(self)));
                }
                None => {}
            }
            if let Some(stream) = self.take(refused_by) {
                return Ok(Place::Stream(stream));
            }
            let Some(look_again) = self.worth_waiting(refused_by, now).map(|until| until.min(due)) else {
                return Ok(Place::Open(Opening::new(self)));
            };
            if now >= due {
                return Err(SendFault::ConnectTimeout);
            }
            self.waiting.set(self.waiting.get() + 1);
            let _waiting = OnDrop(|| self.waiting.set(self.waiting.get() - 1));
            // Whether there was news or not, what there is now decides.
            let _ = timeout_at(look_again, self.news.notified()).await;
        }
    }

    /// A stream on the first connection with room.
    fn take(self: &Rc<Self>, refused_by: Option<&OpenStream>) -> Option<OpenStream> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| connection.takes_calls());
        let others = connections.iter().filter(|connection| connection.is_other_than(refused_by));
        let found = others.into_iter().find(|connection| {
            self.learn(connection);
            connection.streams.get() < connection.streams_max()
        });
        found.map(|connection| OpenStream::new(self, connection))
    }

    /// How many streams this server takes.
    fn learn(&self, connection: &Connection) {
        if !connection.is_fresh(Instant::now()) {
            self.streams_expected.set(connection.streams_max().max(1));
        }
    }

    /// Until when to wait for those connections that will have room soon; `None` where they have too little for those who
    /// wait already.
    fn worth_waiting(&self, refused_by: Option<&OpenStream>, now: Instant) -> Option<Instant> {
        let connections = self.connections.borrow();
        let others = connections.iter().filter(|connection| connection.is_other_than(refused_by));
        let fresh = others.filter(|connection| connection.is_fresh(now));
        let (count, until) = fresh.fold((0, None::<Instant>), |(count, until), connection| {
            let own = connection.fresh_until;
            (count + 1, Some(until.map_or(own, |until| until.min(own))))
        });
        // Whoever opens one has a stream of it.
        let room = (self.opening.get() + count) * (self.streams_expected.get() - 1);
        (self.waiting.get() < room).then(|| until.unwrap_or(now + SETTINGS_TIMEOUT))
    }

    /// Closes connections that nobody has used for a while.
    pub(super) fn sweep(&self, now: Instant) {
        for connection in self.connections.borrow().iter() {
            if connection.streams.get() == 0 && now >= connection.idle_since.get() + IDLE_AGE_MAX {
                connection.close();
            }
        }
        self.connections.borrow_mut().retain(|connection| connection.takes_calls());
    }

    /// A request as HTTP/2 has it, with the given one's body: bytes are shared, a stream moves over.
    pub(super) fn request(&self, request: &mut Request<RequestBody>, tls: bool) -> Request<RequestBody> {
        let body = match request.body_mut() {
            RequestBody::Full(bytes) => RequestBody::Full(bytes.clone()),
            once => std::mem::replace(once, RequestBody::Full(None)),
        };
        request_in_http2(request, body, tls, &self.authority)
    }

    pub(super) fn has_connections(&self) -> bool {
        self.connections.borrow().iter().any(|connection| connection.takes_calls())
    }

    /// Keeps no connection any more. Calls under way come to their end.
    pub(super) fn retire(&self) {
        self.is_retired.set(true);
        self.connections.borrow_mut().drain(..).for_each(|connection| connection.close());
    }
}

/// A connection that is being opened.
pub(super) struct Opening {
    pool: Rc<Http2Pool>,
}

impl Opening {
    fn new(pool: &Rc<Http2Pool>) -> Opening {
        pool.opening.set(pool.opening.get() + 1);
        Opening { pool: pool.clone() }
    }

    /// The server chose HTTP/1.1.
    pub(super) fn speaks_http1(self) {
        self.pool.speaks_http1_until.set(Some(Instant::now() + ASK_AGAIN_AFTER));
    }

    /// The server speaks HTTP/2: the first stream on its connection.
    pub(super) async fn connected(self, stream: CountedStream) -> Result<OpenStream, hyper::Error> {
        let pool = &self.pool;
        pool.speaks_http1_until.set(None);
        let builder = builder(pool.news.clone(), TokioTimer::new());
        let (sender, driver) = builder.handshake(TokioIo::new(stream)).await?;
        let now = Instant::now();
        let connection = Rc::new(Connection {
            sender: RefCell::new(Some(sender)),
            driver: RefCell::new(Some(driver)),
            streams: Cell::default(),
            fresh_until: now + SETTINGS_TIMEOUT,
            idle_since: Cell::new(now),
            counted: Cell::default(),
        });
        tokio::task::spawn_local(drive(connection.clone(), pool.news.clone()));
        pool.connections.borrow_mut().push(connection.clone());
        Ok(OpenStream::new(pool, &connection))
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.pool.opening.set(self.pool.opening.get() - 1);
        self.pool.news.notify_waiters();
    }
}

/// `timer`: by which servers are asked whether they are there.
fn builder(news: Rc<Notify>, timer: impl Timer + Send + Sync + 'static) -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor { news });
    builder
        .timer(timer)
        .initial_max_send_streams(STREAMS_AT_FIRST)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES_MAX)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_reset_streams(RESET_STREAMS_MAX)
        .reset_stream_duration(RESET_STREAMS_AGE_MAX);
    builder
}

/// Drives a connection to its end.
async fn drive(connection: Rc<Connection>, news: Rc<Notify>) {
    poll_fn(|context| match connection.driver.borrow_mut().as_mut() {
        // What went wrong is told to the calls.
        Some(driver) => Pin::new(driver).poll(context).map(drop),
        None => Poll::Ready(()),
    })
    .await;
    connection.close();
    connection.driver.take();
    news.notify_waiters();
}

impl Connection {
    fn takes_calls(&self) -> bool {
        self.sender.borrow().as_ref().is_some_and(|sender| !sender.is_closed())
    }

    fn is_other_than(self: &Rc<Self>, refused_by: Option<&OpenStream>) -> bool {
        refused_by.is_none_or(|refused| !Rc::ptr_eq(&refused.connection, self))
    }

    /// As many as the server takes, within our own bound.
    fn streams_max(&self) -> usize {
        let driver = self.driver.borrow();
        driver.as_ref().map_or(0, |driver| driver.current_max_send_streams()).min(STREAMS_MAX)
    }

    /// Has the server not said yet how many streams it takes?
    fn is_fresh(&self, now: Instant) -> bool {
        self.streams_max() == STREAMS_AT_FIRST && now < self.fresh_until
    }

    /// Takes no more calls.
    fn close(&self) {
        self.sender.take();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("streams", &self.streams.get()).finish()
    }
}

/// Room for one call on a connection.
#[derive(Debug)]
pub(super) struct OpenStream {
    pool: Rc<Http2Pool>,
    connection: Rc<Connection>,
}

/// Why a stream brought no answer.
pub(super) enum StreamError {
    /// Nothing of it left. The request is here again.
    Unsent(Box<Request<RequestBody>>),
    /// The server did nothing with it: it says so, or the body did not leave.
    Refused(hyper::Error),
    /// It broke, and the server may have done something with it.
    Broken(hyper::Error),
    /// No head of an answer when it was due.
    Late,
}

impl OpenStream {
    fn new(pool: &Rc<Http2Pool>, connection: &Rc<Connection>) -> OpenStream {
        connection.streams.set(connection.streams.get() + 1);
        connection.counted.take();
        OpenStream { pool: pool.clone(), connection: connection.clone() }
    }

    /// Sends a request and waits for the head of the answer. Whoever stops waiting has the stream reset.
    pub(super) async fn send(
        &self,
        request: Request<RequestBody>,
        timer: &mut LazyTimer,
        due: Instant,
    ) -> Result<Response<Incoming>, StreamError> {
        let Some(mut sender) = self.connection.sender.borrow().clone() else {
            return Err(StreamError::Unsent(Box::new(request)));
        };
        let has_body = !request.body().is_end_stream();
        let sending = sender.try_send_request(request);
        // It ends with its last sender, and a call must not keep it.
        drop(sender);
        let mut sending = pin!(sending);
        let answer = poll_fn(|context| match sending.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(answer.map_err(|error| StreamError::of(error, has_body))),
            Poll::Pending => timer.poll_over(due, context).map(|()| Err(StreamError::Late)),
        });
        let answer = answer.await;
        let is_over = match &answer {
            Err(StreamError::Unsent(_)) => true,
            // Where one stream was reset, the others go on.
            Err(StreamError::Refused(error) | StreamError::Broken(error)) => !is_reset(error),
            Err(StreamError::Late) | Ok(_) => false,
        };
        if is_over {
            self.connection.close();
        }
        answer
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let OpenStream { pool, connection } = self;
        let streams = connection.streams.get() - 1;
        connection.streams.set(streams);
        if streams == 0 && connection.takes_calls() {
            connection.idle_since.set(Instant::now());
            match pool.idle.count().filter(|_| !pool.is_retired.get()) {
                Some(counted) => connection.counted.set(Some(counted)),
                None => connection.close(),
            }
        }
        pool.news.notify_waiters();
    }
}

impl StreamError {
    /// `has_body`: of the request.
    fn of(mut error: TrySendError<Request<RequestBody>>, has_body: bool) -> StreamError {
        if let Some(request) = error.take_message() {
            return StreamError::Unsent(Box::new(request));
        }
        let error = error.into_error();
        // The connection went away while the stream was to be opened (in hyper, a user's error): its head may have left, and
        // nothing of its body.
        let is_unopened = error.is_user() && has_body;
        match is_go_away(&error) || is_refused(&error) || is_unopened {
            true => StreamError::Refused(error),
            false => StreamError::Broken(error),
        }
    }
}

fn h2_error(error: &hyper::Error) -> Option<&h2::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

/// The server takes no more streams and did nothing with this one (RFC 9113, section 6.8): h2 says so of those alone that the
/// server left out.
fn is_go_away(error: &hyper::Error) -> bool {
    h2_error(error).is_some_and(|error| error.is_go_away() && error.is_remote())
}

/// The server ended this stream alone.
fn is_reset(error: &hyper::Error) -> bool {
    h2_error(error).is_some_and(h2::Error::is_reset)
}

/// The server did nothing with this stream (RFC 9113, section 8.7).
fn is_refused(error: &hyper::Error) -> bool {
    let is_refused = |error: &h2::Error| {
        error.is_reset() && error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
    };
    h2_error(error).is_some_and(is_refused)
}

/// A request as HTTP/2 has it: with its host in the URI.
fn request_in_http2(
    request: &Request<RequestBody>,
    body: RequestBody,
    tls: bool,
    authority: &Authority,
) -> Request<RequestBody> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if tls { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(authority.clone());
    let path = request.uri().path_and_query().cloned();
    parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    let mut made = Request::new(body);
    made.method_mut().clone_from(request.method());
    // All three parts are there.
    *made.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    *made.version_mut() = Version::HTTP_2;
    made.headers_mut().clone_from(request.headers());
    made.headers_mut().remove(header::HOST);
    made
}

/// Runs the tasks of connections on this core, and tells whoever waits that there may be news.
#[derive(Clone)]
struct LocalExecutor {
    news: Rc<Notify>,
}

impl<F: Future<Output = ()> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, task: F) {
        let news = self.news.clone();
        tokio::task::spawn_local(async move {
            let mut task = pin!(task);
            poll_fn(|context| {
                let polled = task.as_mut().poll(context);
                news.notify_waiters();
                polled
            })
            .await;
        });
    }
}

/// Does something when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}
