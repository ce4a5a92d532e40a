//! How the store fares.

/// How the store fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Why nothing can be written at the moment.
    pub problem: Option<String>,
    /// Records that wait.
    pub waiting: usize,
    /// Records that have been written since the start.
    pub written: u64,
    /// Records that were lost since the start, because the queue was full.
    pub lost: u64,
    /// Records that were written without their bodies for the same reason.
    pub lost_bodies: u64,
    /// Attempts whose cost nobody knows.
    pub unpriced: u64,
}
