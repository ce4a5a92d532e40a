//! Threads that read, so that nobody who serves requests waits for the disk.

mod days;
mod search;
mod sessions;
mod sums;
mod tallies;

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params_from_iter};
use serde_json::{Map, Value};

use crate::body::{Missing, unpacked};
use crate::database;
use crate::feedback;
use crate::query::{Conditions, Filter, Page};
use crate::spans::{self, Joined};

pub use search::Found;
pub use sessions::Session;
pub use tallies::{Fact, FeedbackTally, GroupBy, GroupRow, Tally};

/// Threads that read.
const THREADS: usize = 2;
/// Questions that wait for one of them.
const WAITING_MAX: usize = 32;
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Steps of SQLite's machine between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;
/// Most requests of one trace that are told.
const TRACE_MAX: u32 = 1000;

type Question = Box<dyn FnOnce(&mut Reader) + Send>;

/// Those who read.
#[derive(Clone)]
pub struct Readers(SyncSender<Question>);

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

/// Too many questions wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// It took too long.
    TooSlow,
    /// The file cannot be read.
    Unreadable(String),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => ReadError::TooSlow,
            _ => ReadError::Unreadable(error.to_string()),
        }
    }
}

impl Readers {
    /// Starts the threads. The file at this path need not be there yet.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(path: &Path) -> std::io::Result<Readers> {
        let (sender, questions) = sync_channel::<Question>(WAITING_MAX);
        let questions = Arc::new(Mutex::new(questions));
        for number in 1..=THREADS {
            let (mut reader, questions) = (Reader::new(path), questions.clone());
            let name = format!("ostia-reads-{number}");
            thread::Builder::new().name(name).spawn(move || {
                while let Some(question) = next(&questions) {
                    question(&mut reader);
                }
            })?;
        }
        Ok(Readers(sender))
    }

    /// Has one of them answer this, which then tells whoever waits.
    ///
    /// # Errors
    /// Too many others wait.
    pub fn ask(&self, question: impl FnOnce(&mut Reader) + Send + 'static) -> Result<(), Busy> {
        self.0.try_send(Box::new(question)).map_err(|_| Busy)
    }
}

fn next(questions: &Mutex<Receiver<Question>>) -> Option<Question> {
    questions.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Who reads.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Option<(u64, Connection)>,
}

/// A request as it is told: its record, and of its bodies what became of them.
const TOLD: &str = "number, started_ms, document, request_state, response_state";

impl Reader {
    /// Of the file at this path.
    pub fn new(path: &Path) -> Reader {
        Reader { path: path.to_owned(), connection: None }
    }

    /// The file, open; another one if another one lies there now.
    fn connection(&mut self) -> Result<&Connection, ReadError> {
        let unreadable =
            |error: std::io::Error| ReadError::Unreadable(format!("{}: {error}", self.path.display()));
        let inode = std::fs::metadata(&self.path).map_err(unreadable)?.ino();
        let is_open = self.connection.as_ref().is_some_and(|(own, _)| *own == inode);
        if !is_open {
            self.connection = Some((inode, database::open_to_read(&self.path)?));
        }
        let (_, connection) =
            self.connection.as_mut().ok_or_else(|| ReadError::Unreadable("it is not open".to_owned()))?;
        let due = Instant::now() + ANSWER_WITHIN;
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() > due))?;
        Ok(connection)
    }

    /// The newest requests that pass the filter; and where the next page begins, if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or not in time.
    pub fn list(&mut self, filter: &Filter, page: Page) -> Result<(Vec<Value>, Option<String>), ReadError> {
        let (rows, next) = self.page(filter, page)?;
        Ok((rows.into_iter().map(|row| row.told).collect(), next))
    }

    fn page(&mut self, filter: &Filter, page: Page) -> Result<(Vec<Told>, Option<String>), ReadError> {
        let wanted = page.size.count();
        let connection = self.connection()?;
        let mut rows = Vec::new();
        for (from_ms, to_ms) in days::with_any(connection, filter, page)? {
            let mut conditions = Conditions::of(&Filter { from_ms, to_ms, ..filter.clone() });
            conditions.after(page.after);
            // One more, to know whether there are more.
            let missing = (wanted as usize + 1).saturating_sub(rows.len());
            let order = format!("ORDER BY started_ms DESC, number DESC LIMIT {missing}");
            rows.extend(self::rows(connection, &conditions, &order)?);
            if rows.len() > wanted as usize {
                break;
            }
        }
        let is_more = rows.len() > wanted as usize;
        rows.truncate(wanted as usize);
        let next = rows.last().filter(|_| is_more).map(|row| format!("{}-{}", row.started_ms, row.number));
        Ok((rows, next))
    }

    /// The same with their bodies, as far as they are kept.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn list_with_bodies(
        &mut self,
        filter: &Filter,
        page: Page,
    ) -> Result<(Vec<Value>, Option<String>), ReadError> {
        let (mut rows, next) = self.page(filter, page)?;
        let connection = self.connection()?;
        rows.iter_mut().try_for_each(|row| add_bodies(connection, row))?;
        Ok((rows.into_iter().map(|row| row.told).collect(), next))
    }

    /// Requests that pass the filter and were written behind this number, and the last number.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn newer(&mut self, filter: &Filter, number: i64, most: u32) -> Result<(Vec<Value>, i64), ReadError> {
        let mut conditions = Conditions::of(filter);
        conditions.newer_than(number);
        let rows = rows(self.connection()?, &conditions, &format!("ORDER BY number LIMIT {most}"))?;
        let last = rows.last().map_or(number, |row| row.number);
        Ok((rows.into_iter().map(|row| row.told).collect(), last))
    }

    /// The number of the newest request.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn last_number(&mut self) -> Result<i64, ReadError> {
        let newest = "SELECT coalesce(max(number), 0) FROM requests";
        Ok(self.connection()?.query_row(newest, [], |row| row.get(0))?)
    }

    /// One request with its bodies, by its own name.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn one(&mut self, id: &str) -> Result<Option<Value>, ReadError> {
        let connection = self.connection()?;
        let mut select = connection.prepare_cached(&format!("SELECT {TOLD} FROM requests WHERE id = ?1"))?;
        let Some(mut row) = select.query_row([id], told).optional()? else { return Ok(None) };
        add_bodies(connection, &mut row)?;
        let trace_id = row.told["trace_id"].as_str().unwrap_or_default();
        row.told["feedback"] =
            serde_json::to_value(feedback::of_trace(connection, trace_id)?).unwrap_or_default();
        Ok(Some(row.told))
    }

    /// What applications told of this trace by themselves.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn joined(&mut self, trace_id: &str) -> Result<Joined, ReadError> {
        Ok(spans::spans_of(self.connection()?, trace_id)?)
    }

    /// The requests of a trace, the oldest first.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn trace(&mut self, trace_id: &str) -> Result<Vec<Value>, ReadError> {
        let filter = Filter { trace: Some(trace_id.to_owned()), ..Filter::default() };
        let conditions = Conditions::of(&filter);
        let order = format!("ORDER BY started_ms, number LIMIT {TRACE_MAX}");
        Ok(rows(self.connection()?, &conditions, &order)?.into_iter().map(|row| row.told).collect())
    }
}

/// Puts its bodies to a request, as far as they are kept.
fn add_bodies(connection: &Connection, row: &mut Told) -> rusqlite::Result<()> {
    let bodies = "SELECT request_packed, response_packed FROM bodies WHERE request = ?1";
    let bodies = connection.query_row(bodies, [row.number], |bodies| {
        Ok([bodies.get::<_, Option<Vec<u8>>>(0)?, bodies.get::<_, Option<Vec<u8>>>(1)?])
    });
    let [request, response] = bodies.optional()?.unwrap_or_default();
    for (name, packed) in [("request", request), ("response", response)] {
        let Some(bytes) = packed.as_deref().and_then(unpacked) else { continue };
        row.told[name]["body"] = match serde_json::from_slice::<Value>(&bytes) {
            Ok(document) => document,
            Err(_) => String::from_utf8_lossy(&bytes).into(),
        };
    }
    Ok(())
}

struct Told {
    number: i64,
    started_ms: i64,
    told: Value,
}

fn rows(connection: &Connection, conditions: &Conditions, order: &str) -> Result<Vec<Told>, ReadError> {
    let text = format!("SELECT {TOLD} FROM requests {} {order}", conditions.text());
    let mut select = connection.prepare_cached(&text)?;
    let rows = select.query_map(params_from_iter(&conditions.values), told)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn told(row: &Row<'_>) -> rusqlite::Result<Told> {
    let document: String = row.get(2)?;
    let mut told: Value = serde_json::from_str(&document).unwrap_or_default();
    for (name, at) in [("request", 3), ("response", 4)] {
        let state: String = row.get(at)?;
        told[name] = body_state(&state);
    }
    Ok(Told { number: row.get(0)?, started_ms: row.get(1)?, told })
}

/// What became of a body: whether it is kept, and if not, why.
fn body_state(state: &str) -> Value {
    let mut told = Map::new();
    match Missing::named(state) {
        Some(missing) => told.insert("missing".to_owned(), missing.as_str().into()),
        None => told.insert("cut".to_owned(), (state == "cut").into()),
    };
    told.into()
}
