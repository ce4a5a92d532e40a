//! Records in one SQLite file.

pub(crate) mod conditions;
pub(crate) mod database;
pub(crate) mod feedback;
mod ids;
pub(crate) mod insert;
pub(crate) mod packed;
mod reader;
pub(crate) mod reprice;
pub(crate) mod retention;
mod rollup;
mod spans;
pub(crate) mod trial;

pub use reader::Reader;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode};

use crate::feedback::{Feedback, FeedbackChange};
use crate::price::Prices;
use crate::record::Record;
use crate::reprice::Progress;
use crate::retention::Retention;
use crate::spans::Joined;
use crate::write_error::{Checked, WriteError};
use database::OpenError;

/// Who writes to the file.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    connection: Option<Connection>,
    /// A damaged file was put aside already.
    has_put_aside: bool,
}

impl Writer {
    pub(crate) fn new(path: PathBuf) -> Writer {
        Writer { path, connection: None, has_put_aside: false }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    pub(crate) fn open(&mut self) -> Result<&mut Connection, WriteError> {
        if self.connection.is_none() {
            self.connection = Some(database::open(&self.path).map_err(|error| self.failed(&error))?);
        }
        self.connection.as_mut().ok_or_else(|| WriteError::Unavailable("it is not open".to_owned()))
    }

    pub(crate) fn write(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.on(|connection| insert::write(connection, records))
    }

    pub(crate) fn retain(&mut self, retention: &Retention, now_ms: i64) -> Result<bool, WriteError> {
        if !self.path.exists() {
            // Somebody took the file away: what is written to it now would be nowhere.
            self.connection = None;
        }
        self.on(|connection| {
            let is_more = retention::step(connection, retention, now_ms)?;
            Ok(packed::step(connection, packed::TOGETHER)? || is_more)
        })
    }

    pub(crate) fn keep_feedback(&mut self, all: &[Feedback]) -> Checked {
        self.on(|connection| feedback::keep(connection, all))
    }

    pub(crate) fn change_feedback(
        &mut self,
        id: &str,
        key: Option<&str>,
        change: &FeedbackChange,
    ) -> Checked {
        self.on(|connection| feedback::change(connection, id, key, change))
    }

    pub(crate) fn join(&mut self, all: &Joined, now_ms: i64) -> Result<(), WriteError> {
        self.on(|connection| spans::insert_spans(connection, all, now_ms))
    }

    pub(crate) fn reprice(
        &mut self,
        from_ms: i64,
        prices: &Prices,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Progress, WriteError> {
        self.on(|connection| reprice::all(connection, from_ms, prices, tell))
    }

    /// Does this with the file. Where the file fails it is opened anew the next time.
    fn on<T>(&mut self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, WriteError> {
        match work(self.open()?) {
            Ok(done) => Ok(done),
            Err(error) if is_of_the_file(&error) => Err(self.failed(&OpenError::Sqlite(error))),
            Err(error) => Err(WriteError::Refused(error.to_string())),
        }
    }

    fn failed(&mut self, error: &OpenError) -> WriteError {
        self.connection = None;
        if !is_damage(error) || self.has_put_aside {
            return WriteError::Unavailable(error.to_string());
        }
        self.has_put_aside = true;
        WriteError::Damaged(match put_aside(&self.path) {
            Ok(aside) => format!("it is damaged ({error}) and was put aside as {}", aside.display()),
            Err(failure) => format!("it is damaged ({error}) and cannot be put aside ({failure})"),
        })
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
