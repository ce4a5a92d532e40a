//! The thread that writes.
//!
//! What is handed over is written at most [`FLUSH_WITHIN`] and the time that a batch takes later; after `kill -9` no more than
//! that is missing, and after an orderly end nothing. Where nothing can be written the batch is kept and tried again, and what
//! comes meanwhile waits in the queue, as far as there is room.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::answers::ReadError;
use crate::engine::{Engine, Place};
use crate::finisher::Finisher;
use crate::orders::{Order, Orders, WAITING_MAX};
use crate::queue::{Queue, RECORDS_MAX, State, Unwritten};
use crate::record::Record;
use crate::retention::Retention;
use crate::write_error::WriteError;

/// How long a record waits for others to be written with.
pub const FLUSH_WITHIN: Duration = Duration::from_millis(200);
/// Most records that are written at once. Each batch writes every page again that it touches, so large ones cost less a record; this
/// one takes about a tenth of a second.
const BATCH_MAX: usize = 2048;
/// Once so many batches were full, all that was in the queue before them, and one that had been begun, are written.
const BATCHES_BEFORE_ORDER: u64 = (RECORDS_MAX / BATCH_MAX) as u64 + 1;
/// How long the thread rests when there is nothing to do. It does not sleep on the queue: whoever hands over a record would have to
/// wake it, and that is a call to the system on the way of a request.
const REST: Duration = Duration::from_millis(20);
/// How long to wait before an engine that cannot be written to is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often it is looked for what has been kept long enough, and how soon again where there is more of it.
const RETENTION_EVERY: Duration = Duration::from_secs(10);
const RETENTION_AGAIN: Duration = Duration::from_millis(50);
/// How long the end of the gateway waits for the last records.
const LAST_WITHIN: Duration = Duration::from_secs(10);

/// Told what the operator should hear of; once for each change.
pub type Tell = Box<dyn Fn(String) + Send>;

/// A store that is open.
#[derive(Debug)]
pub struct Store {
    queue: Queue,
    orders: Orders,
    stop: Sender<()>,
    is_over: Receiver<()>,
}

/// What the thread works with.
struct Writer {
    place: Place,
    engine: Engine,
    entries: Receiver<Box<dyn Unwritten>>,
    orders: Receiver<Order>,
    state: Arc<State>,
    finisher: Finisher,
    retention: Retention,
    tell: Tell,
    batch: Vec<Record>,
    /// What it was said to take in memory: it has that room until it is written.
    batch_bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// Orders that were taken, each with how many batches had been full by then.
    ordered: VecDeque<(u64, Order)>,
    full_batches: u64,
    /// Not to be tried before.
    again_at: Instant,
    retention_at: Instant,
}

impl Store {
    /// Starts to write to this place, where nothing need be yet, what `finisher` makes of what is handed over.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        place: Place,
        retention: Retention,
        finisher: Finisher,
        tell: Tell,
    ) -> std::io::Result<Store> {
        let (queue, entries) = Queue::new();
        let (orders, given) = Orders::new();
        let ((stop, stopped), (over, is_over)) = (channel(), channel());
        let now = Instant::now();
        let mut writer = Writer {
            engine: Engine::of(&place),
            place,
            entries,
            orders: given,
            state: queue.state(),
            finisher,
            retention,
            tell,
            batch: Vec::new(),
            batch_bytes: 0,
            since: None,
            ordered: VecDeque::new(),
            full_batches: 0,
            again_at: now,
            retention_at: now + RETENTION_AGAIN,
        };
        thread::Builder::new().name("ostia-records".to_owned()).spawn(move || {
            writer.run(&stopped);
            let _ = over.send(());
        })?;
        Ok(Store { queue, orders, stop, is_over })
    }

    /// Where records are handed over.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Where orders are handed over.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Writes what is there, and ends.
    pub fn finish(self) {
        let _ = self.stop.send(());
        match self.is_over.recv_timeout(LAST_WITHIN) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

impl Writer {
    fn run(&mut self, stopped: &Receiver<()>) {
        // Also where nothing is to be written yet: the operator hears at the start that nothing can be.
        self.open();
        let mut is_last = false;
        loop {
            // Asked for before it is looked whether there is more, so that nothing that was handed over is left.
            is_last = is_last || stopped.try_recv() != Err(TryRecvError::Empty);
            // Before the records, so that those that were handed over before an order are taken by the time that it is carried out.
            let are_more_orders = self.take_orders();
            let is_more = self.take();
            self.full_batches += u64::from(is_more);
            let is_due = self.since.is_some_and(|since| since.elapsed() >= FLUSH_WITHIN);
            if (is_due || is_more || is_last) && (is_last || self.may_try()) {
                self.flush();
            }
            self.obey(is_more);
            if is_last && (!is_more || !self.engine.is_open()) && !are_more_orders {
                return;
            }
            if Instant::now() >= self.retention_at {
                self.retain();
            }
            if !is_more || !self.may_try() {
                thread::sleep(REST);
            }
        }
    }

    /// Has it been long enough since the engine failed?
    fn may_try(&self) -> bool {
        Instant::now() >= self.again_at
    }

    /// Takes what was ordered, as far as there is room for it. Is there none left?
    fn take_orders(&mut self) -> bool {
        while self.ordered.len() < WAITING_MAX {
            let Ok(order) = self.orders.try_recv() else { return false };
            self.ordered.push_back((self.full_batches, order));
        }
        true
    }

    /// Takes what was handed over, as far as the batch has room. Is it full?
    fn take(&mut self) -> bool {
        while self.batch.len() < BATCH_MAX {
            let Ok(entry) = self.entries.try_recv() else { return false };
            self.batch_bytes += entry.bytes();
            let record = self.finisher.finish(entry, &self.state);
            self.batch.push(record);
            self.since.get_or_insert_with(Instant::now);
        }
        true
    }

    fn flush(&mut self) {
        if self.batch.is_empty() || !self.open() {
            return;
        }
        match self.engine.write(&self.batch) {
            Ok(()) => {
                self.state.written(self.batch.len());
                self.emptied();
                self.works();
            }
            Err(WriteError::Refused(why)) => self.write_one_by_one(&why),
            Err(error) => self.fails(&error),
        }
    }

    /// One of them cannot be written at all: the others are not lost for it. Where the engine fails in between, what is left is
    /// tried again.
    fn write_one_by_one(&mut self, why: &str) {
        let (mut left, mut lost, mut failed) = (Vec::new(), 0, None);
        for record in std::mem::take(&mut self.batch) {
            if failed.is_some() {
                left.push(record);
                continue;
            }
            match self.engine.write(std::slice::from_ref(&record)) {
                Ok(()) => self.state.written(1),
                Err(WriteError::Refused(_)) => lost += 1,
                Err(error) => {
                    failed = Some(error);
                    left.push(record);
                }
            }
            // The room that they have in memory is given back with the last of them.
            self.state.left(usize::from(failed.is_none()), 0);
        }
        self.batch = left;
        if lost > 0 {
            self.state.lost.fetch_add(lost, Ordering::Relaxed);
            (self.tell)(format!("{lost} records were lost: {why}."));
        }
        match failed {
            Some(error) => self.fails(&error),
            None => self.emptied(),
        }
    }

    /// Carries out what was ordered, behind all records that were handed over before: at once where there are no more of them, and
    /// else after as many batches as the queue holds, so that no order waits for ever where there are always more. While the engine is
    /// not to be tried whoever ordered hears so at once.
    fn obey(&mut self, is_more: bool) {
        while let Some((since, _)) = self.ordered.front() {
            let is_behind_all = !is_more || self.full_batches - since >= BATCHES_BEFORE_ORDER;
            if self.may_try() && !is_behind_all {
                return;
            }
            let Some((_, order)) = self.ordered.pop_front() else { return };
            if self.may_try() {
                self.flush();
            }
            // Not after a flush that failed: each try may take as long as a connection.
            let is_open = self.may_try() && self.open();
            let unreadable = || ReadError::Unreadable("it cannot be written".to_owned());
            order(Some(&mut self.engine).filter(|_| is_open).ok_or_else(unreadable));
        }
    }

    fn emptied(&mut self) {
        self.state.left(self.batch.len(), std::mem::take(&mut self.batch_bytes));
        self.batch.clear();
        self.since = None;
    }

    /// Is the engine open?
    fn open(&mut self) -> bool {
        if self.engine.is_open() {
            return true;
        }
        match self.engine.open() {
            Ok(()) => {
                if self.batch.is_empty() {
                    self.works();
                }
                true
            }
            Err(error) => {
                self.fails(&error);
                false
            }
        }
    }

    fn works(&self) {
        if self.state.set_problem(None) {
            (self.tell)(format!("Records are written to {} again.", self.place));
        }
    }

    fn fails(&mut self, error: &WriteError) {
        self.again_at = Instant::now() + TRY_AGAIN_AFTER;
        let place = &self.place;
        if let WriteError::Damaged(what) = error {
            (self.tell)(format!("Records in {place}: {what}."));
            return;
        }
        if self.state.set_problem(Some(format!("{place}: {error}"))) {
            (self.tell)(format!(
                "Records cannot be written to {place}: {error}. The gateway goes on, and tries again."
            ));
        }
    }

    fn retain(&mut self) {
        self.retention_at = Instant::now() + RETENTION_EVERY;
        // What nobody has written to since it failed is opened here too: it may work again.
        if self.may_try() && self.open() {
            self.retain_some();
        }
        if !self.engine.is_open() {
            self.retention_at = self.again_at;
        }
    }

    fn retain_some(&mut self) {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        match self.engine.retain(&self.retention, i64::try_from(now_ms).unwrap_or(i64::MAX)) {
            Ok(is_more) => {
                if is_more {
                    self.retention_at = Instant::now() + RETENTION_AGAIN;
                }
                if self.batch.is_empty() {
                    self.works();
                }
            }
            Err(error) => self.fails(&error),
        }
    }
}
