//! A request as a log record (<https://opentelemetry.io/docs/specs/otel/logs/data-model/>).

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use ostia_store::{Kept, Record};

use super::Telling;
use super::names::Ids;
use super::spans::{flags, nanos, request_attributes};
use super::values::{Attributes, any};

/// What kind of event it is.
const EVENT: &str = "ostia.request";

/// The log record of a request.
pub fn log_record(record: &Record, ids: &Ids, is_sampled: bool, telling: &Telling<'_>) -> LogRecord {
    let mut attributes = Attributes::default();
    request_attributes(record, ids, &mut attributes);
    if let Some(attempt) = record.last() {
        attributes.text("gen_ai.provider.name", (telling.provider)(&attempt.provider));
        attributes.some_text("gen_ai.response.model", attempt.answered_model.as_deref());
    }
    if let Some((input, output)) = record.tokens() {
        attributes.count("gen_ai.usage.input_tokens", input);
        attributes.count("gen_ai.usage.output_tokens", output);
    }
    if telling.content {
        content("ostia.request.body", &record.request, &mut attributes);
        content("ostia.response.body", &record.response, &mut attributes);
    }
    let (severity, word) = severity(record);
    let ended = nanos(record, record.duration_us);
    LogRecord {
        time_unix_nano: ended,
        observed_time_unix_nano: ended,
        severity_number: severity.into(),
        severity_text: word.to_owned(),
        body: Some(any(Value::StringValue(format!("{} {} {}", record.status, record.method, record.path)))),
        attributes: attributes.0,
        flags: flags(record, is_sampled),
        trace_id: ids.trace.to_vec(),
        span_id: ids.span.to_vec(),
        event_name: EVENT.to_owned(),
        ..LogRecord::default()
    }
}

/// As the lines of the gateway's own log have it.
fn severity(record: &Record) -> (SeverityNumber, &'static str) {
    match (record.status, record.end.as_str()) {
        (500.., _) | (_, "broken") => (SeverityNumber::Error, "ERROR"),
        (400.., _) | (_, "client_left") => (SeverityNumber::Warn, "WARN"),
        _ => (SeverityNumber::Info, "INFO"),
    }
}

/// A body, as far as it is kept.
fn content(name: &str, body: &Kept, to: &mut Attributes) {
    if let Kept::Bytes { bytes, .. } = body {
        to.text(name, String::from_utf8_lossy(bytes));
    }
}
