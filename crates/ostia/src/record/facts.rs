//! What every view of a request tells: its line in the log, what explain remembers, and its record in the store.
//!
//! Filled in on the core that serves the request, until its answer begins. From then on it is shared with whoever reads it, on other
//! threads, and nothing of it changes; how the answer ended is added once.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use ostia_dialect::observe::Count;
use ostia_dialect::{Fault, Finish, Observed};
use ostia_routing::keys::KeyUse;
use ostia_store::CacheStatus;
use ostia_store::GuardrailVerdict;

use crate::log::cause::Cause;
use crate::log::{Access, End, Logged};
use crate::owner::Owner;

/// Longest message that is kept, in bytes.
const MESSAGE_BYTES_MAX: usize = 1000;

/// What is known of a request.
#[derive(Debug)]
pub struct Facts {
    pub(super) began: Instant,
    pub(super) method: Method,
    /// Without the query; empty where neither the log nor the store tells of the request.
    pub(super) path: Box<str>,
    pub(super) peer: Option<IpAddr>,
    /// Its name, or the trace that it is part of.
    pub(super) trace_id: Option<HeaderValue>,
    pub(super) owner: Owner,
    /// The gateway's key that was shown.
    pub(super) key: Option<Box<str>>,
    /// Of the answer.
    pub(super) status: u16,
    /// The attempt that counts.
    pub(super) attempt: AttemptFacts,
    /// Why there was no answer.
    pub(super) error: Option<Box<Failure>>,
    /// How it ended; nothing until then.
    pub(super) ending: OnceLock<Ending>,
}

/// What is known of an attempt: the one under way, then the one whose answer the client gets, or the last.
#[derive(Debug, Default)]
pub struct AttemptFacts {
    /// Who is asked.
    pub(super) provider: Option<HeaderValue>,
    /// Which target of the config that is.
    pub(super) index_path: Option<HeaderValue>,
    /// For which model; only where that is told.
    pub(super) model: Option<Box<str>>,
    /// Which of the operator's keys was shown, where there are several.
    pub(super) key: Option<Box<KeyUse>>,
    /// Which retry it was.
    pub(super) retries: u32,
    /// What could not be said to the provider.
    pub(super) dropped: Vec<String>,
    /// What the provider's cache of answers did, where it is a gateway that says so.
    pub(super) cache: Option<CacheStatus>,
    /// What its guardrails found, the worst of it, where that is known when the answer begins.
    pub(super) guardrails: Option<GuardrailVerdict>,
    /// What a whole answer says. A stream tells it at its end.
    pub(super) said: Said,
    /// Why it failed, where the client gets what the provider said of that.
    pub(super) cause: Option<Cause>,
}

/// What an answer says of itself.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The tokens that it cost.
    pub(super) count: Count,
    /// Why it ended.
    pub(super) finish: Option<Finish>,
    /// When the first token of a stream was there, counted from the request.
    pub(super) first_token: Option<Duration>,
    /// What a cache of answers did for all of a stream, where another answer gave the rest of it.
    pub(super) cache: Option<CacheStatus>,
}

/// How an answer ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) end: End,
    /// From the request.
    pub(super) took: Duration,
    /// Another status than the answer began with: nobody got that one.
    pub(super) status: Option<u16>,
    /// What a stream has said.
    pub(super) said: Said,
    /// Why it broke off.
    pub(super) error: Option<Box<Failure>>,
}

/// Why something failed, and what was said.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// `None` where bodies are not kept: providers repeat what they were sent.
    pub(super) message: Option<Box<str>>,
}

impl From<&Observed> for Said {
    fn from(observed: &Observed) -> Said {
        Said { count: observed.count.clone(), finish: observed.finish, ..Said::default() }
    }
}

impl Failure {
    /// What a fault says.
    pub(super) fn of(fault: &Fault, keeps_message: bool) -> Box<Failure> {
        let message = || fault.message[..fault.message.floor_char_boundary(MESSAGE_BYTES_MAX)].into();
        Box::new(Failure { cause: Cause::from(fault), message: keeps_message.then(message) })
    }
}

impl Facts {
    /// The tokens that the answer cost, as far as it has said so.
    pub(super) fn count(&self) -> &Count {
        match self.ending.get().map(|ending| &ending.said.count) {
            None | Some(Count::None) => &self.attempt.said.count,
            Some(of_stream) => of_stream,
        }
    }

    /// Why the answer ended, as far as it has said so.
    pub(super) fn finish(&self) -> Option<Finish> {
        self.ending.get().and_then(|ending| ending.said.finish).or(self.attempt.said.finish)
    }

    /// From the request to the first token of a stream.
    pub(super) fn first_token(&self) -> Option<Duration> {
        self.ending.get()?.said.first_token
    }

    /// What a cache of answers did that the answer came through.
    pub(super) fn cache(&self) -> Option<CacheStatus> {
        self.ending.get().and_then(|ending| ending.said.cache).or(self.attempt.cache)
    }

    /// The status that the client got, or would have got.
    pub(super) fn status(&self) -> u16 {
        self.ending.get().and_then(|ending| ending.status).unwrap_or(self.status)
    }

    /// Why there is no whole answer.
    pub(super) fn error(&self) -> Option<&Failure> {
        let of_stream = self.ending.get().and_then(|ending| ending.error.as_deref());
        of_stream.or(self.error.as_deref())
    }
}

/// Its line in the log.
impl Logged for Facts {
    fn access(&self) -> Access<'_> {
        let ending = self.ending.get();
        let AttemptFacts { provider, model, key, retries, cause, .. } = &self.attempt;
        Access {
            began: self.began,
            took: ending.map(|ending| ending.took).unwrap_or_default(),
            status: self.status(),
            method: &self.method,
            path: &self.path,
            client: self.key.as_deref(),
            peer: self.peer,
            provider: provider.as_ref(),
            model: model.as_deref(),
            key: key.as_deref(),
            count: self.count(),
            cache: self.cache(),
            cost: None,
            first_token: self.first_token(),
            retries: *retries,
            trace_id: self.trace_id.as_ref(),
            end: ending.map_or(End::ClientLeft, |ending| ending.end),
            cause: self.error().map(|failure| &failure.cause).or(cause.as_ref()),
        }
    }
}
