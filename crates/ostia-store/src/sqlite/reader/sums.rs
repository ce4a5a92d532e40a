//! What requests come to, in all and step by step: from the sums that are kept, and where none are kept for what is asked, from the
//! requests themselves.

use rusqlite::{Connection, Row, params_from_iter};

use super::Reader;
use crate::answers::{COUNTED, Counted, LINES_MAX, ReadError, Table};
use crate::query::Filter;
use crate::sqlite::{conditions, rollup};
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
        false => {
            let conditions = conditions::of(filter);
            let text = format!(
                "SELECT coalesce({column}, '') FROM requests {} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {LINES_MAX}",
                conditions.text()
            );
            let mut select = connection.prepare_cached(&text)?;
            select.query_map(params_from_iter(&conditions.values), name)?.collect::<rusqlite::Result<_>>()?
        }
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

/// Adds up what nobody keeps sums of: each request is looked at.
fn add_counted(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    table: &mut Table,
) -> Result<(), ReadError> {
    let conditions = conditions::of(filter);
    let text = format!(
        "SELECT coalesce({}, ''), started_ms, {COUNTED} FROM requests {}",
        by.column(),
        conditions.text()
    );
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(params_from_iter(&conditions.values))?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        count(row, 2, table.cell(name, row.get(1)?))?;
    }
    Ok(())
}

/// Adds a request to sums: its columns [`COUNTED`], from this one on.
pub(super) fn count(row: &Row<'_>, first: usize, sums: &mut Sums) -> rusqlite::Result<()> {
    let number =
        |at: usize| row.get::<_, i64>(first + at).map(|number| u64::try_from(number).unwrap_or_default());
    let text = |at: usize| row.get_ref(first + at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let first_token_us: Option<i64> = row.get(first + 3)?;
    let counted = Counted {
        status: number(0)?,
        end: text(1)?,
        duration_us: number(2)?,
        first_token_us: first_token_us.map(|time| u64::try_from(time).unwrap_or_default()),
        attempts: number(4)?,
        failed_attempts: number(5)?,
        prompt_tokens: number(6)?,
        completion_tokens: number(7)?,
        cached_tokens: number(8)?,
        reasoning_tokens: number(9)?,
        unpriced: number(10)?,
        costs: text(11)?,
    };
    counted.add_to(sums);
    Ok(())
}
