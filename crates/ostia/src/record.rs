//! The account of a request, and its views: the gateway's own response headers, and what is remembered of it.

pub mod account;
mod bodies;
pub mod booking;
mod headers;
mod media;
mod recorded;
pub mod records;
pub mod session;
pub mod trace;
mod written;

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use bodies::BodyPolicy;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, request};
use ostia_dialect::observe::Count;
use ostia_dialect::{Fault, FaultKind, Finish, Observed};
use ostia_routing::keys::KeyUse;

use crate::client::Client;
use crate::log::cause::Cause;
use crate::log::{self, End, Line, Log};
use crate::message::body::{Body, Watcher};
use crate::message::media::{is_events, media_type};
use crate::owner::Owner;
use crate::record::account::{Account, Books};
use crate::record::booking::Booking;
use crate::record::records::{Decisions, Entry, Ring, SharedPlan};
use crate::record::trace::TraceContext;

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
    /// What is kept of it, and how long providers were waited for.
    account: Rc<Account>,
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
    pub fn begin(
        client: &Rc<Client>,
        (log, books): (&Rc<Log>, Option<&Rc<Books>>),
        method: &Method,
        path: &str,
    ) -> Record {
        let started = Instant::now();
        let account = books.map(|books| Account::begin(books, Some(client), started, method, path));
        let line = Line::begin(log, client, started, method, path);
        let is_logged = line.is_some();
        let (account, client) = (account.unwrap_or_default(), Some(client.clone()));
        Record { started: Some(started), client, line, is_logged, account, ..Record::default() }
    }

    /// A record of what is asked further of providers for the request of this account.
    pub fn of(account: Rc<Account>) -> Record {
        Record { account, ..Record::default() }
    }

    /// A request that nobody waits for, with this metadata and trace. `new_id`: a name that nobody else has.
    pub fn alone(
        books: Option<&Rc<Books>>,
        parts: &request::Parts,
        metadata: Option<&HeaderValue>,
        trace: (&str, &TraceContext),
        new_id: impl FnOnce() -> String,
    ) -> Record {
        let Some(books) = books else { return Record::default() };
        let account = Account::begin(books, None, Instant::now(), &parts.method, parts.uri.path());
        account.sender(&parts.headers, metadata, trace.1, (new_id(), trace.0));
        Record::of(account)
    }

    /// What is kept of it.
    pub fn account(&self) -> Rc<Account> {
        self.account.clone()
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
            account: self.account.clone(),
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

    /// Notes what is sent to the target that is known by now, and what comes.
    pub fn booking(&self) -> Booking {
        let (provider, index_path) = (self.provider.clone(), self.index_path.clone());
        let model = self.model.as_ref().filter(|_| self.account.is_open());
        Booking::new(self.account.clone(), provider, index_path, model.cloned())
    }

    /// What cannot be said to the provider.
    pub fn dropped_fields(&self) -> &[String] {
        &self.dropped
    }

    /// It is known who sent it; and with which key of the gateway's, by name and place.
    pub fn sent_by(&mut self, owner: Owner, key: Option<(Option<&str>, usize)>) {
        self.owner = owner;
        if let Some((name, place)) = key {
            self.account.key(name, place);
        }
        if let (Some(line), Some((name, place))) = (&mut self.line, key) {
            line.client(name, place);
        }
    }

    /// There is no answer, for this reason.
    pub fn failed(&mut self, fault: &Fault) {
        if let Some(access) = self.line.as_mut().and_then(Line::access) {
            access.cause = Some(Cause::from(fault));
        }
        self.account.failed(fault);
    }

    /// Takes the trace id from the headers, or makes one.
    pub fn read(&mut self, new_id: impl FnOnce() -> String, portkey: bool, trace_id: Option<&HeaderValue>) {
        self.portkey = portkey;
        self.trace_id = trace_id.cloned();
        self.trace_id_is_given = self.trace_id.is_some();
        self.ensure_trace_id(new_id);
        self.log_trace_id();
    }

    /// What the headers say of the sender, for what is kept. `new_id`: a name that nobody else has.
    pub fn sender(
        &self,
        headers: &HeaderMap,
        metadata: Option<&HeaderValue>,
        trace: &TraceContext,
        new_id: impl FnOnce() -> String,
    ) {
        if self.account.is_open() {
            // A trace id of the gateway's own is nobody else's.
            let id = if self.trace_id_is_given { new_id() } else { self.trace_id().to_owned() };
            self.account.sender(headers, metadata, trace, (id, self.trace_id()));
        }
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
        if self.is_logged || self.account.is_open() {
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
        let account = self.begin_answer(response);
        let decisions = self.plan.take().map(Decisions::from);
        if let (Some(account), Some(decisions)) = (&account, &decisions) {
            account.decided(decisions);
        }
        let number = self.entry(response.status().as_u16(), decisions).map(|entry| ring.push(entry));
        if number.is_none() && line.is_none() && account.is_none() {
            return;
        }
        *response.body_mut() = match std::mem::replace(response.body_mut(), Body::Full(None)) {
            Body::Events(events) => {
                let place = number.map(|number| (ring.clone(), number));
                recorded::record(events, place, started, line, account.unwrap_or_default())
            }
            Body::Full(bytes) => {
                if let Some(line) = line {
                    line.end(End::Whole);
                }
                if let Some(account) = account {
                    account.whole(bytes.as_ref());
                }
                Body::Full(bytes)
            }
            body => match account {
                Some(account) => body.logged(line).watched(Passing(account)),
                None => body.logged(line),
            },
        };
    }

    /// An answer that nobody waits for begins: what is kept of it is closed with its end.
    pub fn keep(&self, response: &mut Response<Body>) {
        let Some(account) = self.begin_answer(response) else { return };
        *response.body_mut() = match std::mem::replace(response.body_mut(), Body::Full(None)) {
            Body::Events(events) => recorded::record(events, None, None, None, account),
            Body::Full(bytes) => {
                account.whole(bytes.as_ref());
                Body::Full(bytes)
            }
            body => body.watched(Passing(account)),
        };
    }

    /// What is kept of the request, if anything is, with what is known when the answer begins.
    fn begin_answer(&self, response: &Response<Body>) -> Option<Rc<Account>> {
        let account = self.account.is_open().then(|| self.account.clone())?;
        let is_stream =
            matches!(response.body(), Body::Events(_)) || is_events(media_type(response.headers()));
        account.answered(response.status(), is_stream, self.answer.finish);
        Some(account)
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
    fn entry(self, status: u16, decisions: Option<Decisions>) -> Option<Entry> {
        let (trace_id, provider) = self.trace_id.zip(self.provider)?;
        let entry = Entry::new(trace_id, self.trace_id_is_given, provider, status, self.dropped, decisions);
        entry.map(|entry| entry.of(self.owner, self.answer, self.key))
    }
}

/// An answer that is handed on unread.
#[derive(Debug)]
struct Passing(Rc<Account>);

impl Watcher for Passing {
    fn piece(&mut self, bytes: &Bytes) {
        self.0.piece(bytes);
    }

    fn end(&mut self, end: End) {
        self.0.end(end);
    }
}
