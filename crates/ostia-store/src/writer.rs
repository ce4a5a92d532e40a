//! The thread that writes.
//!
//! What is handed over is in the file at most [`FLUSH_WITHIN`] and the time that a batch takes later; after `kill -9` no more than
//! that is missing, and after an orderly end nothing. Where the file cannot be written the batch is kept and tried again, and what
//! comes meanwhile waits in the queue, as far as there is room.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode};

use crate::body::{Kept, Missing};
use crate::database::{self, OpenError};
use crate::mask;
use crate::orders::{Order, Orders};
use crate::price::Prices;
use crate::queue::{Queue, State, Unwritten};
use crate::reader::ReadError;
use crate::record::Record;
use crate::retention::{self, Retention};
use crate::{insert, record};

/// How long a record waits for others to be written with.
pub const FLUSH_WITHIN: Duration = Duration::from_millis(200);
/// Most records that are written at once.
const BATCH_MAX: usize = 512;
/// How long the thread rests when there is nothing to do. It does not sleep on the queue: whoever hands over a record would have to
/// wake it, and that is a call to the system on the way of a request.
const REST: Duration = Duration::from_millis(20);
/// How long to wait before a file that cannot be written is tried again.
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
    path: PathBuf,
    connection: Option<Connection>,
    entries: Receiver<Box<dyn Unwritten>>,
    orders: Receiver<Order>,
    state: Arc<State>,
    prices: Prices,
    mask: Vec<String>,
    retention: Retention,
    tell: Tell,
    batch: Vec<Record>,
    /// What it was said to take in memory: it has that room until it is written.
    batch_bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// Not to be tried before.
    again_at: Instant,
    retention_at: Instant,
    /// A damaged file was put aside already.
    has_put_aside: bool,
}

impl Store {
    /// Starts to write to the file at this path, which need not be there. `mask`: fields of bodies that are not kept.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        path: PathBuf,
        retention: Retention,
        mask: Vec<String>,
        prices: Prices,
        tell: Tell,
    ) -> std::io::Result<Store> {
        let (queue, entries) = Queue::new();
        let (orders, ordered) = Orders::new();
        let ((stop, stopped), (over, is_over)) = (channel(), channel());
        let now = Instant::now();
        let mut writer = Writer {
            path,
            connection: None,
            entries,
            orders: ordered,
            state: queue.state(),
            prices,
            mask,
            retention,
            tell,
            batch: Vec::new(),
            batch_bytes: 0,
            since: None,
            again_at: now,
            retention_at: now + RETENTION_AGAIN,
            has_put_aside: false,
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
            let is_more = self.take();
            let is_due = self.since.is_some_and(|since| since.elapsed() >= FLUSH_WITHIN);
            if (is_due || is_more || is_last) && (is_last || Instant::now() >= self.again_at) {
                self.flush();
            }
            if !is_more {
                self.obey();
            }
            if is_last && (!is_more || self.connection.is_none()) {
                return;
            }
            if Instant::now() >= self.retention_at {
                self.retain();
            }
            if !is_more || Instant::now() < self.again_at {
                thread::sleep(REST);
            }
        }
    }

    /// Takes what was handed over, as far as the batch has room. Is it full?
    fn take(&mut self) -> bool {
        while self.batch.len() < BATCH_MAX {
            let Ok(entry) = self.entries.try_recv() else { return false };
            self.batch_bytes += entry.bytes();
            let is_own = entry.is_own();
            let mut record = entry.finish();
            self.complete(&mut record);
            if is_own {
                self.state.metrics.count(&record);
            }
            self.batch.push(record);
            self.since.get_or_insert_with(Instant::now);
        }
        true
    }

    /// Puts prices on it, and hides what is secret.
    fn complete(&self, record: &mut Record) {
        let started_ms = record.started_ms;
        for attempt in &mut record.attempts {
            if self.prices.price(attempt, started_ms) {
                self.state.unpriced.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            attempt.error.as_mut().map(mask_error);
        }
        record.error.as_mut().map(mask_error);
        if self.mask.is_empty() {
            return;
        }
        for body in [&mut record.request, &mut record.response] {
            let Kept::Bytes { bytes, total } = body else { continue };
            // One that is cut is no JSON.
            let is_whole = bytes.len() as u64 == *total;
            *body = match mask::mask_fields(bytes, &self.mask) {
                Some(masked) => {
                    let total = if is_whole { masked.len() as u64 } else { *total };
                    Kept::Bytes { bytes: masked, total }
                }
                None => Kept::Missing(Missing::Off),
            };
        }
    }

    fn flush(&mut self) {
        if self.batch.is_empty() || !self.open() {
            return;
        }
        let Some(connection) = &mut self.connection else { return };
        match insert::write(connection, &self.batch) {
            Ok(()) => {
                self.state.written(self.batch.len());
                self.emptied();
                self.works();
            }
            Err(error) if is_of_the_file(&error) => self.fails(&OpenError::Sqlite(error)),
            Err(error) => {
                // One of them cannot be written at all: the others are not lost for it.
                let written = self
                    .batch
                    .iter()
                    .filter(|one| insert::write(connection, std::slice::from_ref(one)).is_ok());
                let written = written.count();
                let lost = self.batch.len() - written;
                self.state.written(written);
                self.state.lost.fetch_add(lost as u64, std::sync::atomic::Ordering::Relaxed);
                (self.tell)(format!("{lost} records were lost: {error}."));
                self.emptied();
            }
        }
    }

    /// Carries out what was ordered, behind all records that were handed over before.
    fn obey(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            self.flush();
            let is_open = self.open();
            let unreadable = || ReadError::Unreadable("it cannot be written".to_owned());
            order(self.connection.as_mut().filter(|_| is_open).ok_or_else(unreadable));
        }
    }

    fn emptied(&mut self) {
        self.state.left(self.batch.len(), std::mem::take(&mut self.batch_bytes));
        self.batch.clear();
        self.since = None;
    }

    /// Is the file open?
    fn open(&mut self) -> bool {
        if self.connection.is_some() {
            return true;
        }
        match database::open(&self.path) {
            Ok(connection) => {
                self.connection = Some(connection);
                self.works();
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
            (self.tell)(format!("Records are written to {} again.", self.path.display()));
        }
    }

    fn fails(&mut self, error: &OpenError) {
        self.connection = None;
        self.again_at = Instant::now() + TRY_AGAIN_AFTER;
        if is_damage(error) && !self.has_put_aside {
            self.has_put_aside = true;
            let told = match put_aside(&self.path) {
                Ok(aside) => format!("it is damaged ({error}) and was put aside as {}", aside.display()),
                Err(failure) => format!("it is damaged ({error}) and cannot be put aside ({failure})"),
            };
            (self.tell)(format!("Records in {}: {told}.", self.path.display()));
            return;
        }
        let path = self.path.display();
        if self.state.set_problem(Some(format!("{path}: {error}"))) {
            (self.tell)(format!(
                "Records cannot be written to {path}: {error}. The gateway goes on, and tries again."
            ));
        }
    }

    fn retain(&mut self) {
        self.retention_at = Instant::now() + RETENTION_EVERY;
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        if !self.path.exists() {
            // Somebody took the file away: what is written to it now would be nowhere.
            self.connection = None;
        }
        let Some(connection) = &mut self.connection else { return };
        match retention::step(connection, &self.retention, i64::try_from(now_ms).unwrap_or(i64::MAX)) {
            Ok(true) => self.retention_at = Instant::now() + RETENTION_AGAIN,
            Ok(false) => {}
            Err(error) => self.fails(&OpenError::Sqlite(error)),
        }
    }
}

fn mask_error(error: &mut record::RecordError) {
    if let Some(message) = &mut error.message {
        *message = mask::mask_text(message);
    }
}

/// May it be otherwise the next time, because it is the file that fails and not what is written?
fn is_of_the_file(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) | None
    )
}

fn is_damage(error: &OpenError) -> bool {
    let OpenError::Sqlite(error) = error else { return false };
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Gives a damaged file another name, so that a new one can be made.
fn put_aside(path: &Path) -> std::io::Result<PathBuf> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let aside = path.with_extension(format!("damaged-{seconds}"));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        // Either may not be there.
        let _ = std::fs::rename(with_suffix(path, suffix), with_suffix(&aside, suffix));
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
