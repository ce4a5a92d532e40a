//! The time, as routing counts it.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ostia_routing::Time;

/// Since the first time that anybody asked.
pub fn now() -> Time {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Time::from_micros(u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// How long until then; nothing if it has passed.
pub fn until(time: Time) -> Duration {
    time.since(now())
}
