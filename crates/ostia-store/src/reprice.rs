//! New prices on what was kept: of the catalogue and the operator, as they are now. Where sums are kept they are
//! corrected in the same transaction; ClickHouse adds them up when they are asked for.

use crate::price::Prices;
use crate::record::Record;

/// Requests that are gone through in one transaction, where an engine has them: the gateway, if it runs, waits for no more than these.
pub(crate) const BATCH: u32 = 200;

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Requests to go through.
    pub all: u64,
    /// Those that were gone through.
    pub seen: u64,
    /// Those of them that cost something else now.
    pub changed: u64,
}

/// The same request at the prices that are in force; none where it costs what it did.
pub(crate) fn repriced(old: &Record, prices: &Prices) -> Option<Record> {
    let mut new = old.clone();
    for attempt in &mut new.attempts {
        (attempt.cost, attempt.cost_unknown) = (None, None);
        prices.price(attempt, old.started_ms);
    }
    (new.attempts != old.attempts).then_some(new)
}
