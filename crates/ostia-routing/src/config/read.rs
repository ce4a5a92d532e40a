//! Values of a known kind. Each reader gives the value, or says what is wrong and gives `None`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::report::{Path, Report};
use super::{LIST_MAX, REQUEST_TIMEOUT_MS_MAX, Redacted, Statuses};

/// What a JSON value is, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Whether a value is nested at most `levels` deep.
pub(super) fn depth_within(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return false };
    match value {
        Value::Array(items) => items.iter().all(|item| depth_within(item, below)),
        Value::Object(map) => map.values().all(|item| depth_within(item, below)),
        _ => true,
    }
}

/// A text that is not empty.
pub(super) fn text(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => {
            report.problem_hint(path, "is empty", "give a value, or leave the field out");
            None
        }
        Value::String(text) => Some(text.clone()),
        _ => wrong(path, value, "a text", report),
    }
}

/// One of several words.
pub(super) fn one_of<T: Copy>(
    path: &Path<'_>,
    text: &str,
    words: &[(&'static str, T)],
    report: &mut Report,
) -> Option<T> {
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*meant);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let message = match names.split_last() {
        Some((last, rest)) => format!("must be {} or {last}", rest.join(", ")),
        None => "has no possible value".to_owned(),
    };
    match report.nearest(text, names) {
        Some(name) => report.problem_hint(path, message, format!("did you mean `{name}`?")),
        None => report.problem(path, message),
    }
    None
}

/// True or false.
pub(super) fn boolean(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<bool> {
    match value {
        Value::Bool(given) => Some(*given),
        _ => wrong(path, value, "true or false", report),
    }
}

/// A whole number within bounds; `3.0` is one too.
pub(super) fn integer(
    path: &Path<'_>,
    value: &Value,
    bounds: RangeInclusive<u64>,
    report: &mut Report,
) -> Option<u64> {
    let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
    let Value::Number(number) = value else { return wrong(path, value, &expected, report) };
    let whole = number.as_u64().or_else(|| number.as_f64().and_then(whole));
    match whole.filter(|whole| bounds.contains(whole)) {
        Some(whole) => Some(whole),
        None => {
            report.problem(path, format!("must be {expected}, not {number}"));
            None
        }
    }
}

/// A time in milliseconds: 1 to [`REQUEST_TIMEOUT_MS_MAX`].
pub(super) fn time_ms(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<u64> {
    integer(path, value, 1..=REQUEST_TIMEOUT_MS_MAX, report)
}

/// The integer that a float says exactly.
fn whole(number: f64) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let exact = number.fract() == 0.0 && (0.0..=EXACT_MAX).contains(&number);
    exact.then_some(number as u64)
}

/// A number within bounds.
pub(super) fn number(
    path: &Path<'_>,
    value: &Value,
    bounds: RangeInclusive<f64>,
    report: &mut Report,
) -> Option<f64> {
    let expected = match bounds.end().is_finite() {
        true => format!("a number from {} to {}", bounds.start(), bounds.end()),
        false => format!("a number of at least {}", bounds.start()),
    };
    let Value::Number(given) = value else { return wrong(path, value, &expected, report) };
    match given.as_f64().filter(|given| given.is_finite() && bounds.contains(given)) {
        Some(given) => Some(given),
        None => {
            report.problem(path, format!("must be {expected}, not {given}"));
            None
        }
    }
}

/// A list of at most `max` items, each read by `item`. Items that are wrong are reported and left out.
pub(super) fn list<T>(
    path: &Path<'_>,
    value: &Value,
    max: usize,
    report: &mut Report,
    mut item: impl FnMut(&Path<'_>, &Value, &mut Report) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::Array(items) = value else { return wrong(path, value, "a list", report) };
    if items.len() > max {
        report.problem(path, format!("has {} entries; at most {max} are allowed", items.len()));
        return None;
    }
    let read = items.iter().enumerate();
    Some(read.filter_map(|(index, value)| item(&path.index(index), value, report)).collect())
}

/// A list of texts.
pub(super) fn texts(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<Vec<String>> {
    list(path, value, LIST_MAX, report, text)
}

/// A list of HTTP statuses. 246 and 446 are the gateway's own for guardrail verdicts.
pub(super) fn status_codes(path: &Path<'_>, value: &Value, report: &mut Report) -> Statuses {
    let statuses = list(path, value, LIST_MAX, report, |path, value, report| {
        integer(path, value, 100..=599, report).and_then(|status| u16::try_from(status).ok())
    });
    statuses.map(Arc::from)
}

/// An object that is kept as it is.
pub(super) fn object(
    path: &Path<'_>,
    value: &Value,
    report: &mut Report,
) -> Option<Redacted<Map<String, Value>>> {
    match value {
        Value::Object(map) => Some(Redacted(map.clone())),
        _ => wrong(path, value, "an object", report),
    }
}

/// An absolute `http` or `https` URL that carries no credentials. Whether its host may be called is for the egress
/// guard to say, which knows the addresses.
pub(super) fn url(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<String> {
    let text = text(path, value, report)?;
    match url_fault(&text) {
        None => Some(text),
        Some(fault) => {
            report.problem_hint(path, fault, "write it like `https://host.example/v1`");
            None
        }
    }
}

fn url_fault(text: &str) -> Option<&'static str> {
    if text.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
        return Some("is not a URL: it contains spaces, control characters or backslashes");
    }
    let scheme = text.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    let Some((_, rest)) = scheme.filter(|(scheme, _)| scheme == "http" || scheme == "https") else {
        return Some("must be an http or https URL");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("must not contain a user name or password");
    }
    if rest.contains(['?', '#']) {
        return Some("must end with its path, without `?` and `#`");
    }
    authority_fault(authority)
}

fn authority_fault(authority: &str) -> Option<&'static str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if let Some(port) = port
        && !port.parse::<u16>().is_ok_and(|port| port > 0)
    {
        return Some("has a port that is no number from 1 to 65535");
    }
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let good = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    };
    (!good).then_some("has no valid host name")
}

/// Reports a value of the wrong kind.
pub(super) fn wrong<T>(path: &Path<'_>, value: &Value, expected: &str, report: &mut Report) -> Option<T> {
    report.problem(path, format!("must be {expected}, not {}", kind(value)));
    None
}
