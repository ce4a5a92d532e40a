//! The way in: cores hand records over and never wait.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::health::Health;
use crate::record::Record;

/// Records that wait to be written, one to two kilobytes each without bodies.
pub(crate) const RECORDS_MAX: usize = 16_384;
/// What they take in memory together, in bytes, until they are written.
const BYTES_MAX: usize = 64 << 20;
/// As much of it may be taken by records with bodies: the rest is for those that have given them up.
const BYTES_WITH_BODIES_MAX: usize = 40 << 20;

/// What is handed over: it becomes a record on the writer's thread, where the time that takes costs no request anything.
pub trait Unwritten: Send + Debug {
    /// How many bytes of memory it takes.
    fn bytes(&self) -> usize;
    /// Gives up what is held of bodies beyond what is kept at most. Was there any?
    fn cut_bodies(&mut self) -> bool {
        false
    }
    /// Gives up bodies, and whatever else is large: there is no room. Were there bodies?
    fn give_up_bodies(&mut self) -> bool;
    /// Is it a request of this gateway, which its metrics count? Labels of others would be anybody's words.
    fn is_own(&self) -> bool {
        true
    }
    /// Makes the record.
    fn finish(self: Box<Self>) -> Record;
}

/// Where records are handed over. Each thread has one of its own.
#[derive(Debug, Clone)]
pub struct Queue {
    sender: SyncSender<Box<dyn Unwritten>>,
    state: Arc<State>,
}

/// What all of them and the writer share.
#[derive(Debug, Default)]
pub(crate) struct State {
    bytes: AtomicUsize,
    waiting: AtomicUsize,
    written: AtomicU64,
    pub(crate) lost: AtomicU64,
    lost_bodies: AtomicU64,
    pub(crate) unpriced: AtomicU64,
    problem: Mutex<Option<String>>,
}

impl Queue {
    pub(crate) fn new() -> (Queue, Receiver<Box<dyn Unwritten>>) {
        let (sender, receiver) = sync_channel(RECORDS_MAX);
        (Queue { sender, state: Arc::default() }, receiver)
    }

    /// Hands a record over. Where there is no room its bodies are given up first, and then the record; both are counted.
    pub fn hand_over(&self, mut one: Box<dyn Unwritten>) {
        let state = &*self.state;
        let mut bytes = one.bytes();
        let mut has_room = state.has_room(bytes, BYTES_WITH_BODIES_MAX);
        if !has_room && one.cut_bodies() {
            bytes = one.bytes();
            has_room = state.has_room(bytes, BYTES_WITH_BODIES_MAX);
        }
        if !has_room {
            if one.give_up_bodies() {
                state.lost_bodies.fetch_add(1, Ordering::Relaxed);
            }
            bytes = one.bytes();
            if !state.has_room(bytes, BYTES_MAX) {
                state.lost.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        state.waiting.fetch_add(1, Ordering::Relaxed);
        if self.sender.try_send(one).is_err() {
            state.left(1, bytes);
            state.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How the store fares.
    pub fn health(&self) -> Health {
        let state = &*self.state;
        Health {
            problem: state.problem().clone(),
            waiting: state.waiting.load(Ordering::Relaxed),
            written: state.written.load(Ordering::Relaxed),
            lost: state.lost.load(Ordering::Relaxed),
            lost_bodies: state.lost_bodies.load(Ordering::Relaxed),
            unpriced: state.unpriced.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.state.clone()
    }
}

impl State {
    /// Takes room for so many bytes, if there is any below this bound.
    fn has_room(&self, bytes: usize, bytes_max: usize) -> bool {
        let has_room = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= bytes_max;
        if !has_room {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        has_room
    }

    /// Records with so many bytes wait no more.
    pub(crate) fn left(&self, records: usize, bytes: usize) {
        self.waiting.fetch_sub(records, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn written(&self, count: usize) {
        self.written.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Notes why nothing can be written, or that it can. Is that news?
    pub(crate) fn set_problem(&self, problem: Option<String>) -> bool {
        let mut own = self.problem();
        let is_news = own.is_some() != problem.is_some();
        *own = problem;
        is_news
    }

    fn problem(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it holds, and what of that it can give up.
    #[derive(Debug)]
    struct Sized(usize, usize);

    impl Unwritten for Sized {
        fn bytes(&self) -> usize {
            self.0
        }

        fn give_up_bodies(&mut self) -> bool {
            self.0 -= self.1;
            self.1 > 0
        }

        fn finish(self: Box<Self>) -> Record {
            Record { request_bytes: self.0 as u64, ..Record::default() }
        }
    }

    #[test]
    fn bodies_go_first_and_then_records() {
        const LAST: usize = BYTES_MAX - BYTES_WITH_BODIES_MAX;
        let (queue, receiver) = Queue::new();
        queue.hand_over(Box::new(Sized(BYTES_WITH_BODIES_MAX, 1)));
        queue.hand_over(Box::new(Sized(1 + LAST, 1)));
        queue.hand_over(Box::new(Sized(1, 0)));
        let health = queue.health();
        assert_eq!((health.waiting, health.lost_bodies, health.lost), (2, 1, 1));
        let kept: Vec<u64> = receiver.try_iter().map(|one| one.finish().request_bytes).collect();
        assert_eq!(kept, [BYTES_WITH_BODIES_MAX as u64, LAST as u64]);
        queue.state.left(2, BYTES_MAX);
        (0..=RECORDS_MAX).for_each(|_| queue.hand_over(Box::new(Sized(0, 0))));
        assert_eq!(queue.health().lost, 2);
    }
}
