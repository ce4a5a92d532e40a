//! What is sent at once, as OTLP has it: the items, what made them, and what they come from.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use super::values::Attributes;

/// Who says it.
const SCOPE: &str = "ostia";
/// None is named: some names of GenAI are newer than 1.41, the last version of the general conventions that has any of them
/// (<https://github.com/open-telemetry/semantic-conventions-genai/blob/main/CHANGELOG.md>), and a collector that takes them for older
/// ones may rename them.
const SCHEMA_URL: String = String::new();

/// Attributes of what all of it comes from.
pub type Origin = [(String, String)];

fn resource(origin: &Origin) -> Option<Resource> {
    let mut attributes = Attributes::default();
    origin.iter().for_each(|(name, value)| attributes.text(name, &**value));
    Some(Resource { attributes: attributes.0, ..Resource::default() })
}

fn scope() -> Option<InstrumentationScope> {
    let (name, version) = (SCOPE.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    Some(InstrumentationScope { name, version, ..InstrumentationScope::default() })
}

/// Spans, encoded.
pub fn traces(origin: &Origin, spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, schema_url: SCHEMA_URL }];
    let all = ResourceSpans { resource: resource(origin), scope_spans, schema_url: SCHEMA_URL };
    ExportTraceServiceRequest { resource_spans: vec![all] }.encode_to_vec()
}

/// Log records, encoded.
pub fn logs(origin: &Origin, log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, schema_url: SCHEMA_URL }];
    let all = ResourceLogs { resource: resource(origin), scope_logs, schema_url: SCHEMA_URL };
    ExportLogsServiceRequest { resource_logs: vec![all] }.encode_to_vec()
}

/// Metrics, encoded.
pub fn metrics(origin: &Origin, metrics: Vec<Metric>) -> Vec<u8> {
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, schema_url: SCHEMA_URL }];
    let all = ResourceMetrics { resource: resource(origin), scope_metrics, schema_url: SCHEMA_URL };
    ExportMetricsServiceRequest { resource_metrics: vec![all] }.encode_to_vec()
}
