//! The account of a request, and its views: the gateway's own response headers, and what is remembered of it.

mod headers;
mod recorded;
pub mod records;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, Response};
use ostia_dialect::observe::Count;
use ostia_dialect::{Fault, FaultKind, Finish, Observed};
use ostia_routing::keys::KeyUse;

use crate::client::Client;
use crate::log::cause::Cause;
use crate::log::{self, End, Line, Log};
use crate::message::body::Body;
use crate::owner::Owner;
use crate::record::records::{Decisions, Entry, Ring, SharedPlan};

/// What is known of a request so far: the one account of it.
#[derive(Debug, Default)]
pub struct Record {
    portkey: bool,
    trace_id: Option<HeaderValue>,
    /// The client chose it.
    trace_id_is_given: bool,
    provider: Option<HeaderValue>,
    index_path: Option<HeaderValue>,
    dropped: Vec<String>,
    answer: Answered,
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
    /// Its line in the log, where there is to be one.
    line: Option<Line>,
    /// There is to be one, of this attempt or another.
    is_logged: bool,
    /// The model that was asked for, where that is to be logged.
    model: Option<Box<str>>,
    /// Which of the operator's keys was shown, where there are several.
    key: Option<Box<KeyUse>>,
    /// The request was handed on while it came, so that it could be sent once only.
    is_streamed: bool,
}

/// What has been seen of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The tokens that it cost.
    pub count: Count,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// When the first token of a stream was there, counted from the request.
    pub first_token: Option<Duration>,
}

impl From<&Observed> for Answered {
    fn from(observed: &Observed) -> Answered {
        Answered { count: observed.count.clone(), finish: observed.finish, first_token: None }
    }
}

impl Record {
    /// A request that has just come.
    pub fn begin(client: &Rc<Client>, log: &Rc<Log>, method: &Method, path: &str) -> Record {
        let started = Instant::now();
        let line = Line::begin(log, client, started, method, path);
        let is_logged = line.is_some();
        Record { started: Some(started), client: Some(client.clone()), line, is_logged, ..Record::default() }
    }

    /// Who waits for the answer; `None`: nobody.
    pub fn client(&self) -> Option<&Rc<Client>> {
        self.client.as_ref()
    }

    /// An attempt begins, which is this retry: what the last one left here does not hold for it.
    pub fn attempt(&mut self, retries: u32) {
        (self.provider, self.index_path, self.retries) = (None, None, retries);
        (self.model, self.key) = (None, None);
        (self.dropped, self.answer) = (Vec::new(), Answered::default());
    }

    /// A record for one of two attempts that are under way at once.
    pub fn fork(&self) -> Record {
        Record {
            waited: self.waited.clone(),
            trace_id: self.trace_id.clone(),
            portkey: self.portkey,
            client: self.client.clone(),
            is_logged: self.is_logged,
            ..Record::default()
        }
    }

    /// Of two attempts, the one with this record counts.
    pub fn take(&mut self, other: Record) {
        (self.provider, self.index_path, self.model) = (other.provider, other.index_path, other.model);
        self.key = other.key;
        (self.dropped, self.retries, self.answer) = (other.dropped, other.retries, other.answer);
    }

    /// What it says of the attempt that is over, which may be the one that counts.
    pub fn leave(&mut self) -> Record {
        let (provider, index_path) = (self.provider.take(), self.index_path.take());
        let (model, key) = (self.model.take(), self.key.take());
        let (dropped, answer) = (std::mem::take(&mut self.dropped), std::mem::take(&mut self.answer));
        let retries = self.retries;
        Record { provider, index_path, model, key, dropped, answer, retries, ..Record::default() }
    }

    /// It is decided. Tells how, if the client wants to know.
    pub fn decided(&mut self, explain: bool, plan: SharedPlan) {
        if explain {
            self.decisions = Some(records::header(&plan.record(), &self.dropped, self.key.as_deref()));
        }
        self.plan = Some(plan);
    }

    /// Adds up how long providers were waited for.
    pub fn waited(&self) -> Rc<Cell<Duration>> {
        self.waited.clone()
    }

    /// It is known who sent it; and with which key of the gateway's, by name and place.
    pub fn sent_by(&mut self, owner: Owner, key: Option<(Option<&str>, usize)>) {
        self.owner = owner;
        if let (Some(line), Some((name, place))) = (&mut self.line, key) {
            line.client(name, place);
        }
    }

    /// There is no answer, for this reason.
    pub fn failed(&mut self, fault: &Fault) {
        if let Some(access) = self.line.as_mut().and_then(Line::access) {
            access.cause = Some(Cause::from(fault));
        }
    }

    /// Takes the trace id from the headers, or makes one.
    pub fn read(&mut self, new_id: impl FnOnce() -> String, portkey: bool, trace_id: Option<&HeaderValue>) {
        self.portkey = portkey;
        self.trace_id = trace_id.cloned();
        self.trace_id_is_given = self.trace_id.is_some();
        self.ensure_trace_id(new_id);
        self.log_trace_id();
    }

    /// Already now: a client that leaves before there is an answer has a line as well.
    fn log_trace_id(&mut self) {
        let Some(access) = self.line.as_mut().and_then(Line::access) else { return };
        access.trace_id = self.trace_id.as_ref().and_then(|id| match self.trace_id_is_given {
            // A client's own holds on to all headers that came with it.
            true => HeaderValue::from_str(&log::name(id.to_str().unwrap_or_default())).ok(),
            false => Some(id.clone()),
        });
    }

    /// Takes what it can from headers of which others cannot be understood: that answer needs its trace id most.
    pub fn read_unread(&mut self, headers: &HeaderMap) {
        (self.portkey, self.trace_id) = headers::trace_id_of(headers);
        self.trace_id_is_given = self.trace_id.is_some();
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

    /// The request goes to this provider, which this target of the config is, for this model.
    pub fn target(&mut self, provider: &str, index_path: &str, model: Option<&str>) {
        if self.is_logged {
            self.model = model.map(log::name);
        }
        self.provider = HeaderValue::from_str(provider).ok();
        if let Some(access) = self.line.as_mut().and_then(Line::access) {
            access.provider.clone_from(&self.provider);
        }
        self.index_path = match index_path {
            "config" => Some(HeaderValue::from_static("config")),
            path => HeaderValue::from_str(path).ok(),
        };
    }

    /// Is the request handed on while it comes? Then it is sent once, whatever becomes of it.
    pub fn streams(&mut self, is_streamed: bool) {
        self.is_streamed = is_streamed;
    }

    /// It goes there with this key of the operator's, where there are several.
    pub fn key(&mut self, key: Option<KeyUse>) {
        self.key = key.map(Box::new);
        if let Some(access) = self.line.as_mut().and_then(Line::access) {
            access.key.clone_from(&self.key);
        }
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

    /// Writes into the head of an answer what is known before it is known whose it is.
    pub fn stamp_early<T>(&self, response: &mut Response<T>) {
        headers::stamp_early(self, response.headers_mut());
    }

    /// What a whole answer says. A stream tells it at its end.
    pub fn answered(&mut self, observed: Observed) {
        self.answer = Answered { count: observed.count, finish: observed.finish, first_token: None };
    }

    /// The answer begins: writes the response headers, and remembers the request, if anybody was asked. What is whole closes
    /// the record at once; a stream does so with its end.
    pub fn answer(mut self, response: &mut Response<Body>, ring: &Arc<Ring>) {
        headers::stamp(&self, response.headers_mut());
        let started = self.started;
        if self.line.as_mut().and_then(Line::access).is_some_and(|access| access.trace_id.is_none()) {
            self.log_trace_id();
        }
        let line = self.line.take().map(|line| self.write_line(line, response));
        let number = self.entry(response.status().as_u16()).map(|entry| ring.push(entry));
        if number.is_none() && line.is_none() {
            return;
        }
        *response.body_mut() = match std::mem::replace(response.body_mut(), Body::Full(None)) {
            Body::Events(events) => {
                let place = number.map(|number| (ring.clone(), number));
                recorded::record(events, place, started, line)
            }
            Body::Full(bytes) => {
                if let Some(line) = line {
                    line.end(End::Whole);
                }
                Body::Full(bytes)
            }
            body => body.logged(line),
        };
    }

    /// Writes into the line what is known when the answer begins.
    fn write_line(&mut self, mut line: Line, response: &mut Response<Body>) -> Line {
        if let Some(access) = line.access() {
            access.status = response.status().as_u16();
            access.provider = self.provider.clone();
            access.model = self.model.take();
            access.key.clone_from(&self.key);
            access.count = self.answer.count.clone();
            access.retries = self.retries;
            if let Some(cause) = response.extensions_mut().remove::<Cause>() {
                access.cause = Some(cause);
            }
        }
        line
    }

    /// What is remembered of the request.
    fn entry(self, status: u16) -> Option<Entry> {
        let (trace_id, provider) = self.trace_id.zip(self.provider)?;
        let decisions = self.plan.map(Decisions::from);
        let entry = Entry::new(trace_id, self.trace_id_is_given, provider, status, self.dropped, decisions);
        entry.map(|entry| entry.of(self.owner, self.answer, self.key))
    }
}
