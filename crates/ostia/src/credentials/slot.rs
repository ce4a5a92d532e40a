//! The place of one credential, which all cores read and one thread writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use ostia_providers::auth::Credential;
use ostia_providers::auth::source::Source;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::{Failure, Holder};

/// The pause after a first failure; it doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Most doublings of a pause.
const DOUBLINGS_MAX: u32 = 6;
/// How old a credential has to be before it is fetched anew because a provider refused it: a fresh one is refused for another
/// reason.
const DOUBT_MIN: Duration = Duration::from_secs(30);

/// The place of one credential.
#[derive(Debug)]
pub struct Slot {
    /// Where the credential comes from.
    pub source: Arc<Source>,
    /// Whose it is.
    pub holder: Holder,
    state: ArcSwap<State>,
    /// Somebody fetches it, or will when it is time.
    is_kept: AtomicBool,
    /// Others look for it elsewhere.
    is_forgotten: AtomicBool,
    last_used_s: AtomicU64,
    news: watch::Sender<()>,
    /// Wakes whoever waits for the time of the next fetch.
    wake: Notify,
}

/// What is known of a credential.
#[derive(Debug, Default)]
pub struct State {
    fetched: Option<Fetched>,
    /// When that was.
    at: Option<Instant>,
    failure: Option<Failed>,
}

/// A credential that was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The credential.
    pub credential: Credential,
    /// When it ends; `None`: it does not.
    pub ends: Option<Instant>,
}

#[derive(Debug, Clone)]
struct Failed {
    failure: Arc<Failure>,
    /// How often in a row.
    count: u32,
    /// Until then nobody tries again.
    until: Instant,
}

/// In place of a credential where there is none. Nobody is handed it.
static NOTHING: LazyLock<Credential> = LazyLock::new(|| Credential::Key("".into()));

impl State {
    /// The credential. There is one wherever [`Slot::held`] gave this out.
    pub fn credential(&self) -> &Credential {
        self.fetched.as_ref().map_or(&NOTHING, |fetched| &fetched.credential)
    }

    fn holds(&self, now: Instant) -> bool {
        self.fetched.as_ref().is_some_and(|fetched| fetched.ends.is_none_or(|ends| now < ends))
    }
}

impl Slot {
    /// Empty.
    pub fn new(source: Arc<Source>, holder: Holder) -> Slot {
        Slot {
            source,
            holder,
            state: ArcSwap::default(),
            is_kept: AtomicBool::new(false),
            is_forgotten: AtomicBool::new(false),
            last_used_s: AtomicU64::new(seconds(Instant::now())),
            news: watch::Sender::new(()),
            wake: Notify::new(),
        }
    }

    /// The credential, if it holds. Says that somebody used it.
    pub fn held(&self, now: Instant) -> Option<Guard<Arc<State>>> {
        let second = seconds(now);
        // All cores read it, and one writes it once in a second.
        if self.last_used_s.load(Ordering::Relaxed) != second {
            self.last_used_s.store(second, Ordering::Relaxed);
        }
        let state = self.state.load();
        state.holds(now).then_some(state)
    }

    /// Is there one that holds?
    pub fn holds(&self, now: Instant) -> bool {
        self.state.load().holds(now)
    }

    /// Why there is none, while nobody tries again.
    pub fn failure(&self, now: Instant) -> Option<Arc<Failure>> {
        let state = self.state.load();
        state.failure.as_ref().filter(|failed| now < failed.until).map(|failed| failed.failure.clone())
    }

    /// Does nobody fetch it yet? Then whoever asked has to see to it.
    pub fn begin(&self) -> bool {
        !self.is_kept.swap(true, Ordering::AcqRel)
    }

    /// Is somebody to fetch it?
    pub fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Acquire)
    }

    /// Nobody fetches it any more.
    pub fn end(&self) {
        self.is_kept.store(false, Ordering::Release);
        self.news.send_replace(());
    }

    /// Here it is.
    pub fn fill(&self, fetched: Fetched, now: Instant) {
        self.state.store(Arc::new(State { fetched: Some(fetched), at: Some(now), failure: None }));
        self.news.send_replace(());
    }

    /// It could not be fetched. What there was stays. When it is to be tried again.
    pub fn fail(&self, failure: Failure, now: Instant) -> Instant {
        let state = self.state.load();
        let count = state.failure.as_ref().map_or(0, |failed| failed.count);
        let pause = (PAUSE_MIN * 2_u32.pow(count.min(DOUBLINGS_MAX))).min(PAUSE_MAX);
        let until = now + pause;
        let failed = Failed { failure: Arc::new(failure), count: count.saturating_add(1), until };
        let fetched = state.fetched.clone();
        self.state.store(Arc::new(State { fetched, at: state.at, failure: Some(failed) }));
        self.news.send_replace(());
        until
    }

    /// A provider refused it though it should hold. If it is not fresh it is given up, and fetched anew.
    pub fn doubt(&self, now: Instant) {
        let state = self.state.load();
        if state.fetched.is_some() && state.at.is_none_or(|at| now >= at + DOUBT_MIN) {
            self.state.store(Arc::default());
            self.wake.notify_one();
        }
    }

    /// Waits until it is doubted or forgotten.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Tells of every change from now on.
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// When somebody used it last.
    pub fn last_used_s(&self) -> u64 {
        self.last_used_s.load(Ordering::Relaxed)
    }

    /// For how long nobody has used it.
    pub fn idle(&self, now: Instant) -> Duration {
        Duration::from_secs(seconds(now).saturating_sub(self.last_used_s()))
    }

    /// Others look for it elsewhere from now on.
    pub fn forget(&self) {
        self.is_forgotten.store(true, Ordering::Release);
        self.wake.notify_one();
        self.news.send_replace(());
    }

    /// Is it to be looked for elsewhere?
    pub fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Acquire)
    }
}

/// Since the first time that anybody asked.
fn seconds(now: Instant) -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    now.saturating_duration_since(*START).as_secs()
}
