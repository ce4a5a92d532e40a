//! The small objects of numbers that any level may have: `cb_config`, `retry`, `hedge`, `cache`.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::fields::fields;
use super::report::{Path, Report};
use super::{
    Breaker, CACHE_MAX_AGE_S_MAX, Cache, CacheMode, Hedge, MidStreamPolicy, REQUEST_TIMEOUT_MS_MAX,
    RETRY_ATTEMPTS_MAX, Retry, read,
};

pub(super) const RETRY_FIELDS: [&str; 6] = [
    "attempts",
    "on_status_codes",
    "use_retry_after_header",
    "use_retry_after_headers",
    "max_wait",
    "budget",
];
pub(super) const HEDGE_FIELDS: [&str; 2] = ["after", "budget"];
const PERCENT: RangeInclusive<f64> = 0.0..=100.0;
pub(super) const CACHE_FIELDS: [&str; 2] = ["mode", "max_age"];
pub(super) const BREAKER_FIELDS: [&str; 5] = [
    "failure_threshold",
    "failure_threshold_percentage",
    "cooldown_interval",
    "failure_status_codes",
    "minimum_requests",
];

/// Reads `cb_config`. The bounds are those of Portkey's documentation.
pub(super) fn read_breaker(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Breaker> {
    const COOLDOWN_MS_MIN: u64 = 30_000;
    const COUNT_MAX: u64 = 1_000_000_000;
    let mut breaker = Breaker::default();
    for field in &fields(path, value, report)? {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "failure_threshold" => {
                breaker.failure_threshold = read::integer(path, value, 1..=COUNT_MAX, report)
            }
            "failure_threshold_percentage" => {
                breaker.failure_threshold_percentage = read::number(path, value, PERCENT, report);
            }
            "cooldown_interval" => {
                let bounds = COOLDOWN_MS_MIN..=REQUEST_TIMEOUT_MS_MAX;
                breaker.cooldown_interval_ms = read::integer(path, value, bounds, report);
            }
            "failure_status_codes" => breaker.failure_status_codes = read::status_codes(path, value, report),
            "minimum_requests" => {
                breaker.minimum_requests = read::integer(path, value, 0..=COUNT_MAX, report)
            }
            _ => report.unknown(&field.path, &field.name, BREAKER_FIELDS),
        }
    }
    Some(breaker)
}

/// Reads `retry`. Portkey's documentation writes `use_retry_after_headers` on one page and without the `s` on
/// another.
pub(super) fn read_retry(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Retry> {
    let given = fields(path, value, report)?;
    let mut attempts = None;
    let mut retry = Retry::default();
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "attempts" => attempts = read::integer(path, value, 0..=RETRY_ATTEMPTS_MAX, report),
            "on_status_codes" => retry.on_status_codes = read::status_codes(path, value, report),
            "use_retry_after_header" | "use_retry_after_headers" => {
                retry.use_retry_after_header = read::boolean(path, value, report).unwrap_or_default();
            }
            "max_wait" => retry.max_wait_ms = read::integer(path, value, 0..=REQUEST_TIMEOUT_MS_MAX, report),
            "budget" => retry.budget_percent = read::number(path, value, PERCENT, report),
            _ => report.unknown(&field.path, &field.name, RETRY_FIELDS),
        }
    }
    if !given.iter().any(|field| field.name == "attempts") {
        report.problem_hint(
            path,
            "has no `attempts`",
            format!("add `attempts`, from 0 to {RETRY_ATTEMPTS_MAX}"),
        );
    }
    retry.attempts = attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or_default();
    Some(retry)
}

/// Reads `hedge`.
pub(super) fn read_hedge(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Hedge> {
    let given = fields(path, value, report)?;
    let (mut after_ms, mut budget_percent) = (None, None);
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "after" => after_ms = read::time_ms(path, value, report),
            "budget" => budget_percent = read::number(path, value, PERCENT, report),
            _ => report.unknown(&field.path, &field.name, HEDGE_FIELDS),
        }
    }
    if !given.iter().any(|field| field.name == "after") {
        report.problem_hint(
            path,
            "has no `after`",
            "add `after`, the milliseconds to wait for the first token",
        );
    }
    Some(Hedge { after_ms: after_ms?, budget_percent })
}

/// Reads `mid_stream`.
pub(super) fn read_mid_stream(
    path: &Path<'_>,
    value: &Value,
    report: &mut Report,
) -> Option<MidStreamPolicy> {
    let text = read::text(path, value, report)?;
    if text == "restart" {
        let hint = "leave it out: a stream that breaks before its first words is a failed attempt, after which `retry` and \
                    the strategy ask again";
        report.problem_hint(path, "must be error or continue; there is no restart", hint);
        return None;
    }
    let words = [MidStreamPolicy::Error, MidStreamPolicy::Continue].map(|policy| (policy.as_str(), policy));
    read::one_of(path, &text, &words, report)
}

/// Reads `cache`: an object, or only its mode as a text (the short form of older documentation).
pub(super) fn read_cache(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Cache> {
    if value.is_string() {
        return read_cache_mode(path, value, report).map(|mode| Cache { mode, max_age_s: None });
    }
    let given = fields(path, value, report)?;
    let (mut mode, mut max_age_s) = (None, None);
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "mode" => mode = read_cache_mode(path, value, report),
            "max_age" => max_age_s = read::integer(path, value, 1..=CACHE_MAX_AGE_S_MAX, report),
            _ => report.unknown(&field.path, &field.name, CACHE_FIELDS),
        }
    }
    if !given.iter().any(|field| field.name == "mode") {
        report.problem_hint(path, "has no `mode`", "add `\"mode\"`: simple or semantic");
    }
    Some(Cache { mode: mode?, max_age_s })
}

fn read_cache_mode(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<CacheMode> {
    match read::text(path, value, report)?.as_str() {
        "simple" => Some(CacheMode::Simple),
        "semantic" => Some(CacheMode::Semantic),
        _ => {
            report.problem(path, "must be simple or semantic");
            None
        }
    }
}
