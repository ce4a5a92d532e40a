//! The loops that send: what waits is put together, sent, sent again where that may help, and counted where it is given up.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::call::Caller;
use super::pending::{Pending, batches};
use super::request::Origin;
use super::verdict::{Verdict, backoff};
use crate::config::otlp::{Collector, OtlpSettings, Signal};
use crate::core::Snapshot;
use crate::log::{Level, Log, Target};
use crate::meters::Meters;

/// How long one batch is sent again and again before it is given up.
const RETRY_FOR: Duration = Duration::from_secs(300);
/// How long the last of it may take when the gateway stops.
pub const LAST_WITHIN: Duration = Duration::from_secs(5);

/// Why something was not sent, or not taken, as metrics say it.
pub mod reason {
    /// It found no room.
    pub const QUEUE_FULL: &str = "queue_full";
    /// The collector does not take it.
    pub const REFUSED: &str = "refused";
    /// It took the rest of what was sent with it.
    pub const REJECTED: &str = "rejected";
    /// It could not be reached, or was busy, for too long.
    pub const GIVEN_UP: &str = "given_up";
    /// The configuration says meanwhile that it is not sent.
    pub const OFF: &str = "off";
}

/// Whoever sends one signal.
pub struct Exporter {
    signal: Signal,
    /// What else all of it comes from.
    instance: (String, String),
    snapshots: watch::Receiver<Snapshot>,
    /// Under which configuration the connections are; another one has others.
    caller: Caller,
    meters: Meters,
    log: Log,
    stop: watch::Receiver<bool>,
    /// When the time of the last words is over.
    last_at: Option<Instant>,
    /// The operator has heard that it fails.
    is_failing: bool,
    /// What was given up while the gateway stopped.
    lost_at_last: u64,
}

impl Exporter {
    pub fn new(
        signal: Signal,
        instance: (String, String),
        snapshots: watch::Receiver<Snapshot>,
        meters: Meters,
        log: Log,
        stop: watch::Receiver<bool>,
    ) -> Exporter {
        let caller = Caller::new(&snapshots.borrow());
        Exporter {
            signal,
            instance,
            snapshots,
            caller,
            meters,
            log,
            stop,
            last_at: None,
            is_failing: false,
            lost_at_last: 0,
        }
    }

    /// The settings in force, and who takes this signal. Takes up another configuration.
    fn settings(&mut self) -> Option<(OtlpSettings, Collector)> {
        if self.snapshots.has_changed().unwrap_or(false) {
            let snapshot = self.snapshots.borrow_and_update();
            self.caller = Caller::new(&snapshot);
        }
        let settings = self.snapshots.borrow().settings.otlp.clone()?;
        let collector = match self.signal {
            Signal::Traces => settings.traces.clone(),
            Signal::Metrics => settings.metrics.clone(),
            Signal::Logs => settings.logs.clone(),
        };
        Some((settings, collector?))
    }

    /// Sends what waits, each time that there is a batch or that enough time has passed, until the gateway stops.
    pub async fn send_pending<T>(
        mut self,
        pending: &Pending<T>,
        encode: impl Fn(&Origin, Vec<T>) -> Vec<u8>,
    ) {
        let mut stop = self.stop.clone();
        while !self.is_last() {
            let delay = self.settings().map_or(RETRY_FOR, |(settings, _)| settings.delay);
            tokio::select! {
                () = sleep(delay) => {}
                () = pending.batch() => {}
                _ = stop.changed() => {}
            }
            self.note_stop();
            loop {
                let items = pending.take();
                if items.is_empty() {
                    break;
                }
                self.send_items(items, &encode).await;
            }
            self.caller.sweep();
        }
        self.tell_lost();
    }

    async fn send_items<T>(&mut self, items: Vec<T>, encode: impl Fn(&Origin, Vec<T>) -> Vec<u8>) {
        let count = items.len() as u64;
        match self.settings() {
            Some((settings, _)) => {
                let message = encode(&self.origin(&settings), items);
                self.deliver(&message, count, RETRY_FOR).await;
            }
            None => self.dropped(reason::OFF, count),
        }
    }

    /// Sends what `collect` gives, each with its size, between these times in nanoseconds, as often as the settings say, until the gateway stops.
    pub async fn send_regularly<T>(
        mut self,
        collect: impl Fn(&Snapshot, u64, u64) -> Vec<(T, usize)>,
        encode: impl Fn(&Origin, Vec<T>) -> Vec<u8>,
    ) {
        let mut stop = self.stop.clone();
        let since = unix_nanos();
        while !self.is_last() {
            let every = self.settings().map_or(RETRY_FOR, |(settings, _)| settings.metrics_every);
            tokio::select! {
                () = sleep(every) => {}
                _ = stop.changed() => {}
            }
            self.note_stop();
            let Some((settings, _)) = self.settings() else { continue };
            let snapshot = self.snapshots.borrow().clone();
            for some in batches(collect(&snapshot, since, unix_nanos())) {
                let count = some.len() as u64;
                let message = encode(&self.origin(&settings), some);
                // The next ones say all that these say.
                self.deliver(&message, count, every).await;
            }
            self.caller.sweep();
        }
        self.tell_lost();
    }

    /// Nobody reads metrics any more.
    fn tell_lost(&self) {
        if self.lost_at_last > 0 {
            let (count, signal) = (self.lost_at_last, self.signal.as_str());
            let text = format!("OpenTelemetry: {count} items of {signal} were not sent before the end.");
            self.log.say(Level::Warn, Target::Server, text);
        }
    }

    fn origin(&self, settings: &OtlpSettings) -> Vec<(String, String)> {
        let mut origin = settings.resource.clone();
        if !origin.iter().any(|(name, _)| *name == self.instance.0) {
            origin.push(self.instance.clone());
        }
        origin
    }

    fn note_stop(&mut self) {
        if *self.stop.borrow() {
            self.last_at.get_or_insert_with(|| Instant::now() + LAST_WITHIN);
        }
    }

    fn is_last(&self) -> bool {
        self.last_at.is_some()
    }

    /// Sends one message until it is taken, refused, or given up.
    async fn deliver(&mut self, message: &[u8], count: u64, retry_for: Duration) {
        let until = Instant::now() + retry_for;
        let mut tries = 0;
        loop {
            let Some((_, collector)) = self.settings() else { return self.dropped(reason::OFF, count) };
            let wait = match self.send(&collector, message).await {
                Verdict::Taken { rejected, why } => return self.taken(&collector, count, rejected, &why),
                Verdict::Refused { why } => {
                    self.fails(&collector, &why, "They are not sent again.");
                    return self.dropped(reason::REFUSED, count);
                }
                Verdict::Later { after, why } => {
                    self.fails(&collector, &why, "They wait, as far as there is room, and are sent again.");
                    after.unwrap_or_else(|| backoff(tries, fastrand::f64()))
                }
            };
            tries += 1;
            self.note_stop();
            let end = self.last_at.unwrap_or(until).min(until);
            if Instant::now() >= end {
                return self.dropped(reason::GIVEN_UP, count);
            }
            // Where a collector asks for longer than that, it is waited for all the same, and asked once more: what comes behind this
            // would find it as it is.
            // Nothing is waited for beyond the end of the gateway.
            let next = Instant::now() + wait;
            let next = self.last_at.map_or(next, |last_at| next.min(last_at));
            let mut stop = self.stop.clone();
            tokio::select! {
                () = sleep_until(next) => {}
                // The last try is made at once.
                _ = stop.changed(), if !self.is_last() => self.note_stop(),
            }
        }
    }

    /// One call, which does not outlast the gateway.
    async fn send(&mut self, collector: &Collector, message: &[u8]) -> Verdict {
        let mut stop = self.stop.clone();
        let mut sending = pin!(self.caller.send(collector, message));
        let last_at = match self.last_at {
            Some(last_at) => last_at,
            None => tokio::select! {
                verdict = &mut sending => return verdict,
                _ = stop.wait_for(|stops| *stops) => *self.last_at.insert(Instant::now() + LAST_WITHIN),
            },
        };
        let late = || Verdict::Later { after: None, why: "no answer before the gateway stopped".to_owned() };
        timeout_at(last_at, sending).await.unwrap_or_else(|_| late())
    }

    fn taken(&mut self, collector: &Collector, count: u64, rejected: u64, why: &str) {
        let rejected = rejected.min(count);
        self.meters.metrics.exported(self.signal.as_str(), count - rejected);
        if rejected > 0 {
            self.fails(collector, &format!("it did not take {rejected} of {count}: {why}"), "They are lost.");
            return self.dropped(reason::REJECTED, rejected);
        }
        if std::mem::take(&mut self.is_failing) {
            let text =
                format!("OpenTelemetry: {} are taken by {} again.", self.signal.as_str(), collector.url);
            self.log.say(Level::Warn, Target::Server, text);
        }
    }

    fn dropped(&mut self, reason: &'static str, count: u64) {
        if self.is_last() {
            self.lost_at_last += count;
        }
        self.meters.metrics.dropped(self.signal.as_str(), reason, count);
    }

    /// Says so once, until it works again.
    fn fails(&mut self, collector: &Collector, why: &str, what_follows: &str) {
        if std::mem::replace(&mut self.is_failing, true) {
            return;
        }
        let (signal, url) = (self.signal.as_str(), &collector.url);
        let text = format!("OpenTelemetry: {signal} are not taken by {url}: {why}. {what_follows}");
        self.log.say(Level::Warn, Target::Server, text);
    }
}

/// The time of day, in nanoseconds since 1970.
fn unix_nanos() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
