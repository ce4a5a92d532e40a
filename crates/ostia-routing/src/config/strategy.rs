//! `strategy`: how to choose among targets.

use std::sync::Arc;

use serde_json::Value;

use super::fields::{Field, fields};
use super::report::{Path, Report};
use super::settings::read_breaker;
use super::{
    Balance, CACHE_MAX_AGE_S_MAX, CONDITIONS_MAX, Condition, LIST_MAX, Mode, Redacted, Sticky, Strategy,
    query, read,
};
use crate::outcome::Class;

const MODES: [Mode; 4] = [Mode::Single, Mode::Fallback, Mode::Loadbalance, Mode::Conditional];
const BALANCES: [Balance; 5] = [
    Balance::Weighted,
    Balance::RoundRobin,
    Balance::LeastPending,
    Balance::LeastLatency,
    Balance::LeastCost,
];
pub(super) const STRATEGY_FIELDS: [&str; 8] =
    ["mode", "on_status_codes", "stop_on", "balance", "conditions", "default", "sticky", "cb_config"];
/// The modes in which a field has an effect.
const WORKS_IN: [(&str, &[Mode]); 6] = [
    ("on_status_codes", &[Mode::Fallback, Mode::Loadbalance]),
    ("stop_on", &[Mode::Fallback, Mode::Loadbalance]),
    ("balance", &[Mode::Loadbalance]),
    ("conditions", &[Mode::Conditional]),
    ("default", &[Mode::Conditional]),
    ("sticky", &[Mode::Loadbalance]),
];
pub(super) const CONDITION_FIELDS: [&str; 2] = ["query", "then"];
pub(super) const STICKY_FIELDS: [&str; 3] = ["enabled", "hash_fields", "ttl"];

/// Reads a strategy. What refers to targets by name is checked where the targets are known.
pub(super) fn read_strategy(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Strategy> {
    let given = fields(path, value, report)?;
    let mut mode = None;
    let (mut on_status_codes, mut conditions, mut default) = (None, None, None);
    let (mut stop_on, mut balance, mut sticky, mut breaker) = (None, None, None, None);
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "mode" => mode = read_mode(path, value, report),
            "on_status_codes" => on_status_codes = read::status_codes(path, value, report),
            "stop_on" => stop_on = read::list(path, value, LIST_MAX, report, read_class),
            "balance" => balance = read_balance(path, value, report),
            "conditions" => conditions = read::list(path, value, CONDITIONS_MAX, report, read_condition),
            "default" => default = read::text(path, value, report),
            "sticky" => sticky = read_sticky(path, value, report),
            "cb_config" => breaker = read_breaker(path, value, report).map(Arc::new),
            _ => report.unknown(&field.path, &field.name, STRATEGY_FIELDS),
        }
    }
    check(path, mode, &given, report);
    let conditions = conditions.unwrap_or_default();
    Some(Strategy { mode: mode?, on_status_codes, stop_on, balance, conditions, default, sticky, breaker })
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
    for (name, modes) in WORKS_IN {
        if let Some(field) = has(name).filter(|_| !modes.contains(&mode)) {
            let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
            let message =
                format!("has no effect in mode {}, only in mode {}", mode.as_str(), modes.join(" or "));
            report.warning(&field.path, message);
        }
    }
}

fn read_mode(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Mode> {
    let text = read::text(path, value, report)?;
    if BALANCES.iter().any(|balance| balance.as_str() == text) {
        let hint = format!("write `\"mode\": \"loadbalance\", \"balance\": \"{text}\"`");
        report.problem_hint(path, "must be single, fallback, loadbalance or conditional", hint);
        return None;
    }
    read::one_of(path, &text, &MODES.map(|mode| (mode.as_str(), mode)), report)
}

fn read_balance(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Balance> {
    let text = read::text(path, value, report)?;
    read::one_of(path, &text, &BALANCES.map(|balance| (balance.as_str(), balance)), report)
}

fn read_class(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Class> {
    let text = read::text(path, value, report)?;
    read::one_of(path, &text, &Class::ALL.map(|class| (class.as_str(), class)), report)
}

fn read_condition(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Condition> {
    let given = fields(path, value, report)?;
    let (mut query, mut then) = (None, None);
    for field in &given {
        let (path, value) = (&field.path, field.value);
        match field.name.as_ref() {
            "query" => query = query::check(path, value, report).then(|| Redacted(value.clone())),
            "then" => then = read::text(path, value, report),
            _ => report.unknown(&field.path, &field.name, CONDITION_FIELDS),
        }
    }
    for missing in CONDITION_FIELDS {
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
            _ => report.unknown(&field.path, &field.name, STICKY_FIELDS),
        }
    }
    if sticky.enabled && sticky.hash_fields.is_empty() {
        let hint = "add `hash_fields`, for example [\"metadata.user_id\"]";
        report.problem_hint(path, "is enabled and names no `hash_fields`", hint);
    }
    Some(sticky)
}
