//! The sums that are kept.

use rusqlite::{Connection, Row};

use crate::answers::{LINES_MAX, Piece, ReadError, Table};
use crate::query::Filter;
use crate::sqlite::rollup;
use crate::summary::Grouping;

/// Conditions on the rows of sums of a width and a time, and what stands for their question marks.
const KEPT: &str = "width_ms = ?1 AND start_ms >= ?2 AND start_ms < ?3 \
                    AND (?4 IS NULL OR provider = ?4) AND (?5 IS NULL OR model = ?5) AND (?6 IS NULL OR key = ?6)";

fn values(filter: &Filter, (width_ms, (start_ms, end_ms)): Piece) -> impl rusqlite::Params {
    (width_ms, start_ms, end_ms, filter.provider.clone(), filter.model.clone(), filter.key.clone())
}

/// Adds those of a time.
pub(super) fn add(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    time: Piece,
    table: &mut Table,
) -> Result<(), ReadError> {
    let text = format!("SELECT {}, start_ms, {} FROM sums WHERE {KEPT}", by.column(), rollup::COLUMNS);
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(values(filter, time))?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        table.cell(name, row.get(1)?).plus(&rollup::sums(row, 2)?);
    }
    Ok(())
}

/// The names that most requests are of.
pub(super) fn names(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    time: Piece,
) -> Result<Vec<String>, ReadError> {
    let text = format!(
        "SELECT {} FROM sums WHERE {KEPT} GROUP BY 1 ORDER BY sum(requests) DESC, sum(attempts) DESC, 1 LIMIT {LINES_MAX}",
        by.column()
    );
    let mut select = connection.prepare_cached(&text)?;
    let names = select.query_map(values(filter, time), |row: &Row<'_>| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}
