//! Spans of applications and what they logged, as OpenTelemetry tells them: kept for the view of a trace.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Most spans, and most logs, of one trace that are told.
pub(crate) const TOLD_MAX: u32 = 5000;

/// A span.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Span {
    /// Which trace, in hexadecimal.
    #[serde(skip)]
    pub trace_id: String,
    /// Its own id (16 hexadecimal digits).
    pub span_id: String,
    /// The span that it stands below.
    pub parent_span_id: Option<String>,
    /// What it is of.
    pub name: String,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub kind: String,
    /// The sender's name of the program (`service.name`).
    pub service: Option<String>,
    /// The library that made it.
    pub scope: Option<String>,
    /// When it began, in milliseconds since 1970, to the microsecond.
    pub started_ms: f64,
    /// How long it took.
    pub duration_us: u64,
    /// `ok`, `error`, or neither.
    pub status: Option<String>,
    /// What the sender says of that.
    pub status_message: Option<String>,
    /// What else it says.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// What happened in it: each with `name`, `at_ms` and `attributes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Value>,
    /// How much the sender, or the gateway, left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u32,
    /// Whose key it was sent with; none for operators.
    pub key: Option<String>,
}

/// Something that an application logged within a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AppLog {
    /// Which trace, in hexadecimal.
    #[serde(skip)]
    pub trace_id: String,
    /// In which span.
    pub span_id: Option<String>,
    /// When, in milliseconds since 1970.
    pub at_ms: f64,
    /// How much it matters, in the sender's words: `INFO`.
    pub severity: Option<String>,
    /// What was said.
    pub body: Value,
    /// What else.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// The sender's name of the program.
    pub service: Option<String>,
    /// Whose key it was sent with; none for operators.
    pub key: Option<String>,
}

/// What joins a trace besides requests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Joined {
    /// Spans, in the order in which they came.
    pub spans: Vec<Span>,
    /// Logs, the same.
    pub logs: Vec<AppLog>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Span {
    /// As it is kept.
    pub(crate) fn document(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl AppLog {
    /// As it is kept.
    pub(crate) fn document(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What was kept so, each once: senders repeat what they had no answer for, and a log has no name of its own to be known again by.
pub(crate) fn read<T: for<'d> Deserialize<'d>>(documents: impl IntoIterator<Item = String>) -> Vec<T> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for document in documents {
        if !seen.contains(&document) {
            all.extend(serde_json::from_str(&document).ok());
            seen.insert(document);
        }
    }
    all
}
