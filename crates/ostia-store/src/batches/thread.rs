//! The thread that works with the tables, so that nobody who serves requests waits for the disk.

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::BATCHES_FILE_NAME;
use super::closed::BatchesClosed;
use super::tables::{SECRET_BYTES, Tables};
use crate::reader::Busy;

/// Questions that wait.
const WAITING_MAX: usize = 256;

type Question = Box<dyn FnOnce(Result<&mut Tables, BatchesClosed>) + Send>;

/// Where the batches of a data directory are asked for.
#[derive(Clone)]
pub struct BatchStore {
    questions: SyncSender<Question>,
    directory: PathBuf,
}

impl fmt::Debug for BatchStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchStore").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl BatchStore {
    /// Starts the thread. The tables are opened, and made, with the first question; `secret`: a key for new ones.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(directory: PathBuf, secret: [u8; SECRET_BYTES]) -> std::io::Result<BatchStore> {
        let (sender, questions) = sync_channel::<Question>(WAITING_MAX);
        let own = directory.clone();
        thread::Builder::new().name("ostia-batches-db".to_owned()).spawn(move || {
            let mut tables = None;
            while let Ok(question) = questions.recv() {
                question(open(&mut tables, &own, secret));
            }
        })?;
        Ok(BatchStore { questions: sender, directory })
    }

    /// Was anything ever kept here?
    pub fn is_there(&self) -> bool {
        self.directory.join(BATCHES_FILE_NAME).exists()
    }

    /// Has the thread answer this, which then tells whoever waits.
    ///
    /// # Errors
    /// Too many others wait.
    pub fn ask(
        &self,
        question: impl FnOnce(Result<&mut Tables, BatchesClosed>) + Send + 'static,
    ) -> Result<(), Busy> {
        self.questions.try_send(Box::new(question)).map_err(|_| Busy)
    }
}

fn open<'t>(
    tables: &'t mut Option<Tables>,
    directory: &std::path::Path,
    secret: [u8; SECRET_BYTES],
) -> Result<&'t mut Tables, BatchesClosed> {
    match tables {
        Some(tables) => Ok(tables),
        None => Ok(tables.insert(Tables::open(directory, secret)?)),
    }
}
