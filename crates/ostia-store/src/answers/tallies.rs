//! Counts that no sums are kept of: by a fact and a step, by what clients say, and by what people thought.

/// Most counts of one answer: there may be as many users as clients care to name. The smallest are left out.
pub(crate) const TALLIES_MAX: usize = 100_000;

/// What requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The user, as metadata names one (`_user`).
    User,
    /// The status of those that failed.
    Failure,
    /// How many attempts failed before the same target answered.
    Retries,
    /// Another target answered than the first one.
    Fallback,
}

/// So many requests of a step have this fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// When the step begins.
    pub start_ms: i64,
    /// The fact, as text.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// What requests are put together by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// The provider.
    Provider,
    /// The model.
    Model,
    /// What metadata has under this name.
    Metadata(String),
}

/// Requests that have something in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupRow {
    /// What.
    pub name: String,
    /// How many.
    pub requests: u64,
    /// Their cost in 10^-9 of a dollar, as far as it is known.
    pub cost_nano: i64,
    /// Tokens of a request, on average.
    pub avg_tokens: f64,
    /// When the last one came.
    pub last_ms: i64,
    /// How many have feedback, and its weighted average.
    pub feedback: Option<(u64, f64)>,
}

/// Feedback of one value about one model in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedbackTally {
    /// When the step begins.
    pub start_ms: i64,
    /// The value.
    pub value: i64,
    /// The model of the trace's first request, where it is known.
    pub model: Option<String>,
    /// How many.
    pub count: u64,
    /// All values times their weights.
    pub weighted: f64,
}
