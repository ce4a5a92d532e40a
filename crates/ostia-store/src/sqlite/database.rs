//! The file: where it lies, how it is opened, and its tables.

use std::ffi::OsString;
use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::ids;

/// The file in the data directory.
pub const FILE_NAME: &str = "records.db";
/// How long another process of the same file is waited for.
const BUSY: Duration = Duration::from_secs(2);
/// How large the log of changes may stay, in bytes.
const JOURNAL_BYTES: i64 = 64 << 20;
/// After so many pages the log is written into the file: what several batches change is written there once. 16 MB.
const JOURNAL_PAGES: i64 = 4_000;
/// What the one who writes remembers of the file, in KB: as much as a large batch touches, or it would be read and written in between.
const CACHE_KB: i64 = 8_000;
/// Connections are used by one thread at a time, as Rust sees to, and need no lock of SQLite's.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Where the gateway keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDirectory(pub PathBuf);

/// Nobody said where data may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDirectory;

impl fmt::Display for NoDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no home directory: name one with --data or OSTIA_DATA")
    }
}

impl DataDirectory {
    /// The one that was named (`--data`, `OSTIA_DATA`); else `ostia` in the user's data home
    /// (<https://specifications.freedesktop.org/basedir-spec/latest/>).
    ///
    /// # Errors
    /// There is no home.
    pub fn find(
        named: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<DataDirectory, NoDirectory> {
        if let Some(named) = named {
            return Ok(DataDirectory(named.to_owned()));
        }
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        home.map(|home| DataDirectory(home.join("ostia"))).ok_or(NoDirectory)
    }

    /// The file of records.
    pub fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }
}

/// Opens the file to write, and makes it and its directory, for this user alone.
///
/// # Errors
/// It cannot be made, is none of ours, or was written by a newer version.
pub(crate) fn open(path: &Path) -> Result<Connection, OpenError> {
    open_with(path, &MIGRATIONS)
}

/// The same for a file with these tables.
///
/// # Errors
/// As above.
pub(crate) fn open_with(path: &Path, migrations: &[&str]) -> Result<Connection, OpenError> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    // What SQLite puts beside the file has the file's own mode.
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let mut connection = Connection::open_with_flags(path, FLAGS)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_BYTES)?;
    connection.pragma_update(None, "wal_autocheckpoint", JOURNAL_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KB)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    ids::add_function(&connection)?;
    migrate(&mut connection, migrations)?;
    Ok(connection)
}

/// Opens the file to read.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, FLAGS)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    ids::add_function(&connection)?;
    Ok(connection)
}

/// Why the file cannot be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    Io(io::Error),
    Sqlite(rusqlite::Error),
    /// Its tables are of this version, which is not known here.
    Newer(u32),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        OpenError::Io(error)
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> OpenError {
        OpenError::Sqlite(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io(error) => error.fmt(f),
            OpenError::Sqlite(error) => error.fmt(f),
            OpenError::Newer(version) => {
                write!(f, "it was written by a newer version of Ostia (tables of version {version})")
            }
        }
    }
}

/// What makes the tables of each version from those of the one before. Only ever added to.
pub(super) const MIGRATIONS: [&str; 6] = [
    include_str!("tables_1.sql"),
    include_str!("tables_2.sql"),
    include_str!("tables_3.sql"),
    include_str!("tables_4.sql"),
    include_str!("tables_5.sql"),
    include_str!("tables_6.sql"),
];

/// Brings the tables to the newest version; each step whole or not at all.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), OpenError> {
    // Two processes that start at once do it one after the other.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(steps) = migrations.get(version as usize..) else { return Err(OpenError::Newer(version)) };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    if !steps.is_empty() {
        transaction.pragma_update(None, "user_version", migrations.len() as u32)?;
    }
    transaction.commit()?;
    Ok(())
}
