//! What caches of answers and guardrails did for a request: this gateway's own, or those of another one that it asked.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::record_error::RecordError;

/// Most guardrails of one request that are kept, and most checks of one guardrail.
pub const GUARDRAILS_MAX: usize = 32;
/// See [`GUARDRAILS_MAX`].
pub const CHECKS_MAX: usize = 32;
/// Longest name or id of a guardrail, of a check or of their errors that is kept, in bytes.
pub const RESULT_NAME_BYTES_MAX: usize = 200;

/// What a cache of answers did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CacheResult {
    /// What came of it.
    pub status: CacheStatus,
    /// Whose cache it is.
    pub by: Actor,
    /// How long the answer had been there, in seconds, where that is told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub age_s: Option<u64>,
    /// How near the request is to the one that was answered, from 0 to 1, where that is told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub similarity: Option<f64>,
}

/// What came of looking into a cache of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheStatus {
    /// The answer to the same request was there.
    Hit,
    /// The answer to a request that means the same was there.
    SemanticHit,
    /// There was none, and somebody was asked.
    Miss,
    /// None was near enough, and somebody was asked.
    SemanticMiss,
    /// A new one was wanted, or the one that was there is too old.
    Refresh,
    /// None is kept of such requests.
    Disabled,
}

/// Who did something for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// This gateway.
    Gateway,
    /// Another gateway: one that was asked, or that the request went through in place of this one.
    Upstream,
}

/// What a guardrail found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GuardrailResult {
    /// Its name among those that may be changed, or one that was made for it.
    pub id: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Whose it is.
    pub by: Actor,
    /// When it looked.
    pub phase: GuardrailPhase,
    /// Nothing was wrong.
    pub verdict: bool,
    /// Something was wrong, and so the request, or its answer, was not let through.
    #[serde(skip_serializing_if = "is_false", default)]
    pub denied: bool,
    /// It changed what it looked at.
    #[serde(skip_serializing_if = "is_false", default)]
    pub transformed: bool,
    /// How long it took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_us: Option<u64>,
    /// What its checks found: the first [`CHECKS_MAX`] of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub checks: Vec<CheckResult>,
}

/// When a guardrail looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardrailPhase {
    /// At the request, before it is sent.
    BeforeRequest,
    /// At the answer.
    AfterRequest,
}

/// What one check of a guardrail found. What it looked at is no part of it: that is kept where bodies are, and nowhere else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckResult {
    /// Which check.
    pub id: String,
    /// Nothing was wrong.
    pub verdict: bool,
    /// It changed what it looked at.
    #[serde(skip_serializing_if = "is_false", default)]
    pub transformed: bool,
    /// How long it took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_us: Option<u64>,
    /// Why it could not look: its kind in `class`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<RecordError>,
}

/// What the guardrails of a request come to, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardrailVerdict {
    /// Something was wrong, and it was not let through.
    Denied,
    /// Something was wrong.
    Failed,
    /// Nothing was wrong.
    Passed,
}

fn is_false(fact: &bool) -> bool {
    !*fact
}

impl CacheStatus {
    /// All of them.
    pub const ALL: [CacheStatus; 6] = [
        CacheStatus::Hit,
        CacheStatus::SemanticHit,
        CacheStatus::Miss,
        CacheStatus::SemanticMiss,
        CacheStatus::Refresh,
        CacheStatus::Disabled,
    ];

    /// Did the answer come from the cache?
    pub fn is_hit(self) -> bool {
        matches!(self, CacheStatus::Hit | CacheStatus::SemanticHit)
    }

    /// Its name, as records tell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            CacheStatus::Hit => "hit",
            CacheStatus::SemanticHit => "semantic_hit",
            CacheStatus::Miss => "miss",
            CacheStatus::SemanticMiss => "semantic_miss",
            CacheStatus::Refresh => "refresh",
            CacheStatus::Disabled => "disabled",
        }
    }
}

impl Actor {
    /// Its name, as records tell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Actor::Gateway => "gateway",
            Actor::Upstream => "upstream",
        }
    }
}

impl GuardrailResult {
    /// In a word.
    pub fn told(&self) -> GuardrailVerdict {
        match (self.denied, self.verdict) {
            (true, _) => GuardrailVerdict::Denied,
            (false, false) => GuardrailVerdict::Failed,
            (false, true) => GuardrailVerdict::Passed,
        }
    }
}

impl GuardrailVerdict {
    /// What all of these come to; none where there are none.
    pub fn of(results: &[GuardrailResult]) -> Option<GuardrailVerdict> {
        results.iter().map(GuardrailResult::told).min()
    }

    /// Its name, as it is told.
    pub const fn as_str(self) -> &'static str {
        match self {
            GuardrailVerdict::Denied => "denied",
            GuardrailVerdict::Failed => "failed",
            GuardrailVerdict::Passed => "passed",
        }
    }
}
