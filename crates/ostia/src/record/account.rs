//! The account of a request: opened when it comes, filled in by whoever carries it on, closed when the last of them lets go.
//!
//! It is the only one. Its line in the log, what explain remembers and its record in the store are views of it: [`Facts`] are
//! shared by all three, an [`Entry`] is what only the store keeps. Everything here happens on the core that serves the request,
//! without a lock. What takes time, reading counts and metadata and making texts, is done where the views are read.

use std::cell::{Cell, OnceCell, RefCell};
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use ostia_config::BodiesKept;
use ostia_dialect::observe::{AskedFor, text_bytes};
use ostia_dialect::{Fault, FaultKind, Observed, Usage};
use ostia_store::{CacheResult, CacheStatus};
use ostia_store::{Outcome, Queue};

use super::bodies::{Bodies, BodyPolicy};
use super::decisions::{Decisions, SharedDecisions};
use super::facts::{AttemptFacts, Ending, Facts, Failure, Said};
use super::records::Ring;
use super::results::{self, Results};
use super::session;
use super::trace::TraceContext;
use crate::client::Client;
use crate::log::cause::Cause;
use crate::log::{self, End, Log};
use crate::message::body::Watcher;
use crate::owner::Owner;

/// The status of a request whose client left before there was an answer. nginx's word for it; nobody receives it.
const STATUS_LEFT: u16 = 499;
/// The same where the gateway stopped before: what the client receives then.
const STATUS_STOPPING: u16 = 503;
const STOPPING: &str = "gateway_stopping";
/// Most attempts of one request that are kept: more than a config may make.
const ATTEMPTS_MAX: usize = 64;
/// Largest route of which decisions are kept, in bytes: a client may send a new config with each request.
const ROUTE_BYTES_MAX: usize = 64 << 10;
/// Longest metadata and baggage, and user agent that are kept, in bytes.
const METADATA_BYTES_MAX: usize = 8 << 10;
const TEXT_BYTES_MAX: usize = 200;

/// Whoever reads accounts. One for each core.
#[derive(Debug, Clone)]
pub struct Books {
    /// Writes a line for each request.
    pub log: Rc<Log>,
    /// Remembers what was decided for the last ones.
    pub ring: Arc<Ring>,
    /// Keeps records; `None`: nobody does.
    pub store: Option<StoreBooks>,
}

/// Where records are kept, and how much of bodies is kept in them.
#[derive(Debug, Clone)]
pub struct StoreBooks {
    /// Where they are handed over.
    pub queue: Queue,
    /// How much of bodies is kept.
    pub bodies: BodyPolicy,
}

/// The account of one request, shared by all who carry it on.
#[derive(Debug, Default)]
pub struct Account {
    /// How long providers were waited for.
    waited: Cell<Duration>,
    /// `None` where nobody reads it.
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
    /// There is to be a line of it.
    is_logged: bool,
    /// What is known until the answer begins; taken out then.
    facts: RefCell<Option<Facts>>,
    /// The same from then on, as all views share it.
    shared: OnceCell<Arc<Facts>>,
    /// What a stream has said, and why it broke off.
    streamed: RefCell<(Said, Option<Box<Failure>>)>,
    /// `None` where no records are kept. Taken out when it is handed over.
    entry: RefCell<Option<Box<Entry>>>,
}

/// What only the store keeps.
#[derive(Debug)]
pub(super) struct Entry {
    /// Put in when it is handed over.
    pub(super) facts: Option<Arc<Facts>>,
    pub(super) began_at: SystemTime,
    /// It is a call to a provider, and not a look at the gateway itself.
    is_wanted: bool,
    /// `None`: its trace id is nobody else's.
    pub(super) id: Option<String>,
    pub(super) trace: TraceContext,
    pub(super) operation: Option<&'static str>,
    pub(super) metadata: Option<Box<str>>,
    /// Whose part it is, and whether the gateway's own header says so, which goes before metadata.
    pub(super) session: Option<Box<str>>,
    pub(super) session_is_own: bool,
    pub(super) baggage: Option<Box<str>>,
    pub(super) user_agent: Option<Box<str>>,
    /// The model that was asked for.
    pub(super) model: Option<Box<str>>,
    /// As much of the client's body as is taken for text, in bytes.
    pub(super) asked_bytes: u64,
    pub(super) is_stream: bool,
    pub(super) waited: Duration,
    pub(super) attempts: Vec<Made>,
    pub(super) decisions: Option<SharedDecisions>,
    pub(super) results: Results,
    pub(super) bodies: Bodies,
}

/// One call to a provider.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) provider: Option<HeaderValue>,
    pub(super) index_path: Option<HeaderValue>,
    pub(super) model: Option<Box<str>>,
    pub(super) span: Option<NonZeroU64>,
    /// The host, with its port where that is not the usual one; and the port.
    pub(super) server: HeaderValue,
    pub(super) port: u16,
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
    /// As much of its body as is taken for text, in bytes, where it asks only a part of what the client asked.
    pub(super) text_bytes: Option<u64>,
    pub(super) observed: Observed,
    /// What its request says that it will be charged for.
    pub(super) asked: AskedFor,
    /// Tokens of the attempts that this one goes on from, which its provider's count is told with.
    pub(super) spent: Option<Box<Usage>>,
    /// What its provider's cache of answers did, where it says so.
    pub(super) cache: Option<CacheResult>,
    pub(super) dropped: Vec<String>,
}

impl Made {
    /// Did its answer come from a cache, whatever became of it then? The rule of [`ostia_store::Attempt::is_from_cache`].
    pub(super) fn is_from_cache(&self) -> bool {
        self.cache.is_some_and(|cache| cache.status.is_hit())
    }
}

/// How an answer begins.
pub(super) struct Beginning {
    pub(super) status: StatusCode,
    pub(super) is_stream: bool,
    /// The attempt that it came from.
    pub(super) attempt: AttemptFacts,
    /// How that was decided.
    pub(super) decisions: Option<Decisions>,
    /// Explain is to find it.
    pub(super) is_remembered: bool,
}

impl Account {
    /// Of a request that has just come. Where nobody waits for it, only the store tells of it.
    pub fn begin(
        books: &Rc<Books>,
        client: Option<&Rc<Client>>,
        began: Instant,
        method: &Method,
        path: &str,
    ) -> Rc<Account> {
        let is_logged = client.is_some() && books.log.has_access();
        let is_told = is_logged || books.store.is_some();
        let facts = Facts {
            began,
            method: method.clone(),
            path: if is_told { log::name(path) } else { Box::default() },
            peer: client.and_then(|client| client.connection.peer),
            trace_id: None,
            owner: Owner::default(),
            key: None,
            status: 0,
            attempt: AttemptFacts::default(),
            error: None,
            ending: OnceLock::new(),
        };
        let entry = books.store.as_ref().map(|store| Box::new(Entry::new(store.bodies)));
        let open = OpenAccount {
            books: books.clone(),
            client: client.cloned(),
            is_logged,
            facts: RefCell::new(Some(facts)),
            shared: OnceCell::new(),
            streamed: RefCell::default(),
            entry: RefCell::new(entry),
        };
        let mut account = Account::default();
        account.open = Some(open);
        Rc::new(account)
    }

    /// Is anything kept of the request?
    pub fn is_kept(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.books.store.is_some())
    }

    /// Is there to be more of it than what is remembered for explain: a line in the log, or a record?
    pub(super) fn is_told(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.is_logged || open.books.store.is_some())
    }

    /// When the request came; `None` where nobody reads the account.
    pub(super) fn began(&self) -> Option<Instant> {
        let open = self.open.as_ref()?;
        let shared = || open.shared.get().map(|facts| facts.began);
        open.facts.borrow().as_ref().map(|facts| facts.began).or_else(shared)
    }

    /// Changes what is known, while the answer has not begun.
    fn facts(&self, change: impl FnOnce(&mut Facts)) {
        if let Some(open) = &self.open
            && let Some(facts) = open.facts.borrow_mut().as_mut()
        {
            change(facts);
        }
    }

    fn entry(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(open) = &self.open
            && let Some(entry) = open.entry.borrow_mut().as_deref_mut()
        {
            change(entry);
        }
    }

    /// Changes what is known of caches and guardrails.
    pub(super) fn results(&self, change: impl FnOnce(&mut Results)) {
        self.entry(|entry| change(&mut entry.results));
    }

    /// May it be kept what somebody said?
    fn keeps_messages(&self) -> bool {
        let mut keeps = false;
        self.entry(|entry| keeps = entry.bodies.is_on());
        keeps
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

    /// The request's name, or its trace's.
    pub(super) fn trace_id(&self, trace_id: Option<HeaderValue>) {
        self.facts(|facts| facts.trace_id = trace_id);
    }

    /// It has none so far.
    pub(super) fn lacks_trace_id(&self) -> bool {
        let mut lacks = false;
        self.facts(|facts| lacks = facts.trace_id.is_none());
        lacks
    }

    /// What the headers say of the sender and the trace. `id`: a name that nobody else has, where the trace id is none.
    pub fn sender(
        &self,
        headers: &HeaderMap,
        metadata: Option<&HeaderValue>,
        trace: &TraceContext,
        id: Option<String>,
    ) {
        let text = |value: Option<&HeaderValue>, bytes_max: usize| {
            let text = value.and_then(|value| value.to_str().ok())?;
            (text.len() <= bytes_max).then(|| text.into())
        };
        self.entry(|entry| {
            (entry.id, entry.trace) = (id, trace.clone());
            let agent = headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok());
            entry.user_agent = agent.map(|agent| agent[..agent.floor_char_boundary(TEXT_BYTES_MAX)].into());
            entry.metadata = text(metadata, METADATA_BYTES_MAX);
            entry.baggage = text(headers.get("baggage"), METADATA_BYTES_MAX);
        });
    }

    /// The conversation, or the agent's run, that it is part of: as the gateway's own header says, or an agent's.
    pub fn session(&self, own: Option<&HeaderValue>, headers: &HeaderMap) {
        self.entry(|entry| {
            let own = own.and_then(|own| session::named(own.to_str().ok()?));
            entry.session_is_own = own.is_some();
            entry.session = own.or_else(|| session::of_headers(headers)).map(Box::from);
        });
    }

    /// The same, as the call or what it goes on from says, where no header does.
    pub fn in_session(&self, named: impl FnOnce() -> Option<String>) {
        self.entry(|entry| {
            if entry.session.is_none() {
                entry.session = named().map(String::into_boxed_str);
            }
        });
    }

    /// The client does not want its bodies kept.
    pub fn without_bodies(&self) {
        self.entry(|entry| entry.bodies.switch_off());
    }

    /// It is a call, at this API where it is understood.
    pub fn call(&self, operation: Option<&'static str>) {
        self.entry(|entry| (entry.is_wanted, entry.operation) = (true, operation));
    }

    /// Who sent it, with which of the gateway's keys, by name and place, and what is to be kept of its bodies, where the key says that.
    pub fn sent_by(&self, owner: Owner, key: Option<(Option<&str>, usize)>, bodies: Option<BodiesKept>) {
        let is_told = self.is_told();
        if let Some(kept) = bodies {
            self.entry(|entry| entry.bodies.keep(kept));
        }
        self.facts(|facts| {
            facts.owner = owner;
            facts.key = key
                .filter(|_| is_told)
                .map(|(name, place)| name.map_or_else(|| format!("auth.keys[{place}]").into(), log::name));
        });
    }

    /// What is asked: the model, and the client's body.
    pub fn asked(&self, model: Option<&str>, body: &Bytes) {
        self.entry(|entry| {
            entry.model = model.map(log::name);
            entry.asked_bytes = text_bytes(body);
            entry.bodies.request(body);
        });
    }

    /// An attempt is under way: a client that leaves before there is an answer has a line as well.
    pub(super) fn under_way(&self, attempt: &AttemptFacts) {
        if self.open.as_ref().is_some_and(|open| open.is_logged) {
            self.facts(|facts| {
                facts.attempt.provider.clone_from(&attempt.provider);
                facts.attempt.key.clone_from(&attempt.key);
            });
        }
    }

    /// There is no answer, for this reason.
    pub fn failed(&self, fault: &Fault) {
        let keeps_message = self.keeps_messages();
        self.facts(|facts| facts.error = Some(Failure::of(fault, keeps_message)));
    }

    /// That is all that anybody hears of it.
    pub fn refused(&self, fault: &Fault) {
        let Some(open) = &self.open else { return };
        open.streamed.borrow_mut().1 = Some(Failure::of(fault, self.keeps_messages()));
        open.share(fault.status);
        open.end(End::Whole, Some(fault.status));
    }

    /// The answer begins.
    pub(super) fn answered(&self, beginning: Beginning) {
        let Some(open) = &self.open else { return };
        let Beginning { status, is_stream, mut attempt, decisions, is_remembered } = beginning;
        attempt.dropped = super::records::few(attempt.dropped);
        self.facts(|facts| facts.attempt = attempt);
        let Some(facts) = open.share(status.as_u16()) else { return };
        let is_small = decisions.as_ref().is_some_and(|made| made.route().bytes() <= ROUTE_BYTES_MAX);
        let decisions = decisions.map(SharedDecisions::from);
        if is_remembered {
            open.books.ring.push(facts.clone(), decisions.clone());
        }
        self.entry(|entry| (entry.is_stream, entry.decisions) = (is_stream, decisions.filter(|_| is_small)));
    }

    /// A piece of the answer is on its way.
    pub fn piece(&self, bytes: &[u8]) {
        self.entry(|entry| entry.bodies.piece(bytes));
    }

    /// All of the answer is on its way.
    pub fn whole(&self, bytes: Option<&Bytes>) {
        if let Some(bytes) = bytes {
            self.entry(|entry| entry.bodies.whole(bytes));
        }
        self.end(End::Whole);
    }

    /// The stream that the client gets goes on with an answer whose head says this of a cache.
    pub fn note_cache_of_rest(&self, rest: Option<CacheResult>) {
        self.results(|results| results.cache_of_rest(rest));
        let Some(open) = &self.open else { return };
        let began = open.shared.get().and_then(|facts| facts.attempt.cache);
        let said = &mut open.streamed.borrow_mut().0;
        let was_hit = said.cache.or(began).is_some_and(CacheStatus::is_hit);
        said.cache = results::with_rest(was_hit, rest).map(|told| told.status).or(said.cache);
    }

    /// What a stream has said when it ends, and why it broke off.
    pub(super) fn streamed(&self, said: Said, fault: Option<&Fault>) {
        let error = fault.map(|fault| Failure::of(fault, self.keeps_messages()));
        if let Some(open) = &self.open {
            let mut streamed = open.streamed.borrow_mut();
            let cache = streamed.0.cache;
            *streamed = (Said { cache, ..said }, error);
        }
    }

    /// The answer has ended so.
    pub fn end(&self, end: End) {
        if let Some(open) = &self.open {
            open.end(end, None);
        }
    }

    /// A call is sent. Gives its number.
    pub(super) fn send(&self, made: Made) -> Option<usize> {
        let mut number = None;
        self.entry(|entry| {
            if entry.attempts.len() < ATTEMPTS_MAX {
                number = Some(entry.attempts.len());
                entry.attempts.push(made);
            }
        });
        number
    }

    /// Changes what is known of an attempt. `true`: messages may be kept.
    pub(super) fn attempt(&self, number: usize, change: impl FnOnce(&mut Made, bool)) {
        self.entry(|entry| {
            let keeps = entry.bodies.is_on();
            if let Some(made) = entry.attempts.get_mut(number) {
                change(made, keeps);
            }
        });
    }
}

impl OpenAccount {
    /// The answer begins with this status: what is known of the request does not change any more. Gives it the first time.
    fn share(&self, status: u16) -> Option<&Arc<Facts>> {
        let mut facts = self.facts.take()?;
        facts.status = status;
        Some(self.shared.get_or_init(|| Arc::new(facts)))
    }

    /// The answer has ended so; `status`: another one than it began with.
    fn end(&self, end: End, status: Option<u16>) {
        let Some(facts) = self.shared.get().filter(|facts| facts.ending.get().is_none()) else { return };
        let (said, error) = self.streamed.take();
        let took = facts.began.elapsed();
        // Nobody else ends it.
        let _ = facts.ending.set(Ending { end, took, status, said, error });
    }

    /// Nobody carries the request on, and its answer has come to no end.
    fn end_early(&self) {
        let is_cut = self.client.as_ref().is_some_and(|client| client.is_cut());
        let (end, status) =
            if is_cut { (End::Broken, STATUS_STOPPING) } else { (End::ClientLeft, STATUS_LEFT) };
        if is_cut {
            let cause = Cause { kind: FaultKind::Overloaded, code: Some(STOPPING.into()), detail: None };
            self.streamed.borrow_mut().1 = Some(Box::new(Failure { cause, message: None }));
        }
        self.share(status);
        self.end(end, None);
    }
}

impl Entry {
    fn new(bodies: BodyPolicy) -> Entry {
        Entry {
            facts: None,
            asked_bytes: 0,
            began_at: SystemTime::now(),
            is_wanted: false,
            id: None,
            trace: TraceContext::default(),
            operation: None,
            metadata: None,
            session: None,
            session_is_own: false,
            baggage: None,
            user_agent: None,
            model: None,
            is_stream: false,
            waited: Duration::ZERO,
            attempts: Vec::new(),
            decisions: None,
            results: Results::default(),
            bodies: Bodies::new(bodies),
        }
    }
}

impl Drop for Account {
    /// The last who carried the request on lets go: now all is known of it, and whoever tells of it gets it.
    fn drop(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.shared.get().is_none_or(|facts| facts.ending.get().is_none()) {
            open.end_early();
        }
        let OpenAccount { books, is_logged, shared, entry, .. } = open;
        let Some(facts) = shared.into_inner() else { return };
        if is_logged {
            books.log.access(&facts);
        }
        let entry = entry.into_inner().filter(|entry| entry.is_wanted);
        if let (Some(store), Some(mut entry)) = (&books.store, entry) {
            let is_whole = facts.ending.get().is_some_and(|ending| ending.end == End::Whole);
            entry.bodies.settle(facts.status() >= 400 || !is_whole);
            (entry.waited, entry.facts) = (self.waited.get(), Some(facts));
            store.queue.hand_over(entry);
        }
    }
}

/// An answer that is handed on unread.
#[derive(Debug)]
pub(super) struct Passing(pub(super) Rc<Account>);

impl Watcher for Passing {
    fn piece(&mut self, bytes: &Bytes) {
        self.0.piece(bytes);
    }

    fn end(&mut self, end: End) {
        self.0.end(end);
    }
}
