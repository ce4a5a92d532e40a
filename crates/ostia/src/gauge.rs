//! How much is open on all cores, for whoever asks how things stand.
//!
//! Each thread has numbers of its own, which nobody else writes: to count costs no core what another one does.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Connections of clients.
    Client,
    /// Connections to other hosts.
    Upstream,
    /// Streams and WebSockets under way.
    Stream,
}

const KINDS: usize = 3;

/// One thread's numbers, on a cache line of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Numbers([AtomicI64; KINDS]);

/// The numbers of all threads that have counted anything.
static ALL: Mutex<Vec<Arc<Numbers>>> = Mutex::new(Vec::new());

thread_local! {
    static OWN: Arc<Numbers> = {
        let own = Arc::<Numbers>::default();
        ALL.lock().unwrap_or_else(PoisonError::into_inner).push(own.clone());
        own
    };
}

/// Counts one, as long as it lives.
#[derive(Debug)]
pub struct Counted {
    kind: Kind,
    /// It may be dropped on another thread than it was made on: the sum of all is right all the same.
    _private: (),
}

impl Counted {
    /// One more of this kind.
    pub fn new(kind: Kind) -> Counted {
        add(kind, 1);
        Counted { kind, _private: () }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        add(self.kind, -1);
    }
}

fn add(kind: Kind, change: i64) {
    // A thread that ends takes its numbers out of reach; what it holds ends with it.
    let _ = OWN.try_with(|own| own.0[kind as usize].fetch_add(change, Ordering::Relaxed));
}

/// How many of this kind are open.
pub fn open(kind: Kind) -> u64 {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let sum = all.iter().map(|numbers| numbers.0[kind as usize].load(Ordering::Relaxed)).sum::<i64>();
    u64::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_open_on_all_threads() {
        // Other tests of this process count connections; nothing here counts streams.
        let before = open(Kind::Stream);
        let held = [Counted::new(Kind::Stream), Counted::new(Kind::Stream)];
        let far = std::thread::spawn(|| Counted::new(Kind::Stream)).join().unwrap();
        assert_eq!(open(Kind::Stream), before + 3);
        drop((held, far));
        assert_eq!(open(Kind::Stream), before);
    }
}
