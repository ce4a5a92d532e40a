//! What requests share: breakers, gauges, turns and budgets, kept per config and target.
//!
//! A route takes its slots when it is compiled, so no request ever looks for them; all that is in them is atomic. A config
//! that needs none of it never comes here.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::balance::Gauge;
use crate::breaker::Breaker;
use crate::keys::rest::Rest;
use crate::retry::Budget;

/// Most bytes that a slot takes.
pub(crate) const SLOT_BYTES_MAX: usize = 100;
/// Most slots ([`SLOT_BYTES_MAX`] each), so some MiB in all. Routes that are still there keep theirs.
const SLOTS_MAX: usize = 1 << 16;
/// What is left when there are more. What was taken least recently goes, and goes in one sweep, so that a client that
/// sends a new config with each request does not have all the others looked through each time.
const SLOTS_LEFT: usize = SLOTS_MAX / 4 * 3;

/// How many shared slots a route needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) targets: usize,
    pub(crate) gauges: usize,
    pub(crate) turns: usize,
}

impl Sizes {
    /// All together, and one for keeping them.
    pub(crate) fn total(self) -> usize {
        self.targets + self.gauges + self.turns + 1
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Sizes::default()
    }
}

/// Everything that requests share. One for the process.
#[derive(Debug, Default)]
pub struct State(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By the content of the config.
    entries: BTreeMap<u64, Entry>,
    size: usize,
    /// How often slots were taken.
    takes: u64,
    /// What is known of keys, by their identity: of those that a configuration still has.
    rests: BTreeMap<u64, Weak<Rest>>,
}

#[derive(Debug)]
struct Entry {
    slots: Arc<Slots>,
    /// When they were taken last, as a count of takes.
    taken: u64,
}

impl State {
    /// The slots of a config, made if they are not there; `None` for one that needs none.
    pub(crate) fn take(&self, content: u64, sizes: Sizes) -> Option<Arc<Slots>> {
        (!sizes.is_empty())
            .then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).take(content, sizes))
    }

    /// What is known of the key of this identity: what was known before, if a configuration still has it.
    pub(crate) fn rest(&self, identity: u64) -> Arc<Rest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rest(identity)
    }
}

impl Kept {
    fn take(&mut self, content: u64, sizes: Sizes) -> Arc<Slots> {
        self.takes += 1;
        if let Some(entry) = self.entries.get_mut(&content) {
            entry.taken = self.takes;
            return entry.slots.clone();
        }
        self.size += sizes.total();
        if self.size > SLOTS_MAX {
            self.sweep();
        }
        let slots = Arc::new(Slots::new(sizes));
        self.entries.insert(content, Entry { slots: slots.clone(), taken: self.takes });
        slots
    }

    fn rest(&mut self, identity: u64) -> Arc<Rest> {
        if let Some(rest) = self.rests.get(&identity).and_then(Weak::upgrade) {
            return rest;
        }
        self.rests.retain(|_, rest| rest.strong_count() > 0);
        let rest = Arc::<Rest>::default();
        self.rests.insert(identity, Arc::downgrade(&rest));
        rest
    }

    fn sweep(&mut self) {
        let idle = self.entries.iter().filter(|(_, entry)| Arc::strong_count(&entry.slots) == 1);
        let mut by_age: Vec<(u64, u64)> = idle.map(|(content, entry)| (entry.taken, *content)).collect();
        by_age.sort_unstable();
        for (_, content) in by_age {
            if self.size <= SLOTS_LEFT {
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

#[cfg(not(all(test, loom)))]
const _: () = assert!(size_of::<Slot>() <= SLOT_BYTES_MAX && size_of::<Gauge>() <= SLOT_BYTES_MAX);

impl Slots {
    fn new(sizes: Sizes) -> Slots {
        Slots {
            targets: (0..sizes.targets).map(|_| Slot::default()).collect(),
            gauges: (0..sizes.gauges).map(|_| Gauge::default()).collect(),
            turns: (0..sizes.turns).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn sizes(&self) -> Sizes {
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
