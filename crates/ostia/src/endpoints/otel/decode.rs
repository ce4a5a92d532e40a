//! From OTLP's spans and log records to those that are kept, within bounds; what looks like a key is masked.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use ostia_store::{AppLog, Joined, Span, mask_text};
use serde_json::{Map, Value, json};

/// Most spans, or log records, of one export.
const ITEMS_MAX: usize = 10_000;
/// Most attributes of one span, event or log, and most events of one span (the SDKs' own bounds).
const ATTRIBUTES_MAX: usize = 128;
const EVENTS_MAX: usize = 128;
/// Longest name, and longest text of a value, in bytes.
const NAME_BYTES_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = 8 << 10;
/// How deep lists and maps may lie in each other.
const DEPTH_MAX: usize = 8;
const NANOS_IN_MICRO: u64 = 1000;
const MICROS_IN_MILLI: f64 = 1000.0;

/// What is kept of an export, and how much is not.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Decoded {
    pub(super) joined: Joined,
    pub(super) rejected: usize,
    /// Why the first of them was not.
    pub(super) why: String,
}

impl Decoded {
    fn reject(&mut self, why: &str) {
        self.rejected += 1;
        if self.why.is_empty() {
            why.clone_into(&mut self.why);
        }
    }

    /// Is there room for one more?
    fn has_room(&mut self, kept: usize) -> bool {
        if kept >= ITEMS_MAX {
            self.reject(&format!("an export may have {ITEMS_MAX} items: send fewer at once"));
        }
        kept < ITEMS_MAX
    }
}

/// The spans of an export by whoever has this key.
pub(super) fn spans(request: ExportTraceServiceRequest, key: Option<&str>) -> Decoded {
    let mut decoded = Decoded::default();
    for all in request.resource_spans {
        let service = service(all.resource.as_ref());
        for scoped in all.scope_spans {
            let scope = scoped.scope.map(|scope| short(&scope.name)).filter(|name| !name.is_empty());
            for told in scoped.spans {
                if !decoded.has_room(decoded.joined.spans.len()) {
                    continue;
                }
                match span(told, service.clone(), scope.clone(), key) {
                    Some(span) => decoded.joined.spans.push(span),
                    None => decoded.reject("a span has no valid trace id (16 bytes) or span id (8 bytes)"),
                }
            }
        }
    }
    decoded
}

/// The log records of an export, as far as they are of a trace.
pub(super) fn logs(request: ExportLogsServiceRequest, key: Option<&str>) -> Decoded {
    let mut decoded = Decoded::default();
    for all in request.resource_logs {
        let service = service(all.resource.as_ref());
        for record in all.scope_logs.into_iter().flat_map(|scoped| scoped.log_records) {
            if !decoded.has_room(decoded.joined.logs.len()) {
                continue;
            }
            match log(record, service.clone(), key) {
                Some(log) => decoded.joined.logs.push(log),
                None => decoded.reject("log records without a trace id are not kept here"),
            }
        }
    }
    decoded
}

fn span(told: otlp::Span, service: Option<String>, scope: Option<String>, key: Option<&str>) -> Option<Span> {
    let (attributes, attributes_left_out) = attributes(told.attributes);
    let events_left_out = told.events.len().saturating_sub(EVENTS_MAX);
    let events: Vec<Value> = told.events.into_iter().take(EVENTS_MAX).map(event).collect();
    let left_out = told.dropped_attributes_count as usize
        + told.dropped_events_count as usize
        + attributes_left_out
        + events_left_out;
    let (status, status_message) = status(told.status);
    let took = told.end_time_unix_nano.saturating_sub(told.start_time_unix_nano);
    Some(Span {
        trace_id: hex::<16>(&told.trace_id)?,
        span_id: hex::<8>(&told.span_id)?,
        parent_span_id: hex::<8>(&told.parent_span_id),
        name: short(&told.name),
        kind: kind(told.kind).to_owned(),
        service,
        scope,
        started_ms: millis(told.start_time_unix_nano),
        duration_us: took / NANOS_IN_MICRO,
        status,
        status_message,
        attributes,
        events,
        left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
        key: key.map(str::to_owned),
    })
}

fn event(told: otlp::span::Event) -> Value {
    let (attributes, _) = attributes(told.attributes);
    json!({"name": short(&told.name), "at_ms": millis(told.time_unix_nano), "attributes": attributes})
}

fn log(record: LogRecord, service: Option<String>, key: Option<&str>) -> Option<AppLog> {
    let (attributes, _) = attributes(record.attributes);
    let at = match record.time_unix_nano {
        0 => record.observed_time_unix_nano,
        at => at,
    };
    Some(AppLog {
        trace_id: hex::<16>(&record.trace_id)?,
        span_id: hex::<8>(&record.span_id),
        at_ms: millis(at),
        severity: Some(short(&record.severity_text)).filter(|text| !text.is_empty()),
        body: value(record.body, 0),
        attributes,
        service,
        key: key.map(str::to_owned),
    })
}

fn service(resource: Option<&Resource>) -> Option<String> {
    let name = resource?.attributes.iter().find(|attribute| attribute.key == "service.name")?;
    match &name.value.as_ref()?.value {
        Some(Any::StringValue(name)) => Some(short(name)),
        _ => None,
    }
}

fn kind(kind: i32) -> &'static str {
    use otlp::span::SpanKind;
    match SpanKind::try_from(kind) {
        Ok(SpanKind::Server) => "server",
        Ok(SpanKind::Client) => "client",
        Ok(SpanKind::Producer) => "producer",
        Ok(SpanKind::Consumer) => "consumer",
        Ok(SpanKind::Internal | SpanKind::Unspecified) | Err(_) => "internal",
    }
}

fn status(told: Option<otlp::Status>) -> (Option<String>, Option<String>) {
    use otlp::status::StatusCode;
    let told = told.unwrap_or_default();
    let word = match StatusCode::try_from(told.code) {
        Ok(StatusCode::Ok) => Some("ok"),
        Ok(StatusCode::Error) => Some("error"),
        Ok(StatusCode::Unset) | Err(_) => None,
    };
    let message = Some(text(&told.message)).filter(|message| !message.is_empty());
    (word.map(str::to_owned), message)
}

/// Attributes by name, and how many were too many.
fn attributes(all: Vec<KeyValue>) -> (Map<String, Value>, usize) {
    let left_out = all.len().saturating_sub(ATTRIBUTES_MAX);
    let kept = all.into_iter().take(ATTRIBUTES_MAX);
    (kept.map(|attribute| (short(&attribute.key), value(attribute.value, 0))).collect(), left_out)
}

fn value(told: Option<AnyValue>, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    match told.and_then(|told| told.value) {
        Some(Any::StringValue(words)) => text(&words).into(),
        Some(Any::BoolValue(flag)) => flag.into(),
        Some(Any::IntValue(number)) => number.into(),
        Some(Any::DoubleValue(number)) => number.into(),
        Some(Any::BytesValue(bytes)) => format!("{} bytes", bytes.len()).into(),
        Some(Any::ArrayValue(list)) => {
            list.values.into_iter().take(ATTRIBUTES_MAX).map(|item| value(Some(item), depth + 1)).collect()
        }
        Some(Any::KvlistValue(map)) => {
            let fields = map.values.into_iter().take(ATTRIBUTES_MAX);
            fields
                .map(|field| (short(&field.key), value(field.value, depth + 1)))
                .collect::<Map<_, _>>()
                .into()
        }
        // Further kinds are for other signals.
        _ => Value::Null,
    }
}

/// In hexadecimal, if there are so many bytes and not all of them are zero.
fn hex<const N: usize>(bytes: &[u8]) -> Option<String> {
    let is_id = bytes.len() == N && bytes.iter().any(|byte| *byte != 0);
    is_id.then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Milliseconds since 1970, to the microsecond.
fn millis(nanos: u64) -> f64 {
    (nanos / NANOS_IN_MICRO) as f64 / MICROS_IN_MILLI
}

fn short(name: &str) -> String {
    name[..name.floor_char_boundary(NAME_BYTES_MAX)].to_owned()
}

/// A text as it is kept.
fn text(words: &str) -> String {
    mask_text(&words[..words.floor_char_boundary(TEXT_BYTES_MAX)])
}
