//! Engines: what records can be kept in. All that is known of one by name is here and in [`Reader`](crate::reader::Reader): a variant
//! of each enum, and a folder.
//!
//! The thread that writes completes records, counts them and keeps them until they are written; an engine writes them. It keeps
//! what is asked for in columns ([`Facts`](crate::facts::Facts)), the rest in a document (the record as JSON), and sums by minute, hour and
//! day ([`Rollup`](crate::rollup::Rollup)) that are right with whatever is there: both come in one transaction, or neither does. One
//! without transactions keeps no sums, and adds them up when somebody asks.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clickhouse::{self, ClickHouse};
use crate::feedback::{Feedback, FeedbackChange};
use crate::price::Prices;
use crate::record::Record;
use crate::reprice::Progress;
use crate::retention::Retention;
use crate::spans::Joined;
use crate::write_error::{Checked, WriteError};
use crate::{postgres, sqlite};

/// Where records are kept. It is told without anything secret.
#[derive(Debug, Clone)]
pub enum Place {
    /// One file of SQLite's, which need not be there yet.
    File(PathBuf),
    /// A server of PostgreSQL's.
    Postgres(Arc<postgres::Server>),
    /// A server of ClickHouse's.
    ClickHouse(ClickHouse),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(f),
            Place::Postgres(server) => server.fmt(f),
            Place::ClickHouse(server) => server.fmt(f),
        }
    }
}

/// An engine as it is written to, by one thread. It is opened when it is first needed, and again after it failed.
#[derive(Debug)]
pub(crate) enum Engine {
    /// One file of SQLite's.
    Sqlite(sqlite::Writer),
    /// A server of PostgreSQL's.
    Postgres(postgres::Writer),
    /// A server of ClickHouse's.
    ClickHouse(clickhouse::Writer),
}

impl Engine {
    /// The one that writes there.
    pub(crate) fn of(place: &Place) -> Engine {
        match place {
            Place::File(path) => Engine::Sqlite(sqlite::Writer::new(path.clone())),
            Place::Postgres(server) => Engine::Postgres(postgres::Writer::new(server.clone())),
            Place::ClickHouse(server) => Engine::ClickHouse(clickhouse::Writer::new(server.clone())),
        }
    }

    /// Did it work the last time?
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Engine::Sqlite(own) => own.is_open(),
            Engine::Postgres(own) => own.is_open(),
            Engine::ClickHouse(own) => own.is_open(),
        }
    }

    /// Opens it, where it is not open, and brings its tables to the newest version.
    pub(crate) fn open(&mut self) -> Result<(), WriteError> {
        match self {
            Engine::Sqlite(own) => own.open().map(drop),
            Engine::Postgres(own) => own.open().map(drop),
            Engine::ClickHouse(own) => own.open().map(drop),
        }
    }

    /// Writes these records with what they come to, all of them or none. Those that are there already are left out.
    pub(crate) fn write(&mut self, records: &[Record]) -> Result<(), WriteError> {
        match self {
            Engine::Sqlite(own) => own.write(records),
            Engine::Postgres(own) => own.write(records),
            Engine::ClickHouse(own) => own.write(records),
        }
    }

    /// Takes away a little of what has been kept long enough or is too much. Is there more of it?
    pub(crate) fn retain(&mut self, retention: &Retention, now_ms: i64) -> Result<bool, WriteError> {
        match self {
            Engine::Sqlite(own) => own.retain(retention, now_ms),
            Engine::Postgres(own) => own.retain(retention, now_ms),
            Engine::ClickHouse(own) => own.retain(retention, now_ms),
        }
    }

    /// Keeps all of this feedback, or none where one is about a trace that has no request with its key.
    pub(crate) fn keep_feedback(&mut self, all: &[Feedback]) -> Checked {
        match self {
            Engine::Sqlite(own) => own.keep_feedback(all),
            Engine::Postgres(own) => own.keep_feedback(all),
            Engine::ClickHouse(own) => own.keep_feedback(all),
        }
    }

    /// Changes the feedback of this name, which has to be of this key, where there is one.
    pub(crate) fn change_feedback(
        &mut self,
        id: &str,
        key: Option<&str>,
        change: &FeedbackChange,
    ) -> Checked {
        match self {
            Engine::Sqlite(own) => own.change_feedback(id, key, change),
            Engine::Postgres(own) => own.change_feedback(id, key, change),
            Engine::ClickHouse(own) => own.change_feedback(id, key, change),
        }
    }

    /// Keeps all of these spans and logs of applications, or none. A span that is there already, of the same key, stays as it is: senders
    /// repeat what they had no answer for. `now_ms`: milliseconds since 1970.
    pub(crate) fn join(&mut self, all: &Joined, now_ms: i64) -> Result<(), WriteError> {
        match self {
            Engine::Sqlite(own) => own.join(all, now_ms),
            Engine::Postgres(own) => own.join(all, now_ms),
            Engine::ClickHouse(own) => own.join(all, now_ms),
        }
    }

    /// Puts the prices that are in force on requests that came then or later, and corrects the sums.
    pub(crate) fn reprice(
        &mut self,
        from_ms: i64,
        prices: &Prices,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Progress, WriteError> {
        match self {
            Engine::Sqlite(own) => own.reprice(from_ms, prices, tell),
            Engine::Postgres(own) => own.reprice(from_ms, prices, tell),
            Engine::ClickHouse(own) => own.reprice(from_ms, prices, tell),
        }
    }
}

/// Puts the prices that are in force on requests that came then or later; `tell` hears how far it has come.
///
/// # Errors
/// Why what is kept cannot be read or written. What was changed before stays changed; to do it again does no harm.
pub fn reprice(
    place: &Place,
    from_ms: i64,
    prices: &Prices,
    mut tell: impl FnMut(Progress),
) -> Result<Progress, String> {
    Engine::of(place).reprice(from_ms, prices, &mut tell).map_err(|error| error.to_string())
}
