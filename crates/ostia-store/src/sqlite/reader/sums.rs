//! What requests come to, in all and step by step: from the sums that are kept, and where none are kept for what is asked, from the
//! requests themselves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, Row};

use super::Reader;
use super::scan::{Chunk, Scan};
use crate::answers::{Counted, LINES_MAX, ReadError, Table};
use crate::query::Filter;
use crate::sqlite::packed::{Columns, Number, Text, Wanted};
use crate::sqlite::rollup;
use crate::steps::{Steps, least_width_ms, pieces, whole};
use crate::summary::{Group, Grouping, Series, Sums};

impl Reader {
    pub(crate) fn sums(
        &mut self,
        filter: &Filter,
        by: Grouping,
        now_ms: i64,
    ) -> Result<((i64, i64), Vec<Group>), ReadError> {
        let mut time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(now_ms + 1));
        let connection = self.connection()?;
        let mut table = Table::default();
        match filter.is_of_sums() {
            true => {
                time = whole(time, least_width_ms(time.0, now_ms));
                for piece in pieces(time) {
                    add_kept(connection, filter, by, piece, &mut table)?;
                }
            }
            false => add_counted(connection, filter, by, &mut table)?,
        }
        Ok((time, table.groups()))
    }

    pub(crate) fn series(
        &mut self,
        filter: &Filter,
        by: Grouping,
        steps: &Steps,
    ) -> Result<Series, ReadError> {
        let connection = self.connection()?;
        let time = steps.time();
        let filter = &filter.within(time);
        let names = match by {
            Grouping::None => vec![String::new()],
            Grouping::Provider | Grouping::Model | Grouping::Key => {
                names(connection, filter, by, steps.width_ms())?
            }
        };
        let mut table = Table::of_series(*steps, &names);
        match filter.is_of_sums() {
            true => add_kept(connection, filter, by, (steps.width_ms(), time), &mut table)?,
            false => add_counted(connection, filter, by, &mut table)?,
        }
        Ok(table.series(names))
    }
}

/// Conditions on the rows of sums of a width and a time, and what stands for their question marks.
const KEPT: &str = "width_ms = ?1 AND start_ms >= ?2 AND start_ms < ?3 \
                    AND (?4 IS NULL OR provider = ?4) AND (?5 IS NULL OR model = ?5) AND (?6 IS NULL OR key = ?6)";

fn kept_values(filter: &Filter, width_ms: i64, (start_ms, end_ms): (i64, i64)) -> impl rusqlite::Params {
    (width_ms, start_ms, end_ms, filter.provider.clone(), filter.model.clone(), filter.key.clone())
}

/// The names that most requests are of.
fn names(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    width_ms: i64,
) -> Result<Vec<String>, ReadError> {
    let column = by.column();
    let name = |row: &Row<'_>| row.get::<_, String>(0);
    let names = match filter.is_of_sums() {
        true => {
            let text = format!(
                "SELECT {column} FROM sums WHERE {KEPT} GROUP BY 1 \
                 ORDER BY sum(requests) DESC, sum(attempts) DESC, 1 LIMIT {LINES_MAX}"
            );
            let time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(i64::MAX));
            let mut select = connection.prepare_cached(&text)?;
            select.query_map(kept_values(filter, width_ms, time), name)?.collect::<rusqlite::Result<_>>()?
        }
        false => most_named(connection, filter, by)?,
    };
    Ok(names)
}

fn add_kept(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    (width_ms, time): (i64, (i64, i64)),
    table: &mut Table,
) -> Result<(), ReadError> {
    let text = format!("SELECT {}, start_ms, {} FROM sums WHERE {KEPT}", by.column(), rollup::COLUMNS);
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(kept_values(filter, width_ms, time))?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        table.cell(name, row.get(1)?).plus(&rollup::sums(row, 2)?);
    }
    Ok(())
}

/// The same of the requests themselves.
fn most_named(connection: &Connection, filter: &Filter, by: Grouping) -> Result<Vec<String>, ReadError> {
    let Some(column) = column(by) else { return Ok(Vec::new()) };
    let mut counts = BTreeMap::<String, u64>::new();
    let mut scan = Scan::of(connection, filter, Wanted::of(&[], &[column]))?;
    while let Some(Chunk { columns, rows }) = scan.next()? {
        let mut by_code = columns.words(column).each(|_| 0);
        rows.iter().for_each(|row| by_code[columns.code(column, *row) as usize] += 1);
        for (code, count) in (0..).zip(by_code).filter(|(_, count)| *count > 0) {
            let name = columns.words(column).word(code).unwrap_or_default();
            *counts.entry(name.to_owned()).or_default() += count;
        }
    }
    let mut names: Vec<(String, u64)> = counts.into_iter().collect();
    names.sort_by_key(|(_, count)| Reverse(*count));
    Ok(names.into_iter().map(|(name, _)| name).take(LINES_MAX).collect())
}

fn column(by: Grouping) -> Option<Text> {
    match by {
        Grouping::None => None,
        Grouping::Provider => Some(Text::Provider),
        Grouping::Model => Some(Text::Model),
        Grouping::Key => Some(Text::Key),
    }
}

/// What [`count`] looks at.
pub(super) fn counted() -> Wanted {
    let numbers = [
        Number::StartedMs,
        Number::Status,
        Number::DurationUs,
        Number::FirstTokenUs,
        Number::Attempts,
        Number::FailedAttempts,
        Number::PromptTokens,
        Number::CompletionTokens,
        Number::CachedTokens,
        Number::ReasoningTokens,
        Number::Unpriced,
    ];
    Wanted::of(&numbers, &[Text::End, Text::Costs])
}

/// Adds up what nobody keeps sums of: each request is looked at.
fn add_counted(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    table: &mut Table,
) -> Result<(), ReadError> {
    let column = column(by);
    let named = Wanted::of(&[], &column.map(|column| vec![column]).unwrap_or_default());
    let mut scan = Scan::of(connection, filter, counted().with(&named))?;
    while let Some(Chunk { columns, rows }) = scan.next()? {
        // Of one step, so that a name is looked up once for all that are of it.
        let (mut step_ms, mut by_code) = (None, ByCode::new());
        for row in rows {
            let own_ms = columns.number(Number::StartedMs, row).map(|ms| table.start_of(ms));
            if step_ms != own_ms {
                add_step(&columns, column, step_ms, &mut by_code, table);
                step_ms = own_ms;
            }
            let code = column.map_or(0, |column| columns.code(column, row));
            count(&columns, row, by_code.entry(code).or_default());
        }
        add_step(&columns, column, step_ms, &mut by_code, table);
    }
    Ok(())
}

/// Sums by the code of their name.
type ByCode = HashMap<u32, Sums>;

/// Moves the sums of a step into the table.
fn add_step(
    columns: &Columns,
    column: Option<Text>,
    step_ms: Option<i64>,
    by_code: &mut ByCode,
    table: &mut Table,
) {
    for (code, sums) in by_code.drain() {
        let name = column.and_then(|column| columns.words(column).word(code)).unwrap_or_default();
        table.cell(name, step_ms.unwrap_or_default()).plus(&sums);
    }
}

/// Adds a request to sums.
pub(super) fn count(columns: &Columns, row: usize, sums: &mut Sums) {
    let known =
        |column: Number| columns.number(column, row).map(|number| u64::try_from(number).unwrap_or_default());
    let number = |column: Number| known(column).unwrap_or_default();
    let counted = Counted {
        status: number(Number::Status),
        end: columns.text(Text::End, row),
        duration_us: number(Number::DurationUs),
        first_token_us: known(Number::FirstTokenUs),
        attempts: number(Number::Attempts),
        failed_attempts: number(Number::FailedAttempts),
        prompt_tokens: number(Number::PromptTokens),
        completion_tokens: number(Number::CompletionTokens),
        cached_tokens: number(Number::CachedTokens),
        reasoning_tokens: number(Number::ReasoningTokens),
        unpriced: number(Number::Unpriced),
        costs: columns.text(Text::Costs, row),
    };
    counted.add_to(sums);
}
