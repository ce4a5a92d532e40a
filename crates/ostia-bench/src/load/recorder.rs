//! Counts what falls into the measured window.

use std::collections::BTreeMap;
use std::io;

use super::Measured;
use crate::histogram::Histogram;
use crate::workloads::Pace;

/// Chunks later than this were held back by something that waits 40 ms: Nagle's algorithm against a
/// delayed acknowledgement (RFC 1122, 4.2.3.2; Linux waits 40 ms).
const CHUNK_LATE_NS: u64 = 35_000_000;

pub(super) struct Recorder {
    from_ns: u64,
    until_ns: u64,
    /// Open pace: latency is of requests that came due in the window, whenever they were answered.
    by_due: bool,
    answers: u64,
    latency: Histogram,
    first_chunk: Histogram,
    chunk: Histogram,
    errors: u64,
    error_first: Option<String>,
}

impl Recorder {
    /// Counts nothing until there is a window.
    pub(super) fn new(pace: Pace) -> io::Result<Self> {
        Ok(Self {
            from_ns: 0,
            until_ns: 0,
            by_due: pace != Pace::Closed,
            answers: 0,
            latency: Histogram::new()?,
            first_chunk: Histogram::new()?,
            chunk: Histogram::new()?,
            errors: 0,
            error_first: None,
        })
    }

    pub(super) fn window(&mut self, from_ns: u64, until_ns: u64) {
        self.from_ns = from_ns;
        self.until_ns = until_ns;
    }

    fn holds(&self, at_ns: u64) -> bool {
        (self.from_ns..self.until_ns).contains(&at_ns)
    }

    pub(super) fn answered(&mut self, now_ns: u64, from_ns: u64) {
        self.answers += u64::from(self.holds(now_ns));
        if self.holds(if self.by_due { from_ns } else { now_ns }) {
            self.latency.record(now_ns.saturating_sub(from_ns));
        }
    }

    pub(super) fn first_chunk(&mut self, now_ns: u64, from_ns: u64) {
        if self.holds(now_ns) {
            self.first_chunk.record(now_ns.saturating_sub(from_ns));
        }
    }

    pub(super) fn chunk(&mut self, now_ns: u64, sent_ns: u64) {
        if self.holds(now_ns) {
            self.chunk.record(now_ns.saturating_sub(sent_ns));
        }
    }

    /// Counts a wrong answer and gives how many there are.
    pub(super) fn wrong(&mut self, reason: String) -> u64 {
        self.error_first.get_or_insert(reason);
        self.errors += 1;
        self.errors
    }

    pub(super) fn error_first(&self) -> &str {
        self.error_first.as_deref().unwrap_or_default()
    }

    /// What was counted; the rest is for the caller to fill in.
    pub(super) fn measured(&self) -> Measured {
        Measured {
            seconds: 0.0,
            answers: self.answers,
            errors: self.errors,
            error_first: self.error_first.clone(),
            unfinished: 0,
            latency: self.latency.quantiles(),
            chunks: self.chunk.count(),
            first_chunk: self.first_chunk.quantiles(),
            chunk: self.chunk.quantiles(),
            chunks_late: self.chunk.share_above(CHUNK_LATE_NS),
            streams_open: 0,
            reloads: None,
            processes: BTreeMap::new(),
            foreign_cores: 0.0,
        }
    }
}
