//! Reads the file, on a connection that cannot change it.

mod caches;
mod feedback;
mod scan;
mod search;
mod sums;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params_from_iter};
use serde_json::Value;

use super::{conditions, database, feedback as kept_feedback, spans};
use crate::answers::{ANSWER_WITHIN, Listed, Piece, ReadError, TRACE_MAX, Table, Told, paged, plain};
use crate::columns::{self, ByColumn, FeedbackOfRequests, Scan, Wanted};
use crate::conditions::Conditions;
use crate::query::{Filter, Page};
use crate::spans::Joined;
use crate::summary::Grouping;
use scan::FileScan;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => ReadError::TooSlow,
            _ => ReadError::Unreadable(error.to_string()),
        }
    }
}

/// Who reads.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Option<(u64, Connection)>,
    /// When the answer has to be there; `None`: each look has a time of its own.
    due: Option<Instant>,
}

/// A request as it is told: its record, and of its bodies what became of them.
const TOLD: &str = "number, started_ms, document, request_state, response_state";

impl Reader {
    /// Of the file at this path.
    pub(crate) fn new(path: &Path) -> Reader {
        Reader { path: path.to_owned(), connection: None, due: None }
    }

    pub(crate) fn set_due(&mut self, due: Option<Instant>) {
        self.due = due;
    }

    /// When what is asked now has to be answered.
    fn due(&self) -> Instant {
        self.due.unwrap_or_else(|| Instant::now() + ANSWER_WITHIN)
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
        let due = self.due();
        let (_, connection) =
            self.connection.as_mut().ok_or_else(|| ReadError::Unreadable("it is not open".to_owned()))?;
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() > due))?;
        Ok(connection)
    }

    pub(crate) fn list(&mut self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        let (rows, next) = self.page(filter, page)?;
        Ok((plain(rows), next))
    }

    fn page(&mut self, filter: &Filter, page: Page) -> Result<(Vec<Told>, Option<String>), ReadError> {
        let wanted = page.size.count();
        // One more, to know whether there are more.
        let count = wanted as usize + 1;
        let rows = match filter.is_of_time() || columns::conditions(filter).is_none() {
            true => {
                let mut conditions = conditions::of(filter);
                conditions.after(page.after);
                let order = format!("ORDER BY started_ms DESC, number DESC LIMIT {count}");
                rows(self.connection()?, &conditions, &order)?
            }
            false => {
                let places = columns::places(self, filter, page.after, count)?;
                rows_at(self.connection()?, &places)?
            }
        };
        Ok(paged(rows, wanted))
    }

    pub(crate) fn list_with_bodies(&mut self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        let (mut rows, next) = self.page(filter, page)?;
        let connection = self.connection()?;
        rows.iter_mut().try_for_each(|row| add_bodies(connection, row))?;
        Ok((plain(rows), next))
    }

    pub(crate) fn newer(
        &mut self,
        filter: &Filter,
        number: i64,
        most: u32,
    ) -> Result<(Vec<Value>, i64), ReadError> {
        let mut conditions = conditions::of(filter);
        conditions.newer_than(number);
        let rows = rows(self.connection()?, &conditions, &format!("ORDER BY number LIMIT {most}"))?;
        let last = rows.last().map_or(number, |row| row.number);
        Ok((plain(rows), last))
    }

    pub(crate) fn last_number(&mut self) -> Result<i64, ReadError> {
        let newest = "SELECT coalesce(max(number), 0) FROM requests";
        Ok(self.connection()?.query_row(newest, [], |row| row.get(0))?)
    }

    pub(crate) fn one(&mut self, id: &str) -> Result<Option<Value>, ReadError> {
        let connection = self.connection()?;
        let mut select = connection.prepare_cached(&format!("SELECT {TOLD} FROM requests WHERE id = ?1"))?;
        let Some(mut row) = select.query_row([id], told).optional()? else { return Ok(None) };
        add_bodies(connection, &mut row)?;
        let trace_id = row.told["trace_id"].as_str().unwrap_or_default();
        row.told["feedback"] =
            serde_json::to_value(kept_feedback::of_trace(connection, trace_id)?).unwrap_or_default();
        Ok(Some(row.told))
    }

    pub(crate) fn joined(&mut self, trace_id: &str) -> Result<Joined, ReadError> {
        Ok(spans::spans_of(self.connection()?, trace_id)?)
    }

    pub(crate) fn trace(&mut self, trace_id: &str) -> Result<Vec<Value>, ReadError> {
        let filter = Filter { trace: Some(trace_id.to_owned()), ..Filter::default() };
        let conditions = conditions::of(&filter);
        let order = format!("ORDER BY started_ms, number LIMIT {TRACE_MAX}");
        Ok(plain(rows(self.connection()?, &conditions, &order)?))
    }
}

impl ByColumn for Reader {
    fn scan<'a>(&'a mut self, filter: &'a Filter, wanted: Wanted) -> Result<impl Scan + 'a, ReadError> {
        let due = self.due();
        FileScan::of(self.connection()?, filter, wanted, due)
    }

    fn feedback_of_requests(&mut self, _: &Filter) -> Result<FeedbackOfRequests, ReadError> {
        feedback::feedback_of_requests(self.connection()?)
    }

    fn kept(
        &mut self,
        filter: &Filter,
        by: Grouping,
        times: &[Piece],
        mut table: Table,
    ) -> Result<Table, ReadError> {
        let connection = self.connection()?;
        times.iter().try_for_each(|time| sums::add(connection, filter, by, *time, &mut table))?;
        Ok(table)
    }

    fn kept_names(&mut self, filter: &Filter, by: Grouping, time: Piece) -> Result<Vec<String>, ReadError> {
        sums::names(self.connection()?, filter, by, time)
    }
}

/// Puts its bodies to a request, as far as they are kept.
fn add_bodies(connection: &Connection, row: &mut Told) -> rusqlite::Result<()> {
    let bodies = "SELECT request_packed, response_packed FROM bodies WHERE request = ?1";
    let bodies = connection.query_row(bodies, [row.number], |bodies| Ok([bodies.get(0)?, bodies.get(1)?]));
    row.add_bodies(bodies.optional()?.unwrap_or_default());
    Ok(())
}

/// The requests that are there.
fn rows_at(connection: &Connection, places: &[columns::Place]) -> Result<Vec<Told>, ReadError> {
    let mut select = connection.prepare_cached(&format!("SELECT {TOLD} FROM requests WHERE number = ?1"))?;
    let mut found = Vec::new();
    for (_, number) in places {
        // One may have been taken away meanwhile.
        found.extend(select.query_row([number], told).optional()?);
    }
    Ok(found)
}

fn rows(connection: &Connection, conditions: &Conditions, order: &str) -> Result<Vec<Told>, ReadError> {
    let text = format!("SELECT {TOLD} FROM requests {} {order}", conditions.text());
    let mut select = connection.prepare_cached(&text)?;
    let rows = select.query_map(params_from_iter(&conditions.values), told)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn told(row: &Row<'_>) -> rusqlite::Result<Told> {
    let text = |at: usize| row.get_ref(at)?.as_str().map_err(rusqlite::Error::from);
    Ok(Told::of(row.get(0)?, row.get(1)?, text(2)?, [text(3)?, text(4)?]))
}
