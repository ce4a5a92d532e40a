//! Batches that the gateway runs itself, and the files of their rows: what there is, whose it is, and how far it has come.
//!
//! Tables in a file of their own, and one thread that works with them ([`BatchStore`]). The contents of files lie beside it, one
//! file each, under names that cannot be guessed. One process at a time has them: two gateways with one data directory would ask
//! every row twice, so the second one is refused.
//!
//! Refused: to keep a credential. Owners are known by a keyed hash, whose key lies here ([`Tables::secret`]).

mod closed;
mod objects;
mod tables;
#[cfg(test)]
mod tests;
mod thread;
mod tuning;

pub use closed::BatchesClosed;
pub use objects::{
    BatchFault, BatchStatus, FilePurpose, HandedOn, RemoteBatch, StoredBatch, StoredFile, Times,
};
pub use tables::{Listed, Page, Paging, Removed, SECRET_BYTES, Tables};
pub use thread::BatchStore;
pub use tuning::{StoredTuning, TuningStatus};

/// The file in the data directory.
pub const BATCHES_FILE_NAME: &str = "batches.db";
/// The folder of the files' contents.
const FOLDER_NAME: &str = "batch-files";
/// Whoever holds this file's lock has the batches.
const LOCK_NAME: &str = "batches.lock";
