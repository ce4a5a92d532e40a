//! How long the pieces of an answer are waited for.

use std::time::Duration;

use tokio::time::Instant;

/// How long to wait for pieces of an answer: each must come within `idle` of the last, all of them before `end`.
#[derive(Debug, Clone, Copy)]
pub struct ReadDeadline {
    idle: Duration,
    end: Instant,
    last: Instant,
}

impl ReadDeadline {
    /// Starts now.
    pub fn new(idle: Duration, end: Instant) -> ReadDeadline {
        ReadDeadline { idle, end, last: Instant::now() }
    }

    /// A piece has come.
    pub fn renew(&mut self) {
        self.last = Instant::now();
    }

    /// When the last piece came.
    pub fn last(&self) -> Instant {
        self.last
    }

    /// When all of them have to be there.
    pub fn end(&self) -> Instant {
        self.end
    }

    /// When the next piece has to be there.
    pub fn due(&self) -> Instant {
        (self.last + self.idle).min(self.end)
    }
}
