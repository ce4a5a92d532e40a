//! The store of records, as the gateway starts it: where it lies, and how it hears of prices.

pub mod calls;

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use ostia_config::{BodiesKept, Records};
use ostia_store::{
    Connect, Connecting, Counter, DataDirectory, ExportStore, Finisher, Http, MetricLabels, Metrics,
    Observer, Place, Priced, Prices, Readers, Retention, Store,
};
use tokio::sync::watch;

use crate::config::record_server::RecordServer;
use crate::config::settings::Settings;
use crate::core::{RecordStore, Snapshot};
use crate::credentials::Network;
use crate::log::{Level, Log, Price, Pricer, Target};
use crate::record::{answer_cache, written};
use crate::upstream;
use crate::upstream::egress::Guard;
use calls::Calls;

/// Where records go.
#[derive(Debug)]
pub struct Started {
    ends: Ends,
    /// For all cores.
    pub shared: RecordStore,
}

/// Who takes them.
#[derive(Debug)]
enum Ends {
    /// They are kept.
    Store(Store),
    /// They are counted, told on, and not kept.
    Counter(Counter),
}

/// Where records are kept, if they are: in the server that the configuration names, which is reached over this network, or in the
/// data directory; `named`: the one that the operator named.
///
/// # Errors
/// Why they cannot be, in words for the operator.
pub fn place(
    records: &Records,
    server: Option<&RecordServer>,
    network: Network,
    named: Option<&Path>,
) -> Result<Option<Place>, String> {
    if !records.are_kept {
        return Ok(None);
    }
    match server {
        Some(server) => {
            let connect = Arc::new(Connector(network.guard.clone()));
            let http = |base| Calls::start(base, network).map(|calls| Arc::new(calls) as Arc<dyn Http>);
            server.clone().place(connect, http).map(Some).map_err(|error| error.to_string())
        }
        None => directory(named).map(|directory| Some(Place::File(directory.file()))),
    }
}

/// What the store goes over under these settings.
pub fn network(settings: &Settings) -> Network {
    Network { guard: settings.guard.clone(), transports: settings.transports.clone() }
}

/// Opens connections to the server that records are kept in. What the operator wrote may be private; the guard in force says the
/// same of it as the one of the start.
#[derive(Debug)]
struct Connector(Guard);

impl Connect for Connector {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> Connecting<'a> {
        Box::pin(async move { Ok(Box::new(upstream::directly(host, port, &self.0).await?) as Box<_>) })
    }
}

/// Where the gateway keeps its data; `named`: the directory that the operator named.
///
/// # Errors
/// There is none, in words for the operator.
pub fn directory(named: Option<&Path>) -> Result<DataDirectory, String> {
    DataDirectory::find(named, |name| std::env::var_os(name)).map_err(|error| error.to_string())
}

/// Opens the store in this place, with exports in the data directory, where there is one; without a place, records are counted in these
/// metrics, told to the observer, and not kept.
///
/// # Errors
/// The system gives no thread.
pub fn start(
    place: Option<(Place, Option<&DataDirectory>)>,
    records: &Records,
    snapshots: watch::Receiver<Snapshot>,
    (metrics, observer): (Arc<Metrics>, Option<Observer>),
    log: &Log,
) -> std::io::Result<Started> {
    let finisher = Finisher { prices: prices(snapshots), mask: records.mask.clone(), metrics, observer };
    let Some((place, directory)) = place else {
        let counter = Counter::start(finisher)?;
        let queue = counter.queue().clone();
        let shared = RecordStore { queue, readers: None, orders: None, exports: None };
        return Ok(Started { ends: Ends::Counter(counter), shared });
    };
    let retention = Retention {
        records: records.keep,
        record_bytes: records.bytes as u64,
        bodies: records.keep_bodies,
        body_bytes: records.bodies_bytes as u64,
    };
    let tell = || {
        let log = log.clone();
        Box::new(move |text: String| log.say(Level::Warn, Target::Server, text))
    };
    let readers = Readers::start(&place)?;
    let exports = directory.map(|own| ExportStore::start(&own.0, readers.clone(), tell())).transpose()?;
    let store = Store::start(place, retention, finisher, tell())?;
    let (readers, orders) = (Some(readers), Some(store.orders().clone()));
    let shared = RecordStore { queue: store.queue().clone(), readers, orders, exports };
    Ok(Started { ends: Ends::Store(store), shared })
}

impl Started {
    /// Writes what is there, and ends.
    pub fn finish(self) {
        drop(self.shared);
        match self.ends {
            Ends::Store(store) => store.finish(),
            Ends::Counter(counter) => counter.finish(),
        }
    }
}

/// Metrics with the labels that the operator wants.
pub fn metrics(wanted: &ostia_config::Metrics) -> Metrics {
    Metrics::new(MetricLabels { model: wanted.model, key: wanted.key, values_max: wanted.values })
}

/// The prices of the configuration that is in force.
fn prices(snapshots: watch::Receiver<Snapshot>) -> Prices {
    let (of_catalog, of_caches) = (snapshots.clone(), snapshots.clone());
    Prices {
        pricing: Box::new(move |provider, model| {
            let settings = snapshots.borrow().settings.clone();
            priced(&settings, provider, model)
        }),
        trusts_cache: Box::new(move |provider| trusts_cache(&of_caches.borrow().settings, provider)),
        catalog: Box::new(move || of_catalog.borrow().settings.catalog.clone()),
    }
}

/// How lines of the log are priced: by what the answer used, with the prices that records have.
pub fn pricer(snapshots: watch::Receiver<Snapshot>) -> Pricer {
    let prices = prices(snapshots);
    Pricer(Box::new(move |access| {
        let provider = access.provider?.to_str().ok()?;
        let mut attempt = written::used(provider, access.model, &access.count.usage()?);
        attempt.cache = access.cache.map(answer_cache::told);
        prices.price(&mut attempt, unix_ms());
        attempt.cost.map(|cost| Price { amount: cost.amount, currency: cost.currency })
    }))
}

/// Milliseconds since 1970.
fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whose price of a model holds.
pub fn priced(settings: &Settings, provider: &str, model: &str) -> Priced {
    let Some(provider) = settings.providers.get(provider) else { return Priced::ByCatalogue };
    match settings.named.price(provider, model) {
        Some(price) => Priced::ByOperator { input: price.input, output: price.output },
        None if provider.quirks.tells_charge => Priced::ByProvider,
        None => Priced::ByCatalogue,
    }
}

/// Does it count what this provider says of a cache of answers?
pub fn trusts_cache(settings: &Settings, provider: &str) -> bool {
    settings.providers.get(provider).is_none_or(|provider| provider.answer_cache)
}

/// What is said at the start of where records are.
pub fn told(place: &Result<Option<Place>, String>, settings: &Settings) -> String {
    let place = match place {
        Ok(Some(place)) => place,
        Ok(None) => return "none are kept (records: off)".to_owned(),
        Err(why) => return format!("none are kept: {why}"),
    };
    let bodies = match settings.bodies_kept {
        BodiesKept::Full => "with the bodies of all requests (records.bodies: full)",
        BodiesKept::Errors => "with the bodies of requests that fail (records.bodies: errors)",
        BodiesKept::Off => "without bodies (records.bodies: off)",
    };
    format!("in {place}, {bodies}")
}
