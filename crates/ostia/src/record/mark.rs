//! What an answer says about how it came to be: the gateway's own response headers.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use ostia_dialect::{Fault, FaultKind};

use crate::client::Client;
use crate::owner::Owner;
use crate::record::records::{self, Decisions, Entry, SharedPlan};

/// Longest list of dropped fields that is told in a header, in bytes.
const DROPPED_BYTES_MAX: usize = 2048;

/// The names of one header, in both spellings.
type Names = [HeaderName; 2];

const fn names(ostia: &'static str, portkey: &'static str) -> Names {
    [HeaderName::from_static(ostia), HeaderName::from_static(portkey)]
}

static TRACE_ID: Names = names("x-ostia-trace-id", "x-portkey-trace-id");
static PROVIDER: Names = names("x-ostia-provider", "x-portkey-provider");
static OPTION_INDEX: Names = names("x-ostia-last-used-option-index", "x-portkey-last-used-option-index");
static RETRY_COUNT: Names = names("x-ostia-retry-attempt-count", "x-portkey-retry-attempt-count");
static DECISIONS: Names = names("x-ostia-decisions", "x-portkey-decisions");
static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
static DROPPED: Names = names("x-ostia-dropped", "x-portkey-dropped");

/// What is known of a request so far.
#[derive(Debug, Default)]
pub struct Mark {
    portkey: bool,
    trace_id: Option<HeaderValue>,
    /// The client chose it.
    trace_id_is_given: bool,
    provider: Option<HeaderValue>,
    index_path: Option<HeaderValue>,
    dropped: Vec<String>,
    /// Which retry the last attempt was.
    retries: u32,
    /// How it was decided whom to ask, where the client wants to know.
    decisions: Option<HeaderValue>,
    plan: Option<SharedPlan>,
    /// Who sent it.
    owner: Owner,
    /// When the request came; `None` for one that nobody waits for.
    started: Option<Instant>,
    /// Who waits for it.
    client: Option<Rc<Client>>,
    /// How long providers were waited for.
    waited: Rc<Cell<Duration>>,
}

impl Mark {
    /// A request that has just come.
    pub fn begin(client: &Rc<Client>) -> Mark {
        Mark { started: Some(Instant::now()), client: Some(client.clone()), ..Mark::default() }
    }

    /// Who waits for the answer; `None`: nobody.
    pub fn client(&self) -> Option<&Rc<Client>> {
        self.client.as_ref()
    }

    /// Writes into the head of an answer what is known before it is known whose it is.
    pub fn stamp_early<T>(&self, response: &mut Response<T>) {
        let trace_id = self.trace_id.iter().flat_map(|id| TRACE_ID.iter().map(move |name| (name, id)));
        let spelt = if self.portkey { TRACE_ID.len() } else { 1 };
        for (name, id) in trace_id.take(spelt) {
            response.headers_mut().insert(name, id.clone());
        }
    }

    /// An attempt begins, which is this retry: what the last one left here does not hold for it.
    pub fn attempt(&mut self, retries: u32) {
        (self.provider, self.index_path, self.retries) = (None, None, retries);
        self.dropped.clear();
    }

    /// A mark for one of two attempts that are under way at once.
    pub fn fork(&self) -> Mark {
        Mark {
            waited: self.waited.clone(),
            trace_id: self.trace_id.clone(),
            portkey: self.portkey,
            client: self.client.clone(),
            ..Mark::default()
        }
    }

    /// Of two attempts, the one with this mark counts.
    pub fn take(&mut self, other: Mark) {
        (self.provider, self.index_path) = (other.provider, other.index_path);
        (self.dropped, self.retries) = (other.dropped, other.retries);
    }

    /// What it says of the attempt that is over, which may be the one that counts.
    pub fn leave(&mut self) -> Mark {
        let (provider, index_path) = (self.provider.take(), self.index_path.take());
        let dropped = std::mem::take(&mut self.dropped);
        Mark { provider, index_path, dropped, retries: self.retries, ..Mark::default() }
    }

    /// It is decided. Tells how, if the client wants to know.
    pub fn decided(&mut self, explain: bool, plan: SharedPlan) {
        if explain {
            self.decisions = Some(records::header(&plan.record(), &self.dropped));
        }
        self.plan = Some(plan);
    }

    /// Adds up how long providers were waited for.
    pub fn waited(&self) -> Rc<Cell<Duration>> {
        self.waited.clone()
    }

    /// It is known who sent it.
    pub fn owner(&mut self, owner: Owner) {
        self.owner = owner;
    }

    /// Takes the trace id from the headers, or makes one.
    pub fn read(&mut self, new_id: impl FnOnce() -> String, portkey: bool, trace_id: Option<&HeaderValue>) {
        self.portkey = portkey;
        self.trace_id = trace_id.cloned();
        self.trace_id_is_given = self.trace_id.is_some();
        self.ensure_trace_id(new_id);
    }

    /// Takes what it can from headers of which others cannot be understood: that answer needs its trace id most.
    pub fn read_unread(&mut self, headers: &HeaderMap) {
        self.portkey = headers.keys().any(|name| name.as_str().starts_with("x-portkey-"));
        let given = TRACE_ID.iter().filter_map(|name| headers.get(name)).find(|value| !value.is_empty());
        self.trace_id = given.cloned();
    }

    /// Makes a trace id where there is none.
    pub fn ensure_trace_id(&mut self, new_id: impl FnOnce() -> String) {
        if self.trace_id.is_none() {
            self.trace_id = HeaderValue::try_from(new_id()).ok();
        }
    }

    /// The trace id as a header.
    pub fn trace_id_value(&self) -> Option<HeaderValue> {
        self.trace_id.clone()
    }

    /// The trace id.
    pub fn trace_id(&self) -> &str {
        self.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default()
    }

    /// The provider, once it is known.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_ref().and_then(|id| id.to_str().ok())
    }

    /// The request goes to this provider, which this target of the config is.
    pub fn target(&mut self, provider: &str, index_path: &str) {
        self.provider = HeaderValue::from_str(provider).ok();
        self.index_path = match index_path {
            "config" => Some(HeaderValue::from_static("config")),
            path => HeaderValue::from_str(path).ok(),
        };
    }

    /// These fields of the client cannot be said to the provider.
    ///
    /// # Errors
    /// 400 that names them, where the request must not lose anything.
    pub fn dropped(&mut self, dropped: Vec<String>, lossless: bool) -> Result<(), Fault> {
        if lossless && !dropped.is_empty() {
            let provider = self.provider().unwrap_or_default();
            let message = format!(
                "Provider `{provider}` has no form for: {}. Remove it, or do not ask for `lossless`.",
                dropped.join(", ")
            );
            let fault = Fault::new(FaultKind::InvalidRequest, message).with_code("lossy_translation");
            return Err(fault.with_param(dropped.into_iter().next().unwrap_or_default()));
        }
        self.dropped = dropped;
        Ok(())
    }

    /// Writes the headers. Gives what is remembered of the request, if anybody was asked.
    pub fn stamp<T>(self, response: &mut Response<T>) -> Option<Entry> {
        let status = response.status().as_u16();
        let headers = response.headers_mut();
        let names = self.trace_id.clone().zip(self.provider.clone());
        headers.reserve(10);
        let mut set = |[ostia, portkey]: &Names, value: HeaderValue| {
            if self.portkey {
                headers.insert(portkey, value.clone());
            }
            headers.insert(ostia, value);
        };
        if let Some(trace_id) = self.trace_id {
            set(&TRACE_ID, trace_id);
        }
        if let Some(provider) = self.provider {
            set(&PROVIDER, provider);
        }
        if let Some(index_path) = self.index_path {
            set(&OPTION_INDEX, index_path);
            set(&RETRY_COUNT, HeaderValue::from(self.retries));
        }
        if !self.dropped.is_empty() {
            set(&DROPPED, list(&self.dropped));
        }
        if let Some(decisions) = self.decisions {
            set(&DECISIONS, decisions);
        }
        if let Some(started) = self.started {
            headers.append(&SERVER_TIMING, timing(started.elapsed(), self.waited.get()));
        }
        let (trace_id, provider) = names?;
        let decisions = self.plan.map(Decisions::from);
        let entry = Entry::new(trace_id, self.trace_id_is_given, provider, status, self.dropped, decisions);
        entry.map(|entry| entry.of(self.owner))
    }
}

/// The gateway's own share of the time, and the providers', in milliseconds (<https://www.w3.org/TR/server-timing/>).
fn timing(all: Duration, waited: Duration) -> HeaderValue {
    let (own, waited) = (all.saturating_sub(waited).as_micros(), waited.as_micros());
    let text = format!(
        "gateway;dur={}.{:03}, upstream;dur={}.{:03}",
        own / 1000,
        own % 1000,
        waited / 1000,
        waited % 1000
    );
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("gateway"))
}

fn list(dropped: &[String]) -> HeaderValue {
    let mut text = dropped.join(", ");
    if text.len() > DROPPED_BYTES_MAX {
        let cut = (0..=DROPPED_BYTES_MAX).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
        text.truncate(cut);
        text.push_str(", ...");
    }
    // Names are the client's own: what a header cannot hold is written as a question mark.
    let plain: String = text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
    HeaderValue::from_str(&plain).unwrap_or_else(|_| HeaderValue::from_static("..."))
}
