//! One of a pool: at random by weight, in turn, by load, by latency, by price, and the same one for the same
//! caller.
//!
//! Every rule chooses among the members that have weight and were not tried yet, so a failed choice is made
//! again among the others.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::hash::{self, Dice, Hash};
use crate::time::{Time, micros};

/// How fast an old latency is forgotten.
const DECAY: Duration = Duration::from_secs(10);
/// What a failure counts as latency, so that a target is not the quickest because it fails at once.
const FAILED: Duration = Duration::from_secs(5);
/// What is assumed of a target that was asked and has not answered yet.
const UNKNOWN_US: f64 = 1_000_000.0;

/// A set of members, by index; members beyond its end are never in a pool (`config::ROOT_TARGETS_MAX`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Set(u128);

impl Set {
    /// Most members of a pool.
    pub(crate) const MEMBERS_MAX: usize = u128::BITS as usize;

    pub(crate) fn insert(&mut self, index: usize) {
        self.0 |= bit(index);
    }

    pub(crate) fn contains(self, index: usize) -> bool {
        self.0 & bit(index) != 0
    }
}

fn bit(index: usize) -> u128 {
    u32::try_from(index).ok().and_then(|index| 1_u128.checked_shl(index)).unwrap_or_default()
}

/// What is chosen from: weights, and who was tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pool<'a> {
    pub(crate) weights: &'a [f64],
    pub(crate) tried: Set,
}

impl Pool<'_> {
    fn candidates(&self) -> impl Iterator<Item = (usize, f64)> {
        let all = self.weights.iter().copied().enumerate();
        all.filter(|(index, weight)| *weight > 0.0 && !self.tried.contains(*index))
    }

    /// By weight, at a place between 0 and 1.
    pub(crate) fn at(&self, place: f64) -> Option<usize> {
        let total: f64 = self.candidates().map(|(_, weight)| weight).sum();
        let mut left = place * total;
        for (index, weight) in self.candidates() {
            left -= weight;
            if left < 0.0 {
                return Some(index);
            }
        }
        // Rounding may leave a crumb behind the last one.
        self.candidates().last().map(|(index, _)| index)
    }

    /// The member whose turn it is. Equal weights go round; others get their share in the order of the golden
    /// ratio, which spreads them about as evenly as can be without a table.
    pub(crate) fn in_turn(&self, turn: u64) -> Option<usize> {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut weights = self.weights.iter().copied().filter(|weight| *weight > 0.0);
        let first = weights.next()?;
        if weights.any(|weight| weight != first) {
            return self.at(hash::unit(turn.wrapping_mul(GOLDEN)));
        }
        let start = turn.checked_rem(self.weights.len() as u64)? as usize;
        let after = self.candidates().find(|(index, _)| *index >= start);
        after.or_else(|| self.candidates().next()).map(|(index, _)| index)
    }

    /// The same member for the same key, for as long as it is there: the highest of all scores, which depend
    /// on key, member and weight only (weighted rendezvous hashing). A changed weight or a member that is out
    /// moves only the keys that have to move.
    pub(crate) fn of_key(&self, key: u64, identities: &[u64]) -> Option<usize> {
        let scored = self.candidates().map(|(index, weight)| {
            let identity = identities.get(index).copied().unwrap_or(index as u64);
            let place = hash::unit(Hash::new().number(key).number(identity).finish());
            (index, -weight / place.max(f64::MIN_POSITIVE).ln())
        });
        scored.max_by(|left, right| left.1.total_cmp(&right.1)).map(|(index, _)| index)
    }

    /// The cheapest for its weight; equal ones in no order.
    pub(crate) fn least(&self, cost: impl Fn(usize) -> f64, dice: &mut Dice) -> Option<usize> {
        let costs = || self.candidates().map(|(index, weight)| (index, cost(index) / weight));
        let least = costs().map(|(_, cost)| cost).min_by(f64::total_cmp)?;
        let equal = || costs().filter(|(_, cost)| cost.total_cmp(&least).is_eq());
        let chosen = dice.index(equal().count());
        equal().map(|(index, _)| index).nth(chosen)
    }

    /// The cheaper of two that are drawn: nearly as good as the cheapest, and cores that know the same do not
    /// all run to the same target.
    pub(crate) fn cheaper_of_two(&self, cost: impl Fn(usize) -> f64, dice: &mut Dice) -> Option<usize> {
        let count = self.candidates().count();
        let first = dice.index(count);
        let second = (first + 1 + dice.index(count.saturating_sub(1))) % count.max(1);
        let drawn = [first, second].map(|place| self.candidates().nth(place));
        let costs = drawn.into_iter().flatten().map(|(index, weight)| (index, cost(index) / weight));
        costs.min_by(|left, right| left.1.total_cmp(&right.1)).map(|(index, _)| index)
    }
}

/// The key of a caller in a time window of `ttl_s`. Each caller's windows begin at a time of its own, so that
/// not all are drawn anew together.
///
/// A choice so lasts until the end of the caller's window, `ttl_s` at most, and every replica knows it
/// without a table that would have to be bounded and shared.
pub(crate) fn sticky_key(caller: u64, ttl_s: u64, unix_s: u64) -> u64 {
    let ttl_s = ttl_s.max(1);
    let window = unix_s.saturating_add(caller % ttl_s) / ttl_s;
    Hash::new().number(caller).number(window).finish()
}

/// What is known of a member: open requests, and the first-token time as a moving average that jumps to every
/// peak and comes down slowly.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    pending: AtomicU32,
    /// Average in microseconds, and when it was taken in milliseconds (both 32 bits); 0 for none.
    latency: AtomicU64,
}

impl Gauge {
    /// A request begins.
    pub(crate) fn begin(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// A request is over.
    pub(crate) fn end(&self) {
        let less = |pending: u32| Some(pending.saturating_sub(1));
        let _ = self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// It took so long to the first token.
    pub(crate) fn observe(&self, latency: Duration, now: Time) {
        let sample = micros(latency) as f64;
        let updated = |old: u64| {
            let (average, age) = unpack(old, now);
            let kept = (-age / DECAY.as_secs_f64()).exp();
            let average = if sample >= average { sample } else { average * kept + sample * (1.0 - kept) };
            Some(pack(average, now))
        };
        let _ = self.latency.fetch_update(Ordering::Relaxed, Ordering::Relaxed, updated);
    }

    /// It failed.
    pub(crate) fn fail(&self, now: Time) {
        self.observe(FAILED, now);
    }

    /// Open requests.
    pub(crate) fn pending(&self) -> u32 {
        self.pending.load(Ordering::Relaxed)
    }

    /// The average as it counts now, in microseconds: it fades, so that a slow target is asked again one day.
    pub(crate) fn latency_us(&self, now: Time) -> Option<f64> {
        let word = self.latency.load(Ordering::Relaxed);
        let (average, age) = unpack(word, now);
        (word != 0).then(|| average * (-age / DECAY.as_secs_f64()).exp())
    }

    /// How little it recommends itself: latency times requests that would be open. An unknown target that
    /// nobody asks costs nothing, and so gets asked.
    pub(crate) fn cost(&self, now: Time) -> f64 {
        let pending = f64::from(self.pending());
        match self.latency_us(now) {
            Some(latency_us) => latency_us * (pending + 1.0),
            None => UNKNOWN_US * pending,
        }
    }

    /// A gauge of its own that shows the same.
    pub(crate) fn copy(&self) -> Gauge {
        let latency = AtomicU64::new(self.latency.load(Ordering::Relaxed));
        Gauge { pending: AtomicU32::new(self.pending()), latency }
    }
}

const LOW: u64 = u32::MAX as u64;

/// At least 1, so that a sample is never taken for none.
fn pack(average_us: f64, now: Time) -> u64 {
    ((average_us as u64).clamp(1, LOW) << 32) | ((now.as_micros() / 1000) & LOW)
}

/// The average in microseconds and its age in seconds. After 49 days the age begins anew, which does no harm.
fn unpack(word: u64, now: Time) -> (f64, f64) {
    let age_ms = (now.as_micros() / 1000).wrapping_sub(word & LOW) & LOW;
    // A sample of another core may be a little younger than now.
    let age_ms = if age_ms > LOW / 2 { 0 } else { age_ms };
    ((word >> 32) as f64, age_ms as f64 / 1000.0)
}
