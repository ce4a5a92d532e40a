//! The tables, and the contents beside them.

mod tunings;

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::closed::BatchesClosed;
use super::objects::{BatchStatus, FilePurpose, HandedOn, StoredBatch, StoredFile};
use super::{BATCHES_FILE_NAME, FOLDER_NAME, LOCK_NAME};
use crate::rollup::signed;
use crate::sqlite::database;

/// How long the key is that owners are hashed with, in bytes.
pub const SECRET_BYTES: usize = 32;
/// What makes the tables of each version from those of the one before. Only ever added to.
const MIGRATIONS: [&str; 4] = [
    include_str!("tables.sql"),
    include_str!("tables_2.sql"),
    include_str!("tables_3.sql"),
    include_str!("tables_4.sql"),
];

/// Most things that were handed on that are remembered, of all owners together: the oldest are forgotten first.
const HANDED_ON_MAX: i64 = 100_000;
/// The files that are still needed: of batches and of jobs that are not over, or not at their provider.
const FILES_IN_USE: &str = "SELECT input_file FROM batches WHERE is_open = 1 \
                            UNION SELECT training_file FROM tunings WHERE is_open = 1 \
                            UNION SELECT validation_file FROM tunings WHERE is_open = 1 AND validation_file IS NOT NULL";
/// How long after it was last said that somebody has a thing, in seconds, it is worth writing that it was said again: clients ask
/// every few seconds how a batch is.
const SAID_AGAIN_AFTER_S: i64 = 60;

/// The tables, open for this process alone.
#[derive(Debug)]
pub struct Tables {
    connection: Connection,
    folder: PathBuf,
    secret: [u8; SECRET_BYTES],
    /// Held as long as this lives.
    _lock: File,
}

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// What it begins behind, by id.
    pub after: Option<String>,
    /// What it ends before, by id.
    pub before: Option<String>,
    /// Most entries.
    pub limit: u32,
    /// The oldest first.
    pub ascending: bool,
}

/// Entries of a list, and whether there are more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// There are more behind them.
    pub has_more: bool,
}

/// What came of asking for a list.
pub type Listed<T> = Result<Page<T>, BatchesClosed>;

/// What came of removing a file, or a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Done,
    /// There is none.
    Missing,
    /// A batch that is not over needs it, or is it.
    InUse,
}

impl Tables {
    /// Opens the tables in this data directory, and makes them where they are not there; `secret` is for new ones.
    ///
    /// # Errors
    /// Another process has them, or they cannot be read.
    pub fn open(directory: &Path, secret: [u8; SECRET_BYTES]) -> Result<Tables, BatchesClosed> {
        let folder = directory.join(FOLDER_NAME);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(directory.join(LOCK_NAME))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(BatchesClosed::Taken),
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        let connection = database::open_with(&directory.join(BATCHES_FILE_NAME), &MIGRATIONS)
            .map_err(|error| BatchesClosed::Unreadable(error.to_string()))?;
        // A batch that was promised to a client is there after the power failed, too.
        connection.pragma_update(None, "synchronous", "full")?;
        let secret = kept_secret(&connection, secret)?;
        let tables = Tables { connection, folder, secret, _lock: lock };
        tables.sweep_contents(true);
        Ok(tables)
    }

    /// The folder of the contents. A file has the name of its id.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the contents of a file are. Its id is one that the gateway made.
    pub fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// What owners are hashed with.
    pub fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }

    /// How long all files are together, those that are not listed yet among them, in bytes.
    pub fn contents_bytes(&self) -> u64 {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
    }

    /// Takes up a file whose contents are there.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn add_file(&mut self, file: &StoredFile) -> Result<(), BatchesClosed> {
        self.connection.execute(
            "INSERT OR REPLACE INTO files (id, owner, created_s, purpose, bytes, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                file.id,
                file.owner,
                signed(file.created_s),
                file.purpose.as_str(),
                signed(file.bytes),
                document(file)
            ],
        )?;
        Ok(())
    }

    /// An owner's file.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn file(&mut self, owner: &str, id: &str) -> Result<Option<StoredFile>, BatchesClosed> {
        one(&self.connection, "files", owner, id)
    }

    /// An owner's files of this purpose, or of all.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn files(
        &mut self,
        owner: &str,
        purpose: Option<FilePurpose>,
        paging: &Paging,
    ) -> Listed<StoredFile> {
        let purpose = purpose.map(|purpose| format!("AND purpose = '{}'", purpose.as_str()));
        list(&self.connection, "files", &purpose.unwrap_or_default(), owner, paging)
    }

    /// Removes an owner's file, contents and all.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn remove_file(&mut self, owner: &str, id: &str) -> Result<Removed, BatchesClosed> {
        if self.file(owner, id)?.is_none() {
            return Ok(Removed::Missing);
        }
        let is_used = format!("SELECT ?1 IN ({FILES_IN_USE})");
        if self.connection.query_row(&is_used, [id], |row| row.get(0))? {
            return Ok(Removed::InUse);
        }
        self.connection.execute("DELETE FROM files WHERE id = ?1", [id])?;
        // Contents that cannot be removed are tried again at the next start.
        let _ = std::fs::remove_file(self.path(id));
        Ok(Removed::Done)
    }

    /// Takes up a batch, unless so many are open.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn add_batch(&mut self, batch: &StoredBatch, open_max: u64) -> Result<bool, BatchesClosed> {
        let count = "SELECT count(*) FROM batches WHERE is_open = 1";
        let open: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        if open >= signed(open_max) {
            return Ok(false);
        }
        self.connection.execute(
            "INSERT INTO batches (id, owner, created_s, is_open, input_file, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                batch.id,
                batch.owner,
                signed(batch.times.created_s),
                batch.is_open_here(),
                batch.input_file,
                document(batch)
            ],
        )?;
        Ok(true)
    }

    /// An owner's batch.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn batch(&mut self, owner: &str, id: &str) -> Result<Option<StoredBatch>, BatchesClosed> {
        one(&self.connection, "batches", owner, id)
    }

    /// An owner's batches, or those whose rows call this path.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn batches(
        &mut self,
        owner: &str,
        endpoint: Option<&'static str>,
        paging: &Paging,
    ) -> Listed<StoredBatch> {
        let endpoint = endpoint.map(|endpoint| format!("AND document ->> 'endpoint' = '{endpoint}'"));
        list(&self.connection, "batches", &endpoint.unwrap_or_default(), owner, paging)
    }

    /// Removes an owner's batch that is over, with what came of its rows, and with the rows if they were made for it.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn remove_batch(&mut self, owner: &str, id: &str) -> Result<Removed, BatchesClosed> {
        let Some(batch) = self.batch(owner, id)? else { return Ok(Removed::Missing) };
        if batch.status.is_open() {
            return Ok(Removed::InUse);
        }
        let rows = batch.has_own_rows.then_some(&batch.input_file);
        let files: Vec<&String> = [&batch.output_file, &batch.error_file].into_iter().chain(rows).collect();
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM batches WHERE id = ?1", [id])?;
        let text = format!("DELETE FROM files WHERE id = ?1 AND owner = ?2 AND id NOT IN ({FILES_IN_USE})");
        for file in files {
            transaction.execute(&text, [file, owner])?;
        }
        transaction.commit()?;
        self.sweep_contents(false);
        Ok(Removed::Done)
    }

    /// All batches that are not over, the oldest first.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn open_batches(&mut self) -> Result<Vec<StoredBatch>, BatchesClosed> {
        let text = "SELECT document FROM batches WHERE is_open = 1 ORDER BY number";
        let mut select = self.connection.prepare_cached(text)?;
        let rows = select.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| read(&row?)).collect()
    }

    /// Changes a batch, and gives it as it is then; `None` where it is not there.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn change_batch(
        &mut self,
        owner: &str,
        id: &str,
        change: impl FnOnce(&mut StoredBatch),
    ) -> Result<Option<StoredBatch>, BatchesClosed> {
        let Some(mut batch) = self.batch(owner, id)? else { return Ok(None) };
        change(&mut batch);
        let update = "UPDATE batches SET is_open = ?2, document = ?3 WHERE id = ?1";
        self.connection.execute(update, params![id, batch.is_open_here(), document(&batch)])?;
        Ok(Some(batch))
    }

    /// A batch is over: its files are listed as far as anything is in them, and it is what `change` makes of it, all at once.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn end_batch(
        &mut self,
        batch: &StoredBatch,
        files: &[StoredFile],
        change: impl FnOnce(&mut StoredBatch),
    ) -> Result<(), BatchesClosed> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = files
            .iter()
            .try_for_each(|file| self.add_file(file))
            .and_then(|()| self.change_batch(&batch.owner, &batch.id, change).map(|_| ()));
        self.connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done
    }

    /// Takes away what was made before then, but for batches and jobs that are not over and their rows. One that a provider has, of which nobody
    /// asked how it ended, is over when its time was before then, too.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn sweep(&mut self, before_s: u64) -> Result<(), BatchesClosed> {
        let over = "DELETE FROM batches WHERE is_open = 0 AND created_s < ?1 \
                    AND (document ->> 'status' IN ('completed', 'failed', 'expired', 'cancelled') \
                    OR document ->> '$.times.expires_s' < ?1)";
        let ended = self.connection.execute(over, [signed(before_s)])?;
        self.connection.execute("DELETE FROM handed_on WHERE created_s < ?1", [signed(before_s)])?;
        let jobs = "DELETE FROM tunings WHERE is_open = 0 AND created_s < ?1";
        self.connection.execute(jobs, [signed(before_s)])?;
        let files = format!("DELETE FROM files WHERE created_s < ?1 AND id NOT IN ({FILES_IN_USE})");
        let removed = self.connection.execute(&files, [signed(before_s)])?;
        if ended + removed > 0 {
            self.sweep_contents(false);
        }
        Ok(())
    }

    /// Takes away contents of nothing: of files that were removed, and at the start of uploads that a killed gateway did not finish.
    /// Those that are coming have names that begin with a dot.
    fn sweep_contents(&self, is_start: bool) {
        let Ok(known) = self.known() else { return };
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_known = name.to_str().is_some_and(|name| known.contains(name));
            let is_coming = !is_start && name.as_encoded_bytes().starts_with(b".");
            if !is_known && !is_coming {
                // It is tried again at the next start.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// The names of all contents that mean something.
    fn known(&self) -> rusqlite::Result<BTreeSet<String>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT id FROM files UNION {FILES_IN_USE} \
             UNION SELECT document ->> 'output_file' FROM batches WHERE is_open = 1 \
             UNION SELECT document ->> 'error_file' FROM batches WHERE is_open = 1 \
             UNION SELECT id FROM batches WHERE document ->> 'remote' IS NOT NULL"
        ))?;
        select.query_map([], |row| row.get(0))?.collect()
    }
}

impl Tables {
    /// Its maker wants no more of a batch. Gives it as it is then.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn cancel(
        &mut self,
        owner: &str,
        id: &str,
        now_s: u64,
    ) -> Result<Option<StoredBatch>, BatchesClosed> {
        self.change_batch(owner, id, |batch| match batch.status {
            BatchStatus::Validating | BatchStatus::InProgress => batch.is_now(BatchStatus::Cancelling, now_s),
            BatchStatus::Finalizing
            | BatchStatus::Completed
            | BatchStatus::Failed
            | BatchStatus::Expired
            | BatchStatus::Cancelling
            | BatchStatus::Cancelled => {}
        })
    }
}

impl Tables {
    /// Remembers who has the things of these ids, which were handed on for this owner.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn remember_handed_on(
        &mut self,
        owner: &str,
        ids: &[String],
        found: &HandedOn,
        now_s: u64,
    ) -> Result<(), BatchesClosed> {
        let transaction = self.connection.transaction()?;
        // One that is known keeps its number: it is no newer than it was, and nothing of others is forgotten for it.
        let mut insert = transaction.prepare_cached(
            "INSERT INTO handed_on (owner, id, created_s, document) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (owner, id) DO UPDATE SET created_s = excluded.created_s, document = excluded.document \
             WHERE document <> excluded.document OR created_s <= excluded.created_s - ?5",
        )?;
        let document = document(found);
        for id in ids {
            insert.execute(params![owner, id, signed(now_s), document, SAID_AGAIN_AFTER_S])?;
        }
        drop(insert);
        let forget = "DELETE FROM handed_on WHERE number <= (SELECT max(number) FROM handed_on) - ?1";
        transaction.execute(forget, [HANDED_ON_MAX])?;
        Ok(transaction.commit()?)
    }

    /// Who has the thing of this id of an owner's.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn handed_on(&mut self, owner: &str, id: &str) -> Result<Option<HandedOn>, BatchesClosed> {
        one(&self.connection, "handed_on", owner, id)
    }

    /// Was the thing of this id handed on for somebody else than this owner?
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn is_anothers(&mut self, owner: &str, id: &str) -> Result<bool, BatchesClosed> {
        let text = "SELECT EXISTS (SELECT 1 FROM handed_on WHERE id = ?1 AND owner <> ?2)";
        Ok(self.connection.prepare_cached(text)?.query_row([id, owner], |row| row.get(0))?)
    }
}

/// The key that is there, or else this one from now on.
fn kept_secret(
    connection: &Connection,
    new: [u8; SECRET_BYTES],
) -> Result<[u8; SECRET_BYTES], BatchesClosed> {
    let kept = connection.query_row("SELECT bytes FROM secret", [], |row| row.get(0)).optional()?;
    if let Some(kept) = kept {
        return Ok(kept);
    }
    connection.execute("INSERT INTO secret (bytes) VALUES (?1)", [new])?;
    Ok(new)
}

fn document(object: &impl Serialize) -> String {
    serde_json::to_string(object).unwrap_or_default()
}

fn read<T: DeserializeOwned>(document: &str) -> Result<T, BatchesClosed> {
    serde_json::from_str(document).map_err(|error| BatchesClosed::Unreadable(error.to_string()))
}

fn one<T: DeserializeOwned>(
    connection: &Connection,
    table: &str,
    owner: &str,
    id: &str,
) -> Result<Option<T>, BatchesClosed> {
    let text = format!("SELECT document FROM {table} WHERE id = ?1 AND owner = ?2");
    let mut select = connection.prepare_cached(&text)?;
    let found = select.query_row([id, owner], |row: &Row<'_>| row.get::<_, String>(0)).optional()?;
    found.map(|document| read(&document)).transpose()
}

fn list<T: DeserializeOwned>(
    connection: &Connection,
    table: &str,
    condition: &str,
    owner: &str,
    paging: &Paging,
) -> Listed<T> {
    let (beyond, order) = if paging.ascending { (">", "ASC") } else { ("<", "DESC") };
    // Of those before one the nearest are meant, and of those behind one too.
    let (before, backwards) = if paging.ascending { ("<", "DESC") } else { (">", "ASC") };
    let is_backwards = paging.before.is_some() && paging.after.is_none();
    let order = if is_backwards { backwards } else { order };
    // An id that is not there, or is somebody else's, is behind everything.
    let text = format!(
        "SELECT document FROM {table} WHERE owner = ?1 {condition} \
         AND (?2 IS NULL OR number {beyond} (SELECT number FROM {table} WHERE id = ?2 AND owner = ?1)) \
         AND (?3 IS NULL OR number {before} (SELECT number FROM {table} WHERE id = ?3 AND owner = ?1)) \
         ORDER BY number {order} LIMIT ?4"
    );
    let mut select = connection.prepare_cached(&text)?;
    let wanted = paging.limit as usize;
    let values = params![owner, paging.after, paging.before, i64::from(paging.limit) + 1];
    let rows = select.query_map(values, |row| row.get::<_, String>(0))?;
    let mut entries: Vec<T> = rows.map(|row| read(&row?)).collect::<Result<_, BatchesClosed>>()?;
    let has_more = entries.len() > wanted;
    entries.truncate(wanted);
    if is_backwards {
        entries.reverse();
    }
    Ok(Page { entries, has_more })
}
