//! Collectors that stand in: one of our own over HTTP, and the official messages in Python, over HTTP and gRPC.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use ostia_testkit::Upstream;
use prost::Message;
use serde_json::Value;

use crate::gateway::Setup;
use crate::programs;
use crate::wire;

/// A gateway that sends what it has to tell at once, to there.
pub fn told_to(url: &str, further: &str) -> Setup {
    eager(Setup::new().config(&format!("telemetry: {{otlp: {{endpoint: \"{url}\"}}}}\n{further}")))
}

/// The same without a file that says where.
pub fn eager(setup: Setup) -> Setup {
    setup.env("OTEL_BSP_SCHEDULE_DELAY", "20").env("OTEL_METRIC_EXPORT_INTERVAL", "200")
}

/// What came to a collector of our own at this path.
fn exports<T: Message + Default>(collector: &Upstream, path: &str) -> Vec<T> {
    let requests = collector.requests().into_iter().filter(|request| request.target == path);
    requests.map(|request| T::decode(&*request.body).unwrap()).collect()
}

/// All spans that came.
pub fn spans(collector: &Upstream) -> Vec<Span> {
    let exports: Vec<ExportTraceServiceRequest> = exports(collector, "/v1/traces");
    let scopes = exports.into_iter().flat_map(|export| export.resource_spans).flat_map(|all| all.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

/// All log records that came.
pub fn logs(collector: &Upstream) -> Vec<LogRecord> {
    let exports: Vec<ExportLogsServiceRequest> = exports(collector, "/v1/logs");
    let scopes = exports.into_iter().flat_map(|export| export.resource_logs).flat_map(|all| all.scope_logs);
    scopes.flat_map(|scope| scope.log_records).collect()
}

/// The metrics that came last, by name.
pub fn metrics(collector: &Upstream) -> Vec<Metric> {
    let exports: Vec<ExportMetricsServiceRequest> = exports(collector, "/v1/metrics");
    let last = exports.into_iter().next_back().into_iter().flat_map(|export| export.resource_metrics);
    last.flat_map(|all| all.scope_metrics).flat_map(|scope| scope.metrics).collect()
}

/// Attributes of what all of it comes from.
pub fn resource(collector: &Upstream) -> Vec<KeyValue> {
    let exports: Vec<ExportTraceServiceRequest> = exports(collector, "/v1/traces");
    exports[0].resource_spans[0].resource.clone().unwrap().attributes
}

/// The value of an attribute, as text.
pub fn value(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    Some(match attribute.value.clone()?.value? {
        Any::StringValue(text) => text,
        Any::IntValue(number) => number.to_string(),
        Any::DoubleValue(number) => number.to_string(),
        Any::BoolValue(flag) => flag.to_string(),
        other => format!("{other:?}"),
    })
}

/// What `look` gives, once it gives something.
#[track_caller]
pub fn once<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    wire::once(|| look().ok_or(what))
}

/// A collector with the official messages.
pub struct Official {
    child: Child,
    pub url: String,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Official {
    /// One that speaks this protocol and answers so, in turn; `None` where there is no Python for it.
    pub fn start(protocol: &str, answers: &[&str]) -> Option<Official> {
        let python = programs::python()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/otlp_collector.py");
        let mut command = Command::new(python);
        command.env_clear().arg("-B").arg(script).arg(protocol).args(answers).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap();
        let told = Arc::<Mutex<Vec<Value>>>::default();
        let hears = told.clone();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                hears.lock().unwrap().push(crate::json(&line));
            }
        });
        Some(Official { child, url: format!("http://127.0.0.1:{port}"), lines: told })
    }

    /// What came of this signal.
    pub fn exports(&self, signal: &str) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line["signal"] == signal).cloned().collect()
    }

    /// All spans of all exports that were taken.
    pub fn spans(&self) -> Vec<Value> {
        let taken = |export: &Value| ["ok", "slow"].contains(&export["answer"].as_str().unwrap());
        let mut spans = Vec::new();
        for export in self.exports("traces").iter().filter(|export| taken(export)) {
            for all in export["message"]["resourceSpans"].as_array().unwrap() {
                for scope in all["scopeSpans"].as_array().unwrap() {
                    spans.extend(scope["spans"].as_array().unwrap().iter().cloned());
                }
            }
        }
        spans
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
