//! The thread that fetches credentials and fetches them again before they end.

use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::runtime::LocalOptions;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::fetch::{self, Fetcher};
use super::machine::Machine;
use super::net::{Net, Network};
use super::slot::{Fetched, Slot};
use super::{Failure, Holder, Shared};
use crate::log::{Level, Target};

/// How long fetching one credential may take, with all its steps.
const FETCH_MAX: Duration = Duration::from_secs(30);
/// How long before its end a credential is fetched again, where it holds for long.
const AHEAD_MAX: Duration = Duration::from_secs(300);
/// The part of its time after which one that holds for a short while is fetched again, as a divisor of what is left.
const AHEAD_PART: u32 = 5;
/// The shortest time between two fetches. Metadata services give the same token again until shortly before its end.
const BETWEEN_MIN: Duration = Duration::from_millis(500);
/// How long after a fetch it is looked again for one that does not end: somebody may have put another one into its file.
const UNENDING_MAX: Duration = Duration::from_secs(60);
/// How long a credential is kept that nobody asks for.
pub const IDLE_MAX: Duration = Duration::from_secs(3600);
/// How often what is idle is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Most credentials of clients that are fetched at the same time. The operator's wait for nobody.
const CLIENTS_FLIGHTS_MAX: usize = 64;

/// What the thread is told.
#[derive(Debug)]
pub enum Order {
    /// Fetch this, and keep it fresh.
    Keep(Arc<Slot>),
    /// Go over another network from now on.
    Network(Network),
}

/// The thread.
pub struct Keeper {
    shared: Weak<Shared>,
    fetcher: Rc<Fetcher>,
}

impl Keeper {
    /// Starts it. Where that fails the orders' channel closes, and whoever gives one hears of it.
    pub fn start(
        shared: Weak<Shared>,
        network: Network,
        machine: Machine,
        orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let work = move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let Ok(runtime) = builder.enable_all().build_local(LocalOptions::default()) else {
                return refuse(orders);
            };
            let clients_flights = Semaphore::new(CLIENTS_FLIGHTS_MAX);
            let fetcher = Rc::new(Fetcher { net: Rc::new(Net::new(network)), machine, clients_flights });
            runtime.block_on(Keeper { shared, fetcher }.run(orders));
        };
        // The thread takes the orders with it.
        let _ = thread::Builder::new().name("ostia-credentials".into()).spawn(work);
    }

    async fn run(self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut sweeps = interval(SWEEP_EVERY);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let order = tokio::select! {
                order = orders.recv() => order,
                _ = sweeps.tick() => {
                    self.fetcher.net.sweep();
                    self.shared.upgrade().iter().for_each(|shared| shared.forget_idle(Instant::now()));
                    continue;
                }
            };
            match order {
                Some(Order::Keep(slot)) => {
                    let (shared, fetcher) = (self.shared.clone(), self.fetcher.clone());
                    tokio::task::spawn_local(async move { keep(&slot, &shared, &fetcher).await });
                }
                Some(Order::Network(network)) => self.fetcher.net.renew(network),
                None => return,
            }
        }
    }
}

/// There is no thread to fetch anything on.
fn refuse(mut orders: mpsc::UnboundedReceiver<Order>) {
    orders.close();
    while let Some(order) = orders.blocking_recv() {
        if let Order::Keep(slot) = order {
            slot.fail(Failure::no_thread(), Instant::now());
            slot.end();
        }
    }
}

/// Whoever waits for a slot is told, however its work ends.
struct Ending<'a>(&'a Slot);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(Failure::garbage("the fetch ended in a panic"), Instant::now());
        }
        self.0.end();
    }
}

/// Fetches a credential, and again and again before it ends, until nobody asks for it or there is none.
async fn keep(slot: &Arc<Slot>, shared: &Weak<Shared>, fetcher: &Fetcher) {
    let _ending = Ending(slot);
    loop {
        let fetched = fetch_in_time(slot, fetcher).await;
        let now = Instant::now();
        let next = match fetched {
            Ok(fetched) => {
                let next = refresh_at(&fetched, now);
                slot.fill(fetched, now);
                next
            }
            Err(failure) => {
                let failure = failure.of(&slot.source.describe());
                say(shared, slot, &failure, now);
                let next = slot.fail(failure, now);
                if !slot.holds(now) {
                    // The next who asks after the pause begins again.
                    break;
                }
                next
            }
        };
        tokio::select! {
            () = sleep_until(next) => {}
            () = slot.woken() => {}
        }
        if slot.is_forgotten() || slot.idle(Instant::now()) >= IDLE_MAX {
            if let Some(shared) = shared.upgrade() {
                shared.forget(slot);
            }
            break;
        }
        if shared.strong_count() == 0 {
            break;
        }
    }
}

async fn fetch_in_time(slot: &Slot, fetcher: &Fetcher) -> Result<Fetched, Failure> {
    let fetched = timeout(FETCH_MAX, fetch::fetch(fetcher, slot)).await;
    let fetched = fetched.unwrap_or_else(|_| {
        Err(Failure::unavailable(format!("no answer within {} seconds", FETCH_MAX.as_secs())))
    })?;
    match fetched.ends {
        Some(ends) if ends <= Instant::now() => {
            Err(Failure::garbage("what came has ended already: the clock of this machine may be wrong"))
        }
        _ => Ok(fetched),
    }
}

/// When a credential is fetched again: before its end, with time for more than one try.
fn refresh_at(fetched: &Fetched, now: Instant) -> Instant {
    let Some(ends) = fetched.ends else { return now + UNENDING_MAX };
    let left = ends.saturating_duration_since(now);
    let ahead = (left / AHEAD_PART).min(AHEAD_MAX);
    now + (left - ahead).max(BETWEEN_MIN)
}

fn say(shared: &Weak<Shared>, slot: &Slot, failure: &Failure, now: Instant) {
    // What a client brought is told to the client.
    let Some(shared) = shared.upgrade().filter(|_| slot.holder == Holder::Operator) else { return };
    let left = match slot.holds(now) {
        true => "the one that there is still holds",
        false => "there is none that holds",
    };
    let text = format!("A credential could not be fetched ({left}): {failure}");
    shared.log.say(Level::Warn, Target::Server, text);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ostia_providers::auth::Credential;

    #[test]
    fn when_a_credential_is_fetched_again() {
        let now = Instant::now();
        let check = |lasts_ms: Option<u64>, expected_ms: u64| {
            let ends = lasts_ms.map(|ms| now + Duration::from_millis(ms));
            let fetched = Fetched { credential: Credential::Key("".into()), ends };
            let expected = now + Duration::from_millis(expected_ms);
            assert_eq!(refresh_at(&fetched, now), expected, "{lasts_ms:?}");
        };
        check(None, 60_000);
        check(Some(3_600_000), 3_300_000);
        check(Some(900_000), 720_000);
        check(Some(60_000), 48_000);
        check(Some(1_000), 800);
        check(Some(100), 500);
        check(Some(0), 500);
    }
}
