//! Spans and logs of applications, which join the traces of their requests.

use std::path::Path;
use std::process::Command;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream, gzip};
use prost::Message as _;
use serde_json::{Value, json};

use super::collector::once;
use crate::gateway::{Gateway, Setup};
use crate::programs;
use crate::wire::{Ask, Reply};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const TRACES: &str = "/v1/otel/v1/traces";

fn export(trace_id: &str, span_id: &str, name: &str) -> String {
    let span = json!({"traceId": trace_id, "spanId": span_id, "name": name, "kind": 1,
                      "startTimeUnixNano": "1764400000000000000", "endTimeUnixNano": "1764400001000000000"});
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string()
}

fn sent(gateway: &Gateway, body: String, key: &str) -> Reply {
    let ask = Ask::post(TRACES, body);
    let ask = if key.is_empty() { ask } else { ask.header("authorization", &format!("Bearer {key}")) };
    // Right after the start there may be nothing to write to yet.
    once("an answer", || Some(ask.to(gateway)).filter(|reply| reply.status != 503))
}

fn told(gateway: &Gateway, key: &str) -> Value {
    let ask = Ask::new("GET", &format!("/v1/traces/{TRACE}"));
    let ask = if key.is_empty() { ask } else { ask.header("x-ostia-api-key", key) };
    ask.to(gateway).json()
}

#[test]
fn an_applications_spans_and_its_requests_are_one_tree() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("a"))));
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "say a"}]});
    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body.to_string());
    assert_eq!(ask.header("traceparent", &format!("00-{TRACE}-{SPAN}-01")).to(&gateway).status, 200);
    // By protobuf, packed, and the same once more: a sender repeats what it had no answer for.
    let message: ExportTraceServiceRequest = serde_json::from_str(&export(TRACE, SPAN, "checkout")).unwrap();
    for _ in 0..2 {
        let ask = Ask::new("POST", TRACES).header("content-type", "application/x-protobuf");
        let reply = ask.header("content-encoding", "gzip").body(gzip(&message.encode_to_vec())).to(&gateway);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-protobuf")));
        let answer = ExportTraceServiceResponse::decode(&*reply.body).unwrap();
        assert_eq!(answer.partial_success, None);
    }
    let log = json!({"traceId": TRACE, "spanId": SPAN, "timeUnixNano": "1764400000500000000", "severityText": "WARN",
                     "body": {"stringValue": "stock is low"}});
    let loose = json!({"body": {"stringValue": "of no trace"}});
    let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [log, loose]}]}]});
    let reply = Ask::post("/v1/otel/v1/logs", logs.to_string()).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let partial = &reply.json()["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"].to_string().trim_matches('"'), "1", "{partial}");
    let tree = once("the request", || {
        let told = told(&gateway, "");
        (told["data"][0]["children"].as_array().is_some_and(|below| !below.is_empty())).then_some(told)
    });
    let root = &tree["data"][0];
    assert_eq!(
        (&root["object"], &root["name"], &root["key"]),
        (&json!("span"), &json!("checkout"), &Value::Null)
    );
    assert_eq!(root["logs"][0]["body"], "stock is low", "{tree}");
    let request = &root["children"][0];
    assert_eq!((&request["object"], &request["parent_span_id"]), (&json!("request"), &json!(SPAN)));
}

#[test]
fn a_small_body_that_unpacks_to_many_things_is_refused() {
    let gateway = Gateway::start();
    // Two million scopes of two bytes each in one resource.
    let scopes = [0x12, 0].repeat(2_000_000);
    let mut body = vec![0x0a];
    prost::encoding::encode_varint(scopes.len() as u64, &mut body);
    body.extend(scopes);
    for body in [body.clone(), gzip(&body)] {
        let ask = Ask::new("POST", TRACES).header("content-type", "application/x-protobuf");
        let ask = if body[0] == 0x1f { ask.header("content-encoding", "gzip") } else { ask };
        let reply = ask.body(body).to(&gateway);
        assert_eq!(reply.status, 413, "{}", reply.text());
        assert!(reply.text().contains("send less at once"), "{}", reply.text());
    }
}

#[test]
fn who_may_send_and_whose_it_is() {
    let keyed =
        Gateway::with("auth: {keys: [{key: pk-a, name: a}, {key: pk-b, name: b}], admin_keys: [pk-admin]}");
    for (key, status) in [("", 401), ("pk-other", 401), ("pk-a", 200), ("pk-b", 200), ("pk-admin", 200)] {
        let reply = sent(&keyed, export(TRACE, SPAN, key), key);
        assert_eq!(reply.status, status, "{key}: {}", reply.text());
    }
    // Each has its own, and nobody wrote over another's.
    let tree = told(&keyed, "pk-admin");
    let all: Vec<_> =
        tree["data"].as_array().unwrap().iter().map(|span| (&span["name"], &span["key"])).collect();
    let names =
        [(&json!("pk-a"), &json!("a")), (&json!("pk-b"), &json!("b")), (&json!("pk-admin"), &Value::Null)];
    assert_eq!(all, names, "{tree}");
    assert_eq!(
        Ask::new("GET", &format!("/v1/traces/{TRACE}")).header("x-ostia-api-key", "pk-a").to(&keyed).status,
        401
    );
    // Pages of others say nothing here.
    let open = Gateway::start();
    let page = Ask::post(TRACES, export(TRACE, SPAN, "x")).header("origin", "https://evil.example");
    assert_eq!(page.to(&open).status, 403);
}

#[test]
fn what_is_no_export_is_refused_in_the_senders_form() {
    let gateway = Gateway::start();
    sent(&gateway, export(TRACE, SPAN, "x"), "");
    let check = |media: &str, body: Vec<u8>, status: u16, words: &str| {
        let reply = Ask::new("POST", TRACES).header("content-type", media).body(body).to(&gateway);
        let said = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, status, "{said}");
        assert!(said.contains(words), "{said}");
        if status != 415 {
            assert_eq!(reply.header("content-type"), Some(media));
        }
    };
    check("application/json", b"{".to_vec(), 400, "no OTLP in JSON");
    check("application/x-protobuf", b"\x0a\xff\xff".to_vec(), 400, "no OTLP in protobuf");
    check("text/plain", b"x".to_vec(), 415, "application/x-protobuf or application/json");
    check("application/json", vec![b' '; (4 << 20) + 1], 413, "send less at once");
    let wrong = sent(&gateway, export("abcd", SPAN, "x"), "").json();
    assert!(wrong["partialSuccess"]["errorMessage"].as_str().unwrap().contains("trace id"), "{wrong}");
    assert_eq!(
        Ask::post("/v1/otel/v1/metrics", "{}").to(&gateway).status,
        404,
        "and no provider hears of it"
    );
    assert_eq!(Ask::new("GET", TRACES).to(&gateway).status, 405);
    let off = Setup::new().config("records: off\n").start();
    assert_eq!(Ask::post(TRACES, export(TRACE, SPAN, "x")).to(&off).status, 404);
}

#[test]
fn opentelemetrys_sdk_for_python() {
    let Some(python) = programs::python() else { return };
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Gateway::with(&format!(
        "providers:\n  mine: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n",
        upstream.url()
    ));
    sent(&gateway, export(&"1".repeat(32), SPAN, "ready"), "");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/otel_sender.py");
    let mut command = Command::new(python);
    command.env_clear().arg("-B").arg(script).arg(format!("http://{}", gateway.address)).arg("mine=m");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\nthe gateway:\n{}", gateway.printed());
}
