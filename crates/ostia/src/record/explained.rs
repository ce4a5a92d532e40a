//! What explain tells of a request: from what is remembered of it, or from its record; and of decisions in a header.

use http::HeaderValue;
use ostia_dialect::Usage;
use ostia_routing as routing;
use ostia_routing::keys::KeyUse;
use ostia_store::{GuardrailResult, GuardrailVerdict};
use serde_json::{Value, json};

use super::decisions::SharedDecisions;
use super::facts::Facts;

/// Most bytes of decisions that are told in a header. Servers in front may take no more than 8 KiB.
const HEADER_BYTES_MAX: usize = 6 << 10;

/// What is remembered.
pub(super) fn of_remembered(facts: &Facts, decisions: Option<&SharedDecisions>) -> Value {
    let text = |value: &Option<HeaderValue>| {
        value.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let mut told = json!({
        "trace_id": text(&facts.trace_id),
        "provider": text(&facts.attempt.provider),
        "status": facts.status(),
        "dropped": facts.attempt.dropped,
    });
    if let Some(usage) = facts.count().usage() {
        told["usage"] = told_usage(&usage);
    }
    if let Some(finish) = facts.finish() {
        told["finish_reason"] = finish.openai().into();
    }
    if let Some(first_token) = facts.first_token() {
        told["first_token_ms"] = (first_token.as_millis() as u64).into();
    }
    if let Some(cache) = facts.cache() {
        told["cache"] = cache.as_str().into();
    }
    if let Some(guardrails) = facts.attempt.guardrails {
        told["guardrails"] = guardrails.as_str().into();
    }
    add_key(facts.attempt.key.as_deref(), &mut told);
    if let Some(record) = decisions.and_then(SharedDecisions::record) {
        told["decisions"] = serde_json::to_value(record).unwrap_or_default();
    }
    told
}

/// The same of a record as the store tells it: what the ring of its core has forgotten. Which of the operator's keys was shown is not
/// kept.
pub fn of_kept(record: &Value) -> Value {
    let attempts = record["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_answer = |attempt: &&Value| matches!(attempt["outcome"].as_str(), Some("answered" | "broken"));
    let attempt = attempts.iter().rev().find(is_answer).or(attempts.last()).unwrap_or(&Value::Null);
    let mut told = json!({
        "trace_id": record["trace_id"],
        "provider": attempt["provider"].as_str().unwrap_or_default(),
        "status": record["status"],
        "dropped": attempt["dropped"].as_array().map(Vec::as_slice).unwrap_or_default(),
    });
    let first_token_ms = record["first_token_us"].as_u64().map(|us| Value::from(us / 1000));
    for (name, value) in [
        ("usage", attempt.get("usage").map(told_usage_kept)),
        ("finish_reason", record.get("finish_reason").cloned()),
        ("first_token_ms", first_token_ms),
        ("cache", record["cache"].get("status").cloned()),
        ("guardrails", guardrails_kept(&record["guardrails"])),
        ("decisions", record.get("decisions").cloned()),
    ] {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            told[name] = value;
        }
    }
    told
}

/// What all guardrails of a record come to.
fn guardrails_kept(results: &Value) -> Option<Value> {
    let results: Vec<GuardrailResult> = serde_json::from_value(results.clone()).ok()?;
    GuardrailVerdict::of(&results).map(|verdict| verdict.as_str().into())
}

/// The tokens of a record, by the names that are told of a remembered one.
fn told_usage_kept(usage: &Value) -> Value {
    const NAMES: [&str; 6] = [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    ];
    NAMES.into_iter().filter_map(|name| Some((name, usage.get(name)?.clone()))).collect()
}

/// Says which key was shown, and which ones rest.
pub fn add_key(key: Option<&KeyUse>, told: &mut Value) {
    let Some(Value::Object(fields)) = key.and_then(|key| serde_json::to_value(key).ok()) else { return };
    for (name, value) in fields {
        told[name] = value;
    }
}

/// Tokens in OpenAI's words; those that are a part of others only where the provider counts them.
fn told_usage(usage: &Usage) -> Value {
    let parts = [
        ("cached_tokens", usage.cached),
        ("cache_write_tokens", usage.cache_written),
        ("reasoning_tokens", usage.reasoning),
    ];
    let mut told = json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total(),
    });
    for (name, count) in parts {
        if let Some(count) = count {
            told[name] = count.into();
        }
    }
    told
}

/// The decisions on one request, as JSON on one line.
pub fn header(record: &routing::Record, dropped: &[String], key: Option<&KeyUse>) -> HeaderValue {
    let mut told = serde_json::to_value(record).unwrap_or_default();
    add_key(key, &mut told);
    if !dropped.is_empty() {
        told["dropped"] = dropped.into();
    }
    let text = ascii(&told.to_string());
    let text = match text.len() > HEADER_BYTES_MAX {
        true => {
            json!({"result": record.result, "attempts": record.attempts, "bytes": text.len()}).to_string()
        }
        false => text,
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("{}"))
}

/// JSON on one line, its texts escaped where a header could not hold them.
pub fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        // Line breaks and tabs stand only between values. The one control character that a text may hold as it is, is the
        // last one of ASCII.
        if letter < '\u{7f}' {
            text.push(letter.max(' '));
        } else {
            let escaped = letter
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            text.push_str(&escaped);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_in_openais_words() {
        let usage =
            Usage { prompt: 5, completion: 3, cached: Some(0), reasoning: Some(2), ..Usage::default() };
        assert_eq!(
            told_usage(&usage),
            json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8, "cached_tokens": 0,
                   "reasoning_tokens": 2})
        );
    }

    #[test]
    fn a_record_is_told_as_what_is_remembered() {
        let record = json!({
            "trace_id": "t", "status": 200, "finish_reason": "stop", "first_token_us": 2500, "decisions": {"result": "answered"},
            "cache": {"status": "hit", "by": "upstream"},
            "guardrails": [{"id": "g", "by": "upstream", "phase": "before_request", "verdict": false},
                           {"id": "h", "by": "upstream", "phase": "before_request", "verdict": true}],
            "attempts": [
                {"provider": "a", "outcome": "failed", "dropped": ["x"]},
                {"provider": "b", "outcome": "answered", "usage": {"prompt_tokens": 5, "completion_tokens": 3,
                 "total_tokens": 8, "cached_tokens": 2, "web_searches": 1}},
                {"provider": "c", "outcome": "abandoned"},
            ],
        });
        let usage =
            json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8, "cached_tokens": 2});
        assert_eq!(
            of_kept(&record),
            json!({"trace_id": "t", "provider": "b", "status": 200, "dropped": [], "usage": usage,
                   "finish_reason": "stop", "first_token_ms": 2, "cache": "hit", "guardrails": "failed",
                   "decisions": {"result": "answered"}})
        );
        let refused =
            json!({"trace_id": "t", "status": 400, "attempts": [], "finish_reason": null, "decisions": null});
        assert_eq!(of_kept(&refused), json!({"trace_id": "t", "provider": "", "status": 400, "dropped": []}));
    }

    #[test]
    fn headers_hold_every_text() {
        let told = ascii("{\"a\":\"\u{e9}\u{1f600}\\n\",\r\n\t\"b\":\"\u{7f}\"}");
        assert_eq!(told, r#"{"a":"\u00e9\ud83d\ude00\n",   "b":"\u007f"}"#);
        assert_eq!(
            serde_json::from_str::<Value>(&told).ok(),
            Some(json!({"a": "\u{e9}\u{1f600}\n", "b": "\u{7f}"}))
        );
    }
}
