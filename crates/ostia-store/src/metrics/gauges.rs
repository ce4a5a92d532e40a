//! How things stand at the moment somebody asks.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Labels, registered};

/// States of a circuit breaker, as they are told everywhere.
const STATES: [&str; 3] = ["closed", "half_open", "open"];

/// How things stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gauges {
    /// The circuit breakers of the operator's configs.
    pub breakers: Vec<BreakerGauge>,
    /// Connections of clients.
    pub client_connections: u64,
    /// Connections to providers, idle ones included.
    pub upstream_connections: u64,
    /// Answers under way that are streams, and WebSockets.
    pub open_streams: u64,
    /// What waits in queues, by the queue's name.
    pub waiting: Vec<(&'static str, u64)>,
}

/// The circuit breaker of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerGauge {
    /// The operator's name of the config.
    pub config: String,
    /// Which target of it: `config.targets[0]`.
    pub target: String,
    /// Whom it asks.
    pub provider: String,
    /// `closed`, `half_open` or `open`.
    pub state: &'static str,
}

#[derive(Debug)]
pub(super) struct Families {
    breakers: Family<Labels, Gauge>,
    connections: Family<Labels, Gauge>,
    streams: Gauge,
    waiting: Family<Labels, Gauge>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Families {
        Families {
            breakers: registered(
                registry,
                "ostia_breaker_state",
                "Circuit breakers of the operator's configs: 1 for the state that each is in",
                Family::default(),
            ),
            connections: registered(
                registry,
                "ostia_open_connections",
                "Open connections of clients and to providers",
                Family::default(),
            ),
            streams: registered(
                registry,
                "ostia_open_streams",
                "Streams and WebSockets under way",
                Gauge::default(),
            ),
            waiting: registered(registry, "ostia_queue_depth", "What waits in queues", Family::default()),
        }
    }

    pub(super) fn set(&self, now: &Gauges) {
        // A breaker of a config that is gone is told no more.
        self.breakers.clear();
        for breaker in &now.breakers {
            for state in STATES {
                let labels = vec![
                    ("config", breaker.config.clone()),
                    ("target", breaker.target.clone()),
                    ("provider", breaker.provider.clone()),
                    ("state", state.to_owned()),
                ];
                self.breakers.get_or_create(&labels).set(i64::from(state == breaker.state));
            }
        }
        let sides = [("client", now.client_connections), ("upstream", now.upstream_connections)];
        for (side, count) in sides {
            self.connections.get_or_create(&vec![("side", side.to_owned())]).set(signed(count));
        }
        self.streams.set(signed(now.open_streams));
        for (queue, count) in &now.waiting {
            self.waiting.get_or_create(&vec![("queue", (*queue).to_owned())]).set(signed(*count));
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
