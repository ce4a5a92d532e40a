//! How long one key rests, and why: one word, shared by all cores.

#[cfg(all(test, loom))]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(all(test, loom)))]
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::time::Time;

/// Why a key rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Too many requests.
    RateLimit,
    /// No credit left.
    Quota,
    /// Not accepted.
    Refused,
}

/// The rest of one key.
#[derive(Debug)]
pub(crate) struct Rest(
    /// 0: none. Otherwise the end in microseconds, times four, and why. Nothing else is read because of it, so no order is
    /// needed beside its own.
    AtomicU64,
);

impl Default for Rest {
    fn default() -> Rest {
        Rest(AtomicU64::new(0))
    }
}

impl Rest {
    /// The word, for who may change it later.
    pub(crate) fn word(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Why it rests now, and until when; `None` if it does not.
    pub(crate) fn state(&self, now: Time) -> Option<(Why, Time)> {
        let word = self.word();
        why(word).map(|why| (why, until(word))).filter(|(_, until)| now < *until)
    }

    /// The end of the rest, which may have passed.
    pub(crate) fn until(&self) -> Time {
        until(self.word())
    }

    /// It rests until then. Who knows the present word has the newest answer, which counts; of others the longer rest does.
    pub(crate) fn begin(&self, seen: u64, why: Why, until: Time) {
        let word = packed(why, until);
        if self.0.compare_exchange(seen, word, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            self.0.fetch_max(word, Ordering::Relaxed);
        }
    }

    /// It does not rest any more, unless another rest began since this word was seen.
    pub(crate) fn end(&self, seen: u64) {
        let _ = self.0.compare_exchange(seen, 0, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The rest that it has goes on until then; one that somebody has ended stays ended.
    pub(crate) fn prolong(&self, until: Time) {
        let longer = |word: u64| Some(word.max(packed(why(word)?, until)));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, longer);
    }
}

fn packed(why: Why, until: Time) -> u64 {
    let why = match why {
        Why::RateLimit => 1,
        Why::Quota => 2,
        Why::Refused => 3,
    };
    until.as_micros().min(u64::MAX >> 2) << 2 | why
}

fn why(word: u64) -> Option<Why> {
    match word & 3 {
        1 => Some(Why::RateLimit),
        2 => Some(Why::Quota),
        3 => Some(Why::Refused),
        _ => None,
    }
}

fn until(word: u64) -> Time {
    Time::from_micros(word >> 2)
}
