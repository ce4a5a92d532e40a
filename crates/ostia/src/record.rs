//! The account of a request on its way down, and its views: the gateway's own response headers, the line in the log, what is
//! remembered for explain, and what is kept.

pub mod account;
pub mod answer_cache;
mod bodies;
pub mod booking;
pub mod decisions;
pub mod explained;
mod facts;
mod headers;
pub mod hook_results;
mod media;
mod recorded;
pub mod records;
pub mod results;
pub mod session;
mod taken;
pub mod trace;
pub mod written;

use std::rc::Rc;
use std::time::Instant;

pub use bodies::BodyPolicy;
pub use facts::AttemptFacts;

use http::{HeaderMap, HeaderValue, Method, Response, request};
use ostia_dialect::{Fault, FaultKind, Observed};
use ostia_routing::keys::KeyUse;

use crate::client::Client;
use crate::log;
use crate::log::cause::Cause;
use crate::message::body::Body;
use crate::message::media::{is_events, media_type};
use crate::record::account::{Account, Beginning, Books, Passing};
use crate::record::booking::Booking;
use crate::record::decisions::{Decisions, SharedPlan};
use crate::record::facts::Said;
use crate::record::trace::TraceContext;

/// A request on its way down: its account, and what is known of the attempt that is under way.
#[derive(Debug, Default)]
pub struct Record {
    account: Rc<Account>,
    attempt: AttemptFacts,
    /// Who waits for it.
    client: Option<Rc<Client>>,
    /// The trace id as the answer tells it.
    trace_id: Option<HeaderValue>,
    /// The client chose it.
    trace_id_is_given: bool,
    /// The client spells the gateway's headers Portkey's way.
    portkey: bool,
    /// How it was decided whom to ask, where the client wants to know.
    decisions: Option<HeaderValue>,
    plan: Option<SharedPlan>,
    /// The request was handed on while it came, so that it could be sent once only.
    is_streamed: bool,
}

impl Record {
    /// A request that has just come.
    pub fn begin(client: &Rc<Client>, books: &Rc<Books>, method: &Method, path: &str) -> Record {
        let account = Account::begin(books, Some(client), Instant::now(), method, path);
        Record::with(account, Some(client.clone()))
    }

    /// A record of what is asked further of providers for the request of this account.
    pub fn of(account: Rc<Account>) -> Record {
        Record::with(account, None)
    }

    fn with(account: Rc<Account>, client: Option<Rc<Client>>) -> Record {
        Record {
            account,
            client,
            attempt: AttemptFacts::default(),
            trace_id: None,
            trace_id_is_given: false,
            portkey: false,
            decisions: None,
            plan: None,
            is_streamed: false,
        }
    }

    /// A request that nobody waits for, with this metadata and trace. `new_id`: a name that nobody else has.
    pub fn alone(
        books: &Rc<Books>,
        parts: &request::Parts,
        metadata: Option<&HeaderValue>,
        (trace_id, trace): (&str, &TraceContext),
        new_id: impl FnOnce() -> String,
    ) -> Record {
        if books.store.is_none() {
            return Record::default();
        }
        let account = Account::begin(books, None, Instant::now(), &parts.method, parts.uri.path());
        account.trace_id(HeaderValue::from_str(&log::name(trace_id)).ok());
        account.sender(&parts.headers, metadata, trace, Some(new_id()));
        Record::of(account)
    }

    /// The account of it.
    pub fn account(&self) -> &Rc<Account> {
        &self.account
    }

    /// Who waits for the answer; `None`: nobody.
    pub fn client(&self) -> Option<&Rc<Client>> {
        self.client.as_ref()
    }

    /// An attempt begins, which is this retry: what the last one left here does not hold for it.
    pub fn attempt(&mut self, retries: u32) {
        self.attempt = AttemptFacts { retries, ..AttemptFacts::default() };
    }

    /// A record for one of two attempts that are under way at once.
    pub fn fork(&self) -> Record {
        Record {
            trace_id: self.trace_id.clone(),
            portkey: self.portkey,
            ..Record::with(self.account.clone(), self.client.clone())
        }
    }

    /// Of several attempts, this one counts.
    pub fn take(&mut self, attempt: AttemptFacts) {
        self.attempt = attempt;
    }

    /// What is known of the attempt that is over, which may be the one that counts.
    pub fn leave(&mut self) -> AttemptFacts {
        std::mem::take(&mut self.attempt)
    }

    /// It is decided. Tells how, if the client wants to know.
    pub fn decided(&mut self, explain: bool, plan: SharedPlan) {
        if explain {
            self.decisions =
                Some(explained::header(&plan.record(), &self.attempt.dropped, self.attempt.key.as_deref()));
        }
        self.plan = Some(plan);
    }

    /// Notes what is sent to the target that is known by now, and what comes.
    pub fn booking(&self) -> Booking {
        let AttemptFacts { provider, index_path, model, .. } = &self.attempt;
        let model = model.as_ref().filter(|_| self.account.is_kept());
        Booking::new(self.account.clone(), provider.clone(), index_path.clone(), model.cloned())
    }

    /// What cannot be said to the provider.
    pub fn dropped_fields(&self) -> &[String] {
        &self.attempt.dropped
    }

    /// Takes the trace id from the headers, or makes one.
    pub fn read(&mut self, new_id: impl FnOnce() -> String, portkey: bool, trace_id: Option<&HeaderValue>) {
        self.portkey = portkey;
        self.trace_id = trace_id.cloned();
        self.trace_id_is_given = self.trace_id.is_some();
        self.ensure_trace_id(new_id);
        self.tell_trace_id();
    }

    /// What the headers say of the sender, for what is kept. `new_id`: a name that nobody else has.
    pub fn sender(
        &self,
        headers: &HeaderMap,
        metadata: Option<&HeaderValue>,
        trace: &TraceContext,
        new_id: impl FnOnce() -> String,
    ) {
        if self.account.is_kept() {
            // A trace id of the gateway's own is nobody else's.
            let id = self.trace_id_is_given.then(new_id);
            self.account.sender(headers, metadata, trace, id);
        }
    }

    /// Already when it is known: a client that leaves before there is an answer has a line as well.
    fn tell_trace_id(&self) {
        self.account.trace_id(self.trace_id.as_ref().and_then(|id| match self.trace_id_is_given {
            // A client's own holds on to all headers that came with it.
            true => HeaderValue::from_str(&log::name(id.to_str().unwrap_or_default())).ok(),
            false => Some(id.clone()),
        }));
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
        self.attempt.provider.as_ref().and_then(|id| id.to_str().ok())
    }

    /// The request goes to this provider, which this target of the config is, for this model.
    pub fn target(&mut self, provider: &str, index_path: &str, model: Option<&str>) {
        self.attempt.model = model.filter(|_| self.account.is_told()).map(log::name);
        self.attempt.provider = HeaderValue::from_str(provider).ok();
        self.attempt.index_path = match index_path {
            "config" => Some(HeaderValue::from_static("config")),
            path => HeaderValue::from_str(path).ok(),
        };
        self.account.under_way(&self.attempt);
    }

    /// Is the request handed on while it comes? Then it is sent once, whatever becomes of it.
    pub fn streams(&mut self, is_streamed: bool) {
        self.is_streamed = is_streamed;
    }

    /// It goes there with this key of the operator's, where there are several.
    pub fn key(&mut self, key: Option<KeyUse>) {
        let is_other = key.is_some() || self.attempt.key.is_some();
        self.attempt.key = key.map(Box::new);
        if is_other {
            self.account.under_way(&self.attempt);
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
        self.attempt.dropped = dropped;
        Ok(())
    }

    /// Writes into the head of an answer what is known before it is known whose it is.
    pub fn stamp_early<T>(&self, response: &mut Response<T>) {
        headers::stamp_early(self, response.headers_mut());
    }

    /// What a whole answer says. A stream tells it at its end.
    pub fn answered(&mut self, observed: Observed) {
        let Observed { count, finish, .. } = observed;
        self.attempt.said = Said { count, finish, ..Said::default() };
    }

    /// The answer begins: writes the response headers. What is whole closes the account at once; a stream does so with its end.
    pub fn answer(mut self, response: &mut Response<Body>) {
        headers::stamp(&self, response.headers_mut());
        if self.account.lacks_trace_id() {
            self.tell_trace_id();
        }
        self.attempt.cause = response.extensions_mut().remove::<Cause>();
        self.keep(response);
    }

    /// An answer begins, for whoever waits for it or nobody: the account is closed with its end.
    pub fn keep(&mut self, response: &mut Response<Body>) {
        let account = self.account.clone();
        let is_stream =
            matches!(response.body(), Body::Events(_)) || is_events(media_type(response.headers()));
        // Asked for before the facts leave, by which it goes.
        let is_remembered = self.is_remembered();
        account.answered(Beginning {
            status: response.status(),
            is_stream,
            decisions: self.plan.take().map(Decisions::from),
            is_remembered,
            attempt: self.leave(),
        });
        let body = std::mem::replace(response.body_mut(), Body::Full(None));
        *response.body_mut() = match body {
            Body::Events(events) => recorded::record(events, account),
            Body::Full(bytes) => {
                account.whole(bytes.as_ref());
                Body::Full(bytes)
            }
            body if account.is_told() => body.watched(Passing(account)),
            body => body,
        };
    }

    /// Is explain to find the request? Only one that somebody was asked for, and whose name is told in full.
    fn is_remembered(&self) -> bool {
        let is_told_in_full = |id: &HeaderValue| !self.trace_id_is_given || id.len() <= log::NAME_BYTES_MAX;
        self.client.is_some()
            && self.attempt.provider.is_some()
            && self.trace_id.as_ref().is_some_and(is_told_in_full)
    }
}
