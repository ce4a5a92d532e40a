//! Goes through the requests that pass a filter, part by part, those that came last first.

use std::pin::pin;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use tokio_postgres::Client;

use super::Reader;
use super::scope::Scope;
use crate::answers::{DAY_MS, ReadError};
use crate::columns::{self, Chunk, Columns, Number, Place, Scan, Text, Wanted};
use crate::conditions::{Conditions, Value};
use crate::postgres::client::Fault;
use crate::postgres::conditions::{self, numbered, params};
use crate::postgres::packed::{self, ColumnsOfRows, Part, Parts, RequestRange};
use crate::query::Filter;

/// Parts that are fetched at once. Tests have a bound that they can reach.
const PARTS: usize = if cfg!(all(test, debug_assertions)) { 2 } else { 16 };
/// Requests that are fetched at once, where they are read from their rows.
const ROWS: usize = if cfg!(all(test, debug_assertions)) { 5 } else { 1 << 16 };
/// So much less of both where metadata is wanted: that of a request may have 16 KB.
const METADATA: usize = 4;

/// What is left to go through.
pub(super) struct ServerScan<'r> {
    reader: &'r mut Reader,
    /// Its texts are as their columns have them.
    filter: Filter,
    /// What is asked for, and what the filter looks at.
    wanted: Wanted,
    /// What comes next is the last of them.
    fetches: Vec<Fetch>,
    /// Fetched already; the next one is the last of them.
    chunks: Vec<Chunk>,
    due: Instant,
}

/// What is fetched at once.
enum Fetch {
    /// Requests that are packed.
    Packed(Part),
    /// These have to be read from their rows.
    Plain(RequestRange),
    /// Rows tell what columns do not: those that meet these conditions, behind this place.
    Rows(Conditions, Option<Place>),
}

impl<'r> ServerScan<'r> {
    /// Of the requests that pass this filter these columns.
    pub(super) fn of(
        reader: &'r mut Reader,
        filter: &Filter,
        wanted: Wanted,
    ) -> Result<ServerScan<'r>, ReadError> {
        let filter = conditions::cleaned(filter);
        let own = columns::conditions(&filter);
        let by_columns = own.is_some();
        let needed =
            own.into_iter().flatten().fold(Wanted::default(), |needed, own| needed.with(&own.wanted()));
        let fetches = reader.on(async |client| {
            let scope = Scope::of(client, &filter, None).await?;
            match by_columns {
                true => fetches(client, scope.times()).await,
                false => Ok(scope.conditions(&filter).rev().map(|own| Fetch::Rows(own, None)).collect()),
            }
        })?;
        let due = reader.due();
        Ok(ServerScan { reader, filter, wanted: wanted.with(&needed), fetches, chunks: Vec::new(), due })
    }

    /// Fetches what comes next, the last of it first.
    fn fetch(&mut self, fetch: Fetch) -> Result<(), ReadError> {
        match fetch {
            Fetch::Rows(conditions, after) => self.fetch_rows(conditions, after),
            Fetch::Plain(numbers) => self.fetch_plain(numbers),
            Fetch::Packed(part) => {
                let parts = self.with_those_before(part);
                self.fetch_packed(&parts)
            }
        }
    }

    fn fetch_rows(&mut self, conditions: Conditions, after: Option<Place>) -> Result<(), ReadError> {
        let (wanted, most) = (self.placed(), self.at_once(ROWS));
        let mut own = conditions.clone();
        own.after(after);
        let text = format!(
            "SELECT {} FROM requests {} ORDER BY started_ms DESC, number DESC LIMIT {most}",
            packed::expressions(&wanted),
            own.text()
        );
        let text = numbered(&text);
        let columns = self.reader.on(async |client| rows(client, &text, &own.values, &wanted).await)?;
        let chunk = Chunk::of(columns, &[]);
        if chunk.rows.len() == most {
            let last = chunk.rows.last().map(|row| chunk.place(*row));
            self.fetches.push(Fetch::Rows(conditions, last));
        }
        self.chunks.push(chunk);
        Ok(())
    }

    fn fetch_plain(&mut self, numbers: RequestRange) -> Result<(), ReadError> {
        let (filter, wanted, most) = (&self.filter, self.placed(), self.at_once(ROWS));
        let columns = self.reader.on(async |client| plain(client, filter, (numbers, most), &wanted).await)?;
        let chunk = Chunk::of(columns, &columns::conditions(filter).unwrap_or_default());
        if chunk.columns.requests == most {
            let (_, last) = chunk.place(most - 1);
            self.fetches.push(Fetch::Plain(RequestRange { first: last + 1, ..numbers }));
        }
        self.chunks.push(chunk);
        Ok(())
    }

    /// What is wanted, and where a request stands.
    fn placed(&self) -> Wanted {
        self.wanted.clone().with(&Wanted::of(&[Number::StartedMs, Number::Request], &[]))
    }

    /// So many of these, or fewer where they are large.
    fn at_once(&self, most: usize) -> usize {
        if self.wanted.texts.contains(&Text::Metadata) { (most / METADATA).max(1) } else { most }
    }

    fn fetch_packed(&mut self, parts: &[Part]) -> Result<(), ReadError> {
        let wanted = &self.wanted;
        let read = self.reader.on(async |client| packed::read(client, parts, wanted).await)?;
        let conditions = columns::conditions(&self.filter).unwrap_or_default();
        for (part, columns) in parts.iter().zip(read).rev() {
            match columns {
                Some(columns) => self.chunks.push(Chunk::of(columns, &conditions)),
                // It is packed anew, or damaged.
                None => self.fetches.push(Fetch::Plain(part.numbers)),
            }
        }
        Ok(())
    }

    /// This part and those that come next, as far as they are fetched at once.
    fn with_those_before(&mut self, part: Part) -> Vec<Part> {
        let (mut parts, most) = (vec![part], self.at_once(PARTS));
        while parts.len() < most
            && let Some(Fetch::Packed(next)) = self.fetches.pop_if(|fetch| matches!(fetch, Fetch::Packed(_)))
        {
            parts.push(next);
        }
        parts
    }
}

impl Scan for ServerScan<'_> {
    fn next(&mut self) -> Result<Option<Chunk>, ReadError> {
        loop {
            if let Some(chunk) = self.chunks.pop() {
                if !chunk.rows.is_empty() {
                    return Ok(Some(chunk));
                }
                continue;
            }
            let Some(fetch) = self.fetches.pop() else { return Ok(None) };
            if Instant::now() > self.due {
                return Err(ReadError::TooSlow);
            }
            self.fetch(fetch)?;
        }
    }

    fn reaches(&self, ms: i64) -> bool {
        // What is fetched already came later than what is not, nearly.
        !self.chunks.is_empty() || self.fetches.iter().any(|fetch| fetch.times_ms().1 >= ms)
    }
}

impl Fetch {
    /// When the first and the last of its requests may have come.
    fn times_ms(&self) -> (i64, i64) {
        match self {
            Fetch::Packed(part) => part.times_ms,
            Fetch::Plain(numbers) => (numbers.day_ms, numbers.day_ms + DAY_MS - 1),
            Fetch::Rows(..) => (i64::MIN, i64::MAX),
        }
    }
}

/// What there is at these times.
async fn fetches(client: &Client, times: &[(i64, i64)]) -> Result<Vec<Fetch>, Fault> {
    let ends =
        times.iter().map(|(from_ms, _)| *from_ms).min().zip(times.iter().map(|(_, to_ms)| *to_ms).max());
    let Some(ends) = ends else { return Ok(Vec::new()) };
    let parts = Parts::of(client, ends).await?;
    let packed = parts.packed.into_iter().map(Fetch::Packed);
    let mut fetches: Vec<Fetch> = packed.chain(parts.plain.into_iter().map(Fetch::Plain)).collect();
    // One of them may be of two of these times.
    fetches.retain(|fetch| {
        let (first_ms, last_ms) = fetch.times_ms();
        times.iter().any(|(from_ms, to_ms)| last_ms >= *from_ms && first_ms < *to_ms)
    });
    fetches.sort_by_key(|fetch| fetch.times_ms().1);
    Ok(fetches)
}

/// The first of these requests, of the time that the filter is about.
async fn plain(
    client: &Client,
    filter: &Filter,
    (numbers, most): (RequestRange, usize),
    wanted: &Wanted,
) -> Result<Columns, Fault> {
    let (day_ms, end_ms) = (numbers.day_ms, numbers.day_ms + DAY_MS);
    let from_ms = filter.from_ms.map_or(day_ms, |ms| ms.max(day_ms));
    let to_ms = filter.to_ms.map_or(end_ms, |ms| ms.min(end_ms));
    let text = format!(
        "SELECT {} FROM requests WHERE started_ms >= $1 AND started_ms < $2 AND number >= $3 AND number < $4 \
         ORDER BY number LIMIT {most}",
        packed::expressions(wanted)
    );
    let values = [from_ms, to_ms, numbers.first, numbers.behind].map(Into::into);
    rows(client, &text, &values, wanted).await
}

async fn rows(client: &Client, text: &str, values: &[Value], wanted: &Wanted) -> Result<Columns, Fault> {
    let mut rows = ColumnsOfRows::default();
    let mut answer = pin!(client.query_typed_raw(text, params(values)).await?);
    while let Some(row) = answer.try_next().await? {
        rows.push(&row, wanted)?;
    }
    Ok(rows.columns)
}
