//! Exports in both forms, with what is right, what is wrong, and too much of it.

#![allow(clippy::unwrap_used)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// An export of these spans, as the specification shows it in JSON.
fn export(spans: &Value) -> Vec<u8> {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let scope_spans = json!([{"scope": {"name": "my.library"}, "spans": spans}]);
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]}).to_string().into_bytes()
}

fn span(change: impl FnOnce(&mut Value)) -> Value {
    let mut span = json!({
        "traceId": TRACE, "spanId": "00f067aa0ba902b7", "parentSpanId": "00f067aa0ba902b6", "name": "checkout", "kind": 2,
        "startTimeUnixNano": "1544712660123456789", "endTimeUnixNano": "1544712661123456789",
        "attributes": [
            {"key": "text", "value": {"stringValue": "sk-0123456789abcdef is my key"}},
            {"key": "count", "value": {"intValue": "7"}},
            {"key": "list", "value": {"arrayValue": {"values": [{"boolValue": true}, {"doubleValue": 1.5}]}}},
        ],
        "events": [{"timeUnixNano": "1544712660500000000", "name": "paid", "attributes": []}],
        "status": {"code": 2, "message": "no stock"},
    });
    change(&mut span);
    span
}

fn decoded(body: &[u8], form: Form) -> Result<decode::Decoded, String> {
    super::decode(OtelPath::Traces, form, body, Some("team-a")).map_err(|fault| fault.message)
}

#[test]
fn both_forms_say_the_same() {
    let body = export(&json!([span(|_| {})]));
    let by_json = decoded(&body, Form::Json).unwrap();
    let message: ExportTraceServiceRequest = serde_json::from_slice(&body).unwrap();
    assert_eq!(decoded(&message.encode_to_vec(), Form::Protobuf).unwrap(), by_json);
    assert_eq!(by_json.rejected, 0);
    let kept = &by_json.joined.spans[0];
    assert_eq!((kept.trace_id.as_str(), kept.span_id.as_str()), (TRACE, "00f067aa0ba902b7"));
    let told = serde_json::to_value(kept).unwrap();
    let expected = json!({
        "span_id": "00f067aa0ba902b7", "parent_span_id": "00f067aa0ba902b6", "name": "checkout", "kind": "server",
        "service": "shop", "scope": "my.library", "started_ms": 1_544_712_660_123.456, "duration_us": 1_000_000,
        "status": "error", "status_message": "no stock", "key": "team-a",
        "attributes": {"text": "*** is my key", "count": 7, "list": [true, 1.5]},
        "events": [{"name": "paid", "at_ms": 1_544_712_660_500.0, "attributes": {}}],
    });
    assert_eq!(told, expected);
}

#[test]
fn what_is_wrong_is_left_out_and_told() {
    let check = |spans: Value, kept: usize, rejected: usize| {
        let decoded = decoded(&export(&spans), Form::Json).unwrap();
        assert_eq!((decoded.joined.spans.len(), decoded.rejected), (kept, rejected), "{}", decoded.why);
    };
    let with = |name: &str, value: &str| span(|span| span[name] = value.into());
    check(json!([with("traceId", ""), span(|_| {}), with("spanId", "0000000000000000")]), 1, 2);
    check(json!([with("traceId", "abcd")]), 0, 1);
    check(json!([with("parentSpanId", "")]), 1, 0);
    check(json!([]), 0, 0);
    let long = span(|span| span["attributes"][0]["value"]["stringValue"] = "x".repeat(20_000).into());
    let kept = decoded(&export(&json!([long])), Form::Json).unwrap().joined.spans;
    assert_eq!(kept[0].attributes["text"].as_str().unwrap().len(), 8 << 10);
    let many: Vec<_> =
        (0..200).map(|at| json!({"key": format!("k{at}"), "value": {"intValue": "1"}})).collect();
    let kept = decoded(&export(&json!([span(|span| span["attributes"] = many.into())])), Form::Json).unwrap();
    assert_eq!((kept.joined.spans[0].attributes.len(), kept.joined.spans[0].left_out), (128, 72));
}

#[test]
fn what_is_no_otlp_is_refused_by_name() {
    let check = |body: &[u8], form: Form, expected: &str| {
        let why = decoded(body, form).unwrap_err();
        assert!(why.contains(expected), "{why}");
    };
    check(b"{", Form::Json, "no OTLP in JSON");
    check(br#"{"resourceSpans": 7}"#, Form::Json, "no OTLP in JSON");
    check(b"\x0a\xff\xff", Form::Protobuf, "no OTLP in protobuf");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(deep.as_bytes(), Form::Json, "no OTLP in JSON");
}

/// A field of this number that holds these bytes.
fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut told = Vec::new();
    prost::encoding::bytes::encode(number, &bytes.to_vec(), &mut told);
    told
}

#[test]
fn what_lists_too_much_is_refused_before_it_is_decoded() {
    let check = |path: OtelPath, form: Form, body: &[u8]| {
        let why = super::decode(path, form, body, None).unwrap_err();
        assert_eq!((why.status, why.message.contains("send less at once")), (413, true), "{why}");
    };
    // Messages of two bytes at each depth: of resources, scopes, spans, attributes, events, links and values.
    let many = |number: u8| [number << 3 | 2, 0].repeat(2_000_000);
    let in_item = |inner: &[u8]| field(1, &field(2, &field(2, inner)));
    let traces = [
        many(1),
        field(1, &many(2)),
        field(1, &field(2, &many(2))),
        field(1, &field(1, &many(1))),
        field(1, &field(1, &field(3, &many(3)))),
        field(1, &field(2, &field(1, &many(3)))),
        in_item(&many(9)),
        in_item(&many(11)),
        in_item(&many(13)),
        in_item(&field(11, &many(3))),
        in_item(&field(13, &many(4))),
        in_item(&field(9, &field(2, &field(5, &many(1))))),
        in_item(&field(9, &field(2, &field(6, &many(1))))),
        // Behind an unknown group.
        [vec![0xa3, 6, 0xa4, 6], field(1, &many(2))].concat(),
    ];
    for body in traces {
        check(OtelPath::Traces, Form::Protobuf, &body);
    }
    for body in [in_item(&many(6)), in_item(&field(5, &field(5, &many(1))))] {
        check(OtelPath::Logs, Form::Protobuf, &body);
    }
    for (before, item, after) in [
        ("{\"resourceSpans\":[", "{}", "]}"),
        ("{\"resourceSpans\":[", "[]", "]}"),
        ("{\"resourceSpans\":[{\"resource\":{\"entityRefs\":[{\"idKeys\":[", "\"\"", "]}]}}]}"),
        (r#"{"a\"": "]", "resourceSpans": [ "#, "{}", "]}"),
    ] {
        let items = vec![item; 1_000_000].join(",");
        check(OtelPath::Traces, Form::Json, format!("{before}{items}{after}").as_bytes());
    }
}

#[test]
fn a_collectors_largest_batch_is_taken() {
    // As many spans as its default batch has, each with ten attributes; and texts that look like lists.
    let spans = |count: usize, text: &str| {
        let mut attributes = vec![json!({"key": "k", "value": {"stringValue": "v"}}); 10];
        attributes[0]["value"]["stringValue"] = text.into();
        let span = json!({"traceId": TRACE, "spanId": "00f067aa0ba902b7", "attributes": attributes});
        export(&json!(vec![span; count]))
    };
    assert_eq!(decoded(&spans(5000, &"[{},".repeat(20)), Form::Json).unwrap().joined.spans.len(), 5000);
    let message: ExportTraceServiceRequest = serde_json::from_slice(&spans(8192, "")).unwrap();
    assert_eq!(decoded(&message.encode_to_vec(), Form::Protobuf).unwrap().joined.spans.len(), 8192);
}

#[test]
fn partial_success_is_told_in_the_senders_form() {
    let told = taken(OtelPath::Traces, Form::Json, 2, "why".to_owned());
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["partialSuccess"]["errorMessage"], "why", "{told}");
    let told = taken(OtelPath::Logs, Form::Protobuf, 3, "why".to_owned());
    let told = ExportLogsServiceResponse::decode(&*told).unwrap().partial_success.unwrap();
    assert_eq!((told.rejected_log_records, told.error_message.as_str()), (3, "why"));
    assert_eq!(taken(OtelPath::Traces, Form::Protobuf, 0, String::new()).len(), 0);
}
