//! `strategy`, and the small objects of numbers: `sticky`, `cb_config`, `retry`, `cache`.

use serde_json::Value;

use super::fields::{Field, Path, Report, fields};
use super::{
    Breaker, CACHE_MAX_AGE_S_MAX, CONDITIONS_MAX, Cache, CacheMode, Condition, Mode, RETRY_ATTEMPTS_MAX,
    Redacted, Retry, Sticky, Strategy, query, read,
};
use crate::nearest;

const MODES: [Mode; 4] = [Mode::Single, Mode::Fallback, Mode::Loadbalance, Mode::Conditional];
const STRATEGY_FIELDS: [&str; 6] =
    ["mode", "on_status_codes", "conditions", "default", "sticky", "cb_config"];
const STICKY_FIELDS: [&str; 3] = ["enabled", "hash_fields", "ttl"];
const RETRY_FIELDS: [&str; 4] =
    ["attempts", "on_status_codes", "use_retry_after_header", "use_retry_after_headers"];
const CACHE_FIELDS: [&str; 2] = ["mode", "max_age"];
const BREAKER_FIELDS: [&str; 5] = [
    "failure_threshold",
    "failure_threshold_percentage",
    "cooldown_interval",
    "failure_status_codes",
    "minimum_requests",
];

/// Reads a strategy. What refers to targets by name is checked where the targets are known.
pub(super) fn read_strategy(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Strategy> {
    let given = fields(path, value, report)?;
    let mut mode = None;
    let (mut on_status_codes, mut conditions, mut default) = (None, None, None);
    let (mut sticky, mut breaker) = (None, None);
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "mode" => mode = read_mode(path, value, report),
            "on_status_codes" => on_status_codes = read::status_codes(path, value, report),
            "conditions" => conditions = read::list(path, value, CONDITIONS_MAX, report, read_condition),
            "default" => default = read::text(path, value, report),
            "sticky" => sticky = read_sticky(path, value, report),
            "cb_config" => breaker = read_breaker(path, value, report),
            _ => report.unknown(field, STRATEGY_FIELDS),
        }
    }
    check(path, mode, &given, report);
    let conditions = conditions.unwrap_or_default();
    Some(Strategy { mode: mode?, on_status_codes, conditions, default, sticky, breaker })
}

fn check(path: &Path<'_>, mode: Option<Mode>, given: &[Field<'_>], report: &mut Report) {
    let has = |name: &str| given.iter().find(|field| field.name == name);
    let Some(mode) = mode else {
        if has("mode").is_none() {
            report.problem_hint(
                path,
                "has no `mode`",
                "add `\"mode\"`: single, fallback, loadbalance or conditional",
            );
        }
        return;
    };
    if mode == Mode::Conditional {
        let empty = has("conditions").is_none_or(|field| field.value.as_array().is_some_and(Vec::is_empty));
        if empty {
            report.problem_hint(
                path,
                "is conditional and has no `conditions`",
                "add `conditions`: [{query, then}]",
            );
        }
        if has("default").is_none() {
            let hint = "add `default`, the name of the target when no condition is true";
            report.problem_hint(path, "is conditional and has no `default`", hint);
        }
    }
    let only = [
        ("on_status_codes", Mode::Fallback),
        ("conditions", Mode::Conditional),
        ("default", Mode::Conditional),
        ("sticky", Mode::Loadbalance),
    ];
    for (name, works_in) in only {
        if let Some(field) = has(name).filter(|_| mode != works_in) {
            let message =
                format!("has no effect in mode {}, only in mode {}", mode.as_str(), works_in.as_str());
            report.warning(&field.path, message);
        }
    }
}

fn read_mode(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Mode> {
    let text = read::text(path, value, report)?;
    let mode = MODES.into_iter().find(|mode| mode.as_str() == text);
    if mode.is_none() {
        let hint = match nearest(&text, MODES.map(Mode::as_str)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "the modes differ in how a target is chosen".to_owned(),
        };
        report.problem_hint(path, "must be single, fallback, loadbalance or conditional", hint);
    }
    mode
}

fn read_condition(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Condition> {
    let given = fields(path, value, report)?;
    let (mut query, mut then) = (None, None);
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "query" => query = query::check(path, value, report).then(|| Redacted(value.clone())),
            "then" => then = read::text(path, value, report),
            _ => report.unknown(field, ["query", "then"]),
        }
    }
    for missing in ["query", "then"] {
        if !given.iter().any(|field| field.name == missing) {
            report.problem_hint(
                path,
                format!("has no `{missing}`"),
                "a condition is {\"query\": {...}, \"then\": \"name\"}",
            );
        }
    }
    Some(Condition { query: query?, then: then? })
}

fn read_sticky(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Sticky> {
    let mut sticky = Sticky { enabled: false, hash_fields: Vec::new(), ttl_s: None };
    for field in &fields(path, value, report)? {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "enabled" => sticky.enabled = read::boolean(path, value, report).unwrap_or_default(),
            "hash_fields" => sticky.hash_fields = read::texts(path, value, report).unwrap_or_default(),
            "ttl" => sticky.ttl_s = read::integer(path, value, 1..=CACHE_MAX_AGE_S_MAX, report),
            _ => report.unknown(field, STICKY_FIELDS),
        }
    }
    if sticky.enabled && sticky.hash_fields.is_empty() {
        let hint = "add `hash_fields`, for example [\"metadata.user_id\"]";
        report.problem_hint(path, "is enabled and names no `hash_fields`", hint);
    }
    Some(sticky)
}

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
                breaker.failure_threshold_percentage = read::number(path, value, 0.0..=100.0, report);
            }
            "cooldown_interval" => {
                let bounds = COOLDOWN_MS_MIN..=super::REQUEST_TIMEOUT_MS_MAX;
                breaker.cooldown_interval_ms = read::integer(path, value, bounds, report);
            }
            "failure_status_codes" => breaker.failure_status_codes = read::status_codes(path, value, report),
            "minimum_requests" => {
                breaker.minimum_requests = read::integer(path, value, 0..=COUNT_MAX, report)
            }
            _ => report.unknown(field, BREAKER_FIELDS),
        }
    }
    Some(breaker)
}

/// Reads `retry`. Portkey's documentation writes `use_retry_after_headers` on one page and without the `s` on another.
pub(super) fn read_retry(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Retry> {
    let given = fields(path, value, report)?;
    let mut attempts = None;
    let mut retry = Retry { attempts: 0, on_status_codes: None, use_retry_after_header: false };
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "attempts" => attempts = read::integer(path, value, 0..=RETRY_ATTEMPTS_MAX, report),
            "on_status_codes" => retry.on_status_codes = read::status_codes(path, value, report),
            "use_retry_after_header" | "use_retry_after_headers" => {
                retry.use_retry_after_header = read::boolean(path, value, report).unwrap_or_default();
            }
            _ => report.unknown(field, RETRY_FIELDS),
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
            _ => report.unknown(field, CACHE_FIELDS),
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
