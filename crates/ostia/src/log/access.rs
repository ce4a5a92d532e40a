//! What a line says of a request.

use std::fmt::Debug;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use ostia_dialect::observe::Count;
use ostia_routing::keys::KeyUse;
use ostia_store::CacheStatus;

use super::cause::{Cause, shortened};
use super::{Level, Price};

/// Longest path, name of a model or trace id that is told, in bytes: clients choose them.
pub const NAME_BYTES_MAX: usize = 256;
/// What is asked by those who only look whether the gateway is there.
const PROBES: [&str; 5] = ["/health", "/healthz", "/v1/health", "/ready", "/readyz"];

/// A request that has come to its end, as its line is made of it: on the log's own thread.
pub trait Logged: Debug + Send + Sync {
    /// What is told of it.
    fn access(&self) -> Access<'_>;
}

/// Everything that is told of a request, and nothing else.
#[derive(Debug)]
pub struct Access<'a> {
    /// When it came.
    pub began: Instant,
    /// From then to the end of the answer.
    pub took: Duration,
    /// Of the answer.
    pub status: u16,
    /// Of the request.
    pub method: &'a Method,
    /// Without the query.
    pub path: &'a str,
    /// The name of the gateway's key that was shown, or its place among `auth.keys`.
    pub client: Option<&'a str>,
    /// Where the connection comes from.
    pub peer: Option<IpAddr>,
    /// Who was asked last.
    pub provider: Option<&'a HeaderValue>,
    /// For which model.
    pub model: Option<&'a str>,
    /// With which of the operator's keys, where there are several.
    pub key: Option<&'a KeyUse>,
    /// Tokens read and written.
    pub count: &'a Count,
    /// What the provider's cache of answers did, where it is a gateway that says so.
    pub cache: Option<CacheStatus>,
    /// What they cost; known when the line is written.
    pub cost: Option<Price>,
    /// From the request to the first token of a stream.
    pub first_token: Option<Duration>,
    /// Which retry the last attempt was.
    pub retries: u32,
    /// The name of the request.
    pub trace_id: Option<&'a HeaderValue>,
    /// How the answer ended.
    pub end: End,
    /// Why there was no whole answer.
    pub cause: Option<&'a Cause>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Whole,
    /// It broke off.
    Broken,
    /// The client did not wait for it.
    ClientLeft,
}

impl End {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            End::Whole => "whole",
            End::Broken => "broken",
            End::ClientLeft => "client_left",
        }
    }
}

impl Access<'_> {
    /// How much the line matters.
    pub fn level(&self) -> Level {
        match (self.status, self.end) {
            (500.., _) | (_, End::Broken) => Level::Error,
            (400.., _) | (_, End::ClientLeft) => Level::Warn,
            _ if PROBES.contains(&self.path) => Level::Debug,
            _ => Level::Info,
        }
    }
}

/// The beginning of a name that a client chose.
pub fn name(text: &str) -> Box<str> {
    shortened(text, NAME_BYTES_MAX).into()
}
