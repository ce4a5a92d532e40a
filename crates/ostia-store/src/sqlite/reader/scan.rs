//! Goes through the requests that pass a filter, part by part, those that came last first.

use std::cmp::Reverse;
use std::time::Instant;

use rusqlite::{Connection, params_from_iter};

use super::passing::{self, Condition};
use crate::answers::{ANSWER_WITHIN, ReadError};
use crate::conditions::Conditions;
use crate::query::Filter;
use crate::sqlite::conditions;
use crate::sqlite::packed::{self, Columns, Number, Part, Wanted};

/// What is left to go through.
pub(super) struct Scan<'c> {
    connection: &'c Connection,
    wanted: Wanted,
    /// What columns have to fulfil, which these are, and the times that it leaves.
    conditions: Vec<Condition<'c>>,
    needed: Wanted,
    times_ms: (i64, i64),
    /// What comes next is the last of them.
    parts: Vec<Part>,
    /// Columns do not tell: what rows tell that pass these.
    by_rows: Option<Conditions>,
    due: Instant,
}

/// Requests that pass.
pub(super) struct Chunk {
    pub(super) columns: Columns,
    /// Which of them.
    pub(super) rows: Vec<usize>,
}

impl<'c> Scan<'c> {
    /// Of the requests that pass this filter these columns.
    pub(super) fn of(
        connection: &'c Connection,
        filter: &'c Filter,
        wanted: Wanted,
    ) -> Result<Scan<'c>, ReadError> {
        let times_ms = (filter.from_ms.unwrap_or(i64::MIN), filter.to_ms.unwrap_or(i64::MAX));
        let mut scan = Scan {
            connection,
            wanted,
            conditions: Vec::new(),
            needed: Wanted::default(),
            times_ms,
            parts: Vec::new(),
            by_rows: None,
            due: Instant::now() + ANSWER_WITHIN,
        };
        match passing::of(filter) {
            Some(conditions) => {
                scan.needed =
                    conditions.iter().fold(Wanted::default(), |needed, own| needed.with(&own.wanted()));
                scan.conditions = conditions;
                scan.parts = packed::parts(connection)?;
                // Who knows when those came that are not packed?
                scan.parts.sort_by_key(last_ms);
            }
            None => scan.by_rows = Some(conditions::of(filter)),
        }
        Ok(scan)
    }

    /// The next requests that pass; `None`: there are no more.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, ReadError> {
        if let Some(conditions) = self.by_rows.take() {
            let values = params_from_iter(&conditions.values);
            let columns = packed::of_rows(self.connection, &self.wanted, &conditions.text(), values)?;
            return Ok(Some(Chunk { rows: (0..columns.requests).collect(), columns }));
        }
        while let Some(part) = self.parts.pop() {
            if Instant::now() > self.due {
                return Err(ReadError::TooSlow);
            }
            let chunk = self.chunk(&part)?;
            if !chunk.rows.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Can one of those that are left have come then or later?
    pub(super) fn reaches(&self, ms: i64) -> bool {
        self.parts.last().is_some_and(|part| last_ms(part) >= ms)
    }

    fn chunk(&self, part: &Part) -> Result<Chunk, ReadError> {
        let mut columns = Columns::default();
        if let Some(own) = &part.packed {
            let (first_ms, last_ms) = own.times_ms;
            if last_ms < self.times_ms.0 || first_ms >= self.times_ms.1 {
                return Ok(Chunk { columns, rows: Vec::new() });
            }
            if packed::add(self.connection, part, &self.needed, &mut columns)? {
                let rows = self.passing(&columns);
                if rows.is_empty() || packed::add(self.connection, part, &self.wanted, &mut columns)? {
                    return Ok(Chunk { columns, rows });
                }
            }
        }
        let wanted = self.wanted.clone().with(&self.needed);
        let (from_ms, to_ms) = self.times_ms;
        let within = "WHERE number >= ?1 AND number < ?2 AND started_ms >= ?3 AND started_ms < ?4";
        let values = [part.numbers.start, part.numbers.end, from_ms, to_ms];
        let columns = packed::of_rows(self.connection, &wanted, within, values)?;
        Ok(Chunk { rows: self.passing(&columns), columns })
    }

    fn passing(&self, columns: &Columns) -> Vec<usize> {
        let mut rows = (0..columns.requests).collect();
        self.conditions.iter().for_each(|condition| condition.keep(columns, &mut rows));
        rows
    }
}

/// When the last of them may have come.
fn last_ms(part: &Part) -> i64 {
    part.packed.as_ref().map_or(i64::MAX, |packed| packed.times_ms.1)
}

/// When a request came, and its number.
pub(super) type Place = (i64, i64);

impl Chunk {
    pub(super) fn place(&self, row: usize) -> Place {
        let number = |column| self.columns.number(column, row).unwrap_or_default();
        (number(Number::StartedMs), number(Number::Request))
    }
}

/// The newest of those that pass, the newest first, each with what is made of its columns; none is made of those that do not count.
pub(super) fn newest<T>(
    mut scan: Scan<'_>,
    after: Option<Place>,
    count: usize,
    of: impl Fn(&Columns, usize) -> Option<T>,
) -> Result<Vec<(Place, T)>, ReadError> {
    let mut found: Vec<(Place, T)> = Vec::new();
    while let Some(chunk) = scan.next()? {
        let worst = found.last().filter(|_| found.len() >= count).map(|(place, _)| *place);
        for row in &chunk.rows {
            let place = chunk.place(*row);
            if after.is_none_or(|after| place < after) && worst.is_none_or(|worst| place > worst) {
                found.extend(of(&chunk.columns, *row).map(|made| (place, made)));
            }
        }
        found.sort_by_key(|(place, _)| Reverse(*place));
        found.truncate(count);
        let is_enough = found.len() >= count;
        if is_enough && found.last().is_none_or(|(place, _)| !scan.reaches(place.0)) {
            break;
        }
    }
    Ok(found)
}
