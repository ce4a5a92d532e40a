//! How long what is kept is kept, and how much of it.

use std::time::Duration;

use crate::rollup::WIDTHS_MS;

/// Sums by minute are kept so long: those by hour say the same.
pub(crate) const MINUTES_KEPT: Duration = Duration::from_secs(8 * 86_400);

/// What is kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Records without their bodies, and sums.
    pub records: Duration,
    /// Records without their bodies, in bytes.
    pub record_bytes: u64,
    /// Bodies.
    pub bodies: Duration,
    /// Bodies, compressed, in bytes.
    pub body_bytes: u64,
}

impl Retention {
    /// How long sums of this width are kept.
    pub(crate) fn of_sums(&self, width_ms: i64) -> Duration {
        if width_ms == WIDTHS_MS[0] { MINUTES_KEPT.min(self.records) } else { self.records }
    }
}

impl Default for Retention {
    fn default() -> Retention {
        const DAY: Duration = Duration::from_secs(86_400);
        Retention { records: DAY * 400, record_bytes: 4 << 30, bodies: DAY * 7, body_bytes: 2 << 30 }
    }
}

/// The first moment of what is kept so long.
pub(crate) fn before_ms(now_ms: i64, kept: Duration) -> i64 {
    now_ms.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX))
}
