//! What a line says of a request.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use ostia_dialect::FaultKind;
use ostia_dialect::observe::Count;
use ostia_routing::keys::KeyUse;

use super::cause::{Cause, shortened};
use super::{Level, Log, Price};
use crate::client::Client;

/// Longest path, name of a model or trace id that is told, in bytes: clients choose them.
const TEXT_BYTES_MAX: usize = 200;
/// The status of a request whose client left before there was an answer. nginx's word for it; nobody receives it.
const STATUS_LEFT: u16 = 499;
/// The same where the gateway stopped before: what the client receives then.
const STATUS_STOPPING: u16 = 503;
const STOPPING: &str = "gateway_stopping";
/// What is asked by those who only look whether the gateway is there.
const PROBES: [&str; 5] = ["/health", "/healthz", "/v1/health", "/ready", "/readyz"];

/// Everything that is told of a request, and nothing else.
#[derive(Debug)]
pub struct Access {
    /// When it came.
    pub began: Instant,
    /// From then to the end of the answer.
    pub took: Duration,
    /// Of the answer.
    pub status: u16,
    /// Of the request.
    pub method: Method,
    /// Without the query.
    pub path: Box<str>,
    /// The name of the gateway's key that was shown, or its place among `auth.keys`.
    pub client: Option<Box<str>>,
    /// Where the connection comes from.
    pub peer: Option<IpAddr>,
    /// Who was asked last.
    pub provider: Option<HeaderValue>,
    /// For which model.
    pub model: Option<Box<str>>,
    /// With which of the operator's keys, where there are several.
    pub key: Option<Box<KeyUse>>,
    /// Tokens read and written.
    pub count: Count,
    /// What they cost; known when the line is written.
    pub cost: Option<Price>,
    /// From the request to the first token of a stream.
    pub first_token: Option<Duration>,
    /// Which retry the last attempt was.
    pub retries: u32,
    /// The name of the request.
    pub trace_id: Option<HeaderValue>,
    /// How the answer ended.
    pub end: End,
    /// Why there was no whole answer.
    pub cause: Option<Cause>,
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

impl Access {
    /// How much the line matters.
    pub fn level(&self) -> Level {
        match (self.status, self.end) {
            (500.., _) | (_, End::Broken) => Level::Error,
            (400.., _) | (_, End::ClientLeft) => Level::Warn,
            _ if PROBES.contains(&&*self.path) => Level::Debug,
            _ => Level::Info,
        }
    }
}

/// The line of a request under way. It is handed over when the answer ends; one that is dropped before says that the client left.
#[derive(Debug)]
pub struct Line {
    /// What is known so far; `None` once it is handed over.
    access: Option<Box<Access>>,
    log: Rc<Log>,
    client: Rc<Client>,
}

impl Line {
    /// A request that has come; `None` where nobody wants to read of it.
    pub fn begin(
        log: &Rc<Log>,
        client: &Rc<Client>,
        began: Instant,
        method: &Method,
        path: &str,
    ) -> Option<Line> {
        if !log.has_access() {
            return None;
        }
        let access = Access {
            began,
            took: Duration::ZERO,
            status: STATUS_LEFT,
            method: method.clone(),
            path: name(path),
            client: None,
            peer: client.connection.peer,
            provider: None,
            model: None,
            key: None,
            count: Count::None,
            cost: None,
            first_token: None,
            retries: 0,
            trace_id: None,
            end: End::ClientLeft,
            cause: None,
        };
        Some(Line { access: Some(Box::new(access)), log: log.clone(), client: client.clone() })
    }

    /// What is known so far.
    pub fn access(&mut self) -> Option<&mut Access> {
        self.access.as_deref_mut()
    }

    /// It is known who sent it: a key of this name, or at this place.
    pub fn client(&mut self, name: Option<&str>, place: usize) {
        let Some(access) = &mut self.access else { return };
        access.client = Some(name.map_or_else(|| format!("auth.keys[{place}]").into(), self::name));
    }

    /// The answer has ended so.
    pub fn end(mut self, end: End) {
        self.hand_over(end);
    }

    fn hand_over(&mut self, end: End) {
        let Some(mut access) = self.access.take() else { return };
        access.took = access.began.elapsed();
        access.end = end;
        self.log.access(access);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.client.is_cut() {
            return self.hand_over(End::ClientLeft);
        }
        let Some(access) = &mut self.access else { return };
        if access.status == STATUS_LEFT {
            access.status = STATUS_STOPPING;
        }
        access.cause = Some(Cause { kind: FaultKind::Overloaded, code: Some(STOPPING.into()), detail: None });
        self.hand_over(End::Broken);
    }
}

/// The beginning of a name that a client chose.
pub fn name(text: &str) -> Box<str> {
    shortened(text, TEXT_BYTES_MAX).into()
}
