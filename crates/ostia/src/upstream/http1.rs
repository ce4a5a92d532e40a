//! A connection that speaks HTTP/1.1: one call at a time, which drives it.

mod switch;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderMap, HeaderName, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::counted::CountedStream;
use super::idle::IDLE_AGE_MAX;
use super::{RequestBody, SendFault, Timeouts};
use crate::timer::LazyTimer;

pub use switch::{Switched, Switching};

/// How much earlier than a server says a connection is given up: the server's clock began to run before ours.
const IDLE_AGE_MARGIN: Duration = Duration::from_secs(1);

/// A connection to an upstream.
#[derive(Debug)]
pub(super) struct Connection {
    sender: http1::SendRequest<RequestBody>,
    /// `None` when the connection has come to its end. What was queued in it and did not leave is given back then.
    driver: Option<http1::Connection<TokioIo<CountedStream>, RequestBody>>,
    /// For whichever part of a call is waited for.
    timer: LazyTimer,
    /// How long it may be idle; `None` where the server closes it after the answer.
    idle_age_max: Option<Duration>,
}

/// Why a connection brought no answer.
pub(super) enum SendError {
    /// The connection was over before anything left.
    Unsent(Box<Request<RequestBody>>),
    /// It broke, and the server may have read the request.
    Broken(hyper::Error),
    /// No head of an answer when it was due.
    Late,
}

impl From<TrySendError<Request<RequestBody>>> for SendError {
    fn from(mut error: TrySendError<Request<RequestBody>>) -> SendError {
        match error.take_message() {
            Some(request) => SendError::Unsent(Box::new(request)),
            None => SendError::Broken(error.into_error()),
        }
    }
}

impl Connection {
    /// Nothing was said on it yet.
    pub(super) async fn new(stream: CountedStream, timeouts: Timeouts) -> Result<Box<Connection>, SendFault> {
        let handshake = http1::Builder::new().handshake(TokioIo::new(stream));
        let (sender, driver) = handshake.await.map_err(SendFault::Http)?;
        let timer = LazyTimer::new(Instant::now() + timeouts.first_byte);
        Ok(Box::new(Connection { sender, driver: Some(driver), timer, idle_age_max: Some(IDLE_AGE_MAX) }))
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn send(
        &mut self,
        request: Box<Request<RequestBody>>,
        due: Instant,
    ) -> Result<Response<Incoming>, SendError> {
        // A connection that was idle learns now whether the other side has closed it.
        poll_fn(|context| {
            self.drive(context);
            Poll::Ready(())
        })
        .await;
        if self.driver.is_none() {
            return Err(SendError::Unsent(request));
        }
        let Connection { sender, driver, timer, .. } = self;
        let mut response = pin!(sender.try_send_request(*request));
        poll_fn(|context| {
            if let Poll::Ready(response) = response.as_mut().poll(context) {
                return Poll::Ready(response.map_err(SendError::from));
            }
            drive(driver, context);
            if let Poll::Ready(response) = response.as_mut().poll(context) {
                return Poll::Ready(response.map_err(SendError::from));
            }
            timer.poll_over(due, context).map(|()| Err(SendError::Late))
        })
        .await
    }

    /// Looks at the head of an answer that came on it.
    ///
    /// # Errors
    /// Nobody can say where the answer ends.
    pub(super) fn check(&mut self, response: &Response<Incoming>) -> Result<(), SendFault> {
        check_framing(response)?;
        self.idle_age_max = idle_age_max(response.version(), response.headers());
        Ok(())
    }

    /// How long it may be idle after this answer; `None` where it is not to be kept.
    pub(super) fn idle_age_max(&self) -> Option<Duration> {
        self.idle_age_max.filter(|_| self.driver.is_some())
    }

    /// For whichever part of a call is waited for.
    pub(super) fn timer(&mut self) -> &mut LazyTimer {
        &mut self.timer
    }

    /// Reads and writes what can be read and written.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) {
        drive(&mut self.driver, context);
    }

    /// Has the other side not closed it? Asked while nobody uses it.
    pub(super) fn is_open(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some()
    }
}

/// Reads and writes. A connection that is over is dropped: hyper answers whoever waits for it only then, and what goes wrong
/// with it is told to the call by its body or its head.
fn drive(
    driver: &mut Option<http1::Connection<TokioIo<CountedStream>, RequestBody>>,
    context: &mut Context<'_>,
) {
    if driver.as_mut().is_some_and(|driver| driver.poll_without_shutdown(context).is_ready()) {
        *driver = None;
    }
}

/// Refuses an answer of which nobody can say where it ends: one whose length is told in two ways (RFC 9112, section 6.3),
/// and one that goes over to another protocol, which was not asked for.
fn check_framing(response: &Response<Incoming>) -> Result<(), SendFault> {
    let headers = response.headers();
    if response.status().is_informational() {
        return Err(SendFault::Framing("it changed to another protocol, which nobody asked for"));
    }
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Err(SendFault::Framing("its answer has both Content-Length and Transfer-Encoding"));
    }
    Ok(())
}

/// How long a connection may be idle after an answer with this head; `None` where the server closes it.
fn idle_age_max(version: Version, headers: &HeaderMap) -> Option<Duration> {
    let says = |name: HeaderName, wanted: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|option| option.trim().eq_ignore_ascii_case(wanted))
    };
    let closes = match version {
        Version::HTTP_10 => !says(header::CONNECTION, "keep-alive"),
        _ => headers.contains_key(header::CONNECTION) && says(header::CONNECTION, "close"),
    };
    if closes {
        return None;
    }
    let told = headers.get(&KEEP_ALIVE).and_then(|value| told_idle_age(value.to_str().ok()?));
    Some(told.map_or(IDLE_AGE_MAX, |told| told.min(IDLE_AGE_MAX)))
}

static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// `Keep-Alive: timeout=5, max=100`: the seconds for which the server keeps the connection, less a margin.
fn told_idle_age(value: &str) -> Option<Duration> {
    let seconds = value.split(',').find_map(|field| {
        let (name, seconds) = field.split_once('=')?;
        name.trim().eq_ignore_ascii_case("timeout").then(|| seconds.trim().parse::<u32>().ok())?
    })?;
    let told = Duration::from_secs(u64::from(seconds));
    Some(told - IDLE_AGE_MARGIN.min(told / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn how_long_a_connection_may_be_idle() {
        let check = |version, headers: &[(&'static str, &'static str)], expected: Option<Duration>| {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(idle_age_max(version, &headers), expected, "{version:?} {headers:?}");
        };
        let ms = |ms| Some(Duration::from_millis(ms));
        check(Version::HTTP_11, &[], Some(IDLE_AGE_MAX));
        check(Version::HTTP_11, &[("connection", "close")], None);
        check(Version::HTTP_11, &[("connection", "x-a, Close")], None);
        check(Version::HTTP_11, &[("connection", "keep-alive")], Some(IDLE_AGE_MAX));
        check(Version::HTTP_11, &[("keep-alive", "timeout=5")], ms(4000));
        check(Version::HTTP_11, &[("keep-alive", "max=100, Timeout = 20")], ms(19_000));
        check(Version::HTTP_11, &[("keep-alive", "timeout=1")], ms(500));
        check(Version::HTTP_11, &[("keep-alive", "timeout=0")], ms(0));
        check(Version::HTTP_11, &[("keep-alive", "timeout=4294967295")], Some(IDLE_AGE_MAX));
        check(Version::HTTP_11, &[("keep-alive", "timeout=soon")], Some(IDLE_AGE_MAX));
        check(Version::HTTP_10, &[], None);
        check(Version::HTTP_10, &[("connection", "keep-alive"), ("keep-alive", "timeout=3")], ms(2000));
    }
}
