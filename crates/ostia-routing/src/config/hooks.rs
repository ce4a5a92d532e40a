//! Hooks, guardrails and mutators: their shape is checked, their parameters belong to whoever runs them.

use serde_json::Value;

use super::fields::{Field, fields, snake_case};
use super::report::{Path, Report};
use super::{LIST_MAX, Redacted, read};

const HOOK_FIELDS: [&str; 9] =
    ["type", "id", "name", "checks", "deny", "async", "sequential", "on_fail", "on_success"];
const CHECK_FIELDS: [&str; 4] = ["id", "parameters", "is_enabled", "name"];

/// `before_request_hooks` and `after_request_hooks`: `[{"type": "guardrail", "checks": [{"id", "parameters"}]}]`.
pub(super) fn read_hooks(path: &Path<'_>, value: &Value, report: &mut Report) -> Vec<Redacted<Value>> {
    let hooks = read::list(path, value, LIST_MAX, report, |path, value, report| {
        check_hook(path, value, report).then(|| Redacted(value.clone()))
    });
    hooks.unwrap_or_default()
}

/// `input_guardrails` and `output_guardrails`: objects whose keys are checks, or ids of saved guardrails.
pub(super) fn read_guardrails(path: &Path<'_>, value: &Value, report: &mut Report) -> Vec<Redacted<Value>> {
    let guardrails = read::list(path, value, LIST_MAX, report, |path, value, report| match value {
        Value::String(_) => read::text(path, value, report).map(|id| Redacted(Value::String(id))),
        _ => check_short_form(path, value, report).then(|| Redacted(value.clone())),
    });
    guardrails.unwrap_or_default()
}

/// `input_mutators` and `output_mutators`: objects whose keys are mutators.
pub(super) fn read_mutators(path: &Path<'_>, value: &Value, report: &mut Report) -> Vec<Redacted<Value>> {
    let mutators = read::list(path, value, LIST_MAX, report, |path, value, report| {
        check_short_form(path, value, report).then(|| Redacted(value.clone()))
    });
    mutators.unwrap_or_default()
}

fn check_hook(path: &Path<'_>, value: &Value, report: &mut Report) -> bool {
    let Some(given) = fields(path, value, report) else { return false };
    for field in &given {
        match field.name.as_ref() {
            "type" => check_type(&field.path, field.value, report),
            "checks" => {
                read::list(&field.path, field.value, LIST_MAX, report, |path, value, report| {
                    check_check(path, value, report);
                    Some(())
                });
            }
            name if !check_common(name, &field.path, field.value, report) => {
                report.unknown(&field.path, &field.name, HOOK_FIELDS)
            }
            _ => {}
        }
    }
    if !given.iter().any(|field| field.name == "type") {
        report.problem_hint(
            path,
            "has no `type`",
            "add `\"type\": \"guardrail\"` or `\"type\": \"mutator\"`",
        );
    }
    true
}

fn check_type(path: &Path<'_>, value: &Value, report: &mut Report) {
    let text = read::text(path, value, report);
    if text.is_some_and(|text| text != "guardrail" && text != "mutator") {
        report.problem(path, "must be guardrail or mutator");
    }
}

fn check_check(path: &Path<'_>, value: &Value, report: &mut Report) {
    let Some(given) = fields(path, value, report) else { return };
    for Field { name, path, value } in &given {
        match name.as_ref() {
            "id" | "name" => drop(read::text(path, value, report)),
            "parameters" => drop(read::object(path, value, report)),
            "is_enabled" => drop(read::boolean(path, value, report)),
            _ => {}
        }
    }
    for field in given.iter().filter(|field| !CHECK_FIELDS.contains(&field.name.as_ref())) {
        report.unknown(&field.path, &field.name, CHECK_FIELDS);
    }
    if !given.iter().any(|field| field.name == "id") {
        report.problem_hint(path, "has no `id`", "add the check's id, for example `default.contains`");
    }
}

/// One object of the short form: reserved settings, and every other key a check with its parameters.
fn check_short_form(path: &Path<'_>, value: &Value, report: &mut Report) -> bool {
    let Value::Object(map) = value else {
        return read::wrong::<()>(path, value, "an object", report).is_some();
    };
    let mut checks = 0;
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let path = path.key(key);
        let name = snake_case(key);
        let reserved =
            name == "type" || name == "guardrail_version_id" || check_common(&name, &path, value, report);
        if !reserved {
            checks += 1;
            read::object(&path, value, report);
        }
    }
    if checks == 0 {
        report.problem_hint(path, "names no check", "add one, for example {\"default.contains\": {...}}");
    }
    true
}

/// What hooks and the short form have in common; false if the name is none of it.
fn check_common(name: &str, path: &Path<'_>, value: &Value, report: &mut Report) -> bool {
    match name {
        "id" | "name" => drop(read::text(path, value, report)),
        "deny" | "async" | "sequential" => drop(read::boolean(path, value, report)),
        "on_fail" | "on_success" => drop(read::object(path, value, report)),
        _ => return false,
    }
    true
}
