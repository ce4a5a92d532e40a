//! The gateway's own API as a document, held against OpenAPI's schema by a validator of others.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::anthropic;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::programs;
use crate::wire::{Ask, PATIENCE};

#[test]
fn the_document_is_there_for_everybody() {
    let gateway = Gateway::with("auth: {keys: [pk-client]}");
    let reply = Ask::new("GET", "/v1/openapi.json").to(&gateway);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let document: Value = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    assert!(document["paths"]["/v1/logs"]["get"]["parameters"].as_array().unwrap().len() > 20);
    assert_eq!(Ask::post("/v1/openapi.json", "{}").to(&gateway).status, 405);
}

#[test]
fn a_validator_of_others_finds_nothing_wrong_with_it() {
    let Some(python) = programs::python() else { return };
    let gateway = Gateway::start();
    let document = Ask::new("GET", "/v1/openapi.json").to(&gateway);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, document.text()).unwrap();
    let output = Command::new(python).args(["-m", "openapi_spec_validator"]).arg(&path).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// The shapes that one stands for: what it refers to, and its parts.
fn parts<'d>(document: &'d Value, shape: &'d Value) -> Vec<&'d Value> {
    if let Some(name) = shape["$ref"].as_str() {
        return parts(document, document.pointer(&name[1..]).unwrap());
    }
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|of| shape[of].as_array());
    let below: Vec<_> = lists.flatten().flat_map(|part| parts(document, part)).collect();
    if below.is_empty() { vec![shape] } else { below }
}

/// Collects the fields of an answer that its shapes do not tell.
fn look(document: &Value, shapes: &[&Value], answer: &Value, at: &str, untold: &mut Vec<String>) {
    let parts: Vec<&Value> = shapes.iter().flat_map(|shape| parts(document, shape)).collect();
    for entry in answer.as_array().into_iter().flatten() {
        let of: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
        look(document, &of, entry, &format!("{at}[]"), untold);
    }
    let is_told = parts.iter().any(|part| part["properties"].is_object());
    let free: Vec<&Value> = parts.iter().filter_map(|part| part.get("additionalProperties")).collect();
    for (name, value) in answer.as_object().into_iter().flatten() {
        let named: Vec<&Value> = parts.iter().filter_map(|part| part["properties"].get(name)).collect();
        let at = format!("{at}.{name}");
        match named.is_empty() {
            true if is_told && free.is_empty() => untold.push(at),
            true => look(document, &free, value, &at, untold),
            false => look(document, &named, value, &at, untold),
        }
    }
}

#[test]
fn answers_have_the_fields_that_the_document_tells() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(anthropic::message("a"))));
    let message = json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]});
    for system in ["one", "two"] {
        let mut body = message.clone();
        body["system"] = system.into();
        let ask = Ask::post_at(&upstream, "anthropic", "/v1/messages", body.to_string());
        let ask = ask.header("x-ostia-session", "s").header("x-ostia-trace-id", TRACE);
        assert_eq!(ask.to(&gateway).status, 200);
    }
    let span = json!({"traceId": TRACE, "spanId": "00f067aa0ba902b7", "name": "checkout", "kind": 1,
                      "startTimeUnixNano": "1764400000000000000", "endTimeUnixNano": "1764400001000000000"});
    let log =
        json!({"traceId": TRACE, "timeUnixNano": "1764400000500000000", "body": {"stringValue": "low"}});
    for (path, body) in [
        ("/v1/otel/v1/traces", json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})),
        ("/v1/otel/v1/logs", json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]})),
    ] {
        let end = Instant::now() + PATIENCE;
        // Right after the start there may be nothing to write to yet.
        while Ask::post(path, body.to_string()).to(&gateway).status != 200 {
            assert!(Instant::now() < end, "{path}");
            thread::sleep(Duration::from_millis(20));
        }
    }
    let end = Instant::now() + PATIENCE;
    while Ask::new("GET", "/v1/logs").to(&gateway).json()["data"].as_array().is_none_or(|all| all.len() < 2) {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(20));
    }
    let export = Ask::post("/v1/logs/exports", json!({"filters": {}}).to_string()).to(&gateway);
    assert_eq!(export.status, 200, "{}", export.text());
    let document = Ask::new("GET", "/v1/openapi.json").to(&gateway).json();
    let mut untold = Vec::new();
    for (path, asked) in [
        ("/v1/logs", "/v1/logs".to_owned()),
        ("/v1/sessions", "/v1/sessions".to_owned()),
        ("/v1/traces/{trace_id}", format!("/v1/traces/{TRACE}")),
        ("/v1/explain/{trace_id}", format!("/v1/explain/{TRACE}")),
        ("/v1/analytics/summary", "/v1/analytics/summary?group_by=model".to_owned()),
        ("/v1/analytics/series", "/v1/analytics/series?since=1h".to_owned()),
        ("/v1/analytics/cache", "/v1/analytics/cache?since=1h".to_owned()),
        ("/v1/analytics/summary/cache", "/v1/analytics/summary/cache".to_owned()),
        ("/v1/logs/exports", "/v1/logs/exports".to_owned()),
        ("/v1/gateway/providers", "/v1/gateway/providers".to_owned()),
        ("/v1/gateway/config", "/v1/gateway/config".to_owned()),
        ("/v1/models", "/v1/models".to_owned()),
        ("/ready", "/ready".to_owned()),
    ] {
        let reply = Ask::new("GET", &asked).to(&gateway);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let shape =
            &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(shape.is_object(), "{path}");
        look(&document, &[shape], &reply.json(), path, &mut untold);
    }
    assert_eq!(untold, Vec::<String>::new());
}
