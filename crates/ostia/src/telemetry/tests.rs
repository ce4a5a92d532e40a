//! A request, and what OpenTelemetry is told of it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use ostia_store::{
    Actor, Attempt, CacheResult, CacheStatus, Cost, GuardrailPhase, GuardrailResult, Kept, Outcome,
    RecordError, Usage,
};

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// One that failed at the first provider and was answered by the second.
fn record() -> Record {
    let failed = Attempt {
        target: "config.targets[0]".into(),
        provider: "google".into(),
        model: Some("gemini-pro".into()),
        server: Some("models.example:443".into()),
        status: Some(503),
        outcome: Outcome::Failed,
        error: Some(RecordError {
            class: "overloaded".into(),
            message: Some("prompt".into()),
            ..Default::default()
        }),
        sent_us: 100,
        ended_us: 5_100,
        span_id: Some("00000000000000aa".into()),
        ..Attempt::default()
    };
    let usage = Usage {
        prompt_tokens: 9,
        completion_tokens: 5,
        total_tokens: 14,
        cached_tokens: 4,
        ..Usage::default()
    };
    let cost = Cost { amount: "0.25".into(), currency: "USD".into(), ..Cost::default() };
    let answered = Attempt {
        provider: "groq".into(),
        model: Some("llama".into()),
        answered_model: Some("llama-1".into()),
        status: Some(200),
        outcome: Outcome::Answered,
        error: None,
        sent_us: 6_000,
        first_token_us: Some(106_000),
        ended_us: 506_000,
        usage: Some(usage),
        cost: Some(cost),
        finish_reason: Some("stop".into()),
        span_id: Some("00000000000000bb".into()),
        ..failed.clone()
    };
    Record {
        id: "0123456789abcdef0123456789abcdef".into(),
        trace_id: TRACE.into(),
        span_id: Some("00f067aa0ba902b7".into()),
        parent_span_id: Some("00f067aa0ba902b6".into()),
        trace_state: Some("vendor=1".into()),
        trace_flags: Some(1),
        session: Some("s-1".into()),
        started_ms: 1_764_400_000_000,
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        operation: Some("openai_chat".into()),
        key: Some("team-a".into()),
        metadata: BTreeMap::from([("team".into(), "red".into())]),
        model: Some("fast".into()),
        status: 200,
        stream: true,
        end: "whole".into(),
        duration_us: 506_500,
        first_token_us: Some(106_100),
        attempts: vec![failed, answered],
        request: Kept::Bytes { bytes: b"asked".to_vec(), total: 5 },
        ..Record::default()
    }
}

fn provider(id: &str) -> String {
    if id == "google" { "gcp.gemini".to_owned() } else { id.to_owned() }
}

fn telling(content: bool) -> Telling<'static> {
    Telling { provider: &provider, content }
}

/// Attributes as texts.
fn told(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let value = |attribute: &KeyValue| match attribute.value.clone().unwrap().value.unwrap() {
        Any::StringValue(text) => text,
        Any::IntValue(number) => number.to_string(),
        Any::DoubleValue(number) => number.to_string(),
        Any::BoolValue(flag) => flag.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.as_str(), value(attribute))).collect()
}

#[track_caller]
fn check(attributes: &[KeyValue], expected: &[(&str, &str)]) {
    let told = told(attributes);
    for (name, value) in expected {
        assert_eq!(told.get(name).map(String::as_str), Some(*value), "{name}: {told:?}");
    }
}

#[test]
fn a_request_is_a_span_with_one_for_each_attempt_below_it() {
    let spans = spans::spans(&record(), &names::ids(&record()), &telling(false));
    let [request, failed, answered] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((request.name.as_str(), request.kind), ("POST /v1/chat/completions", 2));
    assert_eq!((failed.name.as_str(), failed.kind), ("chat gemini-pro", 3));
    for span in &spans {
        assert_eq!(span.trace_id, names::bytes::<16>(TRACE).unwrap());
        assert_eq!((span.trace_state.as_str(), span.flags), ("vendor=1", 1));
    }
    assert_eq!(request.parent_span_id, names::bytes::<8>("00f067aa0ba902b6").unwrap());
    assert_eq!((&failed.parent_span_id, &answered.parent_span_id), (&request.span_id, &request.span_id));
    assert_eq!(answered.span_id, names::bytes::<8>("00000000000000bb").unwrap());
    let began = 1_764_400_000_000_000_000;
    assert_eq!((request.start_time_unix_nano, request.end_time_unix_nano), (began, began + 506_500_000));
    assert_eq!(
        (answered.start_time_unix_nano, answered.end_time_unix_nano),
        (began + 6_000_000, began + 506_000_000)
    );
    assert_eq!((&request.status, &answered.status), (&None, &None));
    let status = failed.status.as_ref().unwrap();
    assert_eq!(
        (status.code, status.message.as_str()),
        (StatusCode::Error as i32, ""),
        "no words of the provider"
    );

    check(
        &request.attributes,
        &[
            ("http.request.method", "POST"),
            ("http.response.status_code", "200"),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "fast"),
            ("gen_ai.conversation.id", "s-1"),
            ("ostia.key", "team-a"),
            ("ostia.metadata.team", "red"),
            ("ostia.attempts", "2"),
        ],
    );
    check(
        &failed.attributes,
        &[
            ("gen_ai.provider.name", "gcp.gemini"),
            ("ostia.provider", "google"),
            ("error.type", "overloaded"),
            ("http.response.status_code", "503"),
            ("server.address", "models.example"),
            ("server.port", "443"),
            ("ostia.outcome", "failed"),
        ],
    );
    check(
        &answered.attributes,
        &[
            ("gen_ai.request.model", "llama"),
            ("gen_ai.response.model", "llama-1"),
            ("gen_ai.usage.input_tokens", "9"),
            ("gen_ai.usage.output_tokens", "5"),
            ("gen_ai.usage.cache_read.input_tokens", "4"),
            ("gen_ai.response.time_to_first_chunk", "0.1"),
            ("ostia.cost", "0.25"),
            ("ostia.cost.currency", "USD"),
        ],
    );
    assert!(format!("{answered:?}").contains("stop"));
}

#[test]
fn caches_and_guardrails_have_attributes_of_our_own() {
    let guardrail = |id: &str, verdict: bool| GuardrailResult {
        id: id.into(),
        name: None,
        by: Actor::Upstream,
        phase: GuardrailPhase::BeforeRequest,
        verdict,
        denied: false,
        transformed: false,
        duration_us: None,
        checks: Vec::new(),
    };
    let cache =
        CacheResult { status: CacheStatus::SemanticHit, by: Actor::Upstream, age_s: None, similarity: None };
    let told = Record {
        cache: Some(cache),
        guardrails: vec![guardrail("words", true), guardrail("pii", false)],
        ..record()
    };
    let span = &spans::spans(&told, &names::ids(&told), &telling(false))[0];
    check(
        &span.attributes,
        &[
            ("ostia.cache.status", "semantic_hit"),
            ("ostia.cache.by", "upstream"),
            ("ostia.guardrails.verdict", "failed"),
        ],
    );
    let attributes = self::told(&span.attributes);
    assert!(attributes["ostia.guardrails.failed"].contains("pii"), "{attributes:?}");
    assert!(!attributes["ostia.guardrails.failed"].contains("words"), "{attributes:?}");
    let plain = &spans::spans(&record(), &names::ids(&record()), &telling(false))[0];
    let names = self::told(&plain.attributes);
    assert!(
        !names.keys().any(|name| name.contains("cache.status") || name.contains("guardrails")),
        "{names:?}"
    );
}

#[test]
fn words_are_told_only_where_content_is_wanted() {
    for content in [false, true] {
        let spans = spans::spans(&record(), &names::ids(&record()), &telling(content));
        let log = logs::log_record(&record(), &names::ids(&record()), true, &telling(content));
        assert_eq!(format!("{spans:?}").contains("prompt"), content);
        assert_eq!(told(&log.attributes).contains_key("ostia.request.body"), content);
        assert!(!told(&log.attributes).contains_key("ostia.response.body"), "it is not kept");
    }
}

#[test]
fn messages_are_told_as_the_conventions_have_them() {
    let kept = |text: &str| Kept::Bytes { bytes: text.into(), total: text.len() as u64 };
    let request =
        r#"{"model":"m","system":"be brief","max_tokens":9,"messages":[{"role":"user","content":"prompt"}]}"#;
    let answer = r#"{"id":"1","type":"message","role":"assistant","model":"m","stop_reason":"end_turn",
        "content":[{"type":"text","text":"hi"}],"usage":{"input_tokens":1,"output_tokens":1}}"#;
    let whole = Record {
        operation: Some("anthropic_messages".into()),
        request: kept(request),
        response: kept(answer),
        ..record()
    };
    let of = |record: &Record, content: bool| spans::spans(record, &names::ids(record), &telling(content));
    let told_spans = of(&whole, true);
    check(
        &told_spans[2].attributes,
        &[
            ("gen_ai.system_instructions", r#"[{"type":"text","content":"be brief"}]"#),
            ("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"prompt"}]}]"#),
            (
                "gen_ai.output.messages",
                r#"[{"role":"assistant","parts":[{"type":"text","content":"hi"}],"finish_reason":"stop"}]"#,
            ),
        ],
    );
    // What was asked for is no content.
    for content in [true, false] {
        check(&of(&whole, content)[2].attributes, &[("gen_ai.request.max_tokens", "9")]);
    }
    check(&told_spans[2].attributes, &[("gen_ai.response.id", "1")]);
    let names = |spans: &[Span]| format!("{spans:?}").matches("gen_ai.input.messages").count();
    assert_eq!((names(&told_spans), names(&of(&whole, false))), (1, 0));
    // One that was cut is no conversation.
    let cut = Record { request: Kept::Bytes { bytes: request.into(), total: 9999 }, ..whole };
    assert_eq!(names(&of(&cut, true)), 0);
}

#[test]
fn a_request_is_a_log_record() {
    let check_severity = |status: u16, end: &str, expected: &str| {
        let record = Record { status, end: end.into(), ..record() };
        assert_eq!(
            logs::log_record(&record, &names::ids(&record), true, &telling(false)).severity_text,
            expected
        );
    };
    check_severity(200, "whole", "INFO");
    check_severity(429, "whole", "WARN");
    check_severity(200, "client_left", "WARN");
    check_severity(200, "broken", "ERROR");
    let log = logs::log_record(&record(), &names::ids(&record()), true, &telling(false));
    assert_eq!(log.span_id, names::bytes::<8>("00f067aa0ba902b7").unwrap());
    assert_eq!(log.event_name, "ostia.request");
    check(&log.attributes, &[("gen_ai.usage.input_tokens", "9"), ("gen_ai.provider.name", "groq")]);
}

#[test]
fn times_and_tokens_by_the_conventions() {
    let mut histograms = Histograms::default();
    histograms.count(&record(), &telling(false));
    histograms.count(&record(), &telling(false));
    histograms.count(&Record { operation: None, ..record() }, &telling(false));
    let metrics = histograms.metrics(1, 2);
    let points = |name: &str| {
        let metric = metrics.iter().find(|metric| metric.name == name).unwrap();
        let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
        histogram.data_points.clone()
    };
    let operations = points("gen_ai.client.operation.duration");
    assert_eq!(operations.len(), 2, "by provider, and by how it failed");
    let answered =
        operations.iter().find(|point| told(&point.attributes)["gen_ai.provider.name"] == "groq").unwrap();
    assert_eq!((answered.count, answered.sum, answered.bucket_counts[6]), (2, Some(1.0), 2));
    assert_eq!(answered.bucket_counts.len(), answered.explicit_bounds.len() + 1);
    let failed = operations.iter().find(|point| told(&point.attributes).contains_key("error.type")).unwrap();
    assert_eq!(failed.count, 2);
    let tokens = points("gen_ai.client.token.usage");
    let sums: Vec<_> = tokens
        .iter()
        .map(|point| (told(&point.attributes)["gen_ai.token.type"].clone(), point.sum))
        .collect();
    assert_eq!(sums, [("input".to_owned(), Some(18.0)), ("output".to_owned(), Some(10.0))]);
    let counted = |name: &str| -> Vec<(String, i64)> {
        let Some(metric) = metrics.iter().find(|metric| metric.name == name) else { return Vec::new() };
        let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
        assert!(sum.is_monotonic);
        let value = |point: &NumberDataPoint| match point.value {
            Some(Number::AsInt(count)) => count,
            Some(Number::AsDouble(_)) | None => panic!("{point:?}"),
        };
        let point = |point: &NumberDataPoint| {
            (told(&point.attributes)["gen_ai.token.modality"].clone(), value(point))
        };
        sum.data_points.iter().map(point).collect()
    };
    for (name, expected) in
        [("input", Some(18)), ("output", Some(10)), ("cache_read.input", Some(8)), ("reasoning.output", None)]
    {
        let told = counted(&format!("gen_ai.client.inference.usage.{name}_tokens"));
        assert_eq!(
            told,
            expected.map(|count| ("unknown".to_owned(), count)).into_iter().collect::<Vec<_>>(),
            "{name}"
        );
    }
    assert_eq!(points("gen_ai.client.operation.time_to_first_chunk")[0].max, Some(0.1));
    assert_eq!(points("gen_ai.server.request.duration")[0].count, 2);
    assert_eq!(points("gen_ai.server.time_to_first_token")[0].max, Some(0.1061));
    // Four tokens after the first one.
    assert_eq!(points("gen_ai.server.time_per_output_token")[0].min, Some(0.1001));
}

#[test]
fn tokens_are_counted_by_what_they_are_of() {
    let mut record = record();
    record.attempts.truncate(1);
    let of = |usage: Usage| {
        let mut record = record.clone();
        record.attempts[0].usage = Some(usage);
        let mut histograms = Histograms::default();
        histograms.count(&record, &telling(false));
        let metrics = histograms.metrics(1, 2);
        let metric =
            metrics.iter().find(|metric| metric.name.ends_with("usage.input_tokens")).cloned().unwrap();
        let Some(Data::Sum(sum)) = metric.data else { panic!() };
        let point = |point: &NumberDataPoint| {
            (told(&point.attributes)["gen_ai.token.modality"].clone(), format!("{:?}", point.value.unwrap()))
        };
        sum.data_points.iter().map(point).collect::<BTreeMap<_, _>>()
    };
    let expected = |all: &[(&str, u64)]| {
        all.iter()
            .map(|(name, count)| ((*name).to_owned(), format!("AsInt({count})")))
            .collect::<BTreeMap<_, _>>()
    };
    let usage = Usage { prompt_tokens: 10, ..Usage::default() };
    assert_eq!(of(usage), expected(&[("unknown", 10)]));
    let usage = Usage { audio_prompt_tokens: 3, image_prompt_tokens: 4, ..usage };
    assert_eq!(of(usage), expected(&[("text", 3), ("audio", 3), ("image", 4)]));
}

#[test]
fn series_have_a_bound() {
    let mut histograms = Histograms::default();
    let mut record = record();
    for number in 0..3000 {
        record.attempts[1].model = Some(number.to_string());
        histograms.count(&record, &telling(false));
    }
    for metric in histograms.metrics(1, 2) {
        if let Some(Data::Sum(sum)) = &metric.data {
            assert!(sum.data_points.len() <= 2001, "{}", metric.name);
            continue;
        }
        let Some(Data::Histogram(histogram)) = metric.data else { panic!() };
        let all: u64 = histogram.data_points.iter().map(|point| point.count).sum();
        assert!(histogram.data_points.len() <= 2001 && all.is_multiple_of(3000), "{}: {all}", metric.name);
    }
}
