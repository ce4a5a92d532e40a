//! What waits to be sent, within bounds.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Most spans, or log records, that wait.
const ITEMS_MAX: usize = 16_384;
/// What they take when they are sent, in bytes; in memory some three times as much.
const BYTES_MAX: usize = 8 << 20;
/// So many are sent at once, and at once when they are there.
const BATCH_MAX: usize = 512;
/// What is sent at once takes no more than this, in bytes, unless it is one alone: collectors take 4 MiB by gRPC.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Where one thread leaves what another one sends.
#[derive(Debug)]
pub struct Pending<T> {
    items: Mutex<Items<T>>,
    is_batch: Notify,
    /// How many wait here and in places like this.
    waiting: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Items<T> {
    /// Each with its size.
    queue: VecDeque<(T, usize)>,
    bytes: usize,
}

impl<T> Pending<T> {
    /// Nothing waits. `waiting`: where it is counted.
    pub fn new(waiting: Arc<AtomicU64>) -> Pending<T> {
        let items = Mutex::new(Items { queue: VecDeque::new(), bytes: 0 });
        Pending { items, is_batch: Notify::new(), waiting }
    }

    fn items(&self) -> MutexGuard<'_, Items<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves these here, all or none, each with its size in bytes. How many found no room?
    pub fn push(&self, all: Vec<(T, usize)>) -> usize {
        let bytes = all.iter().map(|(_, bytes)| bytes).sum::<usize>();
        let mut items = self.items();
        if items.queue.len() + all.len() > ITEMS_MAX || items.bytes + bytes > BYTES_MAX {
            return all.len();
        }
        self.waiting.fetch_add(all.len() as u64, Ordering::Relaxed);
        items.bytes += bytes;
        items.queue.extend(all);
        if items.queue.len() >= BATCH_MAX || items.bytes >= BATCH_BYTES_MAX {
            self.is_batch.notify_one();
        }
        0
    }

    /// Takes as many as are sent at once, the oldest first; none where nothing waits.
    pub fn take(&self) -> Vec<T> {
        let mut items = self.items();
        let (mut count, mut bytes) = (0, 0);
        for (_, size) in items.queue.iter().take(BATCH_MAX) {
            if count > 0 && bytes + size > BATCH_BYTES_MAX {
                break;
            }
            (count, bytes) = (count + 1, bytes + size);
        }
        items.bytes -= bytes;
        self.waiting.fetch_sub(count as u64, Ordering::Relaxed);
        items.queue.drain(..count).map(|(item, _)| item).collect()
    }

    /// Waits until there are.
    pub async fn batch(&self) {
        self.is_batch.notified().await;
    }
}

/// The same, as it is sent at once: each with its size in bytes.
pub fn batches<T>(all: Vec<(T, usize)>) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for (item, size) in all {
        match batches.last_mut() {
            Some(last) if size <= room => last.push(item),
            _ => {
                batches.push(vec![item]);
                room = BATCH_BYTES_MAX;
            }
        }
        room = room.saturating_sub(size);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_waits_and_no_more() {
        let waiting = Arc::<AtomicU64>::default();
        let pending = Pending::new(waiting.clone());
        assert_eq!(pending.push(vec![(0, BYTES_MAX), (1, 1)]), 2, "all or none");
        assert_eq!(pending.push(vec![(0, BYTES_MAX)]), 0);
        assert_eq!(pending.push(vec![(1, 1)]), 1);
        assert_eq!((pending.take(), waiting.load(Ordering::Relaxed)), (vec![0], 0));
        let many = |count: usize| (0..count).map(|number| (number, 0)).collect::<Vec<_>>();
        assert_eq!(pending.push(many(ITEMS_MAX)), 0);
        assert_eq!(pending.push(many(1)), 1);
        assert_eq!(pending.take(), (0..BATCH_MAX).collect::<Vec<_>>());
        assert_eq!(waiting.load(Ordering::Relaxed), (ITEMS_MAX - BATCH_MAX) as u64);
    }

    #[test]
    fn what_is_sent_at_once_is_not_too_large() {
        let pending = Pending::new(Arc::default());
        pending.push(vec![
            (1, BATCH_BYTES_MAX + 1),
            (2, BATCH_BYTES_MAX / 2),
            (3, BATCH_BYTES_MAX / 2),
            (4, 1),
        ]);
        for expected in [vec![1], vec![2, 3], vec![4], vec![]] {
            assert_eq!(pending.take(), expected);
        }
        let half = BATCH_BYTES_MAX / 2;
        let all = vec![(1, BATCH_BYTES_MAX + 1), (2, half), (3, half), (4, 1)];
        assert_eq!(batches(all), [vec![1], vec![2, 3], vec![4]]);
    }
}
