//! What is sent by OTLP: spans, log records and metrics of requests, whatever the collector does.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Step, Upstream, dead_address};
use serde_json::json;

use super::collector::{self, Official, eager, logs, metrics, once, spans, told_to, value};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE, once_within};

const CHAT: &str = "/v1/chat/completions";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn body() -> String {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "say a"}]}).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn took() -> Upstream {
    Upstream::always(Answer::empty())
}

fn ask(upstream: &Upstream) -> Ask {
    Ask::post_at(upstream, "openai", CHAT, body())
}

fn metric(gateway: &Gateway, line: &str) -> Option<f64> {
    let told = Ask::new("GET", "/metrics").to(gateway);
    told.text().lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn a_request_and_its_attempts_are_spans_of_its_trace() {
    let (collector, failing) = (took(), Upstream::always(Answer::json("{}").status(503)));
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let rows = format!(
        "providers:\n  one: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n  \
         two: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat], otel: second}}\n",
        failing.url(),
        upstream.url()
    );
    let gateway = eager(Setup::new().config(&format!(
        "telemetry:\n  otlp: {{endpoint: \"{}\", headers: {{x-tenant: \"${{TENANT}}\"}}}}\n{rows}",
        collector.url()
    )))
    .env("TENANT", "tenant-1")
    .env("OTEL_SERVICE_NAME", "edge")
    .start();
    let config =
        json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "one"}, {"provider": "two"}]});
    let reply = Ask::post(CHAT, body())
        .header("x-ostia-config", &config.to_string())
        .header("x-ostia-session", "s-1")
        .header("traceparent", &format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "vendor=1")
        .to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let all: Vec<Span> = once("spans", || Some(spans(&collector)).filter(|spans| spans.len() >= 3));
    let [request, first, second] = &all[..] else { panic!("{all:?}") };
    for span in &all {
        assert_eq!((hex(&span.trace_id).as_str(), span.trace_state.as_str()), (TRACE, "vendor=1"));
    }
    assert_eq!(hex(&request.parent_span_id), PARENT);
    // Each provider heard of its own attempt's span.
    for (span, upstream) in [(first, &failing), (second, &upstream)] {
        assert_eq!(span.parent_span_id, request.span_id);
        let heard = upstream.last();
        assert_eq!(heard.header("traceparent"), Some(format!("00-{TRACE}-{}-01", hex(&span.span_id))));
        assert_eq!(heard.header("tracestate").as_deref(), Some("vendor=1"));
    }
    assert_eq!(
        (request.name.as_str(), second.name.as_str()),
        ("POST /v1/chat/completions", "chat gpt-4o-mini")
    );
    let of = |span: &Span, name: &str| value(&span.attributes, name);
    assert_eq!(of(first, "error.type").as_deref(), Some("overloaded"), "{first:?}");
    assert_eq!(of(second, "gen_ai.provider.name").as_deref(), Some("second"));
    assert_eq!(of(second, "gen_ai.usage.input_tokens").as_deref(), Some("9"));
    assert_eq!(of(second, "server.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(of(second, "server.port"), Some(upstream.address().port().to_string()));
    assert_eq!(of(request, "gen_ai.conversation.id").as_deref(), Some("s-1"));
    let resource = collector::resource(&collector);
    assert_eq!(value(&resource, "service.name").as_deref(), Some("edge"));
    assert!(value(&resource, "service.instance.id").is_some_and(|id| id.len() == 32));
    assert!(
        collector.requests().iter().all(|request| request.header("x-tenant").as_deref() == Some("tenant-1"))
    );

    let log = once("a log record", || logs(&collector).pop());
    assert_eq!((&log.span_id, log.severity_text.as_str()), (&request.span_id, "INFO"));
    assert_eq!(value(&log.attributes, "ostia.request.body"), None, "content is not asked for");
    let told = once("metrics", || {
        Some(metrics(&collector))
            .filter(|told| told.iter().any(|one| one.name == "gen_ai.client.token.usage"))
    });
    for name in [
        "gen_ai.client.operation.duration",
        "gen_ai.server.request.duration",
        "ostia_requests",
        "ostia_queue_depth",
    ] {
        assert!(told.iter().any(|metric| metric.name == name), "{name}");
    }
    assert_eq!(once("a count", || metric(&gateway, "ostia_otlp_exported_total{signal=\"traces\"}")), 3.0);
}

#[test]
fn what_its_sender_does_not_sample_is_not_told_as_a_trace() {
    let (collector, upstream) = (took(), Upstream::always(Answer::json(openai::chat("a"))));
    let gateway = told_to(&collector.url(), "").start();
    ask(&upstream).header("traceparent", &format!("00-{TRACE}-{PARENT}-00")).to(&gateway);
    assert!(upstream.last().header("traceparent").unwrap().ends_with("-00"));
    ask(&upstream).header("x-ostia-trace-id", "my own trace").to(&gateway);
    let all = once("logs", || Some(logs(&collector)).filter(|logs| logs.len() >= 2));
    assert_eq!(hex(&all[0].trace_id), TRACE);
    let told = once("spans", || Some(spans(&collector)).filter(|spans| spans.len() >= 2));
    assert_eq!(value(&told[0].attributes, "ostia.trace.id").as_deref(), Some("my own trace"));
    assert!(told.iter().all(|span| hex(&span.trace_id) != TRACE && span.trace_id == all[1].trace_id));
}

#[test]
fn records_that_are_off_are_told_all_the_same() {
    let (collector, upstream) = (took(), Upstream::always(Answer::json(openai::chat("a"))));
    let gateway = told_to(&collector.url(), "records: off\n").start();
    assert_eq!(ask(&upstream).to(&gateway).status, 200);
    once("spans", || Some(spans(&collector)).filter(|spans| spans.len() == 2));
    assert!(!gateway.folder().join("data/records.db").exists());
    assert_eq!(Ask::new("GET", "/v1/logs").to(&gateway).status, 404);
    let inserted = json!({"request": {"url": "u"}, "response": {}}).to_string();
    assert_eq!(Ask::post("/v1/logs", inserted).to(&gateway).status, 404, "nothing is kept");
}

#[test]
fn bodies_go_along_where_they_are_kept_and_asked_for() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    for (records, expected) in [("full", Some(body())), ("off", None)] {
        let collector = took();
        let gateway = eager(Setup::new().config(&format!(
            "records: {{bodies: {records}}}\ntelemetry: {{otlp: {{endpoint: \"{}\", content: true, traces: false}}}}\n",
            collector.url()
        )))
        .start();
        ask(&upstream).to(&gateway);
        let log = once("a log record", || logs(&collector).pop());
        assert_eq!(value(&log.attributes, "ostia.request.body"), expected, "{records}");
        assert_eq!(spans(&collector).len(), 0);
    }
}

#[test]
fn the_environment_says_where_and_the_file_may_say_no() {
    let (collector, upstream) = (took(), Upstream::always(Answer::json(openai::chat("a"))));
    let env = |setup: Setup| eager(setup.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()));
    let mut off = env(Setup::new().config("telemetry: {otlp: off}\n")).start();
    ask(&upstream).to(&off);
    // What waits is sent at the end: then all of it would have come.
    off.terminate();
    assert!(off.wait(PATIENCE).is_some());
    assert_eq!(collector.count(), 0);
    let on = env(Setup::new()).env("OTEL_EXPORTER_OTLP_COMPRESSION", "none").start();
    ask(&upstream).to(&on);
    once("spans", || Some(spans(&collector)).filter(|spans| spans.len() == 2));
}

#[test]
fn what_waits_is_sent_before_the_end() {
    let (collector, upstream) = (took(), Upstream::always(Answer::json(openai::chat("a"))));
    let url = collector.url();
    // Nothing is due for a minute.
    let setup = Setup::new().config(&format!("telemetry: {{otlp: {{endpoint: \"{url}\"}}}}\n"));
    let mut gateway = setup.env("OTEL_BSP_SCHEDULE_DELAY", "60000").start();
    (0..20).for_each(|_| assert_eq!(ask(&upstream).to(&gateway).status, 200));
    gateway.terminate();
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
    assert_eq!((spans(&collector).len(), logs(&collector).len()), (40, 20));
    assert!(!metrics(&collector).is_empty());
}

#[test]
fn a_collector_that_is_not_there_stops_nobody_and_is_told_once() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let mut gateway = told_to(&format!("http://{}", dead_address()), "").start();
    let began = Instant::now();
    (0..50).for_each(|_| assert_eq!(ask(&upstream).to(&gateway).status, 200));
    assert!(began.elapsed() < PATIENCE);
    once("words", || gateway.printed().contains("traces are not taken by").then_some(()));
    once("what waits", || {
        metric(&gateway, "ostia_queue_depth{queue=\"otlp\"}").filter(|waiting| *waiting > 0.0)
    });
    gateway.terminate();
    assert!(gateway.wait(PATIENCE * 2).is_some_and(|status| status.success()));
    let printed = gateway.says("100 items of traces were not sent before the end");
    assert_eq!(printed.matches("traces are not taken by").count(), 1, "{printed}");
}

#[test]
fn what_a_collector_refuses_is_counted_and_the_rest_goes_on() {
    let collector = Upstream::serve(|request| match request.target.as_str() {
        "/v1/traces" => Answer::json("no").status(400),
        "/v1/logs" => Answer::empty().first(Step::Pause(Duration::from_millis(50))),
        _ => Answer::empty(),
    });
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = told_to(&collector.url(), "").start();
    ask(&upstream).to(&gateway);
    let dropped = "ostia_otlp_dropped_total{signal=\"traces\",reason=\"refused\"}";
    assert_eq!(once("a count", || metric(&gateway, dropped)), 2.0);
    assert_eq!(once("a count", || metric(&gateway, "ostia_otlp_exported_total{signal=\"logs\"}")), 1.0);
    gateway.says("status 400");
}

/// The same with the official messages, over both protocols: busy with a wait that it asks for, slow, taking a part, then all of it.
fn by_the_official_messages(protocol: &str) {
    let answers = ["later:3", "later", "slow:1", "ok"];
    let Some(collector) = Official::start(protocol, &answers) else { return };
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let further = format!(
        "telemetry: {{otlp: {{endpoint: \"{}\", protocol: {protocol_word}, metrics: false, logs: false}}}}\n",
        collector.url,
        protocol_word = if protocol == "grpc" { "grpc" } else { "http/protobuf" }
    );
    let setup = eager(Setup::new().config(&further)).env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    let gateway = setup.env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=tenant-1").start();
    let began = Instant::now();
    ask(&upstream).header("traceparent", &format!("00-{TRACE}-{PARENT}-01")).to(&gateway);
    let spans = once_within(PATIENCE * 2, || match collector.spans() {
        spans if spans.len() == 2 => Ok(spans),
        _ => Err(gateway.printed()),
    });
    // Three seconds as it was asked to, and then at least one by itself. Both of its own waits would be three at most.
    assert!(began.elapsed() >= Duration::from_secs(4), "it waited as it was asked to");
    assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
    assert_eq!(
        (&spans[0]["kind"], &spans[1]["kind"]),
        (&json!("SPAN_KIND_SERVER"), &json!("SPAN_KIND_CLIENT"))
    );
    let first = &collector.exports("traces")[0];
    assert_eq!(first["headers"]["x-tenant"], "tenant-1", "{first}");
    let resource = first["message"]["resourceSpans"][0]["resource"]["attributes"].to_string();
    assert!(resource.contains(r#""key":"service.name","value":{"stringValue":"ostia"}"#), "{resource}");
    assert_eq!(once("a count", || metric(&gateway, "ostia_otlp_exported_total{signal=\"traces\"}")), 2.0);
    assert_eq!(metric(&gateway, "ostia_otlp_dropped_total{signal=\"traces\",reason=\"given_up\"}"), None);
}

#[test]
fn by_the_official_messages_over_http() {
    by_the_official_messages("http");
}

#[test]
fn by_the_official_messages_over_grpc() {
    by_the_official_messages("grpc");
}

#[test]
fn what_a_collector_does_not_take_of_a_batch_is_counted() {
    for protocol in ["http", "grpc"] {
        let Some(collector) = Official::start(protocol, &["partial:1"]) else { return };
        let word = if protocol == "grpc" { "grpc" } else { "http/protobuf" };
        let config = format!("telemetry: {{otlp: {{endpoint: \"{}\", protocol: {word}}}}}\n", collector.url);
        let gateway = eager(Setup::new().config(&config)).start();
        let upstream = Upstream::always(Answer::json(openai::chat("a")));
        ask(&upstream).to(&gateway);
        let dropped = "ostia_otlp_dropped_total{signal=\"traces\",reason=\"rejected\"}";
        assert_eq!(once("a count", || metric(&gateway, dropped)), 1.0, "{protocol}");
        assert_eq!(once("a count", || metric(&gateway, "ostia_otlp_exported_total{signal=\"traces\"}")), 1.0);
        gateway.says("some are too old");
        // Log records, metrics and spans came in the official messages.
        for signal in ["traces", "logs", "metrics"] {
            once(signal, || (!collector.exports(signal).is_empty()).then_some(()));
        }
    }
}
