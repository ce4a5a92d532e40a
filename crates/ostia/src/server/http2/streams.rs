//! The streams of a connection: one task for each.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;

use crate::client::{AfterAnswer, Client, Connection};
use crate::config::settings::Limits;
use crate::server::{ConnectionLimit, linger};
use crate::timer::LazyTimer;

/// How long a WebSocket may be open at most (`websockets.total`). A connection that has one is not broken off because its client takes
/// nothing for a while: that has bounds of its own, those of the WebSocket and [`super::PING_WITHIN`].
const SOCKET_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The streams of a connection.
#[derive(Clone)]
pub struct Streams(Rc<Shared>);

struct Shared {
    connection: Rc<Connection>,
    limit: ConnectionLimit,
    /// How many are under way.
    open: Cell<usize>,
    /// Since when there are that many.
    since: Cell<Instant>,
    /// When the last answer has to be through.
    due: Cell<Instant>,
    /// The stream that was begun last, until there is a task for it.
    begun: RefCell<Option<Begun>>,
    /// One has begun after the gateway was asked to stop.
    has_begun_late: Cell<bool>,
    /// The socket takes no more for now.
    is_blocked: Cell<bool>,
    /// The gateway stops now.
    cut: Notify,
}

/// A stream that has begun.
struct Begun {
    client: Rc<Client>,
    /// Streams beside the first count like connections: each has a provider to ask.
    _permit: Option<OwnedSemaphorePermit>,
    streams: Rc<Shared>,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.streams.count(self.streams.open.get() - 1);
    }
}

impl Shared {
    fn count(&self, open: usize) {
        self.open.set(open);
        self.since.set(Instant::now());
    }
}

impl Streams {
    /// None yet.
    pub fn new(connection: Rc<Connection>, limit: ConnectionLimit) -> Streams {
        Streams(Rc::new(Shared {
            connection,
            limit,
            open: Cell::default(),
            since: Cell::new(Instant::now()),
            due: Cell::new(Instant::now()),
            begun: RefCell::default(),
            has_begun_late: Cell::default(),
            is_blocked: Cell::default(),
            cut: Notify::new(),
        }))
    }

    /// A request has come; `None` where there are too many calls under way.
    pub fn begin(&self, limits: &Limits) -> Option<Rc<Client>> {
        let shared = &self.0;
        let is_first = shared.open.get() == 0;
        let is_late = shared.connection.is_draining.get();
        shared.has_begun_late.set(is_late);
        // Whoever waits for the end of all calls has the permits.
        let needs_permit = !is_first && !is_late;
        let permit = if needs_permit { Some(shared.limit.try_acquire()?) } else { None };
        let client = Client::new(limits.header_bytes_max, shared.connection.clone());
        shared.count(shared.open.get() + 1);
        let begun = Begun { client: client.clone(), _permit: permit, streams: shared.clone() };
        shared.begun.replace(Some(begun));
        Some(client)
    }

    /// Has one begun after the gateway was asked to stop?
    pub fn has_begun_late(&self) -> bool {
        self.0.has_begun_late.get()
    }

    /// Since when there is none.
    pub fn idle_since(&self) -> Option<Instant> {
        (self.0.open.get() == 0).then(|| self.0.since.get())
    }

    /// Ends what is under way.
    pub fn cut(&self) {
        self.0.connection.cut();
        self.0.cut.notify_waiters();
    }

    /// The connection has written what it could: all, unless the socket takes no more.
    pub fn written(&self) {
        if !self.0.is_blocked.get() {
            self.0.connection.flushed();
        }
    }

    /// Does the socket take more?
    pub fn set_blocked(&self, is_blocked: bool) {
        self.0.is_blocked.set(is_blocked);
    }

    /// When the last answer has to be through.
    pub fn due(&self) -> Instant {
        self.0.due.get()
    }
}

impl<F: Future + 'static> Executor<F> for Streams {
    /// The library hands over the task of a stream right after it has asked for the answer to its request.
    fn execute(&self, stream: F) {
        match self.0.begun.take() {
            Some(begun) => drop(tokio::task::spawn_local(carry(stream, begun))),
            None => drop(tokio::task::spawn_local(async { drop(stream.await) })),
        }
    }
}

/// Carries a stream to its end, and beyond it where the client is still sending.
async fn carry(stream: impl Future, begun: Begun) {
    let is_through = carry_answer(stream, &begun).await;
    let client = &begun.client;
    let after = client.after.take().filter(|_| is_through);
    if let Some(AfterAnswer(after)) = after {
        begun.streams.due.set(Instant::now() + SOCKET_MAX);
        return after.await;
    }
    let unwanted = client.unwanted.take().filter(|_| is_through && !client.is_draining());
    if let Some(body) = unwanted {
        linger::end_body(body).await;
    }
}

/// Carries an answer to its end, or to that of the client's interest. False: the client's time was over before; what is dropped then is
/// reset.
async fn carry_answer(stream: impl Future, Begun { client, streams, .. }: &Begun) -> bool {
    let mut stream = pin!(stream);
    let mut cut = pin!(streams.cut.notified());
    let mut is_told = false;
    let mut timer: Option<LazyTimer> = None;
    poll_fn(|context| {
        let polled = stream.as_mut().poll(context);
        streams.due.set(streams.due.get().max(client.due.get()));
        if polled.is_ready() {
            return Poll::Ready(true);
        }
        if !is_told && cut.as_mut().poll(context).is_ready() {
            is_told = true;
            if stream.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
        }
        if !client.is_handed_over.get() {
            return Poll::Pending;
        }
        // It is the client who takes no more, and it has time until the answer is due.
        let due = client.due.get();
        timer.get_or_insert_with(|| LazyTimer::new(due)).poll_over(due, context).map(|()| false)
    })
    .await
}

/// What a client is told whose request was not looked at: it may send it again.
pub fn refused() -> h2::Error {
    h2::Reason::REFUSED_STREAM.into()
}
