//! The time, as an argument.

use std::time::Duration;

/// A moment, in microseconds since some fixed one that all requests share (the start of the process). Enough
/// for half a million years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(u64);

impl Time {
    /// So many microseconds after the fixed moment.
    pub const fn from_micros(micros: u64) -> Time {
        Time(micros)
    }

    /// Microseconds since the fixed moment.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The moment so much later; the last one there is if that is too far.
    pub fn after(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(micros(duration)))
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// A duration in microseconds, or as many as there are.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
