//! OpenTelemetry: every request as a span, a log record and metrics, sent by OTLP from a thread of its own.
//!
//! Records of requests that are over are told here by whoever finishes them ([`ostia_store::Observer`]): no request waits, and none does
//! any work for it. What is told waits within bounds, is sent in batches, and sent again where that may help; what is given up is counted.
//!
//! The messages are those of `opentelemetry-proto`. Its SDK makes spans while the work that they are of is under way, on the core that does
//! it, and opens connections of its own: here what is told is over already, and every connection passes the egress guard.

mod call;
mod export;
mod histograms;
mod logs;
mod names;
mod open_metrics;
mod pending;
mod request;
mod spans;
#[cfg(test)]
mod tests;
mod token_counters;
mod values;
mod verdict;

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use ostia_store::{Observer, Record};
use prost::Message as _;
use tokio::runtime::LocalOptions;
use tokio::sync::watch;

use crate::config::otlp::{OtlpSettings, Signal};
use crate::config::settings::Settings;
use crate::core::Snapshot;
use crate::log::{Level, Log, Target};
use crate::meters::Meters;
use export::{Exporter, LAST_WITHIN, reason};
use histograms::Histograms;
use pending::Pending;

/// Which of several gateways it is (<https://opentelemetry.io/docs/specs/semconv/resource/#service>).
const INSTANCE: &str = "service.instance.id";

/// How requests are told.
pub struct Telling<'a> {
    /// What OpenTelemetry calls a provider, by its id.
    provider: &'a dyn Fn(&str) -> String,
    /// Bodies go along.
    content: bool,
}

/// The thread that sends.
#[derive(Debug)]
pub struct Telemetry {
    stop: watch::Sender<bool>,
    is_over: Receiver<()>,
}

/// What is left by those who finish records, for the thread.
#[derive(Debug, Clone)]
struct Left {
    spans: Arc<Pending<Span>>,
    logs: Arc<Pending<LogRecord>>,
    histograms: Arc<Mutex<Histograms>>,
}

/// Starts the thread. `instance`: a name that no other gateway has. Gives who is told of requests.
///
/// # Errors
/// The system gives no thread.
pub fn start(
    snapshots: watch::Receiver<Snapshot>,
    meters: Meters,
    log: Log,
    instance: String,
) -> std::io::Result<(Telemetry, Observer)> {
    let left = Left {
        spans: Arc::new(Pending::new(meters.otlp_waiting.clone())),
        logs: Arc::new(Pending::new(meters.otlp_waiting.clone())),
        histograms: Arc::default(),
    };
    log.say(Level::Info, Target::Server, destinations(&snapshots.borrow().settings));
    let (stop, stopped) = watch::channel(false);
    let (over, is_over) = channel();
    let own = log.clone();
    let exporter = {
        let (snapshots, meters) = (snapshots.clone(), meters.clone());
        move |signal| {
            let instance = (INSTANCE.to_owned(), instance.clone());
            Exporter::new(signal, instance, snapshots.clone(), meters.clone(), log.clone(), stopped.clone())
        }
    };
    let sent = left.clone();
    let counted = meters.clone();
    thread::Builder::new().name("ostia-otlp".to_owned()).spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        match builder.enable_all().build_local(LocalOptions::default()) {
            Ok(runtime) => runtime.block_on(run(exporter, &sent, &counted)),
            Err(error) => {
                own.say(Level::Error, Target::Server, format!("OpenTelemetry is not told: {error}."))
            }
        }
        let _ = over.send(());
    })?;
    let observer = Box::new(move |record: &Record| {
        let settings = snapshots.borrow().settings.clone();
        if let Some(otlp) = &settings.otlp {
            observe(record, otlp, &settings, &left, &meters);
        }
    });
    Ok((Telemetry { stop, is_over }, observer))
}

/// What is said at the start of where it goes.
fn destinations(settings: &Settings) -> String {
    let Some(otlp) = &settings.otlp else { return String::new() };
    let signals =
        [(Signal::Traces, &otlp.traces), (Signal::Metrics, &otlp.metrics), (Signal::Logs, &otlp.logs)];
    let told = signals.into_iter().filter_map(|(signal, collector)| {
        Some(format!("{} to {}", signal.as_str(), collector.as_ref()?.url))
    });
    format!("OpenTelemetry: {}.", told.collect::<Vec<_>>().join(", "))
}

impl Telemetry {
    /// Sends what is there, and ends.
    pub fn finish(self) {
        let _ = self.stop.send(true);
        // The call under way may take as long again.
        let _ = self.is_over.recv_timeout(LAST_WITHIN * 2);
    }
}

async fn run(exporter: impl Fn(Signal) -> Exporter, left: &Left, meters: &Meters) {
    let traces = exporter(Signal::Traces).send_pending(&left.spans, request::traces);
    let logs = exporter(Signal::Logs).send_pending(&left.logs, request::logs);
    let collect = |snapshot: &Snapshot, since: u64, now: u64| {
        let mut metrics = left.histograms.lock().unwrap_or_else(PoisonError::into_inner).metrics(since, now);
        metrics.extend(open_metrics::metrics(&meters.text(&snapshot.settings), since, now));
        metrics.into_iter().map(|metric| sized(metric, Metric::encoded_len)).collect()
    };
    let metrics = exporter(Signal::Metrics).send_regularly(collect, request::metrics);
    tokio::join!(traces, logs, metrics);
}

/// A request is over.
fn observe(record: &Record, otlp: &OtlpSettings, settings: &Settings, left: &Left, meters: &Meters) {
    let provider = |id: &str| {
        let known = settings.providers.get(id);
        known.map_or_else(|| id.to_owned(), |provider| provider.otel.clone())
    };
    let telling = Telling { provider: &provider, content: otlp.content };
    let ids = names::ids(record);
    let by_parent = record.trace_flags.map(|flags| flags & 1 == 1);
    let is_sampled = otlp.sampler.takes(ids.trace, by_parent);
    if otlp.traces.is_some() && is_sampled {
        let spans = spans::spans(record, &ids, &telling).into_iter();
        let lost = left.spans.push(spans.map(|span| sized(span, Span::encoded_len)).collect());
        lost_some(meters, Signal::Traces, lost);
    }
    if otlp.logs.is_some() {
        let record = sized(logs::log_record(record, &ids, is_sampled, &telling), LogRecord::encoded_len);
        lost_some(meters, Signal::Logs, left.logs.push(vec![record]));
    }
    if otlp.metrics.is_some() {
        left.histograms.lock().unwrap_or_else(PoisonError::into_inner).count(record, &telling);
    }
}

fn sized<T>(item: T, bytes: impl Fn(&T) -> usize) -> (T, usize) {
    let bytes = bytes(&item);
    (item, bytes)
}

fn lost_some(meters: &Meters, signal: Signal, count: usize) {
    if count > 0 {
        meters.metrics.dropped(signal.as_str(), reason::QUEUE_FULL, count as u64);
    }
}
