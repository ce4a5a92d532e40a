//! Portkey's routing config. The schema is the one that ours follows, so that most of it stays as it is; virtual keys become
//! providers, and what is not there yet is taken out, since a config that asks for it is refused.

use serde_json::{Map, Value, json};

use super::{Imported, Notes, yaml};

/// Fields that mean the same, in snake case.
const SAME: &[&str] = &[
    "anthropic_beta",
    "anthropic_version",
    "api_key",
    "conditions",
    "custom_host",
    "default",
    "drop_params",
    "forward_headers",
    "id",
    "mistral_fim_completion",
    "mode",
    "name",
    "on_status_codes",
    "openai_beta",
    "openai_organization",
    "openai_project",
    "override_params",
    "passthrough",
    "provider",
    "request_timeout",
    "strict_open_ai_compliance",
    "weight",
];
/// Fields that are not there, by how their names begin, and what to do about them.
const MISSING: &[(&str, &str)] = &[
    ("cache", "there is no cache yet"),
    ("input_guardrails", "there are no guardrails yet"),
    ("output_guardrails", "there are no guardrails yet"),
    ("default_input_guardrails", "there are no guardrails yet"),
    ("default_output_guardrails", "there are no guardrails yet"),
    ("before_request_hooks", "there are no guardrails yet"),
    ("after_request_hooks", "there are no guardrails yet"),
    ("input_mutators", "there are no mutators yet"),
    ("output_mutators", "there are no mutators yet"),
    ("prompt_id", "there are no stored prompts: send the messages"),
    ("fetch_integrated_models", "there are no integrations: list `models` under the provider"),
    ("aws_", "there is no sign-in at Amazon Bedrock yet"),
    (
        "azure_",
        "there is no sign-in at Azure yet: name its OpenAI-compatible address as base_url of a provider",
    ),
    ("vertex_", "there is no sign-in at Vertex AI yet"),
];
/// Of retries.
const RETRY: &[&str] = &["attempts", "on_status_codes", "use_retry_after_header", "use_retry_after_headers"];
/// Of circuit breakers.
const BREAKER: &[&str] = &[
    "cooldown_interval",
    "failure_status_codes",
    "failure_threshold",
    "failure_threshold_percentage",
    "minimum_requests",
];
/// Of sticky balancing.
const STICKY: &[&str] = &["enabled", "hash_fields", "ttl"];
/// Most retries, at Portkey too.
const ATTEMPTS_MAX: u64 = 5;
/// The least pause of a breaker, in ms.
const COOLDOWN_MIN: u64 = 30_000;

pub(super) fn translate(file: &Value) -> Imported {
    let mut notes = Notes::default();
    let config = level(file, "", &mut notes);
    let text = format!(
        "# Portkey's config, under a name for the header `x-ostia-config` (or `x-portkey-config`).\n{}",
        yaml::write(&json!({"configs": {"imported": config}}))
    );
    Imported { text, verdicts: notes.0 }
}

fn level(value: &Value, path: &str, notes: &mut Notes) -> Value {
    let Some(fields) = value.as_object() else { return value.clone() };
    let mut out = Map::new();
    for (given, value) in fields {
        let name = snake(given);
        let path = if path.is_empty() { given.clone() } else { format!("{path}.{given}") };
        field(&name, value, &path, &mut out, notes);
    }
    Value::Object(out)
}

fn field(name: &str, value: &Value, path: &str, out: &mut Map<String, Value>, notes: &mut Notes) {
    let missing = MISSING.iter().find(|(begins, _)| name.starts_with(begins));
    match name {
        "strategy" => drop(out.insert(name.into(), strategy(value, path, notes))),
        "targets" => {
            let targets = value.as_array().into_iter().flatten().enumerate();
            let targets =
                targets.map(|(at, target)| level(target, &format!("{path}[{at}]"), notes)).collect();
            out.insert(name.into(), targets);
        }
        "retry" => drop(out.insert(name.into(), part(value, path, RETRY, notes))),
        "cb_config" => drop(out.insert(name.into(), part(value, path, BREAKER, notes))),
        "virtual_key" => {
            let id = value.as_str().unwrap_or_default().trim_start_matches('@');
            out.insert("provider".into(), format!("@{id}").into());
            notes.near(
                path,
                format!("a provider: write one with the id `{id}` and its api_key under `providers`"),
            );
        }
        "provider" if value.as_str().is_some_and(|id| id.starts_with('@')) => {
            out.insert(name.into(), value.clone());
            let id = value.as_str().unwrap_or_default().trim_start_matches('@');
            notes
                .near(path, format!("write a provider with the id `{id}` and its api_key under `providers`"));
        }
        _ if SAME.contains(&name) => {
            out.insert(name.into(), value.clone());
            notes.exact(path, "");
        }
        _ => notes.missing(path, missing.map_or("no such field is known", |(_, why)| why)),
    }
}

fn strategy(value: &Value, path: &str, notes: &mut Notes) -> Value {
    let mut out = Map::new();
    for (given, value) in value.as_object().into_iter().flatten() {
        let (name, path) = (snake(given), format!("{path}.{given}"));
        match name.as_str() {
            "sticky" | "sticky_session" => {
                out.insert("sticky".into(), part(value, &path, STICKY, notes));
            }
            "cb_config" => drop(out.insert(name, part(value, &path, BREAKER, notes))),
            "on_status_codes" if is_loadbalance(out.get("mode")) => {
                out.insert(name, value.clone());
                notes
                    .near(&path, "a balanced target that fails with one of these is followed by another one");
            }
            "mode" | "on_status_codes" | "conditions" | "default" => {
                out.insert(name, value.clone());
                notes.exact(&path, "");
            }
            _ => notes.missing(&path, "no such field is known"),
        }
    }
    Value::Object(out)
}

fn is_loadbalance(mode: Option<&Value>) -> bool {
    mode.and_then(Value::as_str) == Some("loadbalance")
}

/// An object of fields that are all known, within their bounds.
fn part(value: &Value, path: &str, known: &[&str], notes: &mut Notes) -> Value {
    let mut out = Map::new();
    for (given, value) in value.as_object().into_iter().flatten() {
        let (name, path) = (snake(given), format!("{path}.{given}"));
        let number = value.as_u64();
        match name.as_str() {
            "attempts" if number.is_some_and(|attempts| attempts > ATTEMPTS_MAX) => {
                out.insert(name, ATTEMPTS_MAX.into());
                notes.near(&path, format!("{ATTEMPTS_MAX} at most"));
            }
            "cooldown_interval" if number.is_some_and(|pause| pause < COOLDOWN_MIN) => {
                out.insert(name, COOLDOWN_MIN.into());
                notes.near(&path, format!("{COOLDOWN_MIN} ms at least"));
            }
            _ if known.contains(&name.as_str()) => {
                out.insert(name, value.clone());
                notes.exact(&path, "");
            }
            _ => notes.missing(&path, "no such field is known"),
        }
    }
    Value::Object(out)
}

/// `onStatusCodes`: `on_status_codes`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
