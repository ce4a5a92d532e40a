//! Where records of requests are kept.
//!
//! Cores hand records over through a [`Queue`] that never waits; one thread makes them plain, puts prices on them and writes them
//! in batches into one SQLite file, together with sums by minute, hour and day. Whoever wants to read does so on threads of its own
//! ([`Readers`]). Nothing here knows HTTP, and nothing here is waited for by a request.
//!
//! Refused: to keep headers at all, so that no credential can be among them; to take an unknown price for nothing; to hold up
//! the gateway because of a disk.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod batches;
mod body;
mod counter;
mod database;
mod feedback;
mod finisher;
mod health;
mod insert;
mod mask;
mod metrics;
mod orders;
mod price;
mod query;
mod queue;
mod reader;
mod record;
mod reprice;
mod retention;
mod rollup;
#[cfg(test)]
mod scale;
mod spans;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod writer;

pub use batches::{
    BATCHES_FILE_NAME, BatchFault, BatchStatus, BatchStore, BatchesClosed, FilePurpose, Listed,
    Page as BatchPage, Paging, Removed, SECRET_BYTES, StoredBatch, StoredFile, Tables, Times,
};
pub use body::{Kept, Missing};
pub use counter::Counter;
pub use database::{DataDirectory, FILE_NAME, NoDirectory};
pub use feedback::{Feedback, FeedbackChange, NotTheirs, VALUES as FEEDBACK_VALUES};
pub use finisher::{Finisher, Observer};
pub use health::Health;
pub use mask::mask_text;
pub use metrics::{BreakerGauge, Gauges, METRICS_MEDIA_TYPE, MetricLabels, Metrics};
pub use orders::{Done, Orders};
pub use price::{Priced, Prices, Pricing};
pub use query::{Column, Filter, Page, PageSize, STATUS_CLASSES};
pub use queue::{Queue, Unwritten};
pub use reader::{
    Busy, Fact, FeedbackTally, Found, GroupBy, GroupRow, ReadError, Reader, Readers, Session, Tally,
};
pub use record::{Attempt, Cost, Outcome, Record, RecordError, Usage};
pub use reprice::{Progress, reprice};
pub use retention::Retention;
pub use spans::{AppLog, Joined, Span};
pub use steps::{POINTS_MAX, StepError, Steps};
pub use summary::{Durations, Group, Grouping, Line, Series, Sums};
pub use writer::{FLUSH_WITHIN, Store};
