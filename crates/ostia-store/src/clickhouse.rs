//! Records in ClickHouse.
//!
//! A request is a row of `ostia_records`, a `ReplacingMergeTree` by time and id: whatever is written twice, by a batch whose answer
//! was lost or by new prices, is one row to whoever asks, on one server as on many. So there are no sums that are kept, which a batch
//! could be added to twice: sums are added up from the rows when somebody asks, which a store of columns does quickly. What is
//! told is the same as over SQLite, because the same is counted, at the same place, with the same borders.
//!
//! Refused: to put words of a request into the text of a question; to make a database; tables of a newer version.

mod caches;
mod conditions;
mod feedback;
mod pages;
mod reprice;
mod retention;
mod row_binary;
mod search;
mod server;
mod sessions;
mod spans;
mod sums;
mod tallies;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod trial;
mod write;

use std::fmt;
use std::time::Instant;

pub use server::{ClickHouse, Http, HttpAnswer, HttpCall};

use crate::answers::ReadError;
use crate::write_error::WriteError;
use row_binary::Encoder;
use server::{Parameters, Timed};
use write::Numbers;

/// The server's words for a question that took too long: `TIMEOUT_EXCEEDED`, `TOO_SLOW`
/// (<https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp>).
const TOO_LONG: [u32; 2] = [TIMEOUT_EXCEEDED, 160];
const TIMEOUT_EXCEEDED: u32 = 159;
/// and for rows that cannot be written, however often it is tried: `CANNOT_PARSE_INPUT_ASSERTION_FAILED`, `CANNOT_READ_ALL_DATA`,
/// `TOO_LARGE_ARRAY_SIZE`, `TOO_LARGE_STRING_SIZE`.
const OF_THE_ROWS: [u32; 4] = [27, 33, 128, 131];

/// Who writes.
#[derive(Debug)]
pub(crate) struct Writer {
    server: ClickHouse,
    numbers: Numbers,
    /// The tables were there the last time.
    is_open: bool,
}

/// Who reads.
#[derive(Debug)]
pub struct Reader {
    server: Timed,
}

/// Why ClickHouse did not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Error {
    /// There is no answer, or none of ClickHouse's.
    Unreachable(String),
    /// It says why.
    Refused { code: u32, told: String },
    /// Its answer cannot be read.
    Garbled,
    /// Its tables are of this version, which is not known here.
    Newer(u64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreachable(why) => f.write_str(why),
            Error::Refused { told, .. } => f.write_str(told),
            Error::Garbled => f.write_str("its answer cannot be read"),
            Error::Newer(version) => {
                write!(f, "it was written by a newer version of Ostia (tables of version {version})")
            }
        }
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> ReadError {
        match error {
            Error::Refused { code, .. } if TOO_LONG.contains(&code) => ReadError::TooSlow,
            Error::Refused { .. } | Error::Unreachable(_) | Error::Garbled | Error::Newer(_) => {
                ReadError::Unreadable(error.to_string())
            }
        }
    }
}

impl From<Error> for WriteError {
    fn from(error: Error) -> WriteError {
        match error {
            Error::Refused { code, .. } if OF_THE_ROWS.contains(&code) => {
                WriteError::Refused(error.to_string())
            }
            Error::Refused { .. } | Error::Unreachable(_) | Error::Garbled | Error::Newer(_) => {
                WriteError::Unavailable(error.to_string())
            }
        }
    }
}

/// What makes the tables of each version from those of the one before. Only ever added to. Each statement may be run again.
const MIGRATIONS: [&str; 2] =
    [include_str!("clickhouse/tables_1.sql"), include_str!("clickhouse/tables_2.sql")];
/// Which of them have been run.
const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS ostia_versions (version UInt64) ENGINE = ReplacingMergeTree ORDER BY version";

impl Writer {
    pub(crate) fn new(server: ClickHouse) -> Writer {
        Writer { server, numbers: Numbers::default(), is_open: false }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Makes the tables, or brings them to the newest version. Several gateways may do so at once: each statement does nothing
    /// where it has been run.
    pub(crate) fn open(&mut self) -> Result<(), WriteError> {
        if !self.is_open {
            migrate(&self.server)?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Does this with the server. Where the server fails it is looked anew for tables the next time.
    fn on<T>(&mut self, work: impl FnOnce(&mut Writer) -> Result<T, Error>) -> Result<T, WriteError> {
        self.open()?;
        let done = work(self).map_err(WriteError::from);
        if let Err(WriteError::Unavailable(_)) = &done {
            self.is_open = false;
        }
        done
    }
}

impl Reader {
    pub(crate) fn new(server: ClickHouse) -> Reader {
        Reader { server: Timed { server, due: None } }
    }

    pub(crate) fn set_due(&mut self, due: Option<Instant>) {
        self.server.due = due;
    }
}

fn migrate(server: &ClickHouse) -> Result<(), Error> {
    server.command(VERSIONS)?;
    let version = server.number("SELECT max(version) FROM ostia_versions", &Parameters::default())?;
    let known = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..));
    let steps = known.ok_or(Error::Newer(version))?;
    for (step, number) in steps.iter().zip(version + 1..) {
        statements(step).iter().try_for_each(|statement| server.command(statement))?;
        let mut row = Encoder::default();
        row.u64(number);
        server.insert("ostia_versions (version)", &row)?;
    }
    Ok(())
}

/// The statements of a file, without its comments.
fn statements(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split(';')
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}
