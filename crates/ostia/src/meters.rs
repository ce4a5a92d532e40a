//! What Prometheus hears, and what goes out as metrics by OTLP: what was counted, and how things stand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ostia_store::{BreakerGauge, Gauges, Metrics, Queue};

use crate::clock::now;
use crate::config::settings::Settings;
use crate::gauge::{self, Kind};

/// Whoever knows it all. Each thread has one of its own.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    /// What was counted.
    pub metrics: Arc<Metrics>,
    /// Where records wait, once there is such a place.
    pub queue: Arc<OnceLock<Queue>>,
    /// Spans and log records that wait to be sent by OTLP.
    pub otlp_waiting: Arc<AtomicU64>,
}

impl Meters {
    /// Those who count in these metrics.
    pub fn new(metrics: Metrics) -> Meters {
        Meters { metrics: Arc::new(metrics), ..Meters::default() }
    }

    /// All of it, in OpenMetrics' text form.
    pub fn text(&self, settings: &Settings) -> String {
        let health = self.queue.get().map(Queue::health);
        let records = health.as_ref().map(|health| ("records", health.waiting as u64));
        let otlp = ("otlp", self.otlp_waiting.load(Ordering::Relaxed));
        let now = Gauges {
            breakers: breakers(settings),
            client_connections: gauge::open(Kind::Client),
            upstream_connections: gauge::open(Kind::Upstream),
            open_streams: gauge::open(Kind::Stream),
            waiting: records.into_iter().chain([otlp]).collect(),
        };
        self.metrics.text(health.as_ref(), &now)
    }
}

/// The breakers of the operator's configs and aliases. What a client's own config has, is not told: there are as many as clients like.
fn breakers(settings: &Settings) -> Vec<BreakerGauge> {
    let named = settings.named.configs.iter().chain(&settings.named.aliases);
    let told = named.flat_map(|(name, route)| {
        let targets = route.targets(now()).into_iter();
        targets.filter_map(move |target| {
            Some(BreakerGauge {
                config: name.clone(),
                state: target.breaker?.state,
                target: target.target,
                provider: target.provider.unwrap_or_default(),
            })
        })
    });
    told.collect()
}
