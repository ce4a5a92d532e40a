//! What is answered, whatever the engine: what engines have in common to find it and put it together, and why there is none. Who asks
//! them ([`Reader`](crate::Reader)) is above; nothing here knows an engine.

mod caches;
mod days;
mod search;
mod sessions;
mod table;
mod tallies;
mod told;

use std::time::Duration;

use serde_json::Value;

pub(crate) use caches::Piece;
pub use caches::{CacheFall, CacheUse, Compared};
pub(crate) use days::{DAY_MS, Time, joined};
pub use search::Found;
pub(crate) use search::{LOOKS_WITHIN, Needles};
pub(crate) use sessions::MODELS_MAX;
pub use sessions::Session;
pub(crate) use table::{LINES_MAX, Table};
pub(crate) use tallies::TALLIES_MAX;
pub use tallies::{Fact, FeedbackTally, GroupBy, GroupRow, Tally};
pub(crate) use told::{Told, paged, plain};

/// How long an answer may take.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Most requests of one trace that are told.
pub(crate) const TRACE_MAX: u32 = 1000;

/// Requests as they are told, and where the next page begins, if there is one.
pub type Listed = (Vec<Value>, Option<String>);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// It took too long.
    TooSlow,
    /// What is kept cannot be read.
    Unreadable(String),
}
