//! Credentials that have to be fetched: keys of AWS that hold for an hour, access tokens of Google's and Entra's.
//!
//! Each is fetched once for all cores, and again before it ends, on a thread of its own: a request never waits where there is
//! a credential that still holds, and one flight serves all who wait for the first. To read one is to read a pointer that
//! nobody writes but that thread: no lock, no count.
//!
//! Which credential is meant is a [`Source`], a value that [`ostia_providers::auth::source`] reads from settings. Whoever has
//! one asks in three steps:
//!
//! ```ignore
//! // Once: the source with whom it belongs to. A client's and another client's never share what was fetched.
//! let wanted = core.credentials.wanted(source, Holder::Client(caller.owner));
//! // For each request. `ready` is the same without waiting.
//! let credential = core.credentials.get(&wanted).await.map_err(|failure| failure.fault(discloses))?;
//! // Last of all, on the finished request.
//! auth::sign_with(&provider.auth, &credential, Signing { region, time: SystemTime::now(), payload }, &mut request)?;
//! ```
//!
//! [`Credentials`] is one core's hand in what [`Shared`] holds for all; it clones cheaply, and the clone starts with an empty
//! memory of its own. What the operator's sources bring must not go to a host that a client chose: the destination of such a
//! request has no room for it (see `target.rs`), and no [`Wanted`] of [`Holder::Operator`] may be asked for there.
//!
//! A refresh that fails leaves the old credential in its place until it ends, is tried again after a growing pause, and is
//! logged. Where there is none that holds, everybody who asks is told the same [`Failure`] until the pause is over. What
//! nobody has asked for in an hour is forgotten, and so is the client's credential that was idle longest where there are
//! too many.
//!
//! [`Giver::Operator`](ostia_providers::auth::source::Giver) and [`Holder::Operator`] are for settings of `ostia.yaml`, and for
//! those of a client only where every client is the operator. A provider that refuses what should hold is told by
//! [`Credentials::doubt`]; [`Credentials::renew`] belongs to a reload, [`Credentials::sweep`] to the core's other sweeps.
//!
//! Every connection goes through [`Upstreams`](crate::upstream::Upstreams), past the egress guard: to the vendors' own hosts, to hosts that the operator
//! wrote or has in the environment, and, only for the operator's sources that need one, to metadata services.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod failure;
mod fetch;
#[cfg(feature = "google")]
mod google;
mod ibm;
#[cfg(any(feature = "azure", feature = "google", feature = "oracle"))]
mod jwt;
mod keeper;
mod machine;
mod net;
#[cfg(feature = "oracle")]
mod oracle;
mod slot;
#[cfg(all(test, feature = "aws", feature = "azure", feature = "google", feature = "oracle"))]
mod tests;
mod token;

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ostia_providers::auth::Credential;
use ostia_providers::auth::source::Source;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use failure::Failure;
pub use net::Network;

use crate::log::Log;
use crate::owner::Owner;
use keeper::{Keeper, Order};
use machine::Machine;
use slot::{Slot, State};

/// Most credentials of clients that are kept, over all cores. The operator's are as many as are configured.
const CLIENTS_MAX: usize = 1024;
/// Most credentials that one core remembers where to find.
const REMEMBERED_MAX: usize = 4096;

/// One core's hand in the credentials that all cores share.
#[derive(Debug)]
pub struct Credentials {
    shared: Arc<Shared>,
    /// Where this core has found them before.
    found: RefCell<HashMap<Id, Arc<Slot>>>,
}

/// What all cores share.
struct Shared {
    slots: Mutex<HashMap<Id, Arc<Slot>>>,
    orders: OnceLock<mpsc::UnboundedSender<Order>>,
    /// Makes ids of secrets. Nobody outside can tell which secrets have the same id.
    keys: [RandomState; 2],
    /// What the thread begins with.
    network: Mutex<Network>,
    machine: Machine,
    log: Log,
}

/// A keyed hash of a source and of whom it belongs to.
type Id = (u64, u64);

/// Whom a source belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The operator: it may use what the machine has, and reach metadata services.
    Operator,
    /// A client.
    Client(Owner),
}

/// A credential that somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    want: Want,
    holder: Holder,
}

impl Wanted {
    /// Is it a client's, and not the operator's?
    pub fn is_clients(&self) -> bool {
        matches!(self.holder, Holder::Client(_))
    }
}

#[derive(Debug, Clone)]
enum Want {
    /// It was given as it is.
    Given(Credential),
    /// It has to be fetched.
    Fetched { id: Id, source: Arc<Source> },
}

/// A credential that holds now.
pub struct Held<'a>(Hold<'a>);

enum Hold<'a> {
    Given(&'a Credential),
    Fetched(arc_swap::Guard<Arc<State>>),
}

impl Deref for Held<'_> {
    type Target = Credential;

    fn deref(&self) -> &Credential {
        match &self.0 {
            Hold::Given(credential) => credential,
            Hold::Fetched(state) => state.credential(),
        }
    }
}

impl std::fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl std::fmt::Debug for Shared {
    /// The keys are secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Credentials {
        Credentials { shared: self.shared.clone(), found: RefCell::default() }
    }
}

impl Credentials {
    /// None yet. The thread that fetches them starts when the first is asked for.
    pub fn new(network: Network, log: Log) -> Credentials {
        Credentials::on(Machine::this(), network, log)
    }

    fn on(machine: Machine, network: Network, log: Log) -> Credentials {
        let shared = Shared {
            slots: Mutex::default(),
            orders: OnceLock::new(),
            keys: [RandomState::new(), RandomState::new()],
            network: Mutex::new(network),
            machine,
            log,
        };
        Credentials { shared: Arc::new(shared), found: RefCell::default() }
    }

    /// Fetches go on over another network: the configuration was read again.
    pub fn renew(&self, network: Network) {
        *lock(&self.shared.network) = network.clone();
        if let Some(orders) = self.shared.orders.get() {
            let _ = orders.send(Order::Network(network));
        }
    }

    /// What a source and its holder stand for. It costs a hash over the source's secrets, and can be kept.
    pub fn wanted(&self, source: Source, holder: Holder) -> Wanted {
        let want = match source {
            Source::Given(credential) => Want::Given(credential),
            source @ (Source::Aws(_)
            | Source::Google(_)
            | Source::Azure(_)
            | Source::Ibm(_)
            | Source::Oracle(_)) => {
                let [high, low] = self.shared.keys.each_ref().map(|key| key.hash_one((&source, holder)));
                Want::Fetched { id: (high, low), source: Arc::new(source) }
            }
        };
        Wanted { want, holder }
    }

    /// The credential, if it is there and holds.
    pub fn ready<'a>(&self, wanted: &'a Wanted) -> Option<Held<'a>> {
        match &wanted.want {
            Want::Given(credential) => Some(Held(Hold::Given(credential))),
            Want::Fetched { id, .. } => {
                let found = self.found.borrow();
                let slot = found.get(id).filter(|slot| !slot.is_forgotten())?;
                slot.held(Instant::now()).map(|state| Held(Hold::Fetched(state)))
            }
        }
    }

    /// The credential: at once if it holds, else when it has been fetched.
    ///
    /// # Errors
    /// Why it could not be fetched.
    pub async fn get<'a>(&self, wanted: &'a Wanted) -> Result<Held<'a>, Arc<Failure>> {
        if let Some(held) = self.ready(wanted) {
            return Ok(held);
        }
        match &wanted.want {
            Want::Given(credential) => Ok(Held(Hold::Given(credential))),
            Want::Fetched { id, source } => {
                let slot = self.slot(*id, source, wanted.holder);
                self.wait(&slot).await.map(|state| Held(Hold::Fetched(state)))
            }
        }
    }

    /// A provider refused the credential though it should hold: it was taken back, perhaps. One that is not fresh is fetched
    /// anew, and whoever asks meanwhile waits for that.
    pub fn doubt(&self, wanted: &Wanted) {
        if let Want::Fetched { id, .. } = &wanted.want
            && let Some(slot) = self.found.borrow().get(id)
        {
            slot.doubt(Instant::now());
        }
    }

    /// Lets go of what was forgotten. To be called now and then, on each core.
    pub fn sweep(&self) {
        self.found.borrow_mut().retain(|_, slot| !slot.is_forgotten());
    }

    /// Waits for the flight under way, or starts one.
    async fn wait(&self, slot: &Arc<Slot>) -> Result<arc_swap::Guard<Arc<State>>, Arc<Failure>> {
        let mut news = slot.news();
        loop {
            let now = Instant::now();
            if let Some(state) = slot.held(now) {
                return Ok(state);
            }
            if let Some(failure) = slot.failure(now) {
                return Err(failure);
            }
            if slot.begin() {
                self.order(Order::Keep(slot.clone()));
            }
            // The slot itself holds the other end.
            let _ = news.changed().await;
        }
    }

    /// The place of a credential, which all cores share.
    fn slot(&self, id: Id, source: &Arc<Source>, holder: Holder) -> Arc<Slot> {
        let mut slots = lock(&self.shared.slots);
        let slot = slots.get(&id).filter(|slot| !slot.is_forgotten()).cloned();
        let slot = slot.unwrap_or_else(|| {
            if holder != Holder::Operator {
                make_room(&mut slots);
            }
            let slot = Arc::new(Slot::new(source.clone(), holder));
            slots.insert(id, slot.clone());
            slot
        });
        drop(slots);
        let mut found = self.found.borrow_mut();
        if found.len() >= REMEMBERED_MAX {
            found.clear();
        }
        found.insert(id, slot.clone());
        slot
    }

    /// Hands an order to the thread, which is started with the first.
    fn order(&self, order: Order) {
        let orders = self.shared.orders.get_or_init(|| {
            let (orders, taken) = mpsc::unbounded_channel();
            let network = lock(&self.shared.network).clone();
            Keeper::start(Arc::downgrade(&self.shared), network, self.shared.machine.clone(), taken);
            orders
        });
        if let Err(mpsc::error::SendError(Order::Keep(slot))) = orders.send(order) {
            slot.fail(Failure::no_thread(), Instant::now());
            slot.end();
        }
    }
}

impl Shared {
    /// Takes away what nobody has asked for.
    fn forget(&self, slot: &Arc<Slot>) {
        slot.forget();
        lock(&self.slots).retain(|_, kept| !Arc::ptr_eq(kept, slot));
    }

    /// Takes away what nobody fetches any more, because it failed, and nobody has asked for.
    fn forget_idle(&self, now: Instant) {
        lock(&self.slots).retain(|_, slot| {
            let is_idle = !slot.is_kept() && slot.idle(now) >= keeper::IDLE_MAX;
            if is_idle {
                slot.forget();
            }
            !is_idle
        });
    }
}

/// Forgets the clients' credential that was idle longest, where they are too many.
fn make_room(slots: &mut HashMap<Id, Arc<Slot>>) {
    let clients = || slots.iter().filter(|(_, slot)| slot.holder != Holder::Operator);
    if clients().count() < CLIENTS_MAX {
        return;
    }
    let idlest = clients().min_by_key(|(_, slot)| slot.last_used_s()).map(|(id, _)| *id);
    if let Some(slot) = idlest.and_then(|id| slots.remove(&id)) {
        slot.forget();
    }
}

/// What a panic left behind is whole: each holder of these locks changes one thing.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
