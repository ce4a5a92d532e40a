//! Explain, for requests that the gateway's cores have forgotten: their records tell the same.

use std::path::Path;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE, Reply, once};

const CHAT: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

fn keeping_in(folder: &Path, config: &str) -> Gateway {
    Setup::new().config(config).env("OSTIA_DATA", &folder.display().to_string()).start()
}

fn explain(gateway: &Gateway, trace_id: &str, key: Option<&str>) -> Reply {
    let ask = Ask::new("GET", &format!("/v1/explain/{trace_id}"));
    match key {
        Some(key) => ask.header("x-ostia-api-key", key).to(gateway),
        None => ask.to(gateway),
    }
}

fn stop(mut gateway: Gateway) {
    gateway.terminate();
    assert!(gateway.wait(PATIENCE).is_some());
}

/// The same once there is something to read: right after the start there may not be.
fn explained_again(gateway: &Gateway, trace_id: &str, key: Option<&str>) -> Reply {
    once(|| match explain(gateway, trace_id, key) {
        reply if reply.status == 404 => Err(format!("no request {trace_id}")),
        reply => Ok(reply),
    })
}

#[test]
fn what_a_core_has_forgotten_is_told_from_its_record() {
    let folder = tempfile::TempDir::new().unwrap();
    let (up, down) = (
        Upstream::always(Answer::json(openai::chat("a"))),
        Upstream::always(Answer::json(r#"{"error":{"message":"m"}}"#).status(500)),
    );
    let target =
        |upstream: &Upstream| json!({"provider": "openai", "custom_host": upstream.url(), "api_key": "k"});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [target(&down), target(&up)]});
    let gateway = keeping_in(folder.path(), "");
    let ask = Ask::post(CHAT, BODY).header("x-ostia-config", &config.to_string());
    assert_eq!(ask.header("x-ostia-trace-id", "t").to(&gateway).status, 200);
    let remembered = explain(&gateway, "t", None).json();
    assert_eq!(remembered["decisions"]["answered_by"], "config.targets[1]", "{remembered}");
    stop(gateway);

    let gateway = keeping_in(folder.path(), "");
    let kept = explained_again(&gateway, "t", None).json();
    let without_times = |told: &Value| {
        let mut told = told.clone();
        let attempts = told["decisions"]["attempts"].as_array().map_or(0, Vec::len);
        told.as_object_mut().unwrap().remove("decisions");
        (told, attempts)
    };
    assert_eq!(without_times(&kept), without_times(&remembered));
    assert_eq!(kept["decisions"]["answered_by"], "config.targets[1]", "{kept}");
    assert_eq!(explain(&gateway, "other", None).status, 404);
}

#[test]
fn records_are_told_to_the_named_key_that_they_are_of() {
    let folder = tempfile::TempDir::new().unwrap();
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let config = format!(
        "auth: {{ keys: [{{ key: key-a, name: a }}, {{ key: key-b, name: b }}, key-c] }}\nproviders:\n  \
         own: {{ base_url: '{}', dialects: [openai_chat], api_key: k }}\n",
        upstream.url()
    );
    let gateway = keeping_in(folder.path(), &config);
    for key in ["key-a", "key-c"] {
        let ask = Ask::post(CHAT, BODY).header("x-ostia-provider", "own").header("x-ostia-api-key", key);
        assert_eq!(ask.header("x-ostia-trace-id", key).to(&gateway).status, 200);
    }
    stop(gateway);
    let gateway = keeping_in(folder.path(), &config);
    assert_eq!(explained_again(&gateway, "key-a", Some("key-a")).status, 200);
    for (trace_id, key) in [("key-a", "key-b"), ("key-a", "key-c"), ("key-c", "key-c"), ("key-c", "key-a")] {
        assert_eq!(explain(&gateway, trace_id, Some(key)).status, 404, "{trace_id} {key}");
    }
    assert_eq!(explain(&gateway, "key-a", None).status, 401);
}
