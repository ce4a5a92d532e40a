//! Reads, on a connection that cannot change anything.
//!
//! What is asked for is looked for by some days at a time, the latest first: the days that have any of it are known
//! ([`Scope`]), so that a question locks and plans for no more of them than it needs.

mod caches;
mod feedback;
mod places;
mod scan;
mod scope;
mod search;
mod sums;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio_postgres::types::Type;
use tokio_postgres::{Client as Connection, Row};

use super::client::{Client, Fault, Role, param};
use super::conditions::{numbered, params};
use super::documents::{self, Keys};
use super::text::clean;
use super::{Server, spans};
use crate::answers::{ANSWER_WITHIN, DAY_MS, Listed, Piece, ReadError, TRACE_MAX, Table, Told, paged, plain};
use crate::columns::{self, ByColumn, FeedbackOfRequests, Place, Scan, Wanted};
use crate::conditions::{Conditions, Value};
use crate::query::{Filter, Page};
use crate::spans::Joined;
use crate::summary::Grouping;
use scan::ServerScan;
use scope::Scope;

/// How much longer than the server itself, which gives up after [`ANSWER_WITHIN`], its word is waited for.
const WORD_WITHIN: Duration = Duration::from_secs(1);

/// Who reads.
#[derive(Debug)]
pub struct Reader {
    client: Client,
    /// When the answer has to be there; `None`: each look has a time of its own.
    due: Option<Instant>,
}

impl Reader {
    pub(crate) fn new(server: Arc<Server>) -> Reader {
        Reader { client: Client::new(server, Role::Reads), due: None }
    }

    pub(crate) fn set_due(&mut self, due: Option<Instant>) {
        self.due = due;
    }

    /// When what is asked now has to be answered.
    fn due(&self) -> Instant {
        self.due.unwrap_or_else(|| Instant::now() + ANSWER_WITHIN)
    }

    fn on<T>(&mut self, mut work: impl AsyncFnMut(&Connection) -> Result<T, Fault>) -> Result<T, ReadError> {
        let left = self.due().saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ReadError::TooSlow);
        }
        Ok(self.client.run(left + WORD_WITHIN, async |client| work(client).await)?)
    }

    pub(crate) fn list(&mut self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        let (rows, next) = self.page(filter, page)?;
        Ok((plain(rows), next))
    }

    pub(crate) fn list_with_bodies(&mut self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        let (mut rows, next) = self.page(filter, page)?;
        self.on(async |client| add_bodies(client, &mut rows).await)?;
        Ok((plain(rows), next))
    }

    fn page(&mut self, filter: &Filter, page: Page) -> Result<(Vec<Told>, Option<String>), ReadError> {
        // One more, to know whether there are more.
        let count = page.size.count() as usize + 1;
        let rows = match filter.has_bounds() && columns::conditions(filter).is_some() {
            // No index tells.
            true => {
                let places = columns::places(self, filter, page.after, count)?;
                self.on(async |client| told_at(client, &places).await)?
            }
            false => self.on(async |client| newest(client, filter, page.after, count).await)?,
        };
        Ok(paged(rows, page.size.count()))
    }

    pub(crate) fn newer(
        &mut self,
        filter: &Filter,
        number: i64,
        most: u32,
    ) -> Result<(Vec<Json>, i64), ReadError> {
        self.on(async |client| {
            let mut rows = Vec::new();
            for (from_ms, to_ms) in scope::written_behind(client, number).await? {
                let mut conditions = super::conditions::of(&filter.within((from_ms, to_ms)));
                conditions.newer_than(number);
                rows.extend(told(client, &conditions, &format!("ORDER BY number LIMIT {most}")).await?);
            }
            rows.sort_by_key(|row| row.number);
            rows.truncate(most as usize);
            let last = rows.last().map_or(number, |row| row.number);
            Ok((plain(rows), last))
        })
    }

    pub(crate) fn last_number(&mut self) -> Result<i64, ReadError> {
        self.on(async |client| {
            let rows = query(client, "SELECT coalesce(max(last_number), 0) FROM days", &[]).await?;
            Ok(rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
        })
    }

    pub(crate) fn one(&mut self, id: &str) -> Result<Option<Json>, ReadError> {
        self.on(async |client| {
            let scope = Scope::of(client, &named(id), None).await?;
            let mut found = None;
            for mut conditions in scope.conditions(&named(id)) {
                conditions.with("id = ?", [Value::Text(clean(id).into_owned())]);
                found = found.or(told(client, &conditions, "LIMIT 1").await?.pop());
            }
            let Some(mut row) = found else { return Ok(None) };
            add_bodies(client, std::slice::from_mut(&mut row)).await?;
            let trace_id = row.told["trace_id"].as_str().unwrap_or_default();
            let feedback = super::feedback::of_trace(client, trace_id).await?;
            row.told["feedback"] = serde_json::to_value(feedback).unwrap_or_default();
            Ok(Some(row.told))
        })
    }

    pub(crate) fn joined(&mut self, trace_id: &str) -> Result<Joined, ReadError> {
        self.on(async |client| spans::of_trace(client, trace_id).await)
    }

    pub(crate) fn trace(&mut self, trace_id: &str) -> Result<Vec<Json>, ReadError> {
        self.on(async |client| {
            let scope = Scope::of(client, &named(trace_id), None).await?;
            let mut rows = Vec::new();
            for conditions in scope.conditions(&named(trace_id)).rev() {
                let missing = (TRACE_MAX as usize).saturating_sub(rows.len());
                if missing == 0 {
                    break;
                }
                let order = format!("ORDER BY started_ms, number LIMIT {missing}");
                rows.extend(told(client, &conditions, &order).await?);
            }
            Ok(plain(rows))
        })
    }
}

impl ByColumn for Reader {
    fn scan<'a>(&'a mut self, filter: &'a Filter, wanted: Wanted) -> Result<impl Scan + 'a, ReadError> {
        ServerScan::of(self, filter, wanted)
    }

    fn feedback_of_requests(&mut self, filter: &Filter) -> Result<FeedbackOfRequests, ReadError> {
        self.on(async |client| feedback::of_requests(client, filter).await)
    }

    fn kept(
        &mut self,
        filter: &Filter,
        by: Grouping,
        times: &[Piece],
        empty: Table,
    ) -> Result<Table, ReadError> {
        self.on(async |client| {
            // It may be done twice.
            let mut table = empty.clone();
            for time in times {
                sums::add(client, filter, by, *time, &mut table).await?;
            }
            Ok(table)
        })
    }

    fn kept_names(&mut self, filter: &Filter, by: Grouping, time: Piece) -> Result<Vec<String>, ReadError> {
        self.on(async |client| sums::names(client, filter, by, time).await)
    }
}

fn named(name: &str) -> Filter {
    Filter { trace: Some(name.to_owned()), ..Filter::default() }
}

async fn newest(
    client: &Connection,
    filter: &Filter,
    after: Option<Place>,
    count: usize,
) -> Result<Vec<Told>, Fault> {
    let mut rows = Vec::new();
    for mut conditions in Scope::of(client, filter, after).await?.conditions(filter) {
        conditions.after(after);
        let missing = count.saturating_sub(rows.len());
        let order = format!("ORDER BY started_ms DESC, number DESC LIMIT {missing}");
        rows.extend(told(client, &conditions, &order).await?);
        if rows.len() >= count {
            break;
        }
    }
    Ok(rows)
}

/// Those that are there still, the newest first.
async fn told_at(client: &Connection, places: &[Place]) -> Result<Vec<Told>, Fault> {
    let rows = places::at(client, (&told_columns(), ""), places, &Conditions::default()).await?;
    let mut rows = told_rows(client, &rows).await?;
    rows.sort_by_key(|row| std::cmp::Reverse((row.started_ms, row.number)));
    Ok(rows)
}

/// A question with what stands for its question marks.
async fn query(client: &Connection, text: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
    Ok(client.query_typed(&numbered(text), &params(values)).await?)
}

/// A request as it is told: its record, and of its bodies what became of them. Those of some days are gone as a whole.
fn told_columns() -> String {
    let state = |name: &str| {
        format!(
            "CASE WHEN {name} IN ('kept', 'cut') AND started_ms - mod(started_ms, {DAY_MS}) IN \
             (SELECT day_ms FROM days WHERE NOT has_bodies) THEN 'aged_out' ELSE {name} END"
        )
    };
    format!("number, started_ms, document, {}, {}", state("request_state"), state("response_state"))
}

async fn told(client: &Connection, conditions: &Conditions, order: &str) -> Result<Vec<Told>, Fault> {
    let text = format!("SELECT {} FROM requests {} {order}", told_columns(), conditions.text());
    told_rows(client, &query(client, &text, &conditions.values).await?).await
}

/// Rows of [`told_columns`], each with its document, wherever that is.
async fn told_rows(client: &Connection, rows: &[Row]) -> Result<Vec<Told>, Fault> {
    let mut apart = Keys::default();
    for row in rows {
        if row.try_get::<_, Option<&str>>(2)?.is_none() {
            apart.push(row.try_get(1)?, row.try_get(0)?);
        }
    }
    let documents = documents::read(client, &apart).await?;
    let told = |row: &Row| -> Result<Option<Told>, Fault> {
        let number: i64 = row.try_get(0)?;
        let apart = || documents.get(&number).map(String::as_str);
        // What was taken away since its row was read is left out.
        let Some(document) = row.try_get::<_, Option<&str>>(2)?.or_else(apart) else { return Ok(None) };
        Ok(Some(Told::of(number, row.try_get(1)?, document, [row.try_get(3)?, row.try_get(4)?])))
    };
    rows.iter().map(told).filter_map(Result::transpose).collect()
}

/// Puts their bodies to requests, as far as they are kept.
async fn add_bodies(client: &Connection, rows: &mut [Told]) -> Result<(), Fault> {
    let times: Vec<i64> = rows.iter().map(|row| row.started_ms).collect();
    let numbers: Vec<i64> = rows.iter().map(|row| row.number).collect();
    let text = "SELECT number, request_packed, response_packed FROM bodies \
                WHERE started_ms = ANY($1) AND number = ANY($2)";
    let values = [param(&times, Type::INT8_ARRAY), param(&numbers, Type::INT8_ARRAY)];
    let mut bodies: HashMap<i64, [Option<Vec<u8>>; 2]> = HashMap::new();
    for row in client.query_typed(text, &values).await? {
        bodies.insert(row.try_get(0)?, [row.try_get(1)?, row.try_get(2)?]);
    }
    for row in rows {
        row.add_bodies(bodies.remove(&row.number).unwrap_or_default());
    }
    Ok(())
}
