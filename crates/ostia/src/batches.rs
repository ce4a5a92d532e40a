//! Batches that the gateway runs itself, jobs that it has a provider do, and the files of both, as all cores ask for them.
//!
//! What is kept is in tables beside the contents of files, and on a thread of its own (`ostia_store::BatchStore`); rows are asked
//! on another one (`runner`). A core that serves a client asks one of the two and waits for the answer, never for the disk.

pub mod contents;
pub mod objects;
pub mod owner;
pub mod rows;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use ostia_dialect::fine_tuning::NewJob;
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{
    BatchFault, BatchStore, BatchesClosed, Busy, SECRET_BYTES, StoredBatch, StoredTuning, Tables,
};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Uploads at once: each may go beyond the bound on all files by what comes between two looks at it.
pub const UPLOADS_MAX: usize = 8;
/// Most rows of a file: their names have to be told apart while they come, which takes 16 bytes for each.
pub const ROWS_MAX: usize = 200_000;
/// Batches that are not over, of all callers together.
pub const OPEN_MAX: u64 = 1000;
/// Orders that the runner has not heard yet.
const ORDERS_MAX: usize = 1024;
/// As many bytes are written before it is looked again whether there is room.
pub const ROOM_CHECK_BYTES: u64 = 32 << 20;

/// The ids of the gateway's own begin so: whoever reads one knows whose it is.
const FILE_ID_PREFIX: &str = "file-ostia-";
const BATCH_ID_PREFIX: &str = "batch_ostia_";
const TUNING_ID_PREFIX: &str = "ftjob-ostia-";

/// Where batches are asked for; shared by all cores.
#[derive(Debug, Clone)]
pub struct Batches {
    /// What is kept.
    store: BatchStore,
    /// What owners are hashed with, once somebody asked.
    secret: Arc<OnceLock<[u8; SECRET_BYTES]>>,
    orders: mpsc::Sender<Order>,
    /// A name of this run of the gateway.
    pub run: Arc<str>,
    /// Room for uploads.
    pub uploads: Arc<Semaphore>,
    /// How large they may get, and how many rows are asked at once.
    pub bounds: ostia_config::Batches,
}

/// What the runner is told.
#[derive(Debug)]
pub enum Order {
    /// There is a new batch, whose rows are asked with these headers.
    Run(Box<StoredBatch>, HeaderMap),
    /// There is a new job that trains a model, whose files are sent and which is made with these headers.
    Tune(Box<StoredTuning>, HeaderMap, Box<NewJob>),
    /// Its maker wants no more of it.
    Cancel(String),
}

impl Batches {
    /// Batches in this data directory, and where the runner hears of them.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        directory: PathBuf,
        bounds: ostia_config::Batches,
    ) -> io::Result<(Batches, mpsc::Receiver<Order>)> {
        let (mut secret, mut run) = ([0; SECRET_BYTES], [0; 8]);
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        getrandom::fill(&mut run).map_err(io::Error::other)?;
        let run = format!("{:016x}", u64::from_ne_bytes(run)).into();
        let (orders, heard) = mpsc::channel(ORDERS_MAX);
        let store = BatchStore::start(directory, secret)?;
        let uploads = Arc::new(Semaphore::new(UPLOADS_MAX));
        Ok((Batches { store, secret: Arc::default(), orders, run, uploads, bounds }, heard))
    }

    /// Was anything ever kept?
    pub fn are_there(&self) -> bool {
        self.store.is_there()
    }

    /// Asks what is kept.
    ///
    /// # Errors
    /// 503 where it cannot be read or written now, or another gateway has it.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Tables) -> Result<T, BatchesClosed> + Send + 'static,
    ) -> Result<T, Fault> {
        self.try_ask(question).await.map_err(refusal)
    }

    /// The same for whoever tries again; `None`: too many ask.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn try_ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Tables) -> Result<T, BatchesClosed> + Send + 'static,
    ) -> Result<T, Option<BatchesClosed>> {
        let (tell, told) = oneshot::channel();
        let asked = self.store.ask(move |tables| {
            // Whoever asked may have left.
            let _ = tell.send(tables.and_then(question));
        });
        asked.map_err(|Busy| None)?;
        told.await.map_err(|_| None)?.map_err(Some)
    }

    /// Changes what is kept, for somebody who does not wait. What is lost so is made good at the end of the batch.
    pub fn tell(&self, change: impl FnOnce(&mut Tables) -> Result<(), BatchesClosed> + Send + 'static) {
        let _ = self.store.ask(move |tables| {
            let _ = tables.and_then(change);
        });
    }

    /// Tells the runner something.
    ///
    /// # Errors
    /// 503 where it does not keep up, or has ended.
    pub fn order(&self, order: Order) -> Result<(), Fault> {
        self.orders.try_send(order).map_err(|_| busy())
    }

    /// What owners are hashed with.
    ///
    /// # Errors
    /// As [`Batches::try_ask`].
    pub async fn secret(&self) -> Result<[u8; SECRET_BYTES], Option<BatchesClosed>> {
        if let Some(secret) = self.secret.get() {
            return Ok(*secret);
        }
        let secret = self.try_ask(|tables| Ok(*tables.secret())).await?;
        Ok(*self.secret.get_or_init(|| secret))
    }

    /// Is there room for more?
    ///
    /// # Errors
    /// 413 where there is none, and as [`Batches::ask`].
    pub async fn check_room(&self) -> Result<(), Fault> {
        let used = self.ask(|tables| Ok(tables.contents_bytes())).await?;
        if used < self.bounds.bytes as u64 { Ok(()) } else { Err(self.full()) }
    }

    /// There is no room.
    pub fn full(&self) -> Fault {
        let message = format!(
            "The files of batches have {} bytes together already: delete some, or have the operator raise batches.bytes in \
             ostia.yaml.",
            self.bounds.bytes
        );
        Fault::new(FaultKind::TooLarge, message).with_code("batches_full")
    }
}

/// A gateway without a place for batches.
pub fn missing() -> Fault {
    let message = "This gateway has no directory for files and batches of its own: the operator names one with --data or \
                   OSTIA_DATA at its start.";
    Fault::invalid(message).with_code("data_directory_missing")
}

/// Why a batch ends whose files the disk does not give or take.
pub fn files_unreadable(error: &io::Error) -> BatchFault {
    let message = format!("The files of the batch cannot be read or written: {}.", error.kind());
    BatchFault::new("files_unreadable", message)
}

/// What a client hears of what [`Batches::try_ask`] is told.
pub fn refusal(closed: Option<BatchesClosed>) -> Fault {
    closed.map_or_else(busy, of_closed)
}

fn busy() -> Fault {
    let message = "Too many ask for batches: try again in a moment.";
    Fault::new(FaultKind::Overloaded, message).with_code("batches_busy")
}

/// Where things lie is nobody's business who asks from elsewhere.
fn of_closed(closed: BatchesClosed) -> Fault {
    let fault = |message: &str, code| Fault::new(FaultKind::Overloaded, message).with_code(code);
    match closed {
        BatchesClosed::Taken => fault(
            "Another gateway runs the batches of this data directory: ask that one, or start this one with a directory of its \
             own (--data, OSTIA_DATA).",
            "batches_taken",
        ),
        BatchesClosed::Unreadable(why) => {
            fault("Batches cannot be read or written at the moment.", "batches_unreadable").with_detail(why)
        }
    }
}

/// The id of a file, made of a name that nobody else has.
pub fn file_id(unique: &str) -> String {
    format!("{FILE_ID_PREFIX}{unique}")
}

/// The id of a batch.
pub fn batch_id(unique: &str) -> String {
    format!("{BATCH_ID_PREFIX}{unique}")
}

/// The id of a job that trains a model.
pub fn tuning_id(unique: &str) -> String {
    format!("{TUNING_ID_PREFIX}{unique}")
}

/// Is it the id of a file of the gateway's own?
pub fn is_file_id(id: &str) -> bool {
    id.starts_with(FILE_ID_PREFIX)
}

/// Is it the id of a batch of the gateway's own?
pub fn is_batch_id(id: &str) -> bool {
    id.starts_with(BATCH_ID_PREFIX)
}

/// Is it the id of a job that trains a model, and that the gateway has made?
pub fn is_tuning_id(id: &str) -> bool {
    id.starts_with(TUNING_ID_PREFIX)
}

/// Seconds since 1970.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
