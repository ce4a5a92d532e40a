//! A connection on which many requests are under way at once: HTTP/2.
//!
//! Each stream is a task of its own with a [`Client`] of its own, so that nothing that one waits for holds up another. What a
//! client could do with the connection as such is bounded here, beside what the library bounds by itself: frames that continue
//! a head without end, streams that the client resets before they are begun (20 wait at most), and streams that it makes the
//! gateway reset (1024); then the connection is closed.

mod head;
mod socket;
mod streams;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::rt::Timer;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::either::Either;

use super::answering::{Answer, SwitchedAnswer, head_alone};
use super::{ConnectionLimit, HEAD_DRAIN, LAST_WORDS, Phase, linger, request, switched};
use crate::client::socket::Socket;
use crate::client::{AfterAnswer, Client, Connection};
use crate::config::settings::Limits;
use crate::core::CurrentCore;
use socket::Http2Socket;
use streams::{Streams, refused};

/// The first bytes of a client that speaks HTTP/2 (RFC 9113, section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a connection may be without a request. Then it is told that none is taken any more, and closed.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long after its last stream a connection is told so when the gateway stops, unless it begins another one before. Python's h2
/// takes nothing any more of streams that are open then, or of what comes in one piece with it.
const GOODBYE_AFTER: Duration = Duration::from_millis(100);
/// After how much silence a client is asked whether it is still there, and how long it has to say so. Clients that read nothing
/// while their program is busy with something else are not dead.
const PING_AFTER: Duration = Duration::from_secs(60);
const PING_WITHIN: Duration = Duration::from_secs(180);
/// How much of a request's body may wait to be read, and of all of a connection together.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// How much of an answer may wait to be written.
const SEND_BYTES_MAX: usize = 64 << 10;
/// How much larger than its bound a head may be to be read all the same, and get an answer in the client's own words. HTTP/2
/// counts 32 bytes more for each field than stand there.
const HEAD_SLACK_BYTES: usize = 8 << 10;

/// The answer to a request, on a stream of its own.
///
/// # Errors
/// There is no room for one more: the stream is refused.
fn answer(
    current: &Rc<CurrentCore>,
    streams: &Streams,
    limits: &Limits,
    phase: &watch::Receiver<Phase>,
    mut request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Answer>, h2::Error>> + use<> {
    let is_head = request.method() == Method::HEAD;
    let wish = head::wants_socket(&request).then(|| (hyper::upgrade::on(&mut request), phase.clone()));
    let answering = streams.begin(limits).map(|client| {
        let request = head::as_http1(request);
        let switched = SwitchedAnswer::default();
        (request::answer(current, &client, request).switching_into(&switched), switched, client)
    });
    async move {
        let Some((answering, switched, client)) = answering else { return Err(refused()) };
        let response = match answering.await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        match switched.take().zip(wish) {
            Some((answer, (upgrade, phase))) => {
                let socket = serve_socket(upgrade, answer, client.clone(), phase);
                client.after.replace(Some(AfterAnswer(Box::pin(socket))));
                Ok(head::agreed(response))
            }
            None if is_head => Ok(head_alone(response)),
            None => Ok(response),
        }
    }
}

/// Serves a stream that has gone over to a WebSocket (RFC 8441).
async fn serve_socket(
    upgrade: OnUpgrade,
    answer: Answer,
    client: Rc<Client>,
    mut phase: watch::Receiver<Phase>,
) {
    if let Ok(upgraded) = upgrade.await {
        let channel = Either::Right(TokioIo::new(upgraded));
        switched::serve(answer, channel, Bytes::new(), &client, &mut phase).await;
    }
}

/// When a connection is left: what the client was told of it, and when it is looked again whether there is anything to wait for.
struct Leave {
    is_told: bool,
    cut_at: Option<Instant>,
    look_at: Instant,
}

/// What becomes of a connection.
enum Next {
    Wait,
    /// The client is told that no further request is taken.
    Tell,
    End,
}

impl Leave {
    fn begin(now: Instant) -> Leave {
        Leave { is_told: false, cut_at: None, look_at: now + IDLE_MAX }
    }

    /// Is there anything to wait for? `idle_since`: no request is under way since then.
    fn look(&mut self, now: Instant, idle_since: Option<Instant>, is_draining: bool) -> Next {
        if self.cut_at.is_some_and(|at| at <= now) {
            return Next::End;
        }
        let patience = match (self.is_told, is_draining) {
            (true, _) => HEAD_DRAIN,
            (false, true) => GOODBYE_AFTER,
            (false, false) => IDLE_MAX,
        };
        self.look_at = idle_since.unwrap_or(now) + patience;
        match (self.look_at <= now, self.is_told) {
            (false, _) => Next::Wait,
            (true, false) => Next::Tell,
            (true, true) => Next::End,
        }
    }
}

/// Serves the connection to its end. `unread` has come of it already.
pub async fn serve(
    current: Rc<CurrentCore>,
    mut socket: Socket,
    unread: Bytes,
    connection: Rc<Connection>,
    limit: &ConnectionLimit,
    mut phase: watch::Receiver<Phase>,
) {
    let limits = current.get().settings.limits;
    let streams = Streams::new(connection.clone(), limit.clone());
    let (of_streams, of_sockets) = (streams.clone(), phase.clone());
    let service = service_fn(move |request| answer(&current, &of_streams, &limits, &of_sockets, request));
    let stream = Http2Socket::new(&mut socket, unread, &streams);
    let mut serving =
        builder(streams.clone(), &limits, TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if *phase.borrow() != Phase::Serving {
        phase.mark_changed();
    }
    let mut leave = Leave::begin(Instant::now());
    loop {
        let next = tokio::select! {
            biased;
            is_over = poll_fn(|context| {
                connection.driven_by(context);
                let polled = Pin::new(&mut serving).poll(context);
                streams.written();
                match polled {
                    Poll::Ready(_) => Poll::Ready(true),
                    Poll::Pending if !leave.is_told && streams.has_begun_late() => Poll::Ready(false),
                    Poll::Pending => Poll::Pending,
                }
            }) => if is_over { Next::End } else { Next::Tell },
            Ok(()) = phase.changed() => {
                connection.is_draining.set(true);
                if *phase.borrow_and_update() == Phase::Cutting {
                    streams.cut();
                    leave.cut_at = Some(Instant::now() + LAST_WORDS);
                }
                leave.look_at = Instant::now();
                Next::Wait
            }
            () = sleep_until(leave.look_at) => {
                leave.look(Instant::now(), streams.idle_since(), connection.is_draining.get())
            }
        };
        match next {
            Next::Wait => {}
            Next::End => break,
            Next::Tell => {
                // A request that comes just now is answered all the same.
                Pin::new(&mut serving).graceful_shutdown();
                leave.is_told = true;
                leave.look_at = Instant::now() + HEAD_DRAIN;
            }
        }
    }
    drop(serving);
    // Clients say at any time how much they take, and a socket that is closed with that unread takes the last words with it.
    let patience = if *phase.borrow() == Phase::Serving { IDLE_MAX } else { HEAD_DRAIN };
    let _ = timeout(patience, linger::end(&mut socket)).await;
}

/// `timer`: by which clients are asked whether they are there.
fn builder(
    streams: Streams,
    limits: &Limits,
    timer: impl Timer + Send + Sync + 'static,
) -> http2::Builder<Streams> {
    let head_bytes_max = limits.header_bytes_max + HEAD_SLACK_BYTES;
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(timer)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_WITHIN)
        .enable_connect_protocol();
    builder
}
