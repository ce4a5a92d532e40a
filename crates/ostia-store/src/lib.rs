//! Where records of requests are kept.
//!
//! Cores hand records over through a [`Queue`] that never waits; one thread makes them plain, puts prices on them and writes them
//! in batches into an engine ([`Place`]), together with sums by minute, hour and day. Whoever wants to read does so on threads of its own
//! ([`Readers`]). Nothing here opens a connection, and nothing here is waited for by a request.
//!
//! Refused: to keep headers at all, so that no credential can be among them; to take an unknown price for nothing; to hold up
//! the gateway because of a disk.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answers;
mod batches;
mod body;
mod clickhouse;
mod columns;
mod conditions;
mod counter;
mod engine;
mod exports;
mod facts;
mod feedback;
mod finisher;
mod health;
mod mask;
mod metrics;
mod network;
mod orders;
mod password;
mod postgres;
mod price;
mod query;
mod queue;
mod reader;
mod record;
mod record_error;
mod reprice;
mod results;
mod retention;
mod rollup;
#[cfg(test)]
mod scale;
mod spans;
mod sqlite;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod trial;
mod write_error;
mod writer;

pub use answers::{
    CacheFall, CacheUse, Compared, Fact, FeedbackTally, Found, GroupBy, GroupRow, ReadError, Session, Tally,
};
pub use batches::{
    BATCHES_FILE_NAME, BatchFault, BatchStatus, BatchStore, BatchesClosed, FilePurpose, HandedOn, Listed,
    Page as BatchPage, Paging, RemoteBatch, Removed, SECRET_BYTES, StoredBatch, StoredFile, StoredTuning,
    Tables, Times, TuningStatus,
};
pub use body::{Kept, Missing};
pub use clickhouse::{ClickHouse, Http, HttpAnswer, HttpCall};
pub use counter::Counter;
pub use engine::{Place, reprice};
pub use exports::{
    BYTES_MAX as EXPORT_BYTES_MAX, EXPORT_FIELDS, ExportFault, ExportJob, ExportPlan, ExportStatus,
    ExportStore, Exports, JOBS_MAX as EXPORTS_MAX, ROWS_MAX as EXPORT_ROWS_MAX,
};
pub use feedback::{Feedback, FeedbackChange, NotTheirs, VALUES as FEEDBACK_VALUES};
pub use finisher::{Finisher, Observer};
pub use health::Health;
pub use mask::mask_text;
pub use metrics::{
    BreakerGauge, Gauges, METRICS_MEDIA_TYPE, MetricLabels, Metrics, PLAIN_METRICS_MEDIA_TYPE,
    plain as plain_metrics,
};
pub use network::{Connect, Connecting, Stream};
pub use orders::{Done, Orders};
pub use password::Password;
pub use postgres::{Encryption, Server};
pub use price::{Priced, Prices, Pricing};
pub use query::{Column, Filter, Page, PageSize, STATUS_CLASSES};
pub use queue::{Queue, Unwritten};
pub use reader::{Busy, Reader, Readers};
pub use record::{Attempt, Cost, Decisions, IMAGE_DEFAULT, Outcome, Record, Usage};
pub use record_error::RecordError;
pub use reprice::Progress;
pub use results::{
    Actor, CHECKS_MAX, CacheResult, CacheStatus, CheckResult, GUARDRAILS_MAX, GuardrailPhase,
    GuardrailResult, GuardrailVerdict, RESULT_NAME_BYTES_MAX,
};
pub use retention::Retention;
pub use spans::{AppLog, Joined, Span};
pub use sqlite::database::{DataDirectory, FILE_NAME, NoDirectory};
pub use steps::{POINTS_MAX, StepError, Steps};
pub use summary::{Durations, Group, Grouping, Line, Series, Sums};
pub use trial::Trial;
pub use writer::{FLUSH_WITHIN, Store};
