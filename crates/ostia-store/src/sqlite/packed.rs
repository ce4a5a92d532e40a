//! Requests by column: what they are filtered and added up by, of four thousand at a time (`packed`, `packed_columns`). To add up a
//! million requests row by row takes seconds, whatever the rows; column by column it takes a fifth of one. Requests that are not packed yet
//! are read from their rows, so that what is packed changes how long an answer takes and nothing else.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, Transaction, params};

use crate::columns::{Codes, Columns, Number, Wanted};

/// How many numbers of requests are packed together.
pub(crate) const TOGETHER: i64 = 1 << 12;

/// Requests that stand together, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) numbers: Range<i64>,
    /// How they are packed; none where they have to be read from their rows.
    pub(super) packed: Option<Packed>,
}

/// What is known of requests that are packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    requests: usize,
    /// When they came: the first and the last of them, whichever they are.
    pub(super) times_ms: (i64, i64),
}

/// All requests in parts, the first numbers first.
pub(super) fn parts(connection: &Connection) -> rusqlite::Result<Vec<Part>> {
    let Some((mut next, last)) = numbers(connection)? else { return Ok(Vec::new()) };
    // The last request of a part is looked for: one may have been written behind it after later ones were taken away.
    let mut select = connection.prepare_cached(
        "SELECT first, behind, requests, first_ms, last_ms FROM packed \
         WHERE last = (SELECT max(number) FROM requests WHERE number < packed.behind) ORDER BY first",
    )?;
    let mut parts = Vec::new();
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let numbers: Range<i64> = row.get(0)?..row.get(1)?;
        let requests: i64 = row.get(2)?;
        let packed = Packed { requests: requests as usize, times_ms: (row.get(3)?, row.get(4)?) };
        parts.extend(plain(next..numbers.start));
        next = numbers.end;
        parts.push(Part { numbers, packed: Some(packed) });
    }
    parts.extend(plain(next..last + 1));
    Ok(parts)
}

/// Parts that are not packed.
fn plain(numbers: Range<i64>) -> impl Iterator<Item = Part> {
    let starts = numbers.clone().step_by(TOGETHER as usize);
    starts.map(move |start| Part { numbers: start..numbers.end.min(start + TOGETHER), packed: None })
}

/// The first number and the last one.
fn numbers(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    // Each is a look-up; both at once would be all rows.
    let end = |which: &str| -> rusqlite::Result<Option<i64>> {
        connection.query_row(&format!("SELECT {which}(number) FROM requests"), [], |row| row.get(0))
    };
    Ok(end("min")?.zip(end("max")?))
}

/// Columns of the requests that these conditions are about.
pub(super) fn of_rows(
    connection: &Connection,
    wanted: &Wanted,
    conditions: &str,
    values: impl Params,
) -> rusqlite::Result<Columns> {
    let names: Vec<String> = wanted.names().map(|name| format!("\"{name}\"")).collect();
    let names = names.join(", ");
    let names = if names.is_empty() { "number" } else { &names };
    let mut select = connection.prepare_cached(&format!("SELECT {names} FROM requests {conditions}"))?;
    let (mut columns, mut codes) = (Columns::default(), Codes::default());
    let mut rows = select.query(values)?;
    while let Some(row) = rows.next()? {
        push(row, wanted, &mut columns, &mut codes)?;
    }
    Ok(columns)
}

fn push(row: &Row<'_>, wanted: &Wanted, columns: &mut Columns, codes: &mut Codes) -> rusqlite::Result<()> {
    columns.requests += 1;
    for (place, column) in wanted.numbers.iter().enumerate() {
        columns.push_number(*column, row.get(place)?);
    }
    for (place, column) in (wanted.numbers.len()..).zip(&wanted.texts) {
        let text = row.get_ref(place)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        codes.push(columns, *column, text);
    }
    Ok(())
}

/// Puts the columns that are missing to those of a part that is packed. Are they there, and whole?
pub(super) fn add(
    connection: &Connection,
    part: &Part,
    wanted: &Wanted,
    columns: &mut Columns,
) -> rusqlite::Result<bool> {
    let Some(packed) = &part.packed else { return Ok(false) };
    columns.requests = packed.requests;
    let mut select =
        connection.prepare_cached("SELECT data FROM packed_columns WHERE first = ?1 AND name = ?2")?;
    let mut read = |name: &str, decode: &mut dyn FnMut(&[u8]) -> Option<()>| {
        let of = |row: &Row<'_>| Ok(decode(row.get_ref(0)?.as_blob()?).is_some());
        select.query_row(params![part.numbers.start, name], of).optional().map(|read| read == Some(true))
    };
    let mut are_whole = true;
    for column in &wanted.numbers {
        are_whole = are_whole
            && (columns.has_numbers(*column)
                || read(column.name(), &mut |bytes| columns.decode_numbers(*column, bytes))?);
    }
    for column in &wanted.texts {
        are_whole = are_whole
            && (columns.has_texts(*column)
                || read(column.name(), &mut |bytes| columns.decode_texts(*column, bytes))?);
    }
    Ok(are_whole)
}

/// Packs the oldest requests that are not, if there are enough. Are there more?
pub(crate) fn step(connection: &mut Connection, together: i64) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut due = due(&transaction, together)?.into_iter();
    let Some(numbers) = due.next() else { return Ok(false) };
    pack(&transaction, numbers)?;
    transaction.commit()?;
    Ok(due.next().is_some())
}

/// What is to be packed. The last numbers are left alone, to which more come, and the first ones once some of them were taken away: all others
/// of them will be.
fn due(connection: &Connection, together: i64) -> rusqlite::Result<Vec<Range<i64>>> {
    let Some((first, last)) = numbers(connection)? else { return Ok(Vec::new()) };
    let mut select = connection.prepare_cached("SELECT first FROM packed")?;
    let packed: std::collections::HashSet<i64> =
        select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let starts = (first / together..last / together).map(|place| place * together);
    // Nothing has the number 0.
    let starts = starts.filter(|start| first <= (*start).max(1) && !packed.contains(start));
    Ok(starts.map(|start| start..start + together).collect())
}

fn pack(transaction: &Transaction<'_>, numbers: Range<i64>) -> rusqlite::Result<()> {
    let wanted = Wanted::all();
    let within = "WHERE number >= ?1 AND number < ?2 ORDER BY number";
    let columns = of_rows(transaction, &wanted, within, [numbers.start, numbers.end])?;
    let ends = |column: Number| {
        let all = || (0..columns.requests).filter_map(|row| columns.number(column, row));
        (all().min().unwrap_or_default(), all().max().unwrap_or_default())
    };
    let ((first_ms, last_ms), (_, last)) = (ends(Number::StartedMs), ends(Number::Request));
    transaction
        .prepare_cached(
            "INSERT INTO packed (first, behind, requests, last, first_ms, last_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![numbers.start, numbers.end, columns.requests as i64, last, first_ms, last_ms])?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO packed_columns (first, name, data) VALUES (?1, ?2, ?3)")?;
    for column in wanted.numbers {
        insert.execute(params![numbers.start, column.name(), columns.encoded_numbers(column)])?;
    }
    for column in wanted.texts {
        insert.execute(params![numbers.start, column.name(), columns.encoded_texts(column)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
