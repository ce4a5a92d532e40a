//! The store of records, as the gateway starts it: where it lies, and how it hears of prices.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ostia_config::{BodiesKept, Records};
use ostia_store::{
    Counter, DataDirectory, Finisher, MetricLabels, Metrics, Observer, Priced, Prices, Readers, Retention,
    Store,
};
use tokio::sync::watch;

use crate::config::settings::Settings;
use crate::core::{RecordStore, Snapshot};
use crate::log::{Level, Log, Price, Pricer, Target};
use crate::record::written;

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

/// Where records are kept, if they are; `named`: the data directory that the operator named.
///
/// # Errors
/// Why they cannot be, in words for the operator.
pub fn place(records: &Records, named: Option<&Path>) -> Result<Option<PathBuf>, String> {
    if !records.are_kept {
        return Ok(None);
    }
    directory(named).map(|directory| Some(directory.file()))
}

/// Where the gateway keeps its data; `named`: the directory that the operator named.
///
/// # Errors
/// There is none, in words for the operator.
pub fn directory(named: Option<&Path>) -> Result<DataDirectory, String> {
    DataDirectory::find(named, |name| std::env::var_os(name)).map_err(|error| error.to_string())
}

/// Opens the store in this file; without one, records are counted in these metrics, told to the observer, and not kept.
///
/// # Errors
/// The system gives no thread.
pub fn start(
    path: Option<PathBuf>,
    records: &Records,
    snapshots: watch::Receiver<Snapshot>,
    (metrics, observer): (Arc<Metrics>, Option<Observer>),
    log: &Log,
) -> std::io::Result<Started> {
    let finisher = Finisher { prices: prices(snapshots), mask: records.mask.clone(), metrics, observer };
    let Some(path) = path else {
        let counter = Counter::start(finisher)?;
        let shared = RecordStore { queue: counter.queue().clone(), readers: None, orders: None };
        return Ok(Started { ends: Ends::Counter(counter), shared });
    };
    let retention = Retention {
        records: records.keep,
        record_bytes: records.bytes as u64,
        bodies: records.keep_bodies,
        body_bytes: records.bodies_bytes as u64,
    };
    let log = log.clone();
    let tell = Box::new(move |text: String| log.say(Level::Warn, Target::Server, text));
    let readers = Readers::start(&path)?;
    let store = Store::start(path, retention, finisher, tell)?;
    let (readers, orders) = (Some(readers), Some(store.orders().clone()));
    let shared = RecordStore { queue: store.queue().clone(), readers, orders };
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
    let of_catalog = snapshots.clone();
    Prices {
        pricing: Box::new(move |provider, model| {
            let settings = snapshots.borrow().settings.clone();
            priced(&settings, provider, model)
        }),
        catalog: Box::new(move || of_catalog.borrow().settings.catalog.clone()),
    }
}

/// How lines of the log are priced: by what the answer used, with the prices that records have.
pub fn pricer(snapshots: watch::Receiver<Snapshot>) -> Pricer {
    let prices = prices(snapshots);
    Pricer(Box::new(move |access| {
        let provider = access.provider.as_ref()?.to_str().ok()?;
        let mut attempt = written::used(provider, access.model.as_deref(), &access.count.usage()?);
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

/// What is said at the start of where records are.
pub fn told(place: &Result<Option<PathBuf>, String>, settings: &Settings) -> String {
    let path = match place {
        Ok(Some(path)) => path.display(),
        Ok(None) => return "none are kept (records: off)".to_owned(),
        Err(why) => return format!("none are kept: {why}"),
    };
    let bodies = match settings.bodies_kept {
        BodiesKept::Full => "with the bodies of all requests (records.bodies: full)",
        BodiesKept::Errors => "with the bodies of requests that fail (records.bodies: errors)",
        BodiesKept::Off => "without bodies (records.bodies: off)",
    };
    format!("in {path}, {bodies}")
}
