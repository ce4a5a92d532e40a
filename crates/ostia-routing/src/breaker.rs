//! The circuit breaker: a target that keeps failing is left alone for a while, and then asked once.
//!
//! Closed, it counts the outcomes of the last minute. Open, it refuses. After the cooldown it is half-open:
//! one request is let through as a probe, all others are refused until the probe is back. A good probe closes
//! the breaker and forgets the past, a bad one opens it again. A probe that never comes back is replaced
//! after another cooldown.
//!
//! All of it is two kinds of atomic words, so that cores never wait for each other. Their orders are checked
//! with `RUSTFLAGS="--cfg loom" cargo test -p ostia-routing --lib loom` (in a target folder of its own, it
//! rebuilds all).

#[cfg(test)]
mod tests;

#[cfg(all(test, loom))]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(all(test, loom)))]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::config;
use crate::outcome::{Limit, Verdict};
use crate::time::{Time, micros};

/// Failures that open a breaker whose config gives neither a count nor a share.
pub(crate) const FAILURES_DEFAULT: u64 = 5;
/// How long a breaker stays open where the config does not say; the least that it may say.
pub(crate) const COOLDOWN_DEFAULT: Duration = Duration::from_secs(30);
/// Requests before a share of failures counts, where the config does not say.
pub(crate) const REQUESTS_DEFAULT: u64 = 10;
/// How far back outcomes count: six buckets of ten seconds.
const BUCKETS: usize = 6;
const BUCKET_US: u64 = 10_000_000;

/// When a breaker opens.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    failures: Option<u64>,
    share: Option<f64>,
    requests: u64,
    statuses: config::Statuses,
    cooldown: Duration,
}

impl Rule {
    pub(crate) fn new(config: &config::Breaker) -> Rule {
        let share = config.failure_threshold_percentage.map(|percent| percent / 100.0);
        let default = share.is_none().then_some(FAILURES_DEFAULT);
        Rule {
            failures: config.failure_threshold.or(default),
            share,
            requests: config.minimum_requests.unwrap_or(REQUESTS_DEFAULT),
            statuses: config.failure_status_codes.clone(),
            cooldown: config.cooldown_interval_ms.map_or(COOLDOWN_DEFAULT, Duration::from_millis),
        }
    }

    /// Whether a verdict speaks against the target's health (true), for it (false), or says nothing of it.
    fn is_failure(&self, verdict: Verdict) -> Option<bool> {
        let listed = |status: u16, default: bool| {
            Some(self.statuses.as_ref().map_or(default, |statuses| statuses.contains(&status)))
        };
        match verdict {
            Verdict::Success { .. } => Some(false),
            Verdict::Refused { status, .. } => listed(status, status >= 500),
            Verdict::Unreachable | Verdict::Broken | Verdict::BadAnswer => Some(true),
            // The request's own deadline may be short for reasons that are not the target's.
            Verdict::Late(Limit::Deadline) => None,
            Verdict::Late(_) => listed(408, true),
            Verdict::Untranslatable | Verdict::SignIn | Verdict::Denied | Verdict::ClientGone => None,
        }
    }

    fn trips(&self, requests: u64, failures: u64) -> bool {
        let share =
            |share: f64| requests >= self.requests.max(1) && failures as f64 >= share * requests as f64;
        self.failures.is_some_and(|most| failures >= most) || self.share.is_some_and(share)
    }
}

/// What a breaker does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Lets requests through.
    Closed,
    /// Refuses until then.
    Open(Time),
    /// Lets one request through, or waits for it.
    HalfOpen,
}

/// The leave to ask a target; handed back with the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// One of many.
    Usual,
    /// The one request that finds out; holds the word that says so.
    Probe(u64),
}

/// The breaker of one target.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// 0: closed. Otherwise a time in microseconds, times two: open until then; or, plus one, half-open with
    /// a probe that is waited for until then.
    word: AtomicU64,
    /// Outcomes: which ten seconds (24 bits), requests (20), failures (20).
    window: [AtomicU64; BUCKETS],
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker { word: AtomicU64::new(0), window: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Breaker {
    /// What it does now.
    pub(crate) fn state(&self, now: Time) -> State {
        match self.word.load(Ordering::Acquire) {
            0 => State::Closed,
            word if word & 1 == 0 && now < until(word) => State::Open(until(word)),
            _ => State::HalfOpen,
        }
    }

    /// Requests and failures that count now.
    pub(crate) fn counts(&self, now: Time) -> (u64, u64) {
        let current = now.as_micros() / BUCKET_US;
        let buckets = self.window.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let young =
            buckets.filter(|bucket| (current.wrapping_sub(epoch(*bucket)) & EPOCH_MASK) < BUCKETS as u64);
        young.fold((0, 0), |(requests, failed), bucket| (requests + count(bucket), failed + failures(bucket)))
    }

    /// Asks for leave; `None` if the target is to be left alone.
    pub(crate) fn enter(&self, rule: &Rule, now: Time) -> Option<Pass> {
        let word = self.word.load(Ordering::Acquire);
        if word == 0 {
            return Some(Pass::Usual);
        }
        if now < until(word) {
            return None;
        }
        // Of all who find the time over, the one that changes the word is the probe.
        let probe = lease(now.after(rule.cooldown)) | 1;
        let won = self.word.compare_exchange(word, probe, Ordering::AcqRel, Ordering::Acquire);
        won.ok().map(|_| Pass::Probe(probe))
    }

    /// Hands the leave back.
    pub(crate) fn leave(&self, rule: &Rule, pass: Pass, verdict: Verdict, now: Time) {
        let failed = rule.is_failure(verdict);
        match (pass, failed) {
            (Pass::Probe(probe), Some(false)) => {
                self.window.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
                self.change(probe, 0);
            }
            (Pass::Probe(probe), Some(true)) => self.change(probe, lease(now.after(rule.cooldown))),
            // It has found out nothing: the next request is the probe.
            (Pass::Probe(probe), None) => self.change(probe, lease(now)),
            (Pass::Usual, Some(failed)) => self.count(rule, failed, now),
            (Pass::Usual, None) => {}
        }
    }

    fn count(&self, rule: &Rule, failed: bool, now: Time) {
        if self.word.load(Ordering::Acquire) != 0 {
            return;
        }
        let current = now.as_micros() / BUCKET_US;
        let bucket = &self.window[(current % BUCKETS as u64) as usize];
        let counted = |old| Some(counted(old, current & EPOCH_MASK, failed));
        // It never refuses, so there is nothing to look at.
        let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
        let (requests, failures) = self.counts(now);
        if failed && rule.trips(requests, failures) {
            self.change(0, lease(now.after(rule.cooldown)));
        }
    }

    /// Changes the word, unless somebody else has.
    fn change(&self, from: u64, to: u64) {
        let _ = self.word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
    }

    /// A breaker of its own in the same state.
    pub(crate) fn copy(&self) -> Breaker {
        let same = |word: &AtomicU64| AtomicU64::new(word.load(Ordering::Acquire));
        Breaker { word: same(&self.word), window: std::array::from_fn(|index| same(&self.window[index])) }
    }
}

fn lease(until: Time) -> u64 {
    until.as_micros().clamp(1, u64::MAX >> 1) << 1
}

fn until(word: u64) -> Time {
    Time::from_micros(word >> 1)
}

const EPOCH_MASK: u64 = (1 << 24) - 1;
const COUNT_MASK: u64 = (1 << 20) - 1;

fn epoch(bucket: u64) -> u64 {
    bucket >> 40
}

fn count(bucket: u64) -> u64 {
    (bucket >> 20) & COUNT_MASK
}

fn failures(bucket: u64) -> u64 {
    bucket & COUNT_MASK
}

/// The bucket with one more outcome; begun anew where it is of another time. Counts stop at a million.
fn counted(bucket: u64, now: u64, failed: bool) -> u64 {
    let bucket = if epoch(bucket) == now { bucket } else { 0 };
    let requests = (count(bucket) + 1).min(COUNT_MASK);
    let failures = (failures(bucket) + u64::from(failed)).min(COUNT_MASK);
    (now << 40) | (requests << 20) | failures
}

/// The cooldown in whole milliseconds, for explanations.
pub(crate) fn remaining_ms(until: Time, now: Time) -> u64 {
    micros(until.since(now)).div_ceil(1000)
}
