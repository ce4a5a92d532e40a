//! Connections kept open between calls.
//!
//! A connection of HTTP/1.1 is driven by the call that uses it, not by a task of its own: a call costs no hand-over between tasks,
//! and a call that is dropped drops its connection. hyper-util's pooled client takes 1.4 times the CPU time for a call
//! (benches/README.md, "Parts by hand").
//!
//! Servers close connections that were idle for a while, and may do so in the moment in which the next request leaves. A
//! connection that is over is dropped at once, and a request that did not leave goes out on another one. What a server
//! may have read is repeated only where the method allows it (RFC 9110, section 9.2.2).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use super::answer::{Carrier, Http2Call, UpstreamBody};
use super::connect::{self, To};
use super::counted::CountedStream;
use super::deadline::ReadDeadline;
use super::egress::{Guard, ORIGINS, Origin};
use super::http1::{Connection, SendError, Switching};
use super::http2::{Http2Pool, OpenStream, Opening, Place, StreamError};
use super::idle::{Counted, IdleCount, IdleCounts};
use super::proxy::Proxy;
use super::transport::{Transport, TransportId, Transports};
use super::{RequestBody, SendFault, Timeouts};
use crate::timer::LazyTimer;

/// Base URLs and hosts remembered per core; clients may name them, so there has to be an end.
const BASE_URLS_MAX: usize = 1024;
/// How often a request is sent again by HTTP/2 that the server says it did nothing with.
const REFUSALS_MAX: usize = 3;

/// The upstream connections of one core.
#[derive(Debug)]
pub struct Upstreams {
    guard: Guard,
    /// By transport: no connection is used under another one.
    hosts: Vec<Hosts>,
    idle: IdleCounts,
    /// Others have taken the place of these, which serve calls under way to their end.
    are_replaced: Cell<bool>,
}

/// The hosts that are connected to in one way.
#[derive(Debug)]
struct Hosts {
    transport: Arc<Transport>,
    /// By base URL, for each origin.
    base_urls: [RefCell<HashMap<String, Rc<BaseUrl>>>; ORIGINS],
    /// By scheme and authority, for each origin: who chose a host decides what it may be.
    pools: [RefCell<HashMap<String, Rc<HostPool>>>; ORIGINS],
}

/// A base URL, checked.
#[derive(Debug)]
pub struct BaseUrl {
    pool: Rc<HostPool>,
    /// Its path, without a slash at the end.
    pub path: String,
}

/// A host that calls go to.
#[derive(Debug)]
pub(super) struct HostPool {
    tls: bool,
    host: String,
    port: u16,
    origin: Origin,
    transport: Arc<Transport>,
    /// What stands on the way there.
    proxy: Option<Arc<Proxy>>,
    authority: HeaderValue,
    idle: RefCell<Vec<Idle>>,
    /// Calls go there no more: no connection is kept.
    is_retired: Cell<bool>,
    /// Idle connections of all hosts that the same party chose, this one's among them.
    idle_of_all: IdleCount,
    /// Where HTTP/2 may be spoken.
    http2: Option<Rc<Http2Pool>>,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    /// When the server may have closed it.
    until: Instant,
    _counted: Counted,
}

impl Upstreams {
    /// No connections yet.
    pub fn new(guard: Guard, transports: &Transports) -> Upstreams {
        Upstreams {
            guard,
            hosts: transports.iter().map(|transport| Hosts::new(transport.clone())).collect(),
            idle: IdleCounts::default(),
            are_replaced: Cell::default(),
        }
    }

    /// The connections under another configuration. Hosts that still count (`is_known`, for those that no client chose) keep
    /// theirs where they are connected to in the same way, and share them with calls under way; all others are closed as soon as no
    /// call uses them.
    pub fn renewed(
        &self,
        guard: Guard,
        transports: &Transports,
        is_known: impl Fn(Origin, &str) -> bool,
    ) -> Upstreams {
        self.are_replaced.set(true);
        let is_same_guard = guard == self.guard;
        let is_kept = |host: &str, pool: &HostPool| match pool.origin {
            // The guard lets the operator's own hosts pass whatever the configuration says.
            Origin::Operator => is_known(Origin::Operator, host),
            Origin::BuiltIn => is_same_guard && is_known(Origin::BuiltIn, host),
            Origin::Client | Origin::Content => is_same_guard,
        };
        let renew = |transport: &Arc<Transport>| {
            let before = self.hosts.iter().find(|hosts| hosts.transport.is_same(transport));
            before.map_or_else(|| Hosts::new(transport.clone()), |hosts| hosts.renewed(transport, is_kept))
        };
        let is_same = |hosts: &&Hosts| transports.iter().any(|same| hosts.transport.is_same(same));
        self.hosts.iter().filter(|hosts| !is_same(hosts)).for_each(Hosts::retire);
        Upstreams {
            guard,
            hosts: transports.iter().map(renew).collect(),
            idle: self.idle.clone(),
            are_replaced: Cell::default(),
        }
    }

    /// Have others taken the place of these, under another configuration?
    pub fn are_replaced(&self) -> bool {
        self.are_replaced.get()
    }

    /// The host and path of a base URL, to be connected to in this way. `check` is asked for its parts, `scheme://authority` and path, when it is new.
    ///
    /// # Errors
    /// What `check` says, or that there is no such host.
    pub fn base_url<'a>(
        &self,
        url: &str,
        origin: Origin,
        transport: TransportId,
        check: impl FnOnce() -> Result<(&'a str, &'a str), String>,
    ) -> Result<Rc<BaseUrl>, String> {
        // Ids and hosts are of one configuration.
        let hosts = &self.hosts[transport.place()];
        let mut base_urls = hosts.base_urls[origin as usize].borrow_mut();
        if let Some(base_url) = base_urls.get(url) {
            return Ok(base_url.clone());
        }
        let (scheme_and_authority, path) = check()?;
        let pool = self.pool(hosts, scheme_and_authority, origin).ok_or("has no valid host")?;
        let base_url = Rc::new(BaseUrl { pool, path: path.to_owned() });
        if base_urls.len() >= BASE_URLS_MAX {
            base_urls.clear();
        }
        base_urls.insert(url.to_owned(), base_url.clone());
        Ok(base_url)
    }

    fn pool(&self, hosts: &Hosts, scheme_and_authority: &str, origin: Origin) -> Option<Rc<HostPool>> {
        let mut pools = hosts.pools[origin as usize].borrow_mut();
        if let Some(pool) = pools.get(scheme_and_authority) {
            return Some(pool.clone());
        }
        let idle_of_all = self.idle.of(origin).clone();
        let pool = HostPool::parse(scheme_and_authority, origin, &hosts.transport, idle_of_all)?;
        let pool = Rc::new(pool);
        if self.are_replaced.get() {
            pool.retire();
        }
        if pools.len() >= BASE_URLS_MAX {
            pools.retain(|_, pool| pool.has_connections());
        }
        pools.insert(scheme_and_authority.to_owned(), pool.clone());
        Some(pool)
    }

    /// Sends a request, on a connection that is open already where there is one. It is boxed because it would be copied
    /// for every future on its way.
    pub async fn send(
        &self,
        base_url: &BaseUrl,
        mut request: Box<Request<RequestBody>>,
        timeouts: Timeouts,
        started: Instant,
    ) -> Result<Response<UpstreamBody>, SendFault> {
        let pool = &base_url.pool;
        let due = started + timeouts.first_byte.min(timeouts.total);
        let mut opened = None;
        if let Some(http2) = &pool.http2 {
            match Box::pin(self.send_by_http2(pool, http2, &mut request, timeouts, started)).await? {
                ByHttp2::Answer(answer) => return Ok(*answer),
                ByHttp2::Http1(connection) => opened = connection,
            }
        }
        let mut is_repeated = false;
        let mut connected = None;
        loop {
            let kept = if is_repeated || opened.is_some() { None } else { pool.take_idle(started) };
            let is_kept = kept.is_some();
            let mut connection = match kept.or_else(|| opened.take()) {
                Some(connection) => connection,
                None => {
                    let opened = Box::pin(self.open(pool, timeouts)).await?;
                    connected = Some(Instant::now());
                    opened
                }
            };
            let copy = if is_kept { repeatable(&request) } else { None };
            match connection.send(request, due).await {
                Ok(response) => {
                    connection.check(&response)?;
                    let answer = pool.answer(Carrier::Http1(connection), response, started, timeouts);
                    return Ok(answer.map(|body| body.over(connected)));
                }
                Err(SendError::Late) => return Err(SendFault::FirstByteTimeout),
                // A kept connection may have been closed meanwhile. Each turn takes one away, so there is an end.
                Err(SendError::Unsent(unsent)) if is_kept => request = unsent,
                Err(SendError::Unsent(_)) => return Err(SendFault::Closed),
                // Once, on a fresh connection, and not where there was an answer that cannot be understood.
                Err(SendError::Broken(error)) => match copy.filter(|_| !error.is_parse()) {
                    Some(copy) => (request, is_repeated) = (copy, true),
                    None => return Err(SendFault::Http(error)),
                },
            }
        }
    }

    /// Sends a request that wants to go over to another protocol, always on a connection of its own that speaks HTTP/1.1.
    pub async fn switch(
        &self,
        base_url: &BaseUrl,
        request: Box<Request<RequestBody>>,
        timeouts: Timeouts,
        started: Instant,
    ) -> Result<Switching, SendFault> {
        let pool = &base_url.pool;
        let due = started + timeouts.first_byte.min(timeouts.total);
        let connection = Box::pin(self.open(pool, timeouts)).await?;
        let answered =
            |connection, response| pool.answer(Carrier::Http1(connection), response, started, timeouts);
        connection.switch(request, due, answered).await
    }

    /// Sends a request by HTTP/2, if the server speaks it; `request` is still there if it does not. What the server says that it did
    /// nothing with is sent again, on another connection.
    async fn send_by_http2(
        &self,
        pool: &Rc<HostPool>,
        http2: &Rc<Http2Pool>,
        request: &mut Request<RequestBody>,
        timeouts: Timeouts,
        started: Instant,
    ) -> Result<ByHttp2, SendFault> {
        let due = started + timeouts.first_byte.min(timeouts.total);
        let (mut refusals, mut is_repeated, mut refused_by) = (0, false, None);
        let mut timer = LazyTimer::new(due);
        loop {
            let place_due = Instant::now() + timeouts.connect.min(timeouts.total);
            let stream = match http2.place(refused_by.as_ref(), place_due).await? {
                Place::Stream(stream) => stream,
                Place::Http1 => return Ok(ByHttp2::Http1(None)),
                Place::Open(opening) => match self.open_http2(pool, opening, timeouts).await? {
                    Opened::Http2(stream) => stream,
                    Opened::Http1(connection) => return Ok(ByHttp2::Http1(Some(connection))),
                },
            };
            let is_whole = matches!(request.body(), RequestBody::Full(_));
            let sent = http2.request(request, pool.tls);
            match stream.send(sent, &mut timer, due).await {
                Ok(response) => {
                    let carrier = Carrier::Http2(Box::new(Http2Call::new(stream, timer)));
                    return Ok(ByHttp2::Answer(Box::new(pool.answer(carrier, response, started, timeouts))));
                }
                Err(StreamError::Late) => return Err(SendFault::FirstByteTimeout),
                Err(StreamError::Unsent(unsent)) if refusals < REFUSALS_MAX => {
                    *request.body_mut() = unsent.into_body();
                    refusals += 1;
                    refused_by = None;
                }
                Err(StreamError::Unsent(_)) => return Err(SendFault::Closed),
                Err(StreamError::Refused(_)) if is_whole && refusals < REFUSALS_MAX => {
                    refusals += 1;
                    refused_by = Some(stream);
                }
                // As with HTTP/1.1: once, where the method allows it.
                Err(StreamError::Broken(_))
                    if is_whole && !is_repeated && request.method().is_idempotent() =>
                {
                    is_repeated = true;
                    refused_by = Some(stream);
                }
                Err(StreamError::Refused(error) | StreamError::Broken(error)) => {
                    return Err(SendFault::Http(error));
                }
            }
        }
    }

    async fn open_http2(
        &self,
        pool: &HostPool,
        opening: Opening,
        timeouts: Timeouts,
    ) -> Result<Opened, SendFault> {
        let stream = self.connect(pool, true, timeouts).await?;
        match !pool.tls || connect::is_http2(stream.stream()) {
            true => opening.connected(stream).await.map(Opened::Http2).map_err(SendFault::Http),
            false => {
                opening.speaks_http1();
                Connection::new(stream, timeouts).await.map(Opened::Http1)
            }
        }
    }

    async fn open(&self, pool: &HostPool, timeouts: Timeouts) -> Result<Box<Connection>, SendFault> {
        Connection::new(self.connect(pool, false, timeouts).await?, timeouts).await
    }

    async fn connect(
        &self,
        pool: &HostPool,
        offers_http2: bool,
        timeouts: Timeouts,
    ) -> Result<CountedStream, SendFault> {
        let HostPool { host, port, tls, origin, proxy, .. } = pool;
        let to = To { host, port: *port, tls: *tls, origin: *origin, proxy: proxy.as_ref(), offers_http2 };
        let connecting = connect::connect(to, &self.guard, &pool.transport.tls);
        match timeout(timeouts.connect.min(timeouts.total), connecting).await {
            Err(_) => Err(SendFault::ConnectTimeout),
            Ok(stream) => stream.map(CountedStream::new),
        }
    }

    /// Closes connections that nobody has used for a while, or that the other side has closed. To be called now and then.
    pub fn sweep(&self) {
        let now = Instant::now();
        for pools in self.hosts.iter().flat_map(|hosts| &hosts.pools) {
            for pool in pools.borrow().values() {
                pool.idle.borrow_mut().retain_mut(|idle| now < idle.until && idle.connection.is_open());
                pool.http2.iter().for_each(|http2| http2.sweep(now));
            }
        }
    }
}

impl Hosts {
    fn new(transport: Arc<Transport>) -> Hosts {
        Hosts { transport, base_urls: Default::default(), pools: Default::default() }
    }

    /// The same under another configuration. `transport`: the same, as that configuration has it.
    fn renewed(&self, transport: &Arc<Transport>, is_kept: impl Fn(&str, &HostPool) -> bool) -> Hosts {
        let keep = |pools: &RefCell<HashMap<String, Rc<HostPool>>>| {
            let mut kept = pools.borrow().clone();
            kept.retain(|host, pool| {
                let is_kept = is_kept(host, pool);
                if !is_kept {
                    pool.retire();
                }
                is_kept
            });
            RefCell::new(kept)
        };
        let pools = self.pools.each_ref().map(keep);
        // Base URLs are checked anew when they are asked for.
        Hosts { transport: transport.clone(), base_urls: Default::default(), pools }
    }

    /// Closes what is idle, and what would be later.
    fn retire(&self) {
        self.pools.iter().for_each(|pools| pools.borrow().values().for_each(|pool| pool.retire()));
    }
}

impl BaseUrl {
    /// The `Host` header.
    pub fn authority(&self) -> &HeaderValue {
        &self.pool.authority
    }

    /// The port that connections go to.
    pub fn port(&self) -> u16 {
        self.pool.port
    }

    /// Scheme and authority.
    pub fn origin(&self) -> String {
        let scheme = if self.pool.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.pool.authority.to_str().unwrap_or_default())
    }

    /// Does it stand in the built-in table, so that the vendor itself answers there?
    pub fn is_built_in(&self) -> bool {
        self.pool.origin == Origin::BuiltIn
    }
}

impl HostPool {
    fn parse(
        url: &str,
        origin: Origin,
        transport: &Arc<Transport>,
        idle_of_all: IdleCount,
    ) -> Option<HostPool> {
        let (tls, authority) = match url.split_once("://")? {
            ("https", authority) => (true, authority),
            ("http", authority) => (false, authority),
            _ => return None,
        };
        let parsed: http::uri::Authority = authority.parse().ok()?;
        Some(HostPool {
            tls,
            host: parsed.host().to_owned(),
            port: parsed.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            origin,
            transport: transport.clone(),
            proxy: transport.proxies.before(parsed.host(), tls),
            authority: HeaderValue::from_str(authority).ok()?,
            idle: RefCell::default(),
            is_retired: Cell::default(),
            http2: transport
                .http2
                .may_be(tls)
                .then(|| Rc::new(Http2Pool::new(parsed.clone(), idle_of_all.clone()))),
            idle_of_all,
        })
    }

    /// Closes what is idle, and what would be later.
    fn retire(&self) {
        self.is_retired.set(true);
        self.idle.borrow_mut().clear();
        self.http2.iter().for_each(|http2| http2.retire());
    }

    fn has_connections(&self) -> bool {
        !self.idle.borrow().is_empty() || self.http2.as_ref().is_some_and(|http2| http2.has_connections())
    }

    fn take_idle(&self, now: Instant) -> Option<Box<Connection>> {
        let mut idle = self.idle.borrow_mut();
        while let Some(kept) = idle.pop() {
            if now < kept.until {
                return Some(kept.connection);
            }
        }
        None
    }

    /// Keeps a connection for the next call, if there is room.
    pub(super) fn keep(&self, connection: Box<Connection>, since: Instant) {
        let Some(age_max) = connection.idle_age_max() else { return };
        if self.is_retired.get() {
            return;
        }
        if let Some(counted) = self.idle_of_all.count() {
            self.idle.borrow_mut().push(Idle { connection, until: since + age_max, _counted: counted });
        }
    }

    fn answer(
        self: &Rc<Self>,
        carrier: Carrier,
        response: Response<Incoming>,
        started: Instant,
        timeouts: Timeouts,
    ) -> Response<UpstreamBody> {
        let deadline = ReadDeadline::new(timeouts.idle, started + timeouts.total);
        response.map(|body| UpstreamBody::new(body, self.clone(), carrier, deadline))
    }
}

/// What came of sending a request by HTTP/2.
enum ByHttp2 {
    Answer(Box<Response<UpstreamBody>>),
    /// The server speaks HTTP/1.1; on this connection, if one was opened.
    Http1(Option<Box<Connection>>),
}

/// What was opened.
enum Opened {
    Http2(OpenStream),
    Http1(Box<Connection>),
}

/// A copy of a request that may be sent again although a server may have read it (RFC 9110, section 9.2.2).
fn repeatable(request: &Request<RequestBody>) -> Option<Box<Request<RequestBody>>> {
    let RequestBody::Full(body) = request.body() else { return None };
    if !request.method().is_idempotent() {
        return None;
    }
    let mut copy = Request::new(RequestBody::Full(body.clone()));
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    Some(Box::new(copy))
}

#[cfg(test)]
mod tests;
