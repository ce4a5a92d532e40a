//! Goes through the requests that pass a filter, part by part, those that came last first.

use std::time::Instant;

use rusqlite::{Connection, params_from_iter};

use crate::answers::ReadError;
use crate::columns::{self, Chunk, Columns, Condition, Scan, Wanted};
use crate::conditions::Conditions;
use crate::query::Filter;
use crate::sqlite::conditions;
use crate::sqlite::packed::{self, Part};

/// What is left to go through.
pub(super) struct FileScan<'c> {
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

impl<'c> FileScan<'c> {
    /// Of the requests that pass this filter these columns.
    pub(super) fn of(
        connection: &'c Connection,
        filter: &'c Filter,
        wanted: Wanted,
        due: Instant,
    ) -> Result<FileScan<'c>, ReadError> {
        let times_ms = (filter.from_ms.unwrap_or(i64::MIN), filter.to_ms.unwrap_or(i64::MAX));
        let mut scan = FileScan {
            connection,
            wanted,
            conditions: Vec::new(),
            needed: Wanted::default(),
            times_ms,
            parts: Vec::new(),
            by_rows: None,
            due,
        };
        match columns::conditions(filter) {
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

    fn chunk(&self, part: &Part) -> Result<Chunk, ReadError> {
        let mut columns = Columns::default();
        if let Some(own) = &part.packed {
            let (first_ms, last_ms) = own.times_ms;
            if last_ms < self.times_ms.0 || first_ms >= self.times_ms.1 {
                return Ok(Chunk { columns, rows: Vec::new() });
            }
            if packed::add(self.connection, part, &self.needed, &mut columns)? {
                let mut chunk = Chunk::of(columns, &self.conditions);
                if chunk.rows.is_empty()
                    || packed::add(self.connection, part, &self.wanted, &mut chunk.columns)?
                {
                    return Ok(chunk);
                }
            }
        }
        let wanted = self.wanted.clone().with(&self.needed);
        let (from_ms, to_ms) = self.times_ms;
        let within = "WHERE number >= ?1 AND number < ?2 AND started_ms >= ?3 AND started_ms < ?4";
        let values = [part.numbers.start, part.numbers.end, from_ms, to_ms];
        let columns = packed::of_rows(self.connection, &wanted, within, values)?;
        Ok(Chunk::of(columns, &self.conditions))
    }
}

impl Scan for FileScan<'_> {
    fn next(&mut self) -> Result<Option<Chunk>, ReadError> {
        if let Some(conditions) = self.by_rows.take() {
            let values = params_from_iter(&conditions.values);
            let columns = packed::of_rows(self.connection, &self.wanted, &conditions.text(), values)?;
            return Ok(Some(Chunk::of(columns, &[])));
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

    fn reaches(&self, ms: i64) -> bool {
        self.parts.last().is_some_and(|part| last_ms(part) >= ms)
    }
}

/// When the last of them may have come.
fn last_ms(part: &Part) -> i64 {
    part.packed.as_ref().map_or(i64::MAX, |packed| packed.times_ms.1)
}
