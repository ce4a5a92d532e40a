//! What a writer of logs says of caches and guardrails, in Portkey's words: `cache_status` and `cache_type`, `hook_results`, or what the
//! answer has of them in its headers and its body.

use ostia_dialect::Fault;
use ostia_store::{CacheResult, CacheStatus, GuardrailResult};
use serde_json::{Map, Value};

use super::writes::{given, wrong};
use crate::record::{answer_cache, hook_results};

/// Words of `cache_type`.
const SIMPLE: &str = "simple";
const SEMANTIC: &str = "semantic";

/// What a cache did, as an entry says itself, or else the headers of its answer.
///
/// # Errors
/// 400 for words that are none.
pub(super) fn cache(
    entry: &Map<String, Value>,
    response: &Map<String, Value>,
    place: &str,
) -> Result<Option<CacheResult>, Fault> {
    let told = match given(entry, "cache_status") {
        Some(told) => Some(answer_cache::told(status(told, place)?)),
        None => response.get("headers").and_then(of_headers),
    };
    let is_semantic = match given(entry, "cache_type").map(Value::as_str) {
        None => false,
        Some(Some(kind)) if kind.eq_ignore_ascii_case(SIMPLE) => false,
        Some(Some(kind)) if kind.eq_ignore_ascii_case(SEMANTIC) => true,
        Some(_) => return Err(wrong(&format!("{place}cache_type"), "must be simple or semantic")),
    };
    let semantic = |told: CacheResult| match told.status {
        CacheStatus::Hit => CacheResult { status: CacheStatus::SemanticHit, ..told },
        CacheStatus::Miss => CacheResult { status: CacheStatus::SemanticMiss, ..told },
        CacheStatus::SemanticHit
        | CacheStatus::SemanticMiss
        | CacheStatus::Refresh
        | CacheStatus::Disabled => told,
    };
    Ok(told.map(|told| if is_semantic { semantic(told) } else { told }))
}

fn status(told: &Value, place: &str) -> Result<CacheStatus, Fault> {
    let status = told.as_str().and_then(answer_cache::status);
    let names = || CacheStatus::ALL.map(CacheStatus::as_str).join(", ");
    status.ok_or_else(|| wrong(&format!("{place}cache_status"), &format!("must be one of {}", names())))
}

/// Headers are not kept, but what they say of a cache is.
fn of_headers(headers: &Value) -> Option<CacheResult> {
    let lines = headers.as_object()?;
    answer_cache::read(|| {
        lines.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?.as_bytes())))
    })
}

/// What guardrails found: as an entry says itself, where each field has to make sense, or else as its answer says, as far as that can be
/// read.
///
/// # Errors
/// 400 for a field that makes no sense.
pub(super) fn guardrails(
    entry: &Map<String, Value>,
    body: Option<&Value>,
    place: &str,
) -> Result<Vec<GuardrailResult>, Fault> {
    let Some(told) = given(entry, hook_results::FIELD) else {
        let of_answer = body.and_then(|body| body.get(hook_results::FIELD));
        return Ok(of_answer.map(hook_results::readable).unwrap_or_default());
    };
    let place = format!("{place}{}", hook_results::FIELD);
    hook_results::read(told, &place).map_err(|error| wrong(&error.field, &error.what))
}

/// The body of the answer as it is kept: with the results that were told beside it. It is kept for as long as bodies are, and what is
/// masked in bodies is masked in it.
pub(super) fn with_results(entry: &Map<String, Value>, body: Option<&Value>) -> Option<Value> {
    let told = given(entry, hook_results::FIELD)?;
    let mut whole = body?.as_object()?.clone();
    whole.entry(hook_results::FIELD).or_insert_with(|| told.clone());
    Some(whole.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn told(entry: Value, headers: Value) -> Result<Option<&'static str>, String> {
        let response = json!({"headers": headers});
        let told = cache(entry.as_object().unwrap(), response.as_object().unwrap(), "[1].");
        told.map(|told| told.map(|told| told.status.as_str()))
            .map_err(|fault| fault.param.unwrap_or_default())
    }

    #[test]
    fn what_a_writer_says_of_a_cache() {
        let check = |entry: Value, headers: Value, expected: Result<Option<&'static str>, &str>| {
            assert_eq!(told(entry.clone(), headers), expected.map_err(str::to_owned), "{entry}");
        };
        check(json!({}), Value::Null, Ok(None));
        check(json!({"cache_status": null, "cache_type": null}), Value::Null, Ok(None));
        check(json!({"cache_status": "HIT"}), Value::Null, Ok(Some("hit")));
        check(json!({"cache_status": "HIT", "cache_type": "simple"}), Value::Null, Ok(Some("hit")));
        check(
            json!({"cache_status": "hit", "cache_type": "semantic"}),
            Value::Null,
            Ok(Some("semantic_hit")),
        );
        check(
            json!({"cache_status": "MISS", "cache_type": "SEMANTIC"}),
            Value::Null,
            Ok(Some("semantic_miss")),
        );
        check(json!({"cache_status": "refreshed"}), Value::Null, Ok(Some("refresh")));
        check(json!({}), json!({"X-Portkey-Cache-Status": "SEMANTIC HIT"}), Ok(Some("semantic_hit")));
        check(json!({}), json!({"x-portkey-cache-status": ["HIT"]}), Ok(None));
        check(json!({}), json!("x-portkey-cache-status: HIT"), Ok(None));
        // What is said in so many words goes before a header.
        check(json!({"cache_status": "miss"}), json!({"cf-aig-cache-status": "HIT"}), Ok(Some("miss")));
        check(json!({"cache_status": "perhaps"}), Value::Null, Err("[1].cache_status"));
        check(json!({"cache_status": true}), Value::Null, Err("[1].cache_status"));
        check(json!({"cache_type": "redis"}), Value::Null, Err("[1].cache_type"));
        check(json!({"cache_status": "hit", "cache_type": 1}), Value::Null, Err("[1].cache_type"));
    }

    #[test]
    fn results_stand_in_the_body_that_is_kept() {
        let check = |entry: Value, body: Value, expected: Option<Value>| {
            assert_eq!(with_results(entry.as_object().unwrap(), Some(&body)), expected);
        };
        check(json!({}), json!({"id": "c"}), None);
        check(json!({"hook_results": {"a": 1}}), json!("text"), None);
        let both = json!({"id": "c", "hook_results": {"a": 1}});
        check(json!({"hook_results": {"a": 1}}), json!({"id": "c"}), Some(both.clone()));
        check(json!({"hook_results": {"a": 2}}), both.clone(), Some(both));
    }
}
