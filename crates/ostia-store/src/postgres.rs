//! Records in PostgreSQL (<https://www.postgresql.org/docs/15/>), where several gateways may write to one store.
//!
//! Requests and bodies are partitioned by day: a day that has been kept long enough is dropped as a whole. What requests are looked
//! for by over all time (their ids, traces, sessions, providers' request ids) stands in `names`, which tells when they were, so that no
//! question touches more days than it has to. Sums are changed by one writer at a time, which holds a lock for its transaction:
//! the rows of the minute, the hour and the day would let no two of them pass anyway, and so none can wait for another in a circle.
//!
//! Refused: to write anything twice. A batch whose commit was not heard of is written again, and what is there already is left out.

mod client;
mod conditions;
mod documents;
mod feedback;
mod insert;
mod names;
pub(crate) mod packed;
mod partitions;
mod reader;
mod reprice;
mod retention;
mod rollup;
mod spans;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod tls;
pub(crate) mod trial;

pub(crate) use conditions::cleaned_group;
pub use reader::Reader;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

use crate::feedback::{Feedback, FeedbackChange};
use crate::network::Connect;
use crate::password::Password;
use crate::price::Prices;
use crate::record::Record;
use crate::reprice::Progress;
use crate::retention::Retention;
use crate::spans::Joined;
use crate::write_error::{Checked, WriteError};
use client::{Client, Fault, Role};

/// Where a server is, and whose name is shown there.
#[derive(Clone)]
pub struct Server {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who writes and reads. It has to own the database, or be allowed to create a schema in it.
    pub user: String,
    /// The password, if there is one.
    pub password: Password,
    /// The database.
    pub database: String,
    /// Whether TLS is spoken.
    pub encryption: Encryption,
    /// Who opens connections.
    pub connect: Arc<dyn Connect>,
}

/// Whether TLS is spoken (<https://www.postgresql.org/docs/15/libpq-ssl.html>).
#[derive(Debug, Clone)]
pub enum Encryption {
    /// No.
    Off,
    /// Where the server can.
    Offered(Arc<ClientConfig>),
    /// Or nothing is said.
    Required(Arc<ClientConfig>),
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

impl fmt::Display for Server {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}:{}/{}", self.host, self.port, self.database)
    }
}

/// How long a batch, or a step of anything else, may take.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);
/// What whoever writes sums holds, among all gateways of a database: `ostia` in ASCII, and a number.
const WRITE_LOCK: i64 = 0x6f73_7469_6100;
/// What whoever takes away what is old holds.
const RETENTION_LOCK: i64 = WRITE_LOCK + 1;
/// What whoever changes tables holds.
const TABLES_LOCK: i64 = WRITE_LOCK + 2;

/// Waits until no other gateway writes. The lock goes with the transaction.
async fn lock(transaction: &Transaction<'_>, lock: i64) -> Result<(), Fault> {
    Ok(transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({lock})")).await?)
}

/// Who writes.
#[derive(Debug)]
pub(crate) struct Writer {
    client: Client,
}

impl Writer {
    pub(crate) fn new(server: Arc<Server>) -> Writer {
        Writer { client: Client::new(server, Role::Writes) }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.client.is_open()
    }

    pub(crate) fn open(&mut self) -> Result<(), WriteError> {
        Ok(self.client.open()?)
    }

    pub(crate) fn write(&mut self, records: &[Record]) -> Result<(), WriteError> {
        let batch = insert::Batch::of(records);
        self.on(async |client| insert::write(client, &batch).await)
    }

    pub(crate) fn retain(&mut self, retention: &Retention, now_ms: i64) -> Result<bool, WriteError> {
        let is_more = match self.on_fault(async |client| retention::step(client, retention, now_ms).await) {
            // Somebody reads what is to go: it has time.
            Err(Fault::Server(error)) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => false,
            done => done?,
        };
        Ok(self.pack(packed::TOGETHER, now_ms)? || is_more)
    }

    /// Packs so many requests together, if there are. Were there any?
    pub(crate) fn pack(&mut self, together: i64, now_ms: i64) -> Result<bool, WriteError> {
        self.on(async |client| packed::step(client, together, now_ms).await)
    }

    pub(crate) fn keep_feedback(&mut self, all: &[Feedback]) -> Checked {
        self.on(async |client| feedback::keep(client, all).await)
    }

    pub(crate) fn change_feedback(
        &mut self,
        id: &str,
        key: Option<&str>,
        change: &FeedbackChange,
    ) -> Checked {
        self.on(async |client| feedback::change(client, id, key, change).await)
    }

    pub(crate) fn join(&mut self, all: &Joined, now_ms: i64) -> Result<(), WriteError> {
        self.on(async |client| spans::insert(client, all, now_ms).await)
    }

    pub(crate) fn reprice(
        &mut self,
        from_ms: i64,
        prices: &Prices,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Progress, WriteError> {
        let days = self.on(async |client| reprice::days(client, from_ms).await)?;
        let mut progress = Progress { all: days.iter().map(|day| day.requests).sum(), ..Progress::default() };
        for day in days {
            let mut place = Some((day.from_ms, i64::MIN));
            while let Some(at) = place {
                place =
                    self.on(async |client| reprice::batch(client, &day, at, prices, &mut progress).await)?;
                tell(progress);
            }
        }
        Ok(progress)
    }

    fn on<T>(
        &mut self,
        work: impl AsyncFnMut(&mut tokio_postgres::Client) -> Result<T, Fault>,
    ) -> Result<T, WriteError> {
        Ok(self.on_fault(work)?)
    }

    fn on_fault<T>(
        &mut self,
        work: impl AsyncFnMut(&mut tokio_postgres::Client) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.client.run(WRITTEN_WITHIN, work)
    }
}

impl From<Fault> for WriteError {
    fn from(fault: Fault) -> WriteError {
        let told = fault.to_string();
        match fault.is_of_what_was_said() {
            true => WriteError::Refused(told),
            false => WriteError::Unavailable(told),
        }
    }
}
