//! Goes through the requests that pass a filter, part by part, those that came last first.

use std::pin::pin;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use tokio_postgres::Client;

use super::Reader;
use super::scope::Scope;
use crate::answers::{ANSWER_WITHIN, DAY_MS, ReadError};
use crate::columns::{self, Chunk, Columns, Number, Scan, Wanted};
use crate::conditions::{Conditions, Value};
use crate::postgres::client::Fault;
use crate::postgres::conditions::{self, numbered, params};
use crate::postgres::packed::{self, Numbers, Part, Parts, Rows};
use crate::query::Filter;

/// Parts that are fetched at once.
const PARTS: usize = 16;
/// Requests that are not packed, of which so many are fetched at once.
const ROWS: usize = 1 << 16;

/// What is left to go through.
pub(super) struct ServerScan<'r> {
    reader: &'r mut Reader,
    /// Its texts are as their columns have them.
    filter: Filter,
    /// What is asked for, and what the filter looks at.
    wanted: Wanted,
    /// What comes next is the last of them.
    pieces: Vec<Piece>,
    /// Fetched already; the next one is the last of them.
    chunks: Vec<Chunk>,
    due: Instant,
}

/// What is fetched at once.
enum Piece {
    /// Requests that are packed.
    Packed(Part),
    /// These have to be read from their rows.
    Plain(Numbers),
    /// Rows tell what columns do not: those that meet these conditions.
    Rows(Conditions),
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
        let pieces = reader.on(async |client| {
            let scope = Scope::of(client, &filter, None).await?;
            match by_columns {
                true => pieces(client, scope.times()).await,
                false => Ok(scope.conditions(&filter).rev().map(Piece::Rows).collect()),
            }
        })?;
        let due = Instant::now() + ANSWER_WITHIN;
        Ok(ServerScan { reader, filter, wanted: wanted.with(&needed), pieces, chunks: Vec::new(), due })
    }

    /// Fetches what comes next, the last of it first.
    fn fetch(&mut self, piece: Piece) -> Result<(), ReadError> {
        match piece {
            Piece::Rows(conditions) => self.fetch_rows(&conditions),
            Piece::Plain(numbers) => self.fetch_plain(numbers),
            Piece::Packed(part) => {
                let parts = self.with_those_before(part);
                self.fetch_packed(&parts)
            }
        }
    }

    fn fetch_rows(&mut self, conditions: &Conditions) -> Result<(), ReadError> {
        let wanted = &self.wanted;
        let text = format!("SELECT {} FROM requests {}", packed::expressions(wanted), conditions.text());
        let text = numbered(&text);
        let columns = self.reader.on(async |client| rows(client, &text, &conditions.values, wanted).await)?;
        self.chunks.push(Chunk::of(columns, &[]));
        Ok(())
    }

    fn fetch_plain(&mut self, numbers: Numbers) -> Result<(), ReadError> {
        let (filter, wanted) = (&self.filter, self.wanted.clone().with(&Wanted::of(&[Number::Request], &[])));
        let columns = self.reader.on(async |client| plain(client, filter, numbers, &wanted).await)?;
        self.pieces.extend(rest(numbers, &columns).map(Piece::Plain));
        self.chunks.push(Chunk::of(columns, &columns::conditions(filter).unwrap_or_default()));
        Ok(())
    }

    fn fetch_packed(&mut self, parts: &[Part]) -> Result<(), ReadError> {
        let wanted = &self.wanted;
        let read = self.reader.on(async |client| packed::read(client, parts, wanted).await)?;
        let conditions = columns::conditions(&self.filter).unwrap_or_default();
        for (part, columns) in parts.iter().zip(read).rev() {
            match columns {
                Some(columns) => self.chunks.push(Chunk::of(columns, &conditions)),
                // It is packed anew, or damaged.
                None => self.pieces.push(Piece::Plain(part.numbers)),
            }
        }
        Ok(())
    }

    /// This part and those that come next, as far as they are fetched at once.
    fn with_those_before(&mut self, part: Part) -> Vec<Part> {
        let mut parts = vec![part];
        while parts.len() < PARTS
            && let Some(Piece::Packed(next)) = self.pieces.pop_if(|piece| matches!(piece, Piece::Packed(_)))
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
            let Some(piece) = self.pieces.pop() else { return Ok(None) };
            if Instant::now() > self.due {
                return Err(ReadError::TooSlow);
            }
            self.fetch(piece)?;
        }
    }

    fn reaches(&self, ms: i64) -> bool {
        // What is fetched already came later than what is not, nearly.
        !self.chunks.is_empty() || self.pieces.iter().any(|piece| piece.times_ms().1 >= ms)
    }
}

impl Piece {
    /// When the first and the last of its requests may have come.
    fn times_ms(&self) -> (i64, i64) {
        match self {
            Piece::Packed(part) => part.times_ms,
            Piece::Plain(numbers) => (numbers.day_ms, numbers.day_ms + DAY_MS - 1),
            Piece::Rows(_) => (i64::MIN, i64::MAX),
        }
    }
}

/// What there is at these times.
async fn pieces(client: &Client, times: &[(i64, i64)]) -> Result<Vec<Piece>, Fault> {
    let ends =
        times.iter().map(|(from_ms, _)| *from_ms).min().zip(times.iter().map(|(_, to_ms)| *to_ms).max());
    let Some(ends) = ends else { return Ok(Vec::new()) };
    let parts = Parts::of(client, ends).await?;
    let packed = parts.packed.into_iter().map(Piece::Packed);
    let mut pieces: Vec<Piece> = packed.chain(parts.plain.into_iter().map(Piece::Plain)).collect();
    // One of them may be of two of these times.
    pieces.retain(|piece| {
        let (first_ms, last_ms) = piece.times_ms();
        times.iter().any(|(from_ms, to_ms)| last_ms >= *from_ms && first_ms < *to_ms)
    });
    pieces.sort_by_key(|piece| piece.times_ms().1);
    Ok(pieces)
}

/// The first of these requests, of the time that the filter is about.
async fn plain(
    client: &Client,
    filter: &Filter,
    numbers: Numbers,
    wanted: &Wanted,
) -> Result<Columns, Fault> {
    let (day_ms, end_ms) = (numbers.day_ms, numbers.day_ms + DAY_MS);
    let from_ms = filter.from_ms.map_or(day_ms, |ms| ms.max(day_ms));
    let to_ms = filter.to_ms.map_or(end_ms, |ms| ms.min(end_ms));
    let text = format!(
        "SELECT {} FROM requests WHERE started_ms >= $1 AND started_ms < $2 AND number >= $3 AND number < $4 \
         ORDER BY number LIMIT {ROWS}",
        packed::expressions(wanted)
    );
    let values = [from_ms, to_ms, numbers.first, numbers.behind].map(Into::into);
    rows(client, &text, &values, wanted).await
}

/// What comes behind these, where there may be more.
fn rest(numbers: Numbers, columns: &Columns) -> Option<Numbers> {
    let last = columns.number(Number::Request, columns.requests.checked_sub(1)?)?;
    (columns.requests == ROWS).then_some(Numbers { first: last + 1, ..numbers })
}

async fn rows(client: &Client, text: &str, values: &[Value], wanted: &Wanted) -> Result<Columns, Fault> {
    let mut rows = Rows::default();
    let mut answer = pin!(client.query_typed_raw(text, params(values)).await?);
    while let Some(row) = answer.try_next().await? {
        rows.push(&row, wanted)?;
    }
    Ok(rows.columns)
}
