//! What requests share: breakers, gauges, turns and budgets, kept per config and target.
//!
//! A request looks its slots up once, under a lock that only a new config takes for writing; all that is in
//! them is atomic. A config that needs none of it never comes here.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::balance::Gauge;
use crate::breaker::Breaker;
use crate::retry::Budget;
use crate::route::{Route, Sizes};
use crate::time::Time;

/// Parts that are locked on their own.
const SHARDS: usize = 16;
/// Most slots in one shard (less than 100 bytes each), so some MiB in all.
const SHARD_SLOTS_MAX: usize = 4096;
/// What is left of a full shard. What was used least recently goes, and goes in one sweep, so that a client
/// that sends a new config with each request does not have all the others looked through each time.
const SHARD_SLOTS_LEFT: usize = SHARD_SLOTS_MAX / 4 * 3;

/// Everything that requests share. One for the process.
#[derive(Debug, Default)]
pub struct State {
    shards: [RwLock<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    entries: BTreeMap<u64, Entry>,
    size: usize,
}

#[derive(Debug)]
struct Entry {
    slots: Arc<Slots>,
    used: AtomicU64,
}

impl State {
    /// The slots of a route, made if they are not there.
    pub(crate) fn slots(&self, route: &Route, now: Time) -> Arc<Slots> {
        if let Some(slots) = self.peek(route, now) {
            return slots;
        }
        let mut shard = self.shard(route).write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(route, now)
    }

    /// The slots of a route, if they are there.
    pub(crate) fn peek(&self, route: &Route, now: Time) -> Option<Arc<Slots>> {
        let shard = self.shard(route).read().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.entries.get(&route.content)?;
        entry.used.store(now.as_micros(), Ordering::Relaxed);
        Some(entry.slots.clone())
    }

    fn shard(&self, route: &Route) -> &RwLock<Shard> {
        &self.shards[(route.content % SHARDS as u64) as usize]
    }
}

impl Shard {
    fn insert(&mut self, route: &Route, now: Time) -> Arc<Slots> {
        if let Some(entry) = self.entries.get(&route.content) {
            return entry.slots.clone();
        }
        self.size += route.sizes.total();
        if self.size > SHARD_SLOTS_MAX {
            self.sweep();
        }
        let slots = Arc::new(Slots::new(route.sizes));
        let entry = Entry { slots: slots.clone(), used: AtomicU64::new(now.as_micros()) };
        self.entries.insert(route.content, entry);
        slots
    }

    fn sweep(&mut self) {
        let age = |(content, entry): (&u64, &Entry)| (entry.used.load(Ordering::Relaxed), *content);
        let mut by_age: Vec<(u64, u64)> = self.entries.iter().map(age).collect();
        by_age.sort_unstable();
        for (_, content) in by_age {
            if self.size <= SHARD_SLOTS_LEFT {
                return;
            }
            let gone = self.entries.remove(&content).map_or(0, |entry| entry.slots.sizes().total());
            self.size = self.size.saturating_sub(gone);
        }
    }
}

/// What the requests of one config share. Routes know the indexes; one that is out of range is simply not
/// there.
#[derive(Debug)]
pub(crate) struct Slots {
    targets: Box<[Slot]>,
    gauges: Box<[Gauge]>,
    turns: Box<[AtomicU64]>,
}

/// What the requests to one target share.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) breaker: Breaker,
    pub(crate) retries: Budget,
    pub(crate) hedges: Budget,
}

impl Slots {
    fn new(sizes: Sizes) -> Slots {
        Slots {
            targets: (0..sizes.targets).map(|_| Slot::default()).collect(),
            gauges: (0..sizes.gauges).map(|_| Gauge::default()).collect(),
            turns: (0..sizes.turns).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn sizes(&self) -> Sizes {
        Sizes { targets: self.targets.len(), gauges: self.gauges.len(), turns: self.turns.len() }
    }

    pub(crate) fn target(&self, index: usize) -> Option<&Slot> {
        self.targets.get(index)
    }

    pub(crate) fn gauge(&self, index: usize) -> Option<&Gauge> {
        self.gauges.get(index)
    }

    /// Draws the next turn.
    pub(crate) fn turn(&self, index: usize) -> u64 {
        self.turns.get(index).map_or(0, |turn| turn.fetch_add(1, Ordering::Relaxed))
    }

    /// Slots of their own in the same state, for decisions that nobody is to feel.
    pub(crate) fn copy(&self) -> Slots {
        let slot = |slot: &Slot| Slot {
            breaker: slot.breaker.copy(),
            retries: slot.retries.copy(),
            hedges: slot.hedges.copy(),
        };
        let turn = |turn: &AtomicU64| AtomicU64::new(turn.load(Ordering::Relaxed));
        Slots {
            targets: self.targets.iter().map(slot).collect(),
            gauges: self.gauges.iter().map(Gauge::copy).collect(),
            turns: self.turns.iter().map(turn).collect(),
        }
    }
}
