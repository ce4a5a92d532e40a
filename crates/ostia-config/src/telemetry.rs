//! `telemetry`: what is told of requests to OpenTelemetry and to Prometheus.

use std::collections::BTreeMap;

use crate::reader::{Item, Reader};
use crate::shape::Shape;
use crate::{Code, SecretRef};

/// What is told of requests, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// What is sent by OTLP.
    pub otlp: Otlp,
    /// What `/metrics` tells.
    pub metrics: Metrics,
}

/// What is sent by OTLP (<https://opentelemetry.io/docs/specs/otlp/>), and where to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Otlp {
    /// What the environment says (`OTEL_EXPORTER_OTLP_ENDPOINT`), if it says anything.
    #[default]
    Environment,
    /// Nothing, whatever the environment says.
    Off,
    /// What the file says; the environment says the rest.
    To(Box<OtlpTarget>),
}

/// Where OTLP goes, and what of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtlpTarget {
    /// The collector: scheme, host and port, and a path before `/v1/traces` where it has one.
    pub endpoint: Option<String>,
    /// How it is spoken to.
    pub protocol: Option<OtlpProtocol>,
    /// Headers of each call, which may be credentials.
    pub headers: BTreeMap<String, SecretRef>,
    /// A span for each request and each attempt. Default: yes.
    pub traces: Option<bool>,
    /// Times, tokens and counts. Default: yes.
    pub metrics: Option<bool>,
    /// A log record for each request. Default: yes.
    pub logs: Option<bool>,
    /// With bodies, as far as they are kept. Default: no.
    pub content: bool,
}

/// The forms of OTLP that are spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// Protobuf in bodies of HTTP.
    #[default]
    Http,
    /// gRPC.
    Grpc,
}

impl OtlpProtocol {
    /// Each of them.
    pub const ALL: [OtlpProtocol; 2] = [OtlpProtocol::Http, OtlpProtocol::Grpc];

    /// As it is written, here and in `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub fn as_str(self) -> &'static str {
        match self {
            OtlpProtocol::Http => "http/protobuf",
            OtlpProtocol::Grpc => "grpc",
        }
    }
}

/// What `/metrics` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// Requests are counted though no records are kept. Default: no.
    pub requests: bool,
    /// The model that was asked for is a label. Default: no.
    pub model: bool,
    /// The name of the gateway's key is a label. Default: no.
    pub key: bool,
    /// How many values each of these labels has; further ones are `other`. Default: 100.
    pub values: usize,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { requests: false, model: false, key: false, values: 100 }
    }
}

/// Reads the section.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Telemetry {
    let mut telemetry = Telemetry::default();
    for (name, field) in reader.fields(item) {
        match name {
            "otlp" => telemetry.otlp = read_otlp(&field, reader),
            _ => telemetry.metrics = read_metrics(&field, reader),
        }
    }
    telemetry
}

fn read_otlp(item: &Item<'_>, reader: &mut Reader<'_>) -> Otlp {
    if !item.is_map() {
        return match reader.one_of(&item.taken_for(&OFF)) {
            Some(_) => Otlp::Off,
            None => Otlp::Environment,
        };
    }
    let mut target = OtlpTarget::default();
    for (name, field) in reader.fields(item) {
        match name {
            "endpoint" => target.endpoint = read_endpoint(&field, reader),
            "protocol" => {
                let word = reader.one_of(&field);
                let is_said = |protocol: &OtlpProtocol| word.as_deref() == Some(protocol.as_str());
                target.protocol = OtlpProtocol::ALL.into_iter().find(is_said);
            }
            "headers" => {
                let entries = reader.entries(&field);
                let headers = entries.into_iter();
                target.headers = headers
                    .filter_map(|(name, item)| Some((name.to_owned(), reader.secret(&item)?)))
                    .collect();
            }
            "traces" => target.traces = reader.flag(&field),
            "metrics" => target.metrics = reader.flag(&field),
            "logs" => target.logs = reader.flag(&field),
            _ => target.content = reader.flag(&field).unwrap_or(false),
        }
    }
    Otlp::To(Box::new(target))
}

/// Is it an `http` or `https` URL that OTLP can go to? A user or a query in it would be a credential that is printed with every fault.
pub fn is_otlp_endpoint(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    !host.is_empty() && !url.contains(['?', '#', '@']) && !url.contains(char::is_whitespace)
}

fn read_endpoint(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text(item)?;
    if !is_otlp_endpoint(&text) {
        let message = "must be an http or https URL without a user and a query";
        let hint = "write http://localhost:4318, and credentials under headers".to_owned();
        reader.problem(item, Code::WrongValue, message, Some(hint));
        return None;
    }
    Some(text)
}

fn read_metrics(item: &Item<'_>, reader: &mut Reader<'_>) -> Metrics {
    let mut metrics = Metrics::default();
    for (name, field) in reader.fields(item) {
        match name {
            "requests" => metrics.requests = reader.flag(&field).unwrap_or(false),
            "labels" => {
                let items = reader.items(&field);
                let words: Vec<_> = items.iter().filter_map(|item| reader.one_of(item)).collect();
                let has = |label: &str| words.iter().any(|word| word == label);
                (metrics.model, metrics.key) = (has("model"), has("key"));
            }
            _ => metrics.values = reader.integer(&field).unwrap_or(metrics.values),
        }
    }
    metrics
}

static OFF: Shape = Shape::Words(|| vec!["off"]);
