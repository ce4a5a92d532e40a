//! Times and tokens of generative AI as metrics
//! (<https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md>): of attempts as
//! the client of providers, of requests as a server.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric,
};
use ostia_store::{Attempt, Record};

use super::Telling;
use super::names;
use super::token_counters::TokenCounters;
use super::values::Attributes;

/// Most series of one instrument; what comes further is one series more
/// (<https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits>).
const SERIES_MAX: usize = 2000;
const MICROS_IN_SECOND: f64 = 1e6;

/// The buckets that the conventions ask for.
const OF_OPERATIONS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const OF_TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const OF_FIRST_TOKENS: &[f64] =
    &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const OF_NEXT_TOKENS: &[f64] = &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// Names and values that tell series apart.
pub(super) type Labels = Vec<(&'static str, String)>;

/// All of them.
#[derive(Debug)]
pub struct Histograms {
    operations: Instrument,
    tokens: Instrument,
    usage: TokenCounters,
    first_chunks: Instrument,
    requests: Instrument,
    first_tokens: Instrument,
    next_tokens: Instrument,
}

#[derive(Debug)]
struct Instrument {
    name: &'static str,
    unit: &'static str,
    about: &'static str,
    bounds: &'static [f64],
    series: BTreeMap<Labels, Series>,
}

#[derive(Debug, Default)]
struct Series {
    buckets: Vec<u64>,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Default for Histograms {
    fn default() -> Histograms {
        let instrument =
            |name, unit, about, bounds| Instrument { name, unit, about, bounds, series: BTreeMap::new() };
        Histograms {
            operations: instrument(
                "gen_ai.client.operation.duration",
                "s",
                "Calls to providers",
                OF_OPERATIONS,
            ),
            tokens: instrument(
                "gen_ai.client.token.usage",
                "{token}",
                "Tokens of calls to providers",
                OF_TOKENS,
            ),
            usage: TokenCounters::default(),
            first_chunks: instrument(
                "gen_ai.client.operation.time_to_first_chunk",
                "s",
                "From a call to a provider to the first token of its stream",
                OF_OPERATIONS,
            ),
            requests: instrument("gen_ai.server.request.duration", "s", "Requests of clients", OF_OPERATIONS),
            first_tokens: instrument(
                "gen_ai.server.time_to_first_token",
                "s",
                "From a request to the first token of its stream",
                OF_FIRST_TOKENS,
            ),
            next_tokens: instrument(
                "gen_ai.server.time_per_output_token",
                "s",
                "Between two tokens of a stream, on average",
                OF_NEXT_TOKENS,
            ),
        }
    }
}

impl Histograms {
    /// Counts a request and its attempts. What is handed on unread is no operation of generative AI.
    pub fn count(&mut self, record: &Record, telling: &Telling<'_>) {
        let Some(operation) = names::operation(record.operation.as_deref()) else { return };
        for attempt in &record.attempts {
            let labels = labels(operation, attempt, telling);
            let took_us = attempt.ended_us.saturating_sub(attempt.sent_us);
            let error = names::error_of_attempt(attempt).map(|error| ("error.type", error));
            self.operations.count(with(&labels, error), took_us as f64 / MICROS_IN_SECOND);
            if let Some(first_token_us) = attempt.first_token_us.filter(|_| record.stream) {
                let waited_us = first_token_us.saturating_sub(attempt.sent_us);
                self.first_chunks.count(labels.clone(), waited_us as f64 / MICROS_IN_SECOND);
            }
            let Some(usage) = &attempt.usage else { continue };
            self.usage.count(&labels, usage);
            for (kind, tokens) in [("input", usage.prompt_tokens), ("output", usage.completion_tokens)] {
                self.tokens.count(with(&labels, Some(("gen_ai.token.type", kind.to_owned()))), tokens as f64);
            }
        }
        if let Some(attempt) = record.last() {
            self.count_request(record, &labels(operation, attempt, telling), attempt);
        }
    }

    fn count_request(&mut self, record: &Record, labels: &Labels, attempt: &Attempt) {
        let error = names::error_of_request(record).map(|error| ("error.type", error));
        self.requests.count(with(labels, error), record.duration_us as f64 / MICROS_IN_SECOND);
        let Some(first_token_us) = record.first_token_us.filter(|_| record.is_success()) else { return };
        self.first_tokens.count(labels.clone(), first_token_us as f64 / MICROS_IN_SECOND);
        let further = attempt.usage.as_ref().map_or(0, |usage| usage.completion_tokens).saturating_sub(1);
        if further > 0 {
            let rest_us = record.duration_us.saturating_sub(first_token_us);
            self.next_tokens.count(labels.clone(), rest_us as f64 / further as f64 / MICROS_IN_SECOND);
        }
    }

    /// All that was counted between these times, in nanoseconds since 1970.
    pub fn metrics(&self, since: u64, now: u64) -> Vec<Metric> {
        let instruments = [
            &self.operations,
            &self.tokens,
            &self.first_chunks,
            &self.requests,
            &self.first_tokens,
            &self.next_tokens,
        ];
        let counted = instruments.into_iter().filter(|instrument| !instrument.series.is_empty());
        counted
            .map(|instrument| instrument.metric(since, now))
            .chain(self.usage.metrics(since, now))
            .collect()
    }
}

fn labels(operation: &'static str, attempt: &Attempt, telling: &Telling<'_>) -> Labels {
    let mut labels = vec![
        ("gen_ai.operation.name", operation.to_owned()),
        ("gen_ai.provider.name", (telling.provider)(&attempt.provider)),
    ];
    let models =
        [("gen_ai.request.model", &attempt.model), ("gen_ai.response.model", &attempt.answered_model)];
    labels.extend(models.into_iter().filter_map(|(name, model)| Some((name, model.clone()?))));
    if let Some((host, port)) = attempt.server.as_deref().map(names::host_and_port) {
        labels.push(("server.address", host.to_owned()));
        labels.extend(port.map(|port| ("server.port", port.to_string())));
    }
    labels
}

pub(super) fn with(labels: &Labels, further: Option<(&'static str, String)>) -> Labels {
    labels.iter().cloned().chain(further).collect()
}

/// These, while there is room for a series of theirs.
pub(super) fn bounded<T>(series: &BTreeMap<Labels, T>, labels: Labels) -> Labels {
    let has_room = series.len() < SERIES_MAX || series.contains_key(&labels);
    if has_room { labels } else { vec![("otel.metric.overflow", "true".to_owned())] }
}

impl Instrument {
    fn count(&mut self, labels: Labels, value: f64) {
        let labels = bounded(&self.series, labels);
        let series = self.series.entry(labels).or_insert_with(|| Series {
            buckets: vec![0; self.bounds.len() + 1],
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            ..Series::default()
        });
        series.buckets[self.bounds.partition_point(|bound| *bound < value)] += 1;
        (series.count, series.sum) = (series.count + 1, series.sum + value);
        (series.min, series.max) = (series.min.min(value), series.max.max(value));
    }

    fn metric(&self, since: u64, now: u64) -> Metric {
        let points = self.series.iter().map(|(labels, series)| HistogramDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: since,
            time_unix_nano: now,
            count: series.count,
            sum: Some(series.sum),
            bucket_counts: series.buckets.clone(),
            explicit_bounds: self.bounds.to_vec(),
            min: Some(series.min),
            max: Some(series.max),
            ..HistogramDataPoint::default()
        });
        let histogram = Histogram {
            data_points: points.collect(),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
        };
        Metric {
            name: self.name.to_owned(),
            description: self.about.to_owned(),
            unit: self.unit.to_owned(),
            data: Some(Data::Histogram(histogram)),
            ..Metric::default()
        }
    }
}

pub(super) fn attributes(labels: &Labels) -> Vec<opentelemetry_proto::tonic::common::v1::KeyValue> {
    let mut attributes = Attributes::default();
    for (name, value) in labels {
        match *name {
            "server.port" => attributes.count(name, value.parse().unwrap_or_default()),
            "otel.metric.overflow" => attributes.flag(name, true),
            _ => attributes.text(name, &**value),
        }
    }
    attributes.0
}
