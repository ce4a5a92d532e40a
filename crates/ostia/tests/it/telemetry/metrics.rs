//! What Prometheus reads: how things stand, further labels, and that the official reader takes all of it.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::json;

use super::collector::once;
use crate::gateway::{Gateway, Setup};
use crate::programs;
use crate::wire::Ask;

const CHAT: &str = "/v1/chat/completions";

fn ask(model: &str) -> Ask {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "say a"}]});
    Ask::post(CHAT, body.to_string())
}

fn metrics(gateway: &Gateway) -> String {
    Ask::new("GET", "/metrics").to(gateway).text().to_owned()
}

#[track_caller]
fn shows(gateway: &Gateway, line: &str) {
    once(line, || metrics(gateway).lines().any(|told| told == line).then_some(()));
}

#[test]
fn breakers_connections_streams_and_queues() {
    let gate = Gate::new();
    let held = gate.clone();
    let upstream = Upstream::serve(move |request| match request.text().contains("fails") {
        true => Answer::json("{}").status(500),
        false => {
            let chunk = openai::chunk(&json!({"role": "assistant", "content": "a"}), &json!(null));
            let event = format!("data: {chunk}\n\n");
            Answer::stream_in([event]).then(Step::Wait(held.clone()))
        }
    });
    let gateway = Gateway::with(&format!(
        "providers:\n  mine: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n\
         aliases: {{fails: {{provider: mine, override_params: {{model: fails}}, cb_config: {{failure_threshold: 1}}}}}}\n\
         default_provider: mine\n",
        upstream.url()
    ));
    let breaker = |state: &str, value: u8| {
        format!(
            "ostia_breaker_state{{config=\"fails\",target=\"config\",provider=\"mine\",state=\"{state}\"}} {value}"
        )
    };
    shows(&gateway, &breaker("closed", 1));
    assert_eq!(ask("fails").to(&gateway).status, 500);
    shows(&gateway, &breaker("open", 1));
    shows(&gateway, &breaker("closed", 0));
    let mut streamed: serde_json::Value = json!({"model": "m", "stream": true});
    streamed["messages"] = json!([{"role": "user", "content": "say a"}]);
    let open = Ask::post(CHAT, streamed.to_string()).open(&gateway);
    shows(&gateway, "ostia_open_streams 1");
    // The one of the call before, too, where the stream came to another core.
    let is_open = |line: &str| {
        ["1", "2"].iter().any(|open| line == format!("ostia_open_connections{{side=\"upstream\"}} {open}"))
    };
    once("connections of the upstream", || metrics(&gateway).lines().any(is_open).then_some(()));
    // The stream's, and that of whoever asks.
    shows(&gateway, "ostia_open_connections{side=\"client\"} 2");
    shows(&gateway, "ostia_queue_depth{queue=\"records\"} 0");
    gate.open();
    drop(open);
    shows(&gateway, "ostia_open_streams 0");
}

#[test]
fn models_and_keys_are_labels_where_they_are_wanted_and_so_many() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Setup::new()
        .config(&format!(
            "providers:\n  mine: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\ndefault_provider: mine\n\
             auth: {{keys: [{{key: pk-a, name: team-a}}], admin_keys: [pk-admin]}}\nrecords: off\n\
             telemetry: {{metrics: {{requests: true, labels: [model, key], values: 1}}}}\n",
            upstream.url()
        ))
        .start();
    let told =
        || Ask::new("GET", "/metrics").header("x-ostia-api-key", "pk-admin").to(&gateway).text().to_owned();
    let of = "ostia_requests_total{method=\"POST\",endpoint=\"openai_chat\",code=\"200\",provider=\"mine\",stream=\"false\"";
    // One after the other: which one is counted first decides who has the place.
    for (model, label, count) in [("first", "first", 1), ("second", "other", 1), ("first", "first", 2)] {
        assert_eq!(ask(model).header("x-ostia-api-key", "pk-a").to(&gateway).status, 200);
        let line = format!("{of},model=\"{label}\",key=\"team-a\"}} {count}");
        once(&line, || told().lines().any(|told| told == line).then_some(()));
    }
    let told = told();
    assert!(!told.contains("model=\"second\""), "{told}");
    assert_eq!(Ask::new("GET", "/metrics").header("x-ostia-api-key", "pk-a").to(&gateway).status, 401);
}

#[test]
fn records_that_are_off_count_no_requests_unless_they_are_to_be() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Gateway::with("records: off\n");
    ask("m").at(&upstream, "openai").to(&gateway);
    // Longer than it takes where they are counted: that happens on a thread of its own.
    thread::sleep(Duration::from_millis(200));
    let told = metrics(&gateway);
    assert!(told.contains("ostia_open_connections{side=\"client\"}"), "{told}");
    assert!(!told.contains("ostia_requests_total"), "{told}");
}

#[test]
fn the_official_reader_takes_all_of_it() {
    let Some(python) = programs::python() else { return };
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Gateway::with(
        "telemetry: {metrics: {labels: [model, key]}}\nconfigs: {careful: {provider: openai, cb_config: {failure_threshold: 1}}}\n",
    );
    let hostile = "m\"}\\\n# EOF \u{e9}";
    ask(hostile).at(&upstream, "openai").to(&gateway);
    once("a count", || metrics(&gateway).contains("ostia_requests_total{").then_some(()));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/prometheus_reader.py");
    let mut command = Command::new(python);
    command.env_clear().arg("-B").arg(script).arg(format!("http://{}", gateway.address));
    let families =
        ["ostia_requests", "ostia_request_duration_seconds", "ostia_breaker_state", "ostia_open_connections"];
    let output = command.args(families).output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), metrics(&gateway));
}
