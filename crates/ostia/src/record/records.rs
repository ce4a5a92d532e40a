//! The last requests of each core, and what was decided for them, for whoever asks later.
//!
//! A core writes to a ring of its own, under a lock that nobody else takes but to look one request up. What stands in it is the account
//! of each request, which its line in the log and its record share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ostia_routing::{ROUTE_BYTES_MAX, Route};
use serde_json::Value;

use super::decisions::{SharedDecisions, Withheld, address};
use super::explained;
use super::facts::Facts;
use crate::owner::Owner;

/// Requests that each core remembers. About a kilobyte each.
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
struct Entry {
    facts: Arc<Facts>,
    /// Where there was something to decide.
    decisions: Option<SharedDecisions>,
}

impl Records {
    /// A ring for one more core.
    pub fn ring(&self) -> Arc<Ring> {
        let ring = Arc::new(Ring::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ring.clone());
        ring
    }

    /// What explain tells of the request of this name, if it was this owner's; `None` for anybody's.
    pub fn find(&self, trace_id: &str, owner: Option<Owner>) -> Option<Value> {
        let rings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rings.iter().find_map(|ring| ring.find(trace_id, owner))
    }
}

impl Ring {
    /// Remembers a request; the oldest ones go where there is no room.
    pub(super) fn push(&self, facts: Arc<Facts>, decisions: Option<SharedDecisions>) {
        self.remembered().push(Entry { facts, decisions });
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
        let is_theirs = |entry: &&Entry| {
            owner.is_none_or(|owner| entry.facts.owner == owner)
                && entry.facts.trace_id.as_ref().is_some_and(|own| own == trace_id)
        };
        let remembered = self.remembered();
        let found = remembered.entries.iter().rev().find(is_theirs)?;
        Some(explained::of_remembered(&found.facts, found.decisions.as_ref()))
    }

    /// Nothing that is done under the lock can fail half-way, so a poisoned one is as good.
    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn push(&mut self, entry: Entry) {
        if self.entries.len() >= REQUESTS_MAX {
            self.forget_one();
        }
        self.hold(&entry);
        self.entries.push_back(entry);
        while self.bytes > ROUTES_BYTES_MAX && self.entries.len() > 1 {
            self.forget_one();
        }
    }

    /// Takes the operator's keys out of the entries of earlier configurations.
    fn withhold_secrets(&mut self) {
        let count = usize::try_from(self.withheld_before.saturating_sub(self.gone)).unwrap_or(usize::MAX);
        let mut withheld = Withheld::new();
        for decisions in self.entries.iter().take(count).filter_map(|entry| entry.decisions.as_ref()) {
            decisions.withhold_secrets(&mut withheld);
        }
        if !withheld.is_empty() {
            self.count_anew();
        }
    }

    fn count_anew(&mut self) {
        (self.holders, self.bytes) = (BTreeMap::new(), 0);
        let entries = std::mem::take(&mut self.entries);
        entries.iter().for_each(|entry| self.hold(entry));
        self.entries = entries;
    }

    /// Counts what one more entry takes.
    fn hold(&mut self, entry: &Entry) {
        entry.large_route(|route| {
            let holders = self.holders.entry(address(route)).or_default();
            *holders += 1;
            self.bytes += bytes(route, *holders);
        });
    }

    fn forget_one(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        self.gone += 1;
        entry.large_route(|route| {
            let holders = self.holders.entry(address(route)).or_default();
            self.bytes = self.bytes.saturating_sub(bytes(route, *holders));
            *holders = holders.saturating_sub(1);
            if *holders == 0 {
                self.holders.remove(&address(route));
            }
        });
    }
}

/// What one more entry takes that holds this route: the first one has the route itself.
fn bytes(route: &Route, holders: usize) -> usize {
    let plan = route.leaves().len() * TARGET_BYTES;
    if holders == 1 { plan + route.bytes() } else { plan }
}

impl Entry {
    /// Looks at its route, if that is counted.
    fn large_route(&self, look: impl FnOnce(&Arc<Route>)) {
        if let Some(decisions) = &self.decisions {
            decisions.route(|route| {
                if route.bytes() > ROUTE_BYTES_SMALL {
                    look(route);
                }
            });
        }
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::OnceLock;
    use std::time::Instant;

    use http::{HeaderValue, Method};
    use ostia_routing::condition::Field;
    use ostia_routing::{Fact, Facts as Answers, Plan, State, config};
    use serde_json::json;

    use super::*;
    use crate::clock::now;
    use crate::record::decisions::{Decisions, SharedPlan};
    use crate::record::facts::AttemptFacts;

    struct Nothing;

    impl Answers for Nothing {
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

    fn facts(owner: Owner) -> Arc<Facts> {
        Arc::new(Facts {
            began: Instant::now(),
            method: Method::POST,
            path: Box::default(),
            peer: None,
            trace_id: Some(HeaderValue::from_static("t")),
            owner,
            key: None,
            status: 200,
            attempt: AttemptFacts::default(),
            error: None,
            ending: OnceLock::new(),
        })
    }

    fn entry(decisions: Option<Decisions>) -> Entry {
        Entry { facts: facts(Owner::Nobody), decisions: decisions.map(SharedDecisions::from) }
    }

    fn made(route: &Arc<Route>) -> Option<Decisions> {
        Some(Decisions::Made(Plan::new(route.clone(), &Nothing, 0, now()).into_history()))
    }

    fn push(remembered: &mut Remembered, count: usize, route: impl Fn() -> Arc<Route>) {
        (0..count).for_each(|_| remembered.push(entry(made(&route()))));
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
        for decisions in [made(&old), made(&old), Some(under_way.into())] {
            ring.remembered().push(entry(decisions));
        }
        ring.withhold_secrets();
        ring.remembered().push(entry(made(&new)));
        let has_secrets = || {
            let remembered = ring.remembered();
            let all = remembered.entries.iter().map(|entry| entry.decisions.as_ref().unwrap());
            all.map(|own| own.route(|route| route.has_operators_secrets()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(has_secrets(), [false, false, true, true]);
        assert_eq!(Arc::strong_count(&old), 1, "nobody holds it any more");
        drop(plan);
        ring.withhold_rest();
        assert_eq!(has_secrets(), [false, false, false, true], "the plan has come to its end");
        assert_eq!(ring.remembered().holders.len(), 3);
    }

    #[test]
    fn requests_are_found_by_their_name_and_owner() {
        let (ring, mine) = (Ring::default(), Owner::Key(1));
        ring.push(facts(mine), None);
        assert!(ring.find("t", None).is_some() && ring.find("t", Some(mine)).is_some());
        assert!(ring.find("t", Some(Owner::Nobody)).is_none() && ring.find("other", None).is_none());
        (0..REQUESTS_MAX).for_each(|_| ring.push(facts(Owner::Nobody), None));
        assert!(ring.find("t", Some(mine)).is_none(), "it has gone");
    }

    #[test]
    fn long_names_of_what_was_dropped_are_not_remembered() {
        let dropped = |names: usize| few(vec!["n".repeat(1000); names]).len();
        assert_eq!([0, 3, 5000].map(dropped), [0, 3, 5]);
    }
}
