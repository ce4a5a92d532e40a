//! What Prometheus reads: how things stand, further labels, and that the official reader takes all of it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
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
/// Metrics whose names are not ours to choose, though Prometheus's rules are others.
const PORTKEYS: [&str; 5] = [
    "request_count ",
    "llm_request_duration_milliseconds ",
    "portkey_request_duration_milliseconds ",
    "llm_cost_sum ",
    "llm_token_sum ",
];

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

/// Of a gateway that was busy with calls that are answered, streamed, refused, retried and cut.
#[test]
fn promtool_has_nothing_to_say() {
    let Some(promtool) = programs::promtool() else { return };
    let upstream = Upstream::serve(|request| match request.text() {
        text if text.contains("fails") => Answer::json("{}").status(500),
        text if text.contains("\"stream\":true") => {
            Answer::stream(openai::chat_stream_with_usage(&["a", "b"]))
        }
        _ => Answer::json(openai::chat("a")),
    });
    let gateway = Gateway::with(&format!(
        "providers:\n  mine: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat], models: [m]}}\n\
         default_provider: mine\nprices: {{mine/m: {{input: 1, output: 2}}}}\n\
         configs: {{careful: {{provider: mine, retry: {{attempts: 1, max_wait: 10}}, cb_config: {{failure_threshold: 9}}}}}}\n\
         telemetry: {{metrics: {{labels: [model, key]}}}}\n",
        upstream.url()
    ));
    for number in 0..60 {
        let model = if number % 5 == 0 { "fails" } else { "m" };
        let mut body = json!({"model": model, "messages": [{"role": "user", "content": "say a"}]});
        body["stream"] = (number % 2 == 0).into();
        let ask = Ask::post(CHAT, body.to_string());
        let ask = if number % 3 == 0 { ask.header("x-ostia-config", "careful") } else { ask };
        ask.to(&gateway);
    }
    Ask::post(CHAT, "{").to(&gateway);
    once("all counts", || metrics(&gateway).contains("provider=\"mine\",stream=\"true\"").then_some(()));
    let told = Ask::new("GET", "/metrics").header("accept", "text/plain").to(&gateway);
    assert_eq!(told.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let told = told.text().to_owned();
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut judge = command.spawn().unwrap();
    judge.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    let output = judge.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    // Portkey's names are Portkey's; of our own nothing is said.
    let ours: Vec<&str> =
        said.lines().filter(|line| !PORTKEYS.iter().any(|name| line.starts_with(name))).collect();
    assert!(ours.is_empty(), "{ours:#?}\n{told}");
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{said}");
}
