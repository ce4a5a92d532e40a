//! Calls for credentials, through the one place that opens connections.
//!
//! Who wrote the address decides what it may be: a vendor's own token host has to be public and behind TLS; what the operator
//! wrote, or has in the environment, may be private; and metadata services may be reached only for sources that are the
//! operator's.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use tokio::time::Instant;

use super::Failure;
use crate::upstream::egress::{Guard, Origin};
use crate::upstream::transport::{Transport, TransportId, Transports};
use crate::upstream::{RequestBody, SendFault, Timeouts, UpstreamBody, Upstreams};

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// How long each part of a call over the internet may take.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    // Tests cannot move the clock of another thread.
    first_byte: if cfg!(test) { Duration::from_secs(1) } else { Duration::from_secs(10) },
    idle: Duration::from_secs(5),
    total: Duration::from_secs(15),
};
/// The same to a metadata service, which is near, or is not there at all.
const TIMEOUTS_NEAR: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    first_byte: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(10),
};

/// What calls for credentials go over.
#[derive(Debug, Clone)]
pub struct Network {
    /// What may be reached.
    pub guard: Guard,
    /// How connections are made.
    pub transports: Transports,
}

/// Whose word an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A vendor's own host.
    Vendor,
    /// The operator's, written or in the environment.
    Operator,
    /// The same, and metadata services.
    Metadata,
}

/// A call.
pub struct Call {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub reach: Reach,
}

/// The whole of an answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl std::fmt::Debug for Call {
    /// Bodies and queries may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} by the word of {:?}", self.method, self.reach)
    }
}

impl std::fmt::Debug for Answer {
    /// Bodies hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "answer with status {}", self.status)
    }
}

impl Call {
    /// Asks for something.
    pub fn of(reach: Reach, url: impl Into<String>) -> Call {
        Call { method: Method::GET, url: url.into(), headers: HeaderMap::new(), body: Bytes::new(), reach }
    }

    /// Sends a body of this type.
    pub fn post(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Call {
        self.method = Method::POST;
        self.body = body.into();
        self.with("content-type", content_type)
    }

    /// With this header, if a header can hold it. It may be secret.
    pub fn with(mut self, name: &'static str, value: &str) -> Call {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

impl Answer {
    /// Did it go well?
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What time it is over there, where it says so.
    pub fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.headers.get(header::DATE)?.to_str().ok()?).ok()
    }
}

/// The connections of the thread that fetches credentials.
#[derive(Debug)]
pub struct Net {
    upstreams: RefCell<Rc<Pools>>,
}

#[derive(Debug)]
struct Pools {
    ordinary: Upstreams,
    /// The only connections of the gateway that may lead to a metadata service.
    metadata: Upstreams,
}

impl Pools {
    fn new(network: Network) -> Rc<Pools> {
        let Network { guard, transports } = network;
        let metadata = Guard { metadata_allowed: true, ..guard.clone() };
        // Those of single providers are for these; metadata services are on this machine's own network, before any proxy.
        let general = transports.general().clone();
        let near = Transport { tls: general.tls.clone(), ..Transport::default() };
        Rc::new(Pools {
            ordinary: Upstreams::new(guard, &Transports::new(general, [])),
            metadata: Upstreams::new(metadata, &Transports::new(near, [])),
        })
    }
}

impl Net {
    /// No connections yet.
    pub fn new(network: Network) -> Net {
        Net { upstreams: RefCell::new(Pools::new(network)) }
    }

    /// The next calls go over this network.
    pub fn renew(&self, network: Network) {
        self.upstreams.replace(Pools::new(network));
    }

    /// Closes connections that are idle or over.
    pub fn sweep(&self) {
        let pools = self.upstreams.borrow().clone();
        pools.ordinary.sweep();
        pools.metadata.sweep();
    }

    /// Makes a call.
    ///
    /// # Errors
    /// Why there is no whole answer, with the host.
    pub async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let uri: Uri = call.url.parse().map_err(|_| wrong_address(&call.url))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong_address(&call.url));
        };
        if scheme != "https" && (scheme != "http" || call.reach == Reach::Vendor) {
            return Err(wrong_address(&call.url));
        }
        let host = authority.host().to_owned();
        let base = format!("{scheme}://{authority}");
        let pools = self.upstreams.borrow().clone();
        // Metadata services speak plain HTTP; what else the same source asks is further away, perhaps behind a proxy.
        let is_near = call.reach == Reach::Metadata && scheme == "http";
        let (upstreams, origin, timeouts) = match call.reach {
            Reach::Metadata if is_near => (&pools.metadata, Origin::Operator, TIMEOUTS_NEAR),
            Reach::Metadata | Reach::Operator => (&pools.ordinary, Origin::Operator, TIMEOUTS),
            Reach::Vendor => (&pools.ordinary, Origin::BuiltIn, TIMEOUTS),
        };
        let base_url = upstreams.base_url(&base, origin, TransportId::default(), || Ok((base.as_str(), "")));
        let base_url = base_url.map_err(|_| wrong_address(&call.url))?;
        let body = Some(call.body).filter(|body| !body.is_empty() || call.method != Method::GET);
        let mut request = Request::new(RequestBody::Full(body));
        *request.method_mut() = call.method;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // `http://host?query` has no path, and a request has to have one.
        let slash = if path.starts_with('/') { "" } else { "/" };
        *request.uri_mut() = format!("{slash}{path}").parse().map_err(|_| wrong_address(&call.url))?;
        *request.headers_mut() = call.headers;
        request.headers_mut().insert(header::HOST, base_url.authority().clone());
        request.headers_mut().entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let sent = upstreams.send(&base_url, Box::new(request), timeouts, Instant::now()).await;
        let (head, body) = sent.map_err(|fault| unreachable(&host, &fault))?.into_parts();
        let body = whole(body).await.map_err(|why| Failure::unavailable(format!("{host}: {why}")))?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
}

async fn whole(mut body: UpstreamBody) -> Result<Bytes, &'static str> {
    let mut read = Vec::new();
    while let Some(piece) = body.bytes().await {
        let piece = piece.map_err(|_| "its answer broke off")?;
        if read.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err("its answer is too large for one with a credential");
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.into())
}

fn unreachable(host: &str, fault: &SendFault) -> Failure {
    match fault {
        SendFault::Refused(refusal) => Failure::refused(
            format!("{refusal}"),
            "Token hosts may be private where the operator wrote them, or allows them under egress.allow_private.",
        ),
        SendFault::Unchecked(_)
        | SendFault::Proxy(_)
        | SendFault::Resolve(_)
        | SendFault::Connect(_)
        | SendFault::Tls(_)
        | SendFault::ConnectTimeout
        | SendFault::FirstByteTimeout
        | SendFault::Closed
        | SendFault::Framing(_)
        | SendFault::Http(_) => Failure::unavailable(format!("{host}: {fault}")),
    }
}

fn wrong_address(url: &str) -> Failure {
    // What stands behind the host may be secret.
    let host = url.split(['?', '#', '@']).next().unwrap_or_default();
    Failure::missing(
        format!("`{host}` is no address that tokens can be asked for at"),
        "It must begin with https://, or with http:// where the operator wrote it.",
    )
}
