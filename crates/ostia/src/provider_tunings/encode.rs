//! The rows of a file in a vendor's words. They go to a file without a name while they are read, so that no more of them is in memory than
//! one, and so that nothing is sent of a file with a bad row.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ostia_dialect::fine_tuning::{EncodeRow, NewJob, TuningForm};
use ostia_dialect::{Fault, FaultKind};
use tokio::task::spawn_blocking;

use crate::batches::rows::{FileRow, Rows};
use crate::batches::{Batches, ROOM_CHECK_BYTES, files_unreadable};
use crate::provider_jobs::spool::Spool;
use crate::upstream::pieces::Stored;

/// Most names of what could not be said that are told.
const DROPPED_MAX: usize = 100;

/// Rows that can be sent.
#[derive(Debug)]
pub struct EncodedRows {
    /// The rows.
    pub rows: Stored,
    /// Fields of the client's that could not be said.
    pub dropped: Vec<String>,
}

/// Where rows come from, where files are made, and whether nothing of a row may be lost.
#[derive(Debug)]
pub struct Source {
    /// The field of the job that names the file.
    pub field: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Where files are made.
    pub folder: PathBuf,
    /// Nothing of a row may be lost.
    pub lossless: bool,
}

/// Tells the rows of a file anew for this job.
///
/// # Errors
/// The first row that cannot be told, and why; the file is too large then; or the disk is full.
pub async fn encode(
    batches: &Batches,
    job: &NewJob,
    (form, encode_row): (&TuningForm, EncodeRow),
    source: Source,
) -> Result<EncodedRows, Fault> {
    let field = source.field;
    let mut rows = Rows::open(source.path).await.map_err(|error| unreadable(&error))?;
    let made = spawn_blocking(move || tempfile::tempfile_in(source.folder)).await;
    let mut spool = Spool::new(made.map_err(io::Error::other).flatten().map_err(|error| unreadable(&error))?);
    let (mut dropped, mut room_checked_at) = (BTreeSet::new(), 0);
    while let Some(row) = rows.next().await.map_err(|error| unreadable(&error))? {
        let lost = encode_row(&mut spool.memory, job, &row.text);
        let lost = lost.map_err(|fault| of_row(field, &row, &fault))?;
        refuse_lost(field, &row, &lost, source.lossless)?;
        dropped.extend(lost.into_iter().take(DROPPED_MAX.saturating_sub(dropped.len())));
        spool.memory.push(b'\n');
        if spool.len() > form.bytes_max {
            return Err(too_large(field, &row, form.bytes_max));
        }
        spool.settle().await.map_err(|error| unreadable(&error))?;
        if spool.len() - room_checked_at >= ROOM_CHECK_BYTES {
            room_checked_at = spool.len();
            batches.check_room().await?;
        }
    }
    let (file, bytes) = spool.finish().await.map_err(|error| unreadable(&error))?;
    let rows = Stored::Disk { file: Arc::new(file), start: 0, bytes };
    Ok(EncodedRows { rows, dropped: dropped.into_iter().collect() })
}

/// The files of the gateway's own cannot be read now.
pub fn unreadable(error: &io::Error) -> Fault {
    let fault = files_unreadable(error);
    Fault::new(FaultKind::Overloaded, fault.message).with_code(fault.code)
}

fn of_row(field: &str, row: &FileRow, fault: &Fault) -> Fault {
    let message =
        format!("Line {} of `{field}` cannot be told to the provider: {}.", row.line, bare(&fault.message));
    Fault::invalid(message).with_code("invalid_training_row")
}

/// A sentence without its end.
fn bare(message: &str) -> &str {
    message.trim_end_matches('.')
}

fn refuse_lost(field: &str, row: &FileRow, lost: &[String], lossless: bool) -> Result<(), Fault> {
    let Some(first) = lost.first().filter(|_| lossless) else { return Ok(()) };
    let message = format!(
        "Line {} of `{field}` has `{first}`, for which the provider has no form: remove it, or do not ask for `lossless`.",
        row.line
    );
    Err(Fault::invalid(message).with_code("lossy_translation"))
}

fn too_large(field: &str, row: &FileRow, bytes_max: u64) -> Fault {
    let message = format!(
        "With line {} `{field}` is larger than the {bytes_max} bytes that the provider takes, as its rows are told there.",
        row.line
    );
    Fault::invalid(message).with_code("file_too_large")
}
