//! Counters and times for Prometheus (<https://prometheus.io/docs/specs/om/open_metrics_spec/>), made from records on the writer's
//! thread. Portkey's names are there too, for dashboards that have them.
//!
//! Nothing that a client chooses freely is a label: methods that HTTP does not know are `other`. Models and keys are labels where
//! the operator wants them, and of those only so many ([`MetricLabels`]).

mod capped;
mod gauges;

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

use crate::health::Health;
use crate::record::{Attempt, Record};
use capped::Capped;
pub use gauges::{BreakerGauge, Gauges};

/// The type of what [`Metrics::text`] gives.
pub const METRICS_MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Methods that are told by their name.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const MICROS_IN_SECOND: f64 = 1e6;
const MICROS_IN_MILLISECOND: f64 = 1e3;

type Labels = Vec<(&'static str, String)>;
type Times = Family<Labels, Histogram, fn() -> Histogram>;

/// Which further labels there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricLabels {
    /// The model.
    pub model: bool,
    /// The name of the gateway's key.
    pub key: bool,
    /// How many values each has; further ones are `other`.
    pub values_max: usize,
}

/// What Prometheus may ask for.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    duration: Times,
    first_token: Times,
    gateway: Times,
    upstream: Times,
    attempts: Family<Labels, Counter>,
    retries: Family<Labels, Counter>,
    fallbacks: Family<Labels, Counter>,
    tokens: Family<Labels, Counter>,
    cost: Family<Labels, Counter<f64, AtomicU64>>,
    estimated_cost: Family<Labels, Counter<f64, AtomicU64>>,
    unpriced: Family<Labels, Counter>,
    store: Family<Labels, Gauge>,
    exported: Family<Labels, Counter>,
    dropped: Family<Labels, Counter>,
    now: gauges::Families,
    portkey: Portkey,
    models: Option<Capped>,
    keys: Option<Capped>,
    /// Taken by whoever makes the text: what is set for it is cleared first.
    telling: Mutex<()>,
}

/// The same by Portkey's names.
#[derive(Debug)]
struct Portkey {
    requests: Family<Labels, Gauge>,
    duration: Times,
    upstream: Times,
    gateway: Times,
    cost: Family<Labels, Gauge<f64, AtomicU64>>,
    tokens: Family<Labels, Gauge>,
}

/// From half a millisecond to some nine minutes.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 21))
}

fn milliseconds() -> Histogram {
    Histogram::new(exponential_buckets(0.1, 3.0, 18))
}

fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, about: &str, metric: M) -> M {
    registry.register(name, about, metric.clone());
    metric
}

fn times(registry: &mut Registry, name: &str, about: &str, make: fn() -> Histogram) -> Times {
    registered(registry, name, about, Times::new_with_constructor(make))
}

impl Portkey {
    fn new(all: &mut Registry) -> Portkey {
        Portkey {
            requests: registered(all, "request_count", "Requests", Family::default()),
            duration: times(all, "http_request_duration_seconds", "The whole request", seconds),
            upstream: times(all, "llm_request_duration_milliseconds", "The provider's time", milliseconds),
            gateway: times(all, "portkey_request_duration_milliseconds", "The gateway's share", milliseconds),
            cost: registered(all, "llm_cost_sum", "Cost in dollars", Family::default()),
            tokens: registered(all, "llm_token_sum", "Tokens", Family::default()),
        }
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new(MetricLabels { model: false, key: false, values_max: 0 })
    }
}

impl Metrics {
    /// With these labels besides those that are always there.
    pub fn new(labels: MetricLabels) -> Metrics {
        let mut registry = Registry::default();
        let all = &mut registry;
        Metrics {
            requests: registered(all, "ostia_requests", "Requests", Family::default()),
            duration: times(
                all,
                "ostia_request_duration_seconds",
                "From the request to the last byte",
                seconds,
            ),
            first_token: times(
                all,
                "ostia_first_token_seconds",
                "From the request to the first token",
                seconds,
            ),
            gateway: times(
                all,
                "ostia_gateway_duration_seconds",
                "The gateway's own share of requests in one piece",
                seconds,
            ),
            upstream: times(
                all,
                "ostia_upstream_duration_seconds",
                "How long providers were waited for",
                seconds,
            ),
            attempts: registered(all, "ostia_attempts", "Calls to providers", Family::default()),
            retries: registered(
                all,
                "ostia_retries",
                "Further calls to the target that was called before",
                Family::default(),
            ),
            fallbacks: registered(
                all,
                "ostia_fallbacks",
                "Calls to another target than the one before",
                Family::default(),
            ),
            tokens: registered(
                all,
                "ostia_tokens",
                "Tokens by kind, as providers count them or as estimated",
                Family::default(),
            ),
            cost: registered(all, "ostia_cost", "Cost, as far as it is known", Family::default()),
            estimated_cost: registered(
                all,
                "ostia_estimated_cost",
                "As much of the cost as is estimated",
                Family::default(),
            ),
            unpriced: registered(
                all,
                "ostia_unpriced_attempts",
                "Calls whose cost nobody knows",
                Family::default(),
            ),
            store: registered(all, "ostia_records", "Records by what became of them", Family::default()),
            exported: registered(all, "ostia_otlp_exported", "What OTLP took, by signal", Family::default()),
            dropped: registered(
                all,
                "ostia_otlp_dropped",
                "What was not sent by OTLP, or not taken, and why",
                Family::default(),
            ),
            now: gauges::Families::new(all),
            portkey: Portkey::new(all),
            models: labels.model.then(|| Capped::new(labels.values_max)),
            keys: labels.key.then(|| Capped::new(labels.values_max)),
            telling: Mutex::default(),
            registry,
        }
    }
}

impl Metrics {
    pub(crate) fn count(&self, record: &Record) {
        let of = labels(record);
        let chosen = self.chosen(record, record.model_asked());
        let own = with(&of, &chosen);
        self.requests.get_or_create(&own).inc();
        self.portkey.requests.get_or_create(&of).inc();
        let observe =
            |times: &Times, micros: u64, unit: f64| times.get_or_create(&of).observe(micros as f64 / unit);
        self.duration.get_or_create(&own).observe(record.duration_us as f64 / MICROS_IN_SECOND);
        observe(&self.portkey.duration, record.duration_us, MICROS_IN_SECOND);
        observe(&self.upstream, record.upstream_us, MICROS_IN_SECOND);
        observe(&self.portkey.upstream, record.upstream_us, MICROS_IN_MILLISECOND);
        if let Some(first_token_us) = record.first_token_us {
            self.first_token.get_or_create(&own).observe(first_token_us as f64 / MICROS_IN_SECOND);
        } else if !record.stream {
            // Of a stream nobody can tell whose the time between two events is.
            let own = record.duration_us.saturating_sub(record.upstream_us);
            observe(&self.gateway, own, MICROS_IN_SECOND);
            observe(&self.portkey.gateway, own, MICROS_IN_MILLISECOND);
        }
        for attempt in &record.attempts {
            self.count_attempt(attempt, &of, &self.chosen(record, model(attempt)));
        }
        for (before, attempt) in record.attempts.iter().zip(record.attempts.iter().skip(1)) {
            let further = if attempt.target == before.target { &self.retries } else { &self.fallbacks };
            further.get_or_create(&vec![("provider", attempt.provider.clone())]).inc();
        }
    }

    /// The labels that the operator wants besides. A model or key that no provider answered for takes no place of one that is used.
    fn chosen(&self, record: &Record, model: Option<&str>) -> Labels {
        let may_be_new = record.is_success();
        let value = |capped: &Option<Capped>, value: Option<&str>| {
            capped.as_ref().map(|capped| capped.value(value.unwrap_or_default(), may_be_new))
        };
        let model = value(&self.models, model).map(|model| ("model", model));
        let key = value(&self.keys, record.key.as_deref()).map(|key| ("key", key));
        model.into_iter().chain(key).collect()
    }

    fn count_attempt(&self, attempt: &Attempt, of: &Labels, chosen: &Labels) {
        let with = |name: &'static str, value: &str| {
            with(&vec![("provider", attempt.provider.clone()), (name, value.to_owned())], chosen)
        };
        self.attempts.get_or_create(&with("outcome", attempt.outcome.as_str())).inc();
        if let Some(usage) = &attempt.usage {
            let kinds = [
                ("prompt", usage.prompt_tokens),
                ("completion", usage.completion_tokens),
                ("cached", usage.cached_tokens),
                ("cache_write", usage.cache_write_tokens),
                ("reasoning", usage.reasoning_tokens),
            ];
            for (kind, count) in kinds.into_iter().filter(|(_, count)| *count > 0) {
                self.tokens.get_or_create(&with("kind", kind)).inc_by(count);
            }
            let total = i64::try_from(usage.total_tokens).unwrap_or(i64::MAX);
            self.portkey.tokens.get_or_create(of).inc_by(total);
        }
        if let Some(cost) = &attempt.cost
            && let Ok(amount) = cost.amount.parse::<f64>()
        {
            self.cost.get_or_create(&with("currency", &cost.currency)).inc_by(amount);
            if attempt.usage_estimated {
                self.estimated_cost.get_or_create(&with("currency", &cost.currency)).inc_by(amount);
            }
            if cost.currency == crate::rollup::USD {
                self.portkey.cost.get_or_create(of).inc_by(amount);
            }
        }
        if attempt.cost_unknown.is_some() {
            self.unpriced.get_or_create(&vec![("provider", attempt.provider.clone())]).inc();
        }
    }

    /// So many of a signal (`traces`, `logs`, `metrics`) were taken by OTLP's other side.
    pub fn exported(&self, signal: &'static str, count: u64) {
        self.exported.get_or_create(&vec![("signal", signal.to_owned())]).inc_by(count);
    }

    /// So many were not, for this reason.
    pub fn dropped(&self, signal: &'static str, reason: &'static str, count: u64) {
        let labels = vec![("signal", signal.to_owned()), ("reason", reason.to_owned())];
        self.dropped.get_or_create(&labels).inc_by(count);
    }

    /// All of it as text ([`METRICS_MEDIA_TYPE`]), with how the store fares, where there is one, and how things stand.
    pub fn text(&self, health: Option<&Health>, now: &Gauges) -> String {
        let _telling = self.telling.lock();
        if let Some(health) = health {
            self.set_store(health);
        }
        self.now.set(now);
        let mut told = String::new();
        // A text has room for all.
        let _ = text::encode(&mut told, &self.registry);
        told
    }

    fn set_store(&self, health: &Health) {
        let states = [
            ("written", health.written),
            ("lost", health.lost),
            ("without_bodies", health.lost_bodies),
            ("waiting", health.waiting as u64),
        ];
        for (state, count) in states {
            let gauge = self.store.get_or_create(&vec![("state", state.to_owned())]).clone();
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

fn with(labels: &Labels, further: &Labels) -> Labels {
    labels.iter().chain(further).cloned().collect()
}

fn model(attempt: &Attempt) -> Option<&str> {
    attempt.model.as_deref()
}

/// What Portkey's metrics are told apart by, as far as it is known here.
fn labels(record: &Record) -> Labels {
    let method = METHODS.into_iter().find(|known| *known == record.method).unwrap_or("other");
    vec![
        ("method", method.to_owned()),
        ("endpoint", record.operation.clone().unwrap_or_else(|| "proxy".to_owned())),
        ("code", record.status.to_string()),
        ("provider", record.last().map(|attempt| attempt.provider.clone()).unwrap_or_default()),
        ("stream", record.stream.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Cost, Outcome, Usage};

    #[test]
    fn what_prometheus_reads() {
        let metrics = Metrics::new(MetricLabels { model: true, key: false, values_max: 1 });
        let usage = Usage { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, ..Usage::default() };
        let cost = Cost { amount: "0.25".into(), currency: "USD".into(), ..Cost::default() };
        let attempt = Attempt {
            provider: "openai".into(),
            outcome: Outcome::Answered,
            usage: Some(usage),
            cost: Some(cost),
            ..Attempt::default()
        };
        let attempt = Attempt { target: "config.targets[1]".into(), ..attempt };
        let attempt = Attempt { model: Some("m".into()), ..attempt };
        let failed = Attempt { provider: "groq".into(), outcome: Outcome::Failed, ..Attempt::default() };
        let record = Record {
            method: "MADE-UP".into(),
            operation: Some("openai_chat".into()),
            status: 200,
            end: "whole".into(),
            duration_us: 40_000,
            upstream_us: 30_000,
            attempts: vec![failed.clone(), failed, attempt],
            ..Record::default()
        };
        metrics.count(&record);
        metrics.count(&record);
        metrics.count(&Record { model: Some("further".into()), attempts: Vec::new(), ..record });
        metrics.dropped("traces", "queue_full", 3);
        let breaker = BreakerGauge {
            config: "careful".into(),
            target: "config.targets[0]".into(),
            provider: "groq".into(),
            state: "open",
        };
        let now = Gauges {
            breakers: vec![breaker],
            client_connections: 3,
            upstream_connections: 2,
            open_streams: 1,
            waiting: vec![("records", 4)],
        };
        let told = metrics.text(Some(&Health { written: 2, ..Health::default() }), &now);
        let with_model = r#"{method="other",endpoint="openai_chat",code="200",provider="openai",stream="false",model="m"}"#;
        let of = r#"{method="other",endpoint="openai_chat",code="200",provider="openai",stream="false"}"#;
        for line in [
            format!("ostia_requests_total{with_model} 2"),
            r#"ostia_requests_total{method="other",endpoint="openai_chat",code="200",provider="",stream="false",model="other"} 1"#.to_owned(),
            r#"ostia_otlp_dropped_total{signal="traces",reason="queue_full"} 3"#.to_owned(),
            r#"ostia_breaker_state{config="careful",target="config.targets[0]",provider="groq",state="open"} 1"#.to_owned(),
            r#"ostia_breaker_state{config="careful",target="config.targets[0]",provider="groq",state="closed"} 0"#.to_owned(),
            r#"ostia_open_connections{side="client"} 3"#.to_owned(),
            r#"ostia_open_connections{side="upstream"} 2"#.to_owned(),
            "ostia_open_streams 1".to_owned(),
            r#"ostia_queue_depth{queue="records"} 4"#.to_owned(),
            format!("request_count{of} 2"),
            format!("llm_token_sum{of} 22"),
            format!("llm_cost_sum{of} 0.5"),
            format!("http_request_duration_seconds_count{of} 2"),
            r#"ostia_attempts_total{provider="groq",outcome="failed",model=""} 4"#.to_owned(),
            r#"ostia_retries_total{provider="groq"} 2"#.to_owned(),
            r#"ostia_fallbacks_total{provider="openai"} 2"#.to_owned(),
            r#"ostia_tokens_total{provider="openai",kind="prompt",model="m"} 18"#.to_owned(),
            r#"ostia_cost_total{provider="openai",currency="USD",model="m"} 0.5"#.to_owned(),
            r#"ostia_records{state="written"} 2"#.to_owned(),
        ] {
            assert!(told.lines().any(|told| told == line), "{line}\n{told}");
        }
        assert!(told.ends_with("# EOF\n"));
    }
}
