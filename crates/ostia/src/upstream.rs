//! The only place that opens a connection outward.
//!
//! Each core has its own pool of connections, so a request never waits for another core. They speak HTTP/1.1, and HTTP/2 where
//! it is configured. Every new connection
//! passes the egress guard, which checks the addresses that the host resolves to; the connection goes to one of those.

mod answer;
mod body;
mod connect;
mod counted;
mod deadline;
pub mod egress;
pub mod host;
mod http1;
pub mod http2;
mod idle;
pub mod pieces;
mod pool;
pub mod proxy;
pub mod tls;
pub mod transport;
mod tunnel;

pub use answer::UpstreamBody;
pub use body::{BodyFault, RequestBody};
pub use connect::directly;
pub use http1::{Switched, Switching};
pub use pool::{BaseUrl, Upstreams};
pub use tunnel::ProxyFault;

use std::time::Duration;

use crate::upstream::egress::Refusal;

/// How long each part of a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving, connecting and the TLS handshake together.
    pub connect: Duration,
    /// From the request being sent to the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// The whole call.
    pub total: Duration,
}

/// Why a call brought no answer.
#[derive(Debug)]
pub enum SendFault {
    /// The host may not be reached.
    Refused(Refusal),
    /// The host's name cannot be resolved.
    Resolve(std::io::Error),
    /// The name of a host that a client chose cannot be resolved here, so that nobody can say what a proxy would make of it.
    Unchecked(std::io::Error),
    /// The proxy on the way gave no connection.
    Proxy(Box<ProxyFault>),
    /// No connection to any of its addresses.
    Connect(std::io::Error),
    /// The TLS handshake failed.
    Tls(std::io::Error),
    /// No connection in time.
    ConnectTimeout,
    /// No head of an answer in time.
    FirstByteTimeout,
    /// The connection was closed before the request could leave.
    Closed,
    /// The answer's end cannot be told.
    Framing(&'static str),
    /// The connection broke, or the answer is not HTTP.
    Http(hyper::Error),
}

/// What to do about certificates that are not trusted, by the word that rustls has for it.
const TLS_REMEDIES: [(&str, &str); 2] = [
    ("UnknownIssuer", " (nobody who is trusted gave it out: name its authority in tls.ca)"),
    (
        "CaUsedAsEndEntity",
        " (the server shows the certificate of an authority as its own: make it one with basicConstraints=CA:FALSE)",
    ),
];

impl SendFault {
    /// The proxy on the way gave no connection.
    fn proxy(fault: ProxyFault) -> SendFault {
        SendFault::Proxy(Box::new(fault))
    }
}

impl std::fmt::Display for SendFault {
    /// All of it, addresses and certificates too: words for the operator.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SendFault::Refused(refusal) => refusal.fmt(f),
            SendFault::Resolve(error) => write!(f, "its name cannot be resolved: {error}"),
            SendFault::Unchecked(error) => write!(
                f,
                "its name cannot be resolved here ({error}), and a host that a request chooses is checked here before a \
                 proxy hears of it"
            ),
            SendFault::Proxy(fault) => fault.fmt(f),
            SendFault::Connect(error) => write!(f, "no connection: {error}"),
            SendFault::Tls(error) => {
                let text = error.to_string();
                let remedy = TLS_REMEDIES.iter().find(|(word, _)| text.contains(word));
                write!(f, "the TLS handshake failed: {text}{}", remedy.map_or("", |(_, remedy)| remedy))
            }
            SendFault::ConnectTimeout => f.write_str("no connection in time"),
            SendFault::FirstByteTimeout => f.write_str("no answer in time"),
            SendFault::Closed => f.write_str("it closed the connection without an answer"),
            SendFault::Framing(what) => f.write_str(what),
            SendFault::Http(error) if error.is_incomplete_message() || error.is_closed() => {
                f.write_str("it closed the connection without an answer")
            }
            SendFault::Http(error) => match std::error::Error::source(error) {
                Some(source) => write!(f, "the connection broke: {error}: {source}"),
                None => write!(f, "the connection broke: {error}"),
            },
        }
    }
}
