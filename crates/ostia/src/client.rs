//! The connection of one client, as its request, its answer and its socket see it.
//!
//! Three things are known here that HTTP's own machinery does not see: until when an answer has to be through although the
//! client does not read, whether a client that closed its half of the connection still waits, and that the gateway stops.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, Version, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use ostia_dialect::{Fault, FaultKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::body::{Body, FramePoll};
use crate::reply;
use crate::route::Family;
use crate::upstream::{BodyFault, LazyTimer};

/// How long a client that closed its half of the connection is waited for before it is asked whether it is still there.
const HALF_CLOSED_PROBE_AFTER: Duration = Duration::from_millis(300);
/// How often it is then looked whether it has left.
const HALF_CLOSED_LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long what has come of a request may wait to be read, before it is taken for half a request.
const HALF_CLOSED_READ_WITHIN: Duration = Duration::from_secs(1);
/// Asks a client that has closed its half whether it is still there: one that has left altogether refuses it. Clients pass over
/// it (RFC 9110, section 15.2).
const PROBE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How much larger than its bound a head may be to be read all the same, and get an answer in the client's own words.
const HEAD_SLACK_BYTES: usize = 4 << 10;

/// What the parts of a connection tell each other. One request at a time is on its way.
#[derive(Debug)]
pub struct Client {
    /// When the answer has to be through.
    due: Cell<Instant>,
    /// A request has come whose answer is not at its end.
    is_busy: Cell<bool>,
    /// The request's body has been read to its end, or is not wanted.
    is_read: Cell<bool>,
    /// The client understands answers before the answer.
    takes_interim: Cell<bool>,
    /// Something of the answer has been written.
    has_begun: Cell<bool>,
    /// All that there was to write has been written, since somebody last asked to be told.
    is_flushed: Cell<bool>,
    /// The gateway stops now, and what is open ends with an error.
    is_cut: Cell<bool>,
    /// How much may still come of a head.
    head_bytes_left: Cell<usize>,
    head_bytes_max: usize,
}

/// When an answer has to be through, where that is not what holds for all: a companion of the response.
#[derive(Debug, Clone, Copy)]
pub struct Due(pub Instant);

impl Client {
    /// A connection on which nothing was said.
    pub fn new(header_bytes_max: usize) -> Rc<Client> {
        let head_bytes_max = header_bytes_max + HEAD_SLACK_BYTES;
        Rc::new(Client {
            due: Cell::new(Instant::now()),
            is_busy: Cell::default(),
            is_read: Cell::new(true),
            takes_interim: Cell::default(),
            has_begun: Cell::default(),
            is_flushed: Cell::default(),
            is_cut: Cell::default(),
            head_bytes_left: Cell::new(head_bytes_max),
            head_bytes_max,
        })
    }

    /// A request has come: its body, and the end of its answer by `due`.
    pub fn begin(self: &Rc<Client>, body: Incoming, version: Version, due: Instant) -> ClientBody {
        self.due.set(due);
        self.is_busy.set(true);
        self.head_bytes_left.set(self.head_bytes_max);
        self.has_begun.set(false);
        self.is_read.set(body.is_end_stream());
        self.takes_interim.set(version > Version::HTTP_10);
        ClientBody { body, client: self.clone() }
    }

    /// Has the body of the last request been read to its end?
    pub fn is_read(&self) -> bool {
        self.is_read.get()
    }

    /// Is a request on its way?
    pub fn is_busy(&self) -> bool {
        self.is_busy.get()
    }

    /// Did more come of a head than one may have?
    pub fn has_too_large_head(&self) -> bool {
        self.head_bytes_left.get() == 0
    }

    /// Ends what is on its way. Whoever drives the connection has to be woken.
    pub fn cut(&self) {
        self.is_cut.set(true);
    }

    /// May the client say no more now, and still wait? Between requests there is nothing to wait for, and who ends in the middle
    /// of an answer leaves.
    fn may_half_close(&self) -> bool {
        self.is_busy.get() && !self.has_begun.get() && self.takes_interim.get()
    }
}

fn stopping() -> Fault {
    let message = "The gateway is shutting down. Send the request again.";
    Fault::new(FaultKind::Overloaded, message).with_status(503).with_code("gateway_stopping")
}

/// A request's body. Tells the connection when it has come whole.
#[derive(Debug)]
pub struct ClientBody {
    body: Incoming,
    client: Rc<Client>,
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

/// An answer in the making. Ends at once when the gateway stops.
pub struct Answering<F> {
    answering: Pin<Box<F>>,
    family: Family,
    client: Rc<Client>,
}

impl<F> Answering<F> {
    /// What `answering` gives, in words of this family if it has to end before.
    pub fn new(answering: Pin<Box<F>>, family: Family, client: Rc<Client>) -> Answering<F> {
        Answering { answering, family, client }
    }
}

impl<F: Future<Output = Response<Body>>> Future for Answering<F> {
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = match self.client.is_cut.get() {
            true => reply::fault(self.family, &stopping(), None, ""),
            false => ready!(self.answering.as_mut().poll(context)),
        };
        if let Some(Due(due)) = response.extensions().get::<Due>() {
            self.client.due.set(*due);
        }
        if response.status().as_u16() >= 400 && !self.client.is_read() {
            // A body that is not wanted ends its connection.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let client = self.client.clone();
        Poll::Ready(Ok(response.map(|body| Answer { body, is_told: false, broken: None, client })))
    }
}

/// The body of an answer on its way to the client.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    /// It has been told that the gateway stops.
    is_told: bool,
    /// Why it breaks off, once what came before has left.
    broken: Option<BodyFault>,
    client: Rc<Client>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyFault;

    /// The next piece. A fault waits until everything before it has left: the connection ends with it, and with the
    /// connection whatever has not been sent yet, be it the head of the answer or the words that tell the fault.
    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> FramePoll {
        if self.broken.is_some() {
            return match self.client.is_flushed.get() {
                true => Poll::Ready(self.broken.take().map(Err)),
                false => Poll::Pending,
            };
        }
        if self.client.is_cut.get() && !self.is_told {
            self.is_told = true;
            self.body.fail(&stopping());
        }
        match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Err(fault)) => {
                self.broken = Some(fault);
                self.client.is_flushed.set(false);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.client.is_busy.set(false);
    }
}

/// The socket of a client.
#[derive(Debug)]
pub struct ClientStream {
    stream: TcpStream,
    client: Rc<Client>,
    /// For a client that does not read.
    write_timer: Option<LazyTimer>,
    half_closed: Option<HalfClosed>,
}

/// A client that has closed its half of the connection after its request.
#[derive(Debug)]
struct HalfClosed {
    timer: LazyTimer,
    since: Instant,
    look_at: Instant,
    is_probed: bool,
}

impl ClientStream {
    /// The socket of this client.
    pub fn new(stream: TcpStream, client: Rc<Client>) -> ClientStream {
        ClientStream { stream, client, write_timer: None, half_closed: None }
    }

    /// The socket alone.
    pub fn into_inner(self) -> TcpStream {
        self.stream
    }

    /// Reads, but no more of a head that is too large already. How many bytes came?
    fn poll_read_some(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let is_head = !self.client.is_busy();
        if is_head && self.client.has_too_large_head() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let filled = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - filled;
        if is_head {
            self.client.head_bytes_left.set(self.client.head_bytes_left.get().saturating_sub(read));
        }
        Poll::Ready(Ok(read))
    }

    /// What a write that found no room comes to: the client has time until the answer is due.
    fn wait_to_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let due = self.client.due.get();
        let timer = self.write_timer.get_or_insert_with(|| LazyTimer::new(due));
        ready!(timer.poll_over(due, context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// A client that said no more after its whole request waits for the answer, or has left: the difference shows when
    /// something is sent to it. `Ready` when it has left, or its request is not whole.
    fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = Instant::now();
        let half_closed = self.half_closed.get_or_insert_with(|| HalfClosed {
            timer: LazyTimer::new(now),
            since: now,
            look_at: now + HALF_CLOSED_LOOK_EVERY,
            is_probed: false,
        });
        loop {
            ready!(half_closed.timer.poll_over(half_closed.look_at, context));
            if let Ok(Some(error)) = self.stream.take_error() {
                return Poll::Ready(Err(error));
            }
            let now = Instant::now();
            let waited = now - half_closed.since;
            half_closed.look_at = now + HALF_CLOSED_LOOK_EVERY;
            if !self.client.is_read.get() {
                if waited >= HALF_CLOSED_READ_WITHIN {
                    return Poll::Ready(Ok(()));
                }
            } else if waited >= HALF_CLOSED_PROBE_AFTER
                && !half_closed.is_probed
                && !self.client.has_begun.get()
            {
                half_closed.is_probed = true;
                // Whatever becomes of it is seen at the next look.
                let _ = self.stream.try_write(PROBE);
            }
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.half_closed.is_none() && ready!(this.poll_read_some(context, buffer))? > 0 {
            return Poll::Ready(Ok(()));
        }
        match this.client.is_busy() && (this.half_closed.is_some() || this.client.may_half_close()) {
            true => this.poll_left(context),
            false => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.client.has_begun.set(true);
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Pending => this.wait_to_write(context),
            written => written,
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.client.has_begun.set(true);
        match Pin::new(&mut this.stream).poll_write_vectored(context, slices) {
            Poll::Pending => this.wait_to_write(context),
            written => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.client.is_flushed.set(true);
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
