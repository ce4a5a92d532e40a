//! What guardrails found, in Portkey's words: `hook_results` in the answer of another gateway, and in what is sent to be kept
//! (<https://portkey.ai/docs/product/guardrails>, <https://github.com/Portkey-AI/gateway>, `src/middlewares/hooks/types.ts`).
//!
//! What a check looked at (`data`) is passed over: it may be what was asked, and stands in the body of the answer.

mod events;

use http::{HeaderMap, StatusCode};
use ostia_dialect::json::Document;
use ostia_store::{
    Actor, CHECKS_MAX, CheckResult, GUARDRAILS_MAX, GuardrailPhase, GuardrailResult, RESULT_NAME_BYTES_MAX,
    RecordError,
};
use serde_json::{Map, Value};

pub use events::HookEvents;

/// The field in which answers have them.
pub const FIELD: &str = "hook_results";
/// Largest answer that is searched for them, in bytes.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Largest results that are read in an answer, in bytes of JSON: their checks may repeat what was asked.
const RESULTS_BYTES_MAX: usize = 256 << 10;
/// Longest message of a check's error that is kept, in bytes.
const MESSAGE_BYTES_MAX: usize = 1000;
/// A guardrail found fault with the request or the answer and let it pass, or did not.
const PASSED_WITH_FAULT: u16 = 246;
const DENIED: u16 = 446;
/// Portkey's own header, which each of its answers has
/// (<https://portkey.ai/docs/api-reference/inference-api/response-schema>).
const TRACE_ID: &str = "x-portkey-trace-id";
/// The lists that there are.
const PHASES: [(&str, GuardrailPhase); 2] = [
    ("before_request_hooks", GuardrailPhase::BeforeRequest),
    ("after_request_hooks", GuardrailPhase::AfterRequest),
];

/// A field that makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where it stands.
    pub field: String,
    /// What it must be.
    pub what: String,
}

/// May an answer with this head tell them? The bodies of all others are not searched.
pub fn may_be_told(status: StatusCode, headers: &HeaderMap) -> bool {
    matches!(status.as_u16(), PASSED_WITH_FAULT | DENIED) || headers.contains_key(TRACE_ID)
}

/// Those that stand in an answer, as far as they can be read.
pub fn of_answer(body: &[u8]) -> Vec<GuardrailResult> {
    if body.len() > ANSWER_BYTES_MAX {
        return Vec::new();
    }
    // Deep enough to find the field, whose value is read on its own.
    let Ok(document) = Document::parse_to(body, 1) else { return Vec::new() };
    let told = document.root().get(FIELD).map(|told| told.text());
    let told = told.filter(|told| told.len() <= RESULTS_BYTES_MAX);
    let told: Option<Value> = told.and_then(|told| serde_json::from_str(told).ok());
    told.as_ref().map(readable).unwrap_or_default()
}

/// Those that can be read, and no more than are kept.
pub fn readable(told: &Value) -> Vec<GuardrailResult> {
    let hooks = PHASES.iter().flat_map(|(list, phase)| {
        let hooks = told[*list].as_array().map(Vec::as_slice).unwrap_or_default();
        hooks.iter().filter_map(|hook| of_hook(hook, "", *phase).ok())
    });
    hooks.take(GUARDRAILS_MAX).collect()
}

/// All of them, whose fields' names begin so.
///
/// # Errors
/// The first field that makes no sense.
pub fn read(told: &Value, place: &str) -> Result<Vec<GuardrailResult>, Wrong> {
    let told = fields(told, place)?;
    let mut all = Vec::new();
    for (list, phase) in PHASES {
        let place = format!("{place}.{list}");
        for (at, hook) in listed(told.get(list), &place, GUARDRAILS_MAX)?.iter().enumerate() {
            let place = format!("{place}[{at}]");
            listed(hook.get("checks"), &format!("{place}.checks"), CHECKS_MAX)?;
            all.push(of_hook(hook, &place, phase)?);
        }
    }
    match all.len() {
        ..=GUARDRAILS_MAX => Ok(all),
        _ => Err(wrong(place, format!("must have at most {GUARDRAILS_MAX} results"))),
    }
}

fn of_hook(hook: &Value, place: &str, phase: GuardrailPhase) -> Result<GuardrailResult, Wrong> {
    let told = fields(hook, place)?;
    let verdict = needed_flag(told, "verdict", place)?;
    let (denies, runs_beside) = (flag(told, "deny", place)?, flag(told, "async", place)?);
    let checks = listed(told.get("checks"), &format!("{place}.checks"), usize::MAX)?;
    let checks = checks.iter().take(CHECKS_MAX).enumerate();
    Ok(GuardrailResult {
        id: needed_name(told, "id", place)?,
        name: name(told, "name", place)?,
        by: Actor::Upstream,
        phase,
        verdict,
        // One that runs beside the request only tells what it found.
        denied: denies && !runs_beside && !verdict,
        transformed: flag(told, "transformed", place)?,
        duration_us: micros(told, place)?,
        checks: checks
            .map(|(at, check)| of_check(check, &format!("{place}.checks[{at}]")))
            .collect::<Result<_, _>>()?,
    })
}

fn of_check(check: &Value, place: &str) -> Result<CheckResult, Wrong> {
    let told = fields(check, place)?;
    Ok(CheckResult {
        id: needed_name(told, "id", place)?,
        verdict: needed_flag(told, "verdict", place)?,
        transformed: flag(told, "transformed", place)?,
        duration_us: micros(told, place)?,
        error: error(told, place)?,
    })
}

/// An object with the name of an exception and its message, or a message alone.
fn error(told: &Map<String, Value>, place: &str) -> Result<Option<RecordError>, Wrong> {
    let message = |text: &str| Some(text[..text.floor_char_boundary(MESSAGE_BYTES_MAX)].to_owned());
    match told.get("error") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            Ok(Some(RecordError { class: "error".to_owned(), code: None, message: message(text) }))
        }
        Some(Value::Object(error)) => Ok(Some(RecordError {
            class: name(error, "name", &format!("{place}.error"))?.unwrap_or_else(|| "error".to_owned()),
            code: None,
            message: error.get("message").and_then(Value::as_str).and_then(message),
        })),
        Some(_) => Err(wrong(&format!("{place}.error"), "must be an object or a text")),
    }
}

fn fields<'v>(value: &'v Value, place: &str) -> Result<&'v Map<String, Value>, Wrong> {
    value.as_object().ok_or_else(|| wrong(place, "must be an object"))
}

/// A list, which may be missing.
fn listed<'v>(value: Option<&'v Value>, place: &str, most: usize) -> Result<&'v [Value], Wrong> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) if list.len() <= most => Ok(list),
        Some(Value::Array(_)) => Err(wrong(place, format!("must have at most {most} entries"))),
        Some(_) => Err(wrong(place, "must be a list")),
    }
}

fn flag(told: &Map<String, Value>, field: &str, place: &str) -> Result<bool, Wrong> {
    match told.get(field) {
        None | Some(Value::Null) => Ok(false),
        Some(_) => needed_flag(told, field, place),
    }
}

fn needed_flag(told: &Map<String, Value>, field: &str, place: &str) -> Result<bool, Wrong> {
    let flag = told.get(field).and_then(Value::as_bool);
    flag.ok_or_else(|| wrong(&format!("{place}.{field}"), "must be true or false"))
}

/// A text that is kept to its first bytes.
fn name(told: &Map<String, Value>, field: &str, place: &str) -> Result<Option<String>, Wrong> {
    match told.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => needed_name(told, field, place).map(Some),
    }
}

fn needed_name(told: &Map<String, Value>, field: &str, place: &str) -> Result<String, Wrong> {
    let text = told.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| wrong(&format!("{place}.{field}"), "must be a text that is not empty"))?;
    Ok(text[..text.floor_char_boundary(RESULT_NAME_BYTES_MAX)].to_owned())
}

/// How long it took, which is told in milliseconds.
fn micros(told: &Map<String, Value>, place: &str) -> Result<Option<u64>, Wrong> {
    match told.get("execution_time") {
        None | Some(Value::Null) => Ok(None),
        Some(time) => match time.as_f64().filter(|ms| *ms >= 0.0) {
            Some(ms) => Ok(Some((ms * 1000.0).round() as u64)),
            None => Err(wrong(&format!("{place}.execution_time"), "must be milliseconds")),
        },
    }
}

fn wrong(field: &str, what: impl Into<String>) -> Wrong {
    Wrong { field: field.to_owned(), what: what.into() }
}

#[cfg(test)]
mod tests;
