//! What was decided for the last requests of each core, for whoever asks later.
//!
//! A core writes to a ring of its own, under a lock that nobody else takes but to look one request up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use ostia_dialect::Usage;
use ostia_routing::keys::KeyUse;
use ostia_routing::{self as routing, History, Plan, ROUTE_BYTES_MAX, Route};
use serde_json::{Value, json};

use crate::clock::now;
use crate::owner::Owner;
use crate::record::Answered;

/// Requests that each core remembers. About half a kilobyte each, where a config was followed.
const REQUESTS_MAX: usize = 512;
/// Most memory that the routes of remembered requests take on one core, in bytes. A client may send a new config with
/// each request, and what was decided is told in its terms.
const ROUTES_BYTES_MAX: usize = 2 * ROUTE_BYTES_MAX;
/// A route that takes less is not counted: as many as there are requests stay within the same bound.
const ROUTE_BYTES_SMALL: usize = ROUTES_BYTES_MAX / REQUESTS_MAX;
/// What a plan notes about each target of its route, in bytes.
const TARGET_BYTES: usize = 32;
/// Most bytes of what could not be said to a provider that are remembered of one request.
const DROPPED_BYTES_MAX: usize = 4 << 10;
/// Longest trace id of a client's that is remembered, in bytes.
const TRACE_ID_BYTES_MAX: usize = 256;
/// Most bytes of decisions that are told in a header. Servers in front may take no more than 8 KiB.
const HEADER_BYTES_MAX: usize = 6 << 10;

/// A plan under way, or at its end. Nobody takes the lock but who follows it, and who reads it here.
#[derive(Debug, Clone)]
pub struct SharedPlan {
    /// The plan.
    pub plan: Arc<Mutex<Plan>>,
    /// The route that it follows, for whoever does not want to wait for the plan.
    pub route: Arc<Route>,
}

/// The rings of all cores.
#[derive(Debug, Clone, Default)]
pub struct Records(Arc<Mutex<Vec<Arc<Ring>>>>);

/// The last requests of one core.
#[derive(Debug, Default)]
pub struct Ring(Mutex<Remembered>);

/// The last requests, and the large routes among those that they followed.
#[derive(Debug, Default)]
struct Remembered {
    entries: VecDeque<Entry>,
    /// How many entries have gone: the number of the first one here.
    gone: u64,
    /// How many entries hold a route, by its address.
    holders: BTreeMap<usize, usize>,
    /// What the large routes and their plans take.
    bytes: usize,
    /// Entries before this number were made under a configuration that is no longer in force.
    withheld_before: u64,
}

/// One request.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    trace_id: HeaderValue,
    /// Who sent it.
    owner: Owner,
    /// Who was asked last.
    provider: HeaderValue,
    /// The status that the client got.
    status: u16,
    /// What could not be said to the provider.
    dropped: Vec<String>,
    /// What has been seen of the answer.
    answer: Answered,
    /// The decisions, where there was something to decide.
    decisions: Option<Decisions>,
    /// Which of the operator's keys was shown, where there are several.
    key: Option<Box<KeyUse>>,
}

/// What was decided for a request.
#[derive(Debug, Clone)]
pub enum Decisions {
    /// All that there was to decide.
    Made(History),
    /// The answer is under way, and may break off.
    UnderWay(SharedPlan),
}

impl SharedPlan {
    /// What is decided by now.
    pub fn record(&self) -> routing::Record {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).record(now())
    }
}

impl From<SharedPlan> for Decisions {
    /// Of a plan that nobody follows any further only what its record needs is kept.
    fn from(plan: SharedPlan) -> Decisions {
        let SharedPlan { plan, route } = plan;
        match Arc::try_unwrap(plan) {
            Ok(plan) => {
                let plan = plan.into_inner().unwrap_or_else(PoisonError::into_inner);
                Decisions::Made(plan.into_history())
            }
            Err(plan) => Decisions::UnderWay(SharedPlan { plan, route }),
        }
    }
}

impl Decisions {
    fn is_under_way(&self) -> bool {
        matches!(self, Decisions::UnderWay(_))
    }

    /// As it is told by now.
    pub(super) fn record(&self) -> routing::Record {
        match self {
            Decisions::Made(history) => history.record(now()),
            Decisions::UnderWay(shared) => shared.record(),
        }
    }

    /// The route that was followed.
    pub(super) fn route(&self) -> &Arc<Route> {
        match self {
            Decisions::Made(history) => history.route(),
            Decisions::UnderWay(shared) => &shared.route,
        }
    }
}

impl Records {
    /// A ring for one more core.
    pub fn ring(&self) -> Arc<Ring> {
        let ring = Arc::new(Ring::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ring.clone());
        ring
    }

    /// What was decided for the request of this name, if it was this owner's; `None` for anybody's.
    pub fn find(&self, trace_id: &str, owner: Option<Owner>) -> Option<Value> {
        let rings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rings.iter().find_map(|ring| ring.find(trace_id, owner))
    }
}

impl Ring {
    /// Remembers a request; the oldest ones go where there is no room. Gives the number of the entry.
    pub fn push(&self, entry: Entry) -> u64 {
        self.remembered().push(entry)
    }

    /// The answer to the request of this number is over, and that was seen of it.
    pub fn close(&self, number: u64, answer: Answered) {
        self.remembered().close(number, answer);
    }

    /// Another configuration is in force: keys of the operator's that stand in what is remembered go. Plans that are still
    /// followed need theirs; [`Ring::withhold_rest`] takes them later.
    pub fn withhold_secrets(&self) {
        let mut remembered = self.remembered();
        remembered.withheld_before = remembered.gone + remembered.entries.len() as u64;
        remembered.withhold_secrets();
    }

    /// The same for plans that have come to their end since. To be called now and then.
    pub fn withhold_rest(&self) {
        let mut remembered = self.remembered();
        if remembered.withheld_before > remembered.gone {
            remembered.withhold_secrets();
        }
    }

    fn find(&self, trace_id: &str, owner: Option<Owner>) -> Option<Value> {
        let is_theirs = |entry: &&Entry| owner.is_none_or(|owner| entry.owner == owner);
        let remembered = self.remembered();
        let mut found =
            remembered.entries.iter().rev().filter(|entry| entry.trace_id == trace_id).filter(is_theirs);
        found.next().map(Entry::told)
    }

    /// Nothing that is done under the lock can fail half-way, so a poisoned one is as good.
    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn push(&mut self, entry: Entry) -> u64 {
        if self.entries.len() >= REQUESTS_MAX {
            self.forget_one();
        }
        if let Some(route) = entry.large_route() {
            let holders = self.holders.entry(address(route)).or_default();
            *holders += 1;
            self.bytes += bytes(route, *holders);
        }
        let number = self.gone + self.entries.len() as u64;
        self.entries.push_back(entry);
        while self.bytes > ROUTES_BYTES_MAX && self.entries.len() > 1 {
            self.forget_one();
        }
        number
    }

    /// An entry that has gone is not missed.
    fn close(&mut self, number: u64, answer: Answered) {
        let at = number.checked_sub(self.gone).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
            entry.answer = answer;
        }
    }

    /// Takes the operator's keys out of the entries of earlier configurations.
    fn withhold_secrets(&mut self) {
        let count = usize::try_from(self.withheld_before.saturating_sub(self.gone)).unwrap_or(usize::MAX);
        // Entries that shared a route go on sharing one.
        let mut bare: BTreeMap<usize, (Arc<Route>, Arc<Route>)> = BTreeMap::new();
        for Entry { decisions, .. } in self.entries.iter_mut().take(count) {
            if let Some(Decisions::UnderWay(plan)) = decisions.take_if(|made| made.is_under_way()) {
                // Nobody may follow it any further by now.
                *decisions = Some(plan.into());
            }
            let Some(Decisions::Made(history)) = decisions else { continue };
            if !history.route().has_operators_secrets() {
                continue;
            }
            let route = history.route().clone();
            let (_, without) = bare.entry(address(&route)).or_insert_with(|| {
                let without = Arc::new(route.without_secrets());
                // The route itself stays until the end, so that its address is nobody else's.
                (route, without)
            });
            history.replace_route(without.clone());
        }
        if !bare.is_empty() {
            self.count_anew();
        }
    }

    fn count_anew(&mut self) {
        (self.holders, self.bytes) = (BTreeMap::new(), 0);
        for route in self.entries.iter().filter_map(Entry::large_route) {
            let holders = self.holders.entry(address(route)).or_default();
            *holders += 1;
            self.bytes += bytes(route, *holders);
        }
    }

    fn forget_one(&mut self) {
        let entry = self.entries.pop_front();
        self.gone += u64::from(entry.is_some());
        let Some(route) = entry.as_ref().and_then(Entry::large_route) else { return };
        let holders = self.holders.entry(address(route)).or_default();
        self.bytes = self.bytes.saturating_sub(bytes(route, *holders));
        *holders = holders.saturating_sub(1);
        if *holders == 0 {
            self.holders.remove(&address(route));
        }
    }
}

fn address(route: &Arc<Route>) -> usize {
    Arc::as_ptr(route).addr()
}

/// What one more entry takes that holds this route: the first one has the route itself.
fn bytes(route: &Route, holders: usize) -> usize {
    let plan = route.leaves().len() * TARGET_BYTES;
    if holders == 1 { plan + route.bytes() } else { plan }
}

impl Entry {
    /// A request that was asked of somebody; `None` where its name is too long to be remembered. `is_given`: the name is a
    /// header of the client's. Such a one is copied, because it holds on to all headers that came with it.
    pub fn new(
        trace_id: HeaderValue,
        is_given: bool,
        provider: HeaderValue,
        status: u16,
        dropped: Vec<String>,
        decisions: Option<Decisions>,
    ) -> Option<Entry> {
        let trace_id = match is_given {
            true if trace_id.len() > TRACE_ID_BYTES_MAX => return None,
            true => HeaderValue::from_bytes(trace_id.as_bytes()).ok()?,
            false => trace_id,
        };
        let (owner, answer) = (Owner::default(), Answered::default());
        let dropped = few(dropped);
        Some(Entry { trace_id, owner, provider, status, dropped, answer, decisions, key: None })
    }

    /// The same, sent by this caller, with what has been seen of the answer, and the key that was shown.
    pub fn of(self, owner: Owner, answer: Answered, key: Option<Box<KeyUse>>) -> Entry {
        Entry { owner, answer, key, ..self }
    }

    fn large_route(&self) -> Option<&Arc<Route>> {
        let route = self.decisions.as_ref().map(Decisions::route);
        route.filter(|route| route.bytes() > ROUTE_BYTES_SMALL)
    }

    fn told(&self) -> Value {
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let mut told = json!({
            "trace_id": text(&self.trace_id),
            "provider": text(&self.provider),
            "status": self.status,
            "dropped": self.dropped,
        });
        let Answered { count, finish, first_token } = &self.answer;
        if let Some(usage) = count.usage() {
            told["usage"] = told_usage(&usage);
        }
        if let Some(finish) = finish {
            told["finish_reason"] = finish.openai().into();
        }
        if let Some(first_token) = first_token {
            told["first_token_ms"] = (first_token.as_millis() as u64).into();
        }
        add_key(self.key.as_deref(), &mut told);
        if let Some(decisions) = &self.decisions {
            told["decisions"] = serde_json::to_value(decisions.record()).unwrap_or_default();
        }
        told
    }
}

/// Says which key was shown, and which ones rest.
pub fn add_key(key: Option<&KeyUse>, told: &mut Value) {
    let Some(Value::Object(fields)) = key.and_then(|key| serde_json::to_value(key).ok()) else { return };
    for (name, value) in fields {
        told[name] = value;
    }
}

/// Tokens in OpenAI's words; those that are a part of others only where the provider counts them.
fn told_usage(usage: &Usage) -> Value {
    let parts = [
        ("cached_tokens", usage.cached),
        ("cache_write_tokens", usage.cache_written),
        ("reasoning_tokens", usage.reasoning),
    ];
    let mut told = json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total(),
    });
    for (name, count) in parts {
        if let Some(count) = count {
            told[name] = count.into();
        }
    }
    told
}

/// As many of these names as are remembered, and how many there were besides.
pub(super) fn few(mut dropped: Vec<String>) -> Vec<String> {
    let mut bytes = 0;
    let fits = |name: &&String| {
        bytes += size_of::<String>() + name.len();
        bytes <= DROPPED_BYTES_MAX
    };
    let count = dropped.iter().take_while(fits).count();
    let further = dropped.len() - count;
    if further > 0 {
        dropped.truncate(count);
        dropped.push(format!("and {further} more"));
        dropped.shrink_to_fit();
    }
    dropped
}

/// The decisions on one request, as JSON on one line.
pub fn header(record: &routing::Record, dropped: &[String], key: Option<&KeyUse>) -> HeaderValue {
    let mut told = serde_json::to_value(record).unwrap_or_default();
    add_key(key, &mut told);
    if !dropped.is_empty() {
        told["dropped"] = dropped.into();
    }
    let text = ascii(&told.to_string());
    let text = match text.len() > HEADER_BYTES_MAX {
        true => {
            json!({"result": record.result, "attempts": record.attempts, "bytes": text.len()}).to_string()
        }
        false => text,
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("{}"))
}

/// JSON on one line, its texts escaped where a header could not hold them.
pub fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        // Line breaks and tabs stand only between values. The one control character that a text may hold as it is, is the
        // last one of ASCII.
        if letter < '\u{7f}' {
            text.push(letter.max(' '));
        } else {
            let escaped = letter
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            text.push_str(&escaped);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ostia_dialect::Finish;
    use ostia_routing::condition::Field;
    use ostia_routing::{Fact, Facts, State, config};

    use super::*;

    struct Nothing;

    impl Facts for Nothing {
        fn get(&self, _: &Field) -> Option<Fact<'_>> {
            None
        }

        fn unix_s(&self) -> u64 {
            0
        }
    }

    fn route(bytes: usize) -> Arc<Route> {
        let config = json!({"provider": "p", "default_params": {"a": "x".repeat(bytes)}});
        let config = config::from_value(&config).unwrap().config;
        Arc::new(Route::new(&config, &State::default()).unwrap())
    }

    fn entry(
        trace_id: &str,
        is_given: bool,
        dropped: Vec<String>,
        route: Option<&Arc<Route>>,
    ) -> Option<Entry> {
        let made =
            |route: &Arc<Route>| Decisions::Made(Plan::new(route.clone(), &Nothing, 0, now()).into_history());
        let [trace_id, provider] = [trace_id, "p"].map(|text| HeaderValue::from_str(text).unwrap());
        Entry::new(trace_id, is_given, provider, 200, dropped, route.map(made))
    }

    fn push(remembered: &mut Remembered, count: usize, route: impl Fn() -> Arc<Route>) {
        for _ in 0..count {
            remembered.push(entry("t", false, Vec::new(), Some(&route())).unwrap());
        }
    }

    #[test]
    fn large_routes_are_remembered_within_a_bound() {
        let mut remembered = Remembered::default();
        let size = ROUTES_BYTES_MAX / 10;
        push(&mut remembered, 2 * REQUESTS_MAX, || route(size));
        assert_eq!((remembered.entries.len(), remembered.holders.len()), (9, 9));
        assert!((size * 9..ROUTES_BYTES_MAX).contains(&remembered.bytes));
        let small = route(100);
        push(&mut remembered, 2 * REQUESTS_MAX, || small.clone());
        assert_eq!(
            (remembered.entries.len(), remembered.holders.len(), remembered.bytes),
            (REQUESTS_MAX, 0, 0)
        );
    }

    #[test]
    fn a_route_of_many_requests_counts_once() {
        let mut remembered = Remembered::default();
        let route = route(ROUTES_BYTES_MAX / 3);
        push(&mut remembered, 2 * REQUESTS_MAX, || route.clone());
        assert_eq!((remembered.entries.len(), remembered.holders.len()), (REQUESTS_MAX, 1));
    }

    #[test]
    fn the_operators_keys_of_earlier_configurations_go() {
        let operators = |key: &str| {
            let config = json!({"provider": "p", "api_key": key, "default_params": {"a": "x".repeat(ROUTE_BYTES_SMALL)}});
            let config = config::from_value(&config).unwrap().config;
            Arc::new(Route::new(&config, &State::default()).unwrap().by_operator())
        };
        let ring = Ring::default();
        let (old, followed, new) = (operators("sk-old"), operators("sk-followed"), operators("sk-new"));
        let plan = Arc::new(Mutex::new(Plan::new(followed.clone(), &Nothing, 0, now())));
        let under_way = SharedPlan { plan: plan.clone(), route: followed.clone() };
        ring.push(entry("t", false, Vec::new(), Some(&old)).unwrap());
        ring.push(entry("t", false, Vec::new(), Some(&old)).unwrap());
        ring.push(Entry {
            decisions: Some(under_way.into()),
            ..entry("t", false, Vec::new(), None).unwrap()
        });
        ring.withhold_secrets();
        ring.push(entry("t", false, Vec::new(), Some(&new)).unwrap());
        let has_secrets = || {
            let remembered = ring.remembered();
            let routes = remembered.entries.iter().map(|entry| entry.decisions.as_ref().unwrap().route());
            routes.map(|route| route.has_operators_secrets()).collect::<Vec<_>>()
        };
        assert_eq!(has_secrets(), [false, false, true, true]);
        assert_eq!(Arc::strong_count(&old), 1, "nobody holds it any more");
        drop(plan);
        ring.withhold_rest();
        assert_eq!(has_secrets(), [false, false, false, true], "the plan has come to its end");
        assert_eq!(ring.remembered().holders.len(), 3);
    }

    #[test]
    fn an_entry_is_closed_by_its_number_while_it_is_there() {
        let mut remembered = Remembered::default();
        let finish = Answered { finish: Some(Finish::Length), ..Answered::default() };
        let push =
            |remembered: &mut Remembered| remembered.push(entry("t", false, Vec::new(), None).unwrap());
        let first = push(&mut remembered);
        remembered.close(first, finish.clone());
        assert_eq!(remembered.entries[0].answer, finish);
        let numbers: Vec<u64> = (0..REQUESTS_MAX + 2).map(|_| push(&mut remembered)).collect();
        // It is gone, and so is the one behind it; nobody else's is closed in their place.
        remembered.close(first, finish.clone());
        remembered.close(numbers[0], finish.clone());
        assert!(remembered.entries.iter().all(|entry| entry.answer == Answered::default()));
        remembered.close(numbers[REQUESTS_MAX + 1], finish.clone());
        let closed = remembered.entries.iter().position(|entry| entry.answer == finish);
        assert_eq!(closed, Some(REQUESTS_MAX - 1));
    }

    #[test]
    fn tokens_are_told_in_openais_words() {
        let usage =
            Usage { prompt: 5, completion: 3, cached: Some(0), reasoning: Some(2), ..Usage::default() };
        assert_eq!(
            told_usage(&usage),
            json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8, "cached_tokens": 0,
                   "reasoning_tokens": 2})
        );
    }

    #[test]
    fn long_names_are_not_remembered() {
        let long = "t".repeat(TRACE_ID_BYTES_MAX + 1);
        assert!(entry(&long, true, Vec::new(), None).is_none());
        assert!(entry(&long[1..], true, Vec::new(), None).is_some());
        let dropped =
            |names: usize| entry("t", false, vec!["n".repeat(1000); names], None).unwrap().dropped.len();
        assert_eq!([0, 3, 5000].map(dropped), [0, 3, 5]);
    }

    #[test]
    fn headers_hold_every_text() {
        let told = ascii("{\"a\":\"\u{e9}\u{1f600}\\n\",\r\n\t\"b\":\"\u{7f}\"}");
        assert_eq!(told, r#"{"a":"\u00e9\ud83d\ude00\n",   "b":"\u007f"}"#);
        assert_eq!(
            serde_json::from_str::<Value>(&told).ok(),
            Some(json!({"a": "\u{e9}\u{1f600}\n", "b": "\u{7f}"}))
        );
    }
}
