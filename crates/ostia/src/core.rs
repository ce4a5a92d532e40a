//! What one core works with: the configuration in force, shared, and connections of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ostia_config::BodiesKept;
use ostia_routing::State;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::batches::Batches;
use crate::config::hosts::Hosts;
use crate::config::routes::ConfigCache;
use crate::config::settings::Settings;
use crate::credentials::{Credentials, Network, Wanted};
use crate::log::Log;
use crate::meters::Meters;
use crate::record::BodyPolicy;
use crate::record::account::{Books, StoreBooks};
use crate::record::records::Records;
use crate::responses_api::ResponseStore;
use crate::upstream::Upstreams;

/// Most files that a core fetches at once.
const FETCHES_MAX: usize = 64;

/// One configuration, as it is put in force: a whole, never changed.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The operator's decisions.
    pub settings: Arc<Settings>,
    /// The hosts that calls go to though no client chose them.
    pub hosts: Arc<Hosts>,
}

/// What all cores share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The configuration in force.
    pub snapshots: watch::Receiver<Snapshot>,
    /// What is remembered for clients.
    pub responses: ResponseStore,
    /// What the requests of one config share: breakers, balancers, budgets.
    pub state: Arc<State>,
    /// What was decided for the last requests.
    pub records: Records,
    /// Credentials of clouds.
    pub credentials: Credentials,
    /// Where lines of the log are handed over.
    pub log: Log,
    /// Where requests are kept, or counted; `None`: nowhere.
    pub store: Option<RecordStore>,
    /// What was counted, and how things stand.
    pub meters: Meters,
    /// Batches of the gateway's own; `None`: there is no place for them.
    pub batches: Option<Batches>,
}

/// Where requests are kept, or counted.
#[derive(Debug, Clone)]
pub struct RecordStore {
    /// Where records are handed over.
    pub queue: ostia_store::Queue,
    /// Those who read them, where they are kept.
    pub readers: Option<ostia_store::Readers>,
    /// Where is handed over what else is to be written.
    pub orders: Option<ostia_store::Orders>,
    /// Exports of them as jobs.
    pub exports: Option<ostia_store::ExportStore>,
}

/// The state of one core under one configuration. A request holds on to the one that it began with.
#[derive(Debug)]
pub struct Core {
    /// Shared by all cores, and never changed.
    pub settings: Arc<Settings>,
    /// What is remembered for clients, shared by all cores.
    pub responses: ResponseStore,
    /// Configs, compiled.
    pub compiled: ConfigCache,
    /// What was decided for the last requests, of all cores.
    pub records: Records,
    /// Connections to providers.
    pub upstreams: Upstreams,
    /// This core's hand in the credentials of clouds.
    pub credentials: Rc<Credentials>,
    /// Those that the operator's words for a provider mean, by where the provider lies in the settings, as far as they were
    /// wanted: to read them costs more than a signature.
    pub operators: RefCell<HashMap<usize, Wanted>>,
    /// The models that providers list themselves, by the provider's id, as far as somebody asked.
    pub listed: RefCell<HashMap<String, ModelList>>,
    /// This core's hand in the log.
    pub log: Rc<Log>,
    /// Room for files that are fetched at once.
    pub fetches: Rc<Semaphore>,
    /// Whoever reads the accounts of requests.
    pub books: Rc<Books>,
    /// Those who read what was kept.
    pub readers: Option<ostia_store::Readers>,
    /// Batches of the gateway's own; `None`: there is no place for them.
    pub batches: Option<Batches>,
    /// Where is handed over what else is to be written.
    pub orders: Option<ostia_store::Orders>,
    /// Exports of what was kept, as jobs.
    pub exports: Option<ostia_store::ExportStore>,
    /// What was counted, and how things stand.
    pub meters: Meters,
    state: Arc<State>,
    ids: Rc<Ids>,
}

/// The models that a provider lists itself.
#[derive(Debug)]
pub struct ModelList {
    /// Their names, in the provider's order.
    pub names: Rc<[String]>,
    /// Until when it need not be asked again.
    pub until: Instant,
}

impl ModelList {
    /// Need it not be asked again?
    pub fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }
}

impl Snapshot {
    /// What calls for credentials go over.
    pub fn network(&self) -> Network {
        Network { guard: self.settings.guard.clone(), transports: self.settings.transports.clone() }
    }
}

impl Core {
    /// A core without connections.
    fn new(shared: Shared, snapshot: Snapshot) -> Core {
        let Shared { responses, state, records, credentials, log, store, meters, batches, .. } = shared;
        let Snapshot { settings, .. } = snapshot;
        let log = Rc::new(log);
        Core {
            compiled: ConfigCache::new(&settings.named, state.clone()),
            upstreams: Upstreams::new(settings.guard.clone(), &settings.transports),
            books: Rc::new(Books {
                log: log.clone(),
                ring: records.ring(),
                store: store
                    .as_ref()
                    .map(|store| store_books(&store.queue, store.readers.is_some(), &settings)),
            }),
            orders: store.as_ref().and_then(|store| store.orders.clone()),
            exports: store.as_ref().and_then(|store| store.exports.clone()),
            readers: store.and_then(|store| store.readers),
            meters,
            batches,
            settings,
            responses,
            records,
            credentials: Rc::new(credentials),
            operators: RefCell::default(),
            listed: RefCell::default(),
            log,
            fetches: Rc::new(Semaphore::new(FETCHES_MAX)),
            state,
            ids: Rc::default(),
        }
    }

    /// The same core under another configuration. What it remembers stays, and so do connections to hosts that are still
    /// configured; keys of the operator's that are not needed any more go.
    fn renewed(&self, snapshot: Snapshot) -> Core {
        let Snapshot { settings, hosts } = snapshot;
        self.books.ring.withhold_secrets();
        Core {
            compiled: ConfigCache::new(&settings.named, self.state.clone()),
            upstreams: self.upstreams.renewed(
                settings.guard.clone(),
                &settings.transports,
                |origin, host| hosts.contains(origin, host),
            ),
            books: Rc::new(Books {
                store: self
                    .books
                    .store
                    .as_ref()
                    .map(|own| store_books(&own.queue, self.readers.is_some(), &settings)),
                ..Books::clone(&self.books)
            }),
            readers: self.readers.clone(),
            batches: self.batches.clone(),
            orders: self.orders.clone(),
            exports: self.exports.clone(),
            meters: self.meters.clone(),
            settings,
            responses: self.responses.clone(),
            records: self.records.clone(),
            credentials: self.credentials.clone(),
            operators: RefCell::default(),
            listed: RefCell::default(),
            log: self.log.clone(),
            fetches: self.fetches.clone(),
            state: self.state.clone(),
            ids: self.ids.clone(),
        }
    }

    /// The id of a span that no other one of its trace has.
    pub fn new_span(&self) -> NonZeroU64 {
        NonZeroU64::new(self.ids.next() as u64).unwrap_or(NonZeroU64::MIN)
    }

    /// A name that nobody has and nobody can guess, as 32 hexadecimal digits: 48 bits of the time in milliseconds, then 80 random
    /// ones. Whoever knows the id of an answer may ask for it, so one id must not tell another. It begins with the time, like
    /// UUIDs of version 7 (RFC 9562), so that new names stand beside each other in an index on disk.
    pub fn new_id(&self) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        hexadecimal(since.as_millis() << RANDOM_BITS | self.ids.next() >> (u128::BITS - RANDOM_BITS))
    }
}

/// `are_kept`: records are, and not only counted or told on.
fn store_books(queue: &ostia_store::Queue, are_kept: bool, settings: &Settings) -> StoreBooks {
    let are_told = settings.otlp.as_ref().is_some_and(|otlp| otlp.content);
    let kept = if are_kept || are_told { settings.bodies_kept } else { BodiesKept::Off };
    let bodies = BodyPolicy { kept, bytes_max: settings.body_bytes_kept };
    StoreBooks { queue: queue.clone(), bodies }
}

/// The core under the configuration that is in force now.
#[derive(Debug)]
pub struct CurrentCore {
    core: RefCell<Rc<Core>>,
    snapshots: RefCell<watch::Receiver<Snapshot>>,
}

impl CurrentCore {
    /// A core without connections.
    pub fn new(shared: Shared) -> CurrentCore {
        let mut snapshots = shared.snapshots.clone();
        let snapshot = snapshots.borrow_and_update().clone();
        let core = RefCell::new(Rc::new(Core::new(shared, snapshot)));
        CurrentCore { core, snapshots: RefCell::new(snapshots) }
    }

    /// The core for a request that begins now. To look whether there is another configuration is to read one number, which
    /// cores share and nobody changes but a reload; the lock behind it is taken only where there is one.
    pub fn get(&self) -> Rc<Core> {
        if self.snapshots.borrow().has_changed().unwrap_or(false) {
            self.renew();
        }
        self.core.borrow().clone()
    }

    fn renew(&self) {
        let snapshot = self.snapshots.borrow_mut().borrow_and_update().clone();
        let renewed = Rc::new(self.core.borrow().renewed(snapshot));
        self.core.replace(renewed);
    }

    /// Puts configurations in force as they come, also where no request asks for them.
    pub async fn follow(&self) {
        let mut snapshots = self.snapshots.borrow().clone();
        while snapshots.changed().await.is_ok() {
            self.get();
        }
    }
}

/// Bytes of a random number.
const ID_BYTES: usize = size_of::<u128>();
/// As many bits of an id are random; the others tell the time.
const RANDOM_BITS: u32 = 80;
/// Random numbers that are fetched at once.
const IDS_FETCHED: usize = 64;

/// Random numbers of the operating system's.
#[derive(Default)]
struct Ids(RefCell<Vec<[u8; ID_BYTES]>>);

impl std::fmt::Debug for Ids {
    /// Those that are still to come are secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}

impl Ids {
    fn next(&self) -> u128 {
        let mut ids = self.0.borrow_mut();
        if ids.is_empty() {
            ids.resize(IDS_FETCHED, [0; ID_BYTES]);
            fill_randomly(ids.as_flattened_mut());
        }
        ids.pop().map_or(0, u128::from_ne_bytes)
    }
}

fn fill_randomly(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        // The system has no random numbers yet. The standard library's hashes have keys that it took from elsewhere.
        for part in bytes.chunks_mut(size_of::<u64>()) {
            let number = RandomState::new().hash_one(part.as_ptr().addr()).to_ne_bytes();
            part.copy_from_slice(&number[..part.len()]);
        }
    }
}

/// A name that nobody else has, where there is no core.
pub fn random_name() -> String {
    hexadecimal(Ids::default().next())
}

/// All 32 digits. The formatter of the standard library takes ten times as long, and every request has an id.
fn hexadecimal(number: u128) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    String::from_utf8_lossy(&digits).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_ids_are_alike() {
        let ids = Ids::default();
        let made: std::collections::BTreeSet<u128> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10_000);
        // Neighbours share no half: neither a counter nor a seed stands in it.
        let halves: std::collections::BTreeSet<u64> = made.iter().map(|id| (id >> 64) as u64).collect();
        assert_eq!(halves.len(), 10_000);
    }

    #[test]
    fn digits() {
        for number in [0, 1, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210, u128::MAX] {
            assert_eq!(hexadecimal(number), format!("{number:032x}"));
        }
    }
}
