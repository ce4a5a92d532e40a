//! Connections kept open between calls.
//!
//! A connection is driven by the call that uses it, not by a task of its own: a call costs no hand-over between tasks,
//! and a call that is dropped drops its connection.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use super::connect::{self, Stream, Tls, To};
use super::{Alarm, BodyFault, Patience, SendFault, Sent, Timeouts};
use crate::boxed;
use crate::egress::{Guard, Origin};

/// Idle connections kept per host and core.
const IDLE_MAX: usize = 4096;
/// How long an idle connection is trusted. Servers commonly close after 60 s or more.
const IDLE_AGE_MAX: Duration = Duration::from_secs(55);
/// Base URLs and hosts remembered per core; clients may name them, so there has to be an end.
const SITES_MAX: usize = 1024;

/// The upstream connections of one core.
#[derive(Debug)]
pub struct Upstreams {
    guard: Guard,
    tls: Tls,
    /// By base URL, for each origin.
    sites: [RefCell<HashMap<String, Rc<Site>>>; 3],
    /// By scheme and authority, for each origin: who chose a host decides what it may be.
    places: [RefCell<HashMap<String, Rc<Place>>>; 3],
}

/// A base URL, checked.
#[derive(Debug)]
pub struct Site {
    place: Rc<Place>,
    /// Its path, without a slash at the end.
    pub path: String,
}

/// A host that calls go to.
#[derive(Debug)]
struct Place {
    tls: bool,
    host: String,
    port: u16,
    origin: Origin,
    authority: HeaderValue,
    idle: RefCell<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

impl Upstreams {
    /// No connections yet.
    pub fn new(guard: Guard, tls: Tls) -> Upstreams {
        Upstreams { guard, tls, sites: Default::default(), places: Default::default() }
    }

    /// The site of a base URL. `check` is asked for its parts, `scheme://authority` and path, when it is new.
    ///
    /// # Errors
    /// What `check` says, or that there is no such host.
    pub fn site<'a>(
        &self,
        url: &str,
        origin: Origin,
        check: impl FnOnce() -> Result<(&'a str, &'a str), String>,
    ) -> Result<Rc<Site>, String> {
        let mut sites = self.sites[origin as usize].borrow_mut();
        if let Some(site) = sites.get(url) {
            return Ok(site.clone());
        }
        let (scheme_and_authority, path) = check()?;
        let place = self.place(scheme_and_authority, origin).ok_or("has no valid host")?;
        let site = Rc::new(Site { place, path: path.to_owned() });
        if sites.len() >= SITES_MAX {
            sites.clear();
        }
        sites.insert(url.to_owned(), site.clone());
        Ok(site)
    }

    fn place(&self, scheme_and_authority: &str, origin: Origin) -> Option<Rc<Place>> {
        let mut places = self.places[origin as usize].borrow_mut();
        if let Some(place) = places.get(scheme_and_authority) {
            return Some(place.clone());
        }
        let place = Rc::new(Place::parse(scheme_and_authority, origin)?);
        if places.len() >= SITES_MAX {
            places.retain(|_, place| !place.idle.borrow().is_empty());
        }
        places.insert(scheme_and_authority.to_owned(), place.clone());
        Some(place)
    }

    /// Sends a request, on a connection that is open already where there is one. It is boxed because it would be copied
    /// for every future on its way.
    pub async fn send(
        &self,
        site: &Site,
        mut request: Box<Request<Sent>>,
        timeouts: Timeouts,
        started: Instant,
    ) -> Result<Response<Answer>, SendFault> {
        let place = &site.place;
        let due = started + timeouts.first_byte.min(timeouts.total);
        loop {
            let (mut connection, is_new) = match place.take_idle(started) {
                Some(connection) => (connection, false),
                None => (boxed::pin(|| self.open(place, timeouts)).await?, true),
            };
            match connection.send(request, due).await {
                None => return Err(SendFault::FirstByteTimeout),
                Some(Ok(response)) => return Ok(place.answer(connection, response, started, timeouts)),
                // A kept connection may have been closed meanwhile: a request that has not left goes to the next one.
                Some(Err(mut fault)) => match fault.take_message() {
                    Some(returned) if !is_new => request = Box::new(returned),
                    _ => return Err(SendFault::Http(fault.into_error())),
                },
            }
        }
    }

    async fn open(&self, place: &Place, timeouts: Timeouts) -> Result<Box<Connection>, SendFault> {
        let to = To { host: &place.host, port: place.port, tls: place.tls, origin: place.origin };
        let connecting = connect::connect(to, &self.guard, &self.tls);
        let stream = match timeout(timeouts.connect.min(timeouts.total), connecting).await {
            Err(_) => return Err(SendFault::ConnectTimeout),
            Ok(stream) => stream?,
        };
        let handshake = http1::Builder::new().handshake(TokioIo::new(stream));
        let (sender, driver) = handshake.await.map_err(SendFault::Http)?;
        let alarm = Alarm::new(Instant::now() + timeouts.first_byte);
        Ok(Box::new(Connection { sender, driver, over: false, alarm }))
    }

    /// Closes connections that nobody has used for a while. To be called now and then.
    pub fn sweep(&self) {
        for place in
            self.places.iter().flat_map(|places| places.borrow().values().cloned().collect::<Vec<_>>())
        {
            place.idle.borrow_mut().retain(|idle| idle.since.elapsed() < IDLE_AGE_MAX);
        }
    }
}

impl Site {
    /// The `Host` header.
    pub fn authority(&self) -> &HeaderValue {
        &self.place.authority
    }
}

impl Place {
    fn parse(url: &str, origin: Origin) -> Option<Place> {
        let (tls, authority) = match url.split_once("://")? {
            ("https", authority) => (true, authority),
            ("http", authority) => (false, authority),
            _ => return None,
        };
        let parsed: http::uri::Authority = authority.parse().ok()?;
        Some(Place {
            tls,
            host: parsed.host().to_owned(),
            port: parsed.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            origin,
            authority: HeaderValue::from_str(authority).ok()?,
            idle: RefCell::default(),
        })
    }

    fn take_idle(&self, now: Instant) -> Option<Box<Connection>> {
        let mut idle = self.idle.borrow_mut();
        while let Some(Idle { connection, since }) = idle.pop() {
            if now.saturating_duration_since(since) < IDLE_AGE_MAX {
                return Some(connection);
            }
        }
        None
    }

    fn answer(
        self: &Rc<Self>,
        connection: Box<Connection>,
        response: Response<Incoming>,
        started: Instant,
        timeouts: Timeouts,
    ) -> Response<Answer> {
        let patience = Patience::new(timeouts.idle, started + timeouts.total);
        response.map(|body| {
            let mut answer = Answer { body, place: self.clone(), connection: Some(connection), patience };
            if answer.body.is_end_stream() {
                answer.release();
            }
            answer
        })
    }
}

/// A connection to an upstream.
#[derive(Debug)]
struct Connection {
    sender: http1::SendRequest<Sent>,
    driver: http1::Connection<TokioIo<Stream>, Sent>,
    /// The driver has come to its end and may not be polled again.
    over: bool,
    /// For whichever part of a call is waited for.
    alarm: Alarm,
}

impl Connection {
    /// Sends a request and waits for the head of the answer; `None` if it is not there when it is due.
    async fn send(
        &mut self,
        request: Box<Request<Sent>>,
        due: Instant,
    ) -> Option<Result<Response<Incoming>, TrySendError<Request<Sent>>>> {
        // A connection that was idle learns now whether the other side has closed it.
        poll_fn(|context| {
            self.drive(context);
            Poll::Ready(())
        })
        .await;
        let Connection { sender, driver, over, alarm } = self;
        let mut response = pin!(sender.try_send_request(*request));
        poll_fn(|context| {
            if let Poll::Ready(response) = response.as_mut().poll(context) {
                return Poll::Ready(Some(response));
            }
            *over = *over || Pin::new(&mut *driver).poll(context).is_ready();
            if let Poll::Ready(response) = response.as_mut().poll(context) {
                return Poll::Ready(Some(response));
            }
            alarm.poll_over(due, context).map(|()| None)
        })
        .await
    }

    /// Reads and writes what can be read and written.
    fn drive(&mut self, context: &mut Context<'_>) {
        if !self.over {
            // What goes wrong with the connection is told to the call by its body or its head.
            self.over = Pin::new(&mut self.driver).poll(context).is_ready();
        }
    }
}

/// The body of an upstream's answer. Its connection is kept when the body has come whole, and closed when it is dropped
/// before: a client that leaves ends the call.
#[derive(Debug)]
pub struct Answer {
    body: Incoming,
    place: Rc<Place>,
    connection: Option<Box<Connection>>,
    patience: Patience,
}

impl Answer {
    /// The next piece. Fails when none comes in time.
    pub fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                self.connection.iter_mut().for_each(|connection| connection.drive(context));
                match Pin::new(&mut self.body).poll_frame(context) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => {
                        let Some(connection) = &mut self.connection else { return Poll::Pending };
                        ready!(connection.alarm.poll_over(self.patience.due(), context));
                        return Poll::Ready(Some(Err(BodyFault::Silence)));
                    }
                }
            }
        };
        self.patience.renew();
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

    /// Has all of it come?
    pub fn is_end(&self) -> bool {
        self.body.is_end_stream()
    }

    /// When the head or the last piece came.
    pub fn last(&self) -> Instant {
        self.patience.last()
    }

    /// How much is to come.
    pub fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    /// The connection is free for the next call.
    fn release(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut idle = self.place.idle.borrow_mut();
        if !connection.over && idle.len() < IDLE_MAX {
            idle.push(Idle { connection, since: self.patience.last() });
        }
    }
}
