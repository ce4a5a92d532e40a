//! Counters and times for Prometheus (<https://prometheus.io/docs/specs/om/open_metrics_spec/>), made from records on the writer's
//! thread. Portkey's names are there too, for dashboards that have them.
//!
//! Nothing that a client chooses freely is a label: methods that HTTP does not know are `other`. Models and keys are labels where
//! the operator wants them, and of those only so many ([`MetricLabels`]).

mod capped;
mod gauges;
mod plain;
mod recent;

use std::cell::OnceCell;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

use crate::health::Health;
use crate::record::{Attempt, Record, Usage};
use capped::Capped;
pub use gauges::{BreakerGauge, Gauges};
pub use plain::plain;
use recent::{Attempts, Chosen, Recent, Requests};

/// The type of what [`Metrics::text`] gives.
pub const METRICS_MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The type of what [`plain`] makes of it.
pub const PLAIN_METRICS_MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    /// Only the thread that finishes records counts them.
    recent: Mutex<Recent>,
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
            recent: Mutex::default(),
            telling: Mutex::default(),
            registry,
        }
    }
}

impl Metrics {
    pub(crate) fn count(&self, record: &Record) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let Recent { requests, attempts } = &mut *recent;
        let chosen = self.chosen(record, record.model_asked());
        let of = requests.find(|one| one.is_like(record, &chosen), || Requests::like(record, chosen.clone()));
        self.count_request(record, of);
        for attempt in &record.attempts {
            let chosen = self.chosen(record, attempt.model.as_deref());
            let own = attempts
                .find(|one| one.is_like(attempt, &chosen), || Attempts::like(attempt, chosen.clone()));
            self.count_attempt(attempt, own, of);
        }
        for (before, attempt) in record.attempts.iter().zip(record.attempts.iter().skip(1)) {
            let further = if attempt.target == before.target { &self.retries } else { &self.fallbacks };
            further.get_or_create(&vec![("provider", attempt.provider.clone())]).inc();
        }
    }

    fn count_request(&self, record: &Record, of: &Requests) {
        let found = |cell: &OnceCell<Histogram>, times: &Times, labels: &Labels, micros: u64, unit: f64| {
            cell.get_or_init(|| times.get_or_create_owned(labels)).observe(micros as f64 / unit);
        };
        let Requests { own, of: all, portkey, .. } = of;
        of.requests.get_or_init(|| self.requests.get_or_create_owned(own)).inc();
        portkey.requests.get_or_init(|| self.portkey.requests.get_or_create_owned(all)).inc();
        let (took, waited) = (record.duration_us, record.upstream_us);
        found(&of.duration, &self.duration, own, took, MICROS_IN_SECOND);
        found(&portkey.duration, &self.portkey.duration, all, took, MICROS_IN_SECOND);
        found(&of.upstream, &self.upstream, all, waited, MICROS_IN_SECOND);
        found(&portkey.upstream, &self.portkey.upstream, all, waited, MICROS_IN_MILLISECOND);
        if let Some(first_token_us) = record.first_token_us {
            found(&of.first_token, &self.first_token, own, first_token_us, MICROS_IN_SECOND);
        } else if !record.stream {
            // Of a stream nobody can tell whose the time between two events is.
            let share = took.saturating_sub(waited);
            found(&of.gateway, &self.gateway, all, share, MICROS_IN_SECOND);
            found(&portkey.gateway, &self.portkey.gateway, all, share, MICROS_IN_MILLISECOND);
        }
    }

    /// The labels that the operator wants besides. A model or key that no provider answered for takes no place of one that is used.
    fn chosen(&self, record: &Record, model: Option<&str>) -> Chosen {
        let may_be_new = record.is_success();
        let value = |capped: &Option<Capped>, value: Option<&str>| {
            capped.as_ref().map(|capped| capped.value(value.unwrap_or_default(), may_be_new))
        };
        Chosen { model: value(&self.models, model), key: value(&self.keys, record.key.as_deref()) }
    }

    fn count_attempt(&self, attempt: &Attempt, own: &Attempts, of: &Requests) {
        let outcome = attempt.outcome.as_str();
        let found = || self.attempts.get_or_create_owned(&own.labels("outcome", outcome));
        own.outcomes[attempt.outcome as usize].get_or_init(found).inc();
        if let Some(usage) = &attempt.usage {
            for (cell, (kind, count)) in own.tokens.iter().zip(kinds(usage)) {
                if count > 0 {
                    let found = || self.tokens.get_or_create_owned(&own.labels("kind", kind));
                    cell.get_or_init(found).inc_by(count);
                }
            }
            let total = i64::try_from(usage.total_tokens).unwrap_or(i64::MAX);
            let found = || self.portkey.tokens.get_or_create_owned(&of.of);
            of.portkey.tokens.get_or_init(found).inc_by(total);
        }
        if let Some(cost) = &attempt.cost
            && let Ok(amount) = cost.amount.parse::<f64>()
        {
            self.count_cost(amount, &cost.currency, own);
            if attempt.usage_estimated {
                self.estimated_cost.get_or_create(&own.labels("currency", &cost.currency)).inc_by(amount);
            }
            if cost.currency == crate::rollup::USD {
                let found = || self.portkey.cost.get_or_create_owned(&of.of);
                of.portkey.cost.get_or_init(found).inc_by(amount);
            }
        }
        if attempt.cost_unknown.is_some() {
            self.unpriced.get_or_create(&vec![("provider", attempt.provider.clone())]).inc();
        }
    }

    fn count_cost(&self, amount: f64, currency: &str, own: &Attempts) {
        let found = || self.cost.get_or_create_owned(&own.labels("currency", currency));
        let (first, cost) = own.cost.get_or_init(|| (currency.to_owned(), found()));
        if first == currency {
            cost.inc_by(amount);
        } else {
            found().inc_by(amount);
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

/// Tokens by kind.
fn kinds(usage: &Usage) -> [(&'static str, u64); 5] {
    [
        ("prompt", usage.prompt_tokens),
        ("completion", usage.completion_tokens),
        ("cached", usage.cached_tokens),
        ("cache_write", usage.cache_write_tokens),
        ("reasoning", usage.reasoning_tokens),
    ]
}

/// What a method is told as.
fn method(record: &Record) -> &'static str {
    METHODS.into_iter().find(|known| *known == record.method).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Cost, Outcome};

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

    #[test]
    fn what_is_at_hand_is_counted_where_it_belongs() {
        let metrics = Metrics::new(MetricLabels { model: false, key: true, values_max: 9 });
        let attempt = |provider: &str, outcome: Outcome, currency: &str| Attempt {
            provider: provider.into(),
            outcome,
            cost: Some(Cost { amount: "2".into(), currency: currency.into(), ..Cost::default() }),
            usage: Some(Usage { reasoning_tokens: 3, ..Usage::default() }),
            ..Attempt::default()
        };
        let record = |key: &str, status: u16, attempts: Vec<Attempt>| Record {
            method: "POST".into(),
            key: Some(key.into()),
            status,
            end: "whole".into(),
            attempts,
            ..Record::default()
        };
        for _ in 0..2 {
            metrics.count(&record("a", 200, vec![attempt("p", Outcome::Answered, "USD")]));
            metrics.count(&record("b", 200, vec![attempt("p", Outcome::Answered, "CNY")]));
            metrics.count(&record("b", 200, vec![attempt("p", Outcome::Broken, "USD")]));
            metrics.count(&record("a", 503, vec![attempt("q", Outcome::Failed, "USD")]));
        }
        let told = metrics.text(None, &Gauges::default());
        for line in [
            r#"ostia_requests_total{method="POST",endpoint="proxy",code="200",provider="p",stream="false",key="a"} 2"#,
            r#"ostia_requests_total{method="POST",endpoint="proxy",code="200",provider="p",stream="false",key="b"} 4"#,
            r#"ostia_requests_total{method="POST",endpoint="proxy",code="503",provider="q",stream="false",key="a"} 2"#,
            r#"ostia_attempts_total{provider="p",outcome="broken",key="b"} 2"#,
            r#"ostia_attempts_total{provider="p",outcome="answered",key="b"} 2"#,
            r#"ostia_cost_total{provider="p",currency="CNY",key="b"} 4.0"#,
            r#"ostia_cost_total{provider="p",currency="USD",key="b"} 4.0"#,
            r#"ostia_cost_total{provider="q",currency="USD",key="a"} 4.0"#,
            r#"ostia_tokens_total{provider="p",kind="reasoning",key="b"} 12"#,
            r#"llm_cost_sum{method="POST",endpoint="proxy",code="200",provider="p",stream="false"} 8.0"#,
            r#"llm_token_sum{method="POST",endpoint="proxy",code="503",provider="q",stream="false"} 0"#,
        ] {
            assert!(told.lines().any(|told| told == line), "{line}\n{told}");
        }
        assert!(!told.contains(r#"kind="prompt""#), "nobody counted any");
    }
}
