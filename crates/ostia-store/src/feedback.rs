//! What people thought of answers: a value and its weight for a trace.

use serde::Serialize;
use serde_json::Value;

/// Least and largest value.
pub const VALUES: std::ops::RangeInclusive<i64> = -10..=10;

/// What somebody thought of the answers of a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Feedback {
    /// Its own name: nobody else has it.
    pub id: String,
    /// Which trace.
    #[serde(skip)]
    pub trace_id: String,
    /// When it came, in milliseconds since 1970.
    pub created_ms: i64,
    /// One of [`VALUES`].
    pub value: i64,
    /// How much it counts, from 0 to 1.
    pub weight: f64,
    /// More about it: an object.
    pub metadata: Option<Value>,
    /// Whose key it was sent with; none for operators.
    #[serde(skip)]
    pub key: Option<String>,
}

/// Another value, weight or metadata; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeedbackChange {
    /// Instead of the value.
    pub value: Option<i64>,
    /// Instead of the weight.
    pub weight: Option<f64>,
    /// Instead of the metadata.
    pub metadata: Option<Value>,
}

/// There is no such trace or feedback, or it is not the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTheirs(pub String);
