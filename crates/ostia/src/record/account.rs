//! What is kept of a request: opened when it comes, filled in by whoever carries it on, handed over when the last of them lets go.
//!
//! Everything here happens on the core that serves the request, without a lock, and costs nothing where no records are kept. What
//! takes time, reading counts and metadata, is done where the record is written ([`super::written`]).

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use ostia_dialect::observe::text_bytes;
use ostia_dialect::{Fault, Finish, Metered, Observed, Usage};
use ostia_store::{Outcome, Queue};

use super::bodies::{Bodies, BodyPolicy};
use super::records::Decisions;
use super::session;
use super::trace::TraceContext;
use crate::client::Client;
use crate::log::cause::Cause;
use crate::log::{self, End};

/// The status of a request whose client left before there was an answer. nginx's word for it; nobody receives it.
const STATUS_LEFT: u16 = 499;
/// The same where the gateway stopped before: what the client receives then.
const STATUS_STOPPING: u16 = 503;
/// Most attempts of one request that are kept: more than a config may make.
const ATTEMPTS_MAX: usize = 64;
/// Largest route of which decisions are kept, in bytes: a client may send a new config with each request.
const ROUTE_BYTES_MAX: usize = 64 << 10;
/// Longest metadata and baggage, user agent and message that are kept, in bytes.
const METADATA_BYTES_MAX: usize = 8 << 10;
const TEXT_BYTES_MAX: usize = 200;
const MESSAGE_BYTES_MAX: usize = 1000;

/// Where accounts go, and how much of bodies is kept in them. One for each core.
#[derive(Debug, Clone)]
pub struct Books {
    /// Where records are handed over.
    pub queue: Queue,
    /// How much of bodies is kept.
    pub bodies: BodyPolicy,
}

/// The account of one request, shared by all who carry it on.
#[derive(Debug, Default)]
pub struct Account {
    /// How long providers were waited for.
    waited: Cell<Duration>,
    /// `None` where no records are kept.
    open: Option<OpenAccount>,
    /// The stream that the client gets has broken off, and somebody is asked for the rest.
    pub(super) has_broken: Cell<bool>,
    /// That attempt goes on with it.
    pub(super) continued_by: Cell<Option<usize>>,
}

#[derive(Debug)]
struct OpenAccount {
    books: Rc<Books>,
    /// `None`: nobody waits for it.
    client: Option<Rc<Client>>,
    /// Taken out when it is handed over.
    entry: RefCell<Option<Box<Entry>>>,
}

/// What is handed over.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) began: Instant,
    pub(super) began_at: SystemTime,
    /// It is a call to a provider, and not a look at the gateway itself.
    is_wanted: bool,
    pub(super) id: String,
    pub(super) trace_id: Box<str>,
    pub(super) trace: TraceContext,
    pub(super) method: Method,
    pub(super) path: Box<str>,
    pub(super) operation: Option<&'static str>,
    pub(super) key: Option<Box<str>>,
    pub(super) metadata: Option<Box<str>>,
    /// Whose part it is, and whether the gateway's own header says so, which goes before metadata.
    pub(super) session: Option<Box<str>>,
    pub(super) session_is_own: bool,
    pub(super) baggage: Option<Box<str>>,
    pub(super) user_agent: Option<Box<str>>,
    pub(super) peer: Option<IpAddr>,
    pub(super) model: Option<Box<str>>,
    /// As much of the client's body as is taken for text, in bytes.
    pub(super) asked_bytes: u64,
    pub(super) status: u16,
    pub(super) is_stream: bool,
    pub(super) end: Option<End>,
    pub(super) finish: Option<Finish>,
    pub(super) error: Option<Box<Failure>>,
    pub(super) took: Duration,
    pub(super) waited: Duration,
    pub(super) first_token: Option<Duration>,
    pub(super) attempts: Vec<Made>,
    pub(super) decisions: Option<Box<Decisions>>,
    pub(super) bodies: Bodies,
}

/// One call to a provider.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) provider: Option<HeaderValue>,
    pub(super) index_path: Option<HeaderValue>,
    pub(super) model: Option<Box<str>>,
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<Box<str>>,
    pub(super) sent: Instant,
    pub(super) connected: Option<Instant>,
    pub(super) first_byte: Option<Instant>,
    pub(super) first_token: Option<Instant>,
    pub(super) ended: Option<Instant>,
    pub(super) outcome: Outcome,
    pub(super) failure: Option<Box<Failure>>,
    /// Its answer was waited for in vain.
    pub(super) is_late: bool,
    /// What it took is told with the attempt that it is a part of.
    pub(super) is_part: bool,
    pub(super) observed: Observed,
    /// What its request says that it will be charged for.
    pub(super) asked: Metered,
    /// Tokens of the attempts that this one goes on from, which its provider's count is told with.
    pub(super) spent: Option<Box<Usage>>,
    pub(super) dropped: Vec<String>,
}

/// Why something failed, and what was said.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// `None` where bodies are not kept: providers repeat what they were sent.
    pub(super) message: Option<Box<str>>,
}

impl Account {
    /// Of a request that has just come.
    pub fn begin(
        books: &Rc<Books>,
        client: Option<&Rc<Client>>,
        began: Instant,
        method: &Method,
        path: &str,
    ) -> Rc<Account> {
        let entry = Box::new(Entry {
            began,
            began_at: SystemTime::now(),
            is_wanted: false,
            id: String::new(),
            trace_id: Box::default(),
            trace: TraceContext::default(),
            method: method.clone(),
            path: log::name(path),
            operation: None,
            key: None,
            metadata: None,
            session: None,
            session_is_own: false,
            baggage: None,
            user_agent: None,
            peer: client.and_then(|client| client.connection.peer),
            model: None,
            asked_bytes: 0,
            status: 0,
            is_stream: false,
            end: None,
            finish: None,
            error: None,
            took: Duration::ZERO,
            waited: Duration::ZERO,
            first_token: None,
            attempts: Vec::new(),
            decisions: None,
            bodies: Bodies::new(books.bodies),
        });
        let (books, client) = (books.clone(), client.cloned());
        let open = OpenAccount { books, client, entry: RefCell::new(Some(entry)) };
        let mut account = Account::default();
        account.open = Some(open);
        Rc::new(account)
    }

    /// Is anything kept of the request?
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn with(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(open) = &self.open
            && let Some(entry) = open.entry.borrow_mut().as_deref_mut()
        {
            change(entry);
        }
    }

    /// How long providers were waited for so far.
    pub fn waited(&self) -> Duration {
        self.waited.get()
    }

    /// They were waited for this long in all.
    pub(super) fn set_waited(&self, time: Duration) {
        self.waited.set(time);
    }

    /// One was waited for so long.
    pub fn wait(&self, time: Duration) {
        self.waited.set(self.waited.get() + time);
    }

    /// What the headers say of the sender and the trace. `id`: a name that nobody else has.
    pub fn sender(
        &self,
        headers: &HeaderMap,
        metadata: Option<&HeaderValue>,
        trace: &TraceContext,
        names: (String, &str),
    ) {
        let text = |value: Option<&HeaderValue>, bytes_max: usize| {
            let text = value.and_then(|value| value.to_str().ok())?;
            (text.len() <= bytes_max).then(|| text.into())
        };
        self.with(|entry| {
            (entry.id, entry.trace_id) = (names.0, log::name(names.1));
            entry.trace = trace.clone();
            let agent = headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok());
            entry.user_agent = agent.map(|agent| agent[..agent.floor_char_boundary(TEXT_BYTES_MAX)].into());
            entry.metadata = text(metadata, METADATA_BYTES_MAX);
            entry.baggage = text(headers.get("baggage"), METADATA_BYTES_MAX);
        });
    }

    /// The conversation, or the agent's run, that it is part of: as the gateway's own header says, or an agent's.
    pub fn session(&self, own: Option<&HeaderValue>, headers: &HeaderMap) {
        self.with(|entry| {
            let own = own.and_then(|own| session::named(own.to_str().ok()?));
            entry.session_is_own = own.is_some();
            entry.session = own.or_else(|| session::of_headers(headers)).map(Box::from);
        });
    }

    /// The same, as the call or what it goes on from says, where no header does.
    pub fn in_session(&self, named: impl FnOnce() -> Option<String>) {
        self.with(|entry| {
            if entry.session.is_none() {
                entry.session = named().map(String::into_boxed_str);
            }
        });
    }

    /// The client does not want its bodies kept.
    pub fn without_bodies(&self) {
        self.with(|entry| entry.bodies.switch_off());
    }

    /// It is a call, at this API where it is understood.
    pub fn call(&self, operation: Option<&'static str>) {
        self.with(|entry| (entry.is_wanted, entry.operation) = (true, operation));
    }

    /// The gateway's key that was shown.
    pub fn key(&self, name: Option<&str>, place: usize) {
        self.with(|entry| {
            entry.key = Some(name.map_or_else(|| format!("auth.keys[{place}]").into(), log::name))
        });
    }

    /// What is asked: the model, and the client's body.
    pub fn asked(&self, model: Option<&str>, body: &Bytes) {
        self.with(|entry| {
            entry.model = model.map(log::name);
            entry.asked_bytes = text_bytes(body);
            entry.bodies.request(body);
        });
    }

    /// There is no answer, for this reason.
    pub fn failed(&self, fault: &Fault) {
        self.with(|entry| entry.error = Some(Failure::of(fault, entry.bodies.is_on())));
    }

    /// That is all that anybody hears of it.
    pub fn refused(&self, fault: &Fault) {
        self.failed(fault);
        self.with(|entry| entry.status = fault.status);
        self.end(End::Whole);
    }

    /// The answer begins, and has this status.
    pub fn answered(&self, status: StatusCode, is_stream: bool, finish: Option<Finish>) {
        self.with(|entry| {
            (entry.status, entry.is_stream, entry.finish) = (status.as_u16(), is_stream, finish)
        });
    }

    /// So it was decided whom to ask.
    pub fn decided(&self, decisions: &Decisions) {
        if decisions.route().bytes() <= ROUTE_BYTES_MAX {
            self.with(|entry| entry.decisions = Some(Box::new(decisions.clone())));
        }
    }

    /// A piece of the answer is on its way.
    pub fn piece(&self, bytes: &[u8]) {
        self.with(|entry| entry.bodies.piece(bytes));
    }

    /// All of the answer is on its way.
    pub fn whole(&self, bytes: Option<&Bytes>) {
        self.with(|entry| {
            if let Some(bytes) = bytes {
                entry.bodies.whole(bytes);
            }
        });
        self.end(End::Whole);
    }

    /// What a stream has said when it ends, and when its first token came, counted from the request.
    pub fn streamed(&self, finish: Option<Finish>, first_token: Option<Duration>, fault: Option<&Fault>) {
        self.with(|entry| {
            (entry.finish, entry.first_token) = (finish.or(entry.finish), first_token);
            if let Some(fault) = fault {
                entry.error = Some(Failure::of(fault, entry.bodies.is_on()));
            }
        });
    }

    /// The answer has ended so.
    pub fn end(&self, end: End) {
        self.with(|entry| {
            if entry.end.is_none() {
                (entry.end, entry.took) = (Some(end), entry.began.elapsed());
            }
        });
    }

    /// A call is sent. Gives its number.
    pub(super) fn send(&self, made: Made) -> Option<usize> {
        let mut number = None;
        self.with(|entry| {
            if entry.attempts.len() < ATTEMPTS_MAX {
                number = Some(entry.attempts.len());
                entry.attempts.push(made);
            }
        });
        number
    }

    /// Changes what is known of an attempt. `true`: messages may be kept.
    pub(super) fn attempt(&self, number: usize, change: impl FnOnce(&mut Made, bool)) {
        self.with(|entry| {
            let keeps = entry.bodies.is_on();
            if let Some(made) = entry.attempts.get_mut(number) {
                change(made, keeps);
            }
        });
    }
}

impl Failure {
    /// What a fault says.
    pub(super) fn of(fault: &Fault, keeps_message: bool) -> Box<Failure> {
        let message = || fault.message[..fault.message.floor_char_boundary(MESSAGE_BYTES_MAX)].into();
        Box::new(Failure { cause: Cause::from(fault), message: keeps_message.then(message) })
    }
}

impl Drop for Account {
    /// The last who carried the request on lets go: now all is known of it.
    fn drop(&mut self) {
        let Some(OpenAccount { books, client, entry }) = self.open.take() else { return };
        let Some(mut entry) = entry.into_inner().filter(|entry| entry.is_wanted) else { return };
        entry.waited = self.waited.get();
        if entry.end.is_none() {
            let (end, status) = match client.is_some_and(|client| client.is_cut()) {
                true => (End::Broken, STATUS_STOPPING),
                false => (End::ClientLeft, STATUS_LEFT),
            };
            (entry.end, entry.took) = (Some(end), entry.began.elapsed());
            entry.status = if entry.status == 0 { status } else { entry.status };
        }
        let is_failure = entry.status >= 400 || entry.end != Some(End::Whole);
        entry.bodies.settle(is_failure);
        books.queue.hand_over(entry);
    }
}
