//! How long what is kept is kept, and how much of it: taken away in small steps, so that nobody waits for it.

use rusqlite::{Connection, Transaction, params};

use super::insert::add_total;
use super::{ids, spans};
use crate::retention::{Retention, before_ms};
use crate::rollup::WIDTHS_MS;

/// Rows that one step takes away at most.
const ROWS_MAX: u32 = 200;
/// Pages that one step gives back to the file system at most.
const PAGES_MAX: u32 = 256;
/// Takes away a little of what has been kept long enough or is too much. Is there more of it?
pub(crate) fn step(
    connection: &mut Connection,
    retention: &Retention,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let bodies_taken = take_bodies(&transaction, retention, now_ms)?;
    let records_taken = take_records(&transaction, retention, now_ms)?;
    // They hold what applications say of themselves, as bodies do, and have the same time and as much room again.
    let is_too_much = is_above(&transaction, "spans", retention.body_bytes)?;
    let spans_taken = spans::take_spans(&transaction, before_ms(now_ms, retention.bodies), is_too_much)?;
    let feedback_taken = take_feedback(&transaction, before_ms(now_ms, retention.records))?;
    let sums_taken = take_sums(&transaction, retention, now_ms)?;
    let ids_taken = ids::take(&transaction)?;
    transaction.commit()?;
    let is_more = [bodies_taken, records_taken, spans_taken, feedback_taken, sums_taken, ids_taken]
        .into_iter()
        .any(|taken| taken >= ROWS_MAX as usize);
    connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_MAX})"))?;
    if !is_more {
        // What was remembered of the file: after a time of many requests it would be held for ever.
        connection.execute_batch("PRAGMA shrink_memory")?;
    }
    Ok(is_more)
}

fn is_above(transaction: &Transaction<'_>, name: &str, bytes_max: u64) -> rusqlite::Result<bool> {
    let bytes: i64 =
        transaction.query_row("SELECT bytes FROM totals WHERE name = ?1", [name], |row| row.get(0))?;
    Ok(u64::try_from(bytes).unwrap_or_default() > bytes_max)
}

/// The oldest rows of a table: those before a time, or where there is too much, whatever their time. Rows are numbered in the
/// order in which they were written, which is nearly that of their times.
fn oldest(
    transaction: &Transaction<'_>,
    (table, number): (&str, &str),
    before_ms: i64,
    is_too_much: bool,
) -> rusqlite::Result<Vec<i64>> {
    let before_ms = if is_too_much { i64::MAX } else { before_ms };
    let mut select = transaction.prepare_cached(&format!(
        "SELECT {number} FROM (SELECT {number}, started_ms FROM {table} ORDER BY {number} LIMIT {ROWS_MAX}) \
         WHERE started_ms < ?1"
    ))?;
    select.query_map([before_ms], |row| row.get(0))?.collect()
}

fn take_bodies(transaction: &Transaction<'_>, retention: &Retention, now_ms: i64) -> rusqlite::Result<usize> {
    let is_too_much = is_above(transaction, "bodies", retention.body_bytes)?;
    let numbers =
        oldest(transaction, ("bodies", "request"), before_ms(now_ms, retention.bodies), is_too_much)?;
    numbers.iter().try_for_each(|number| take_body(transaction, *number))?;
    Ok(numbers.len())
}

fn take_body(transaction: &Transaction<'_>, number: i64) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached("DELETE FROM bodies WHERE request = ?1 RETURNING bytes")?;
    let bytes: Vec<i64> = delete.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut told = transaction.prepare_cached(
        "UPDATE requests SET \
         request_state = CASE WHEN request_state IN ('kept', 'cut') THEN 'aged_out' ELSE request_state END, \
         response_state = CASE WHEN response_state IN ('kept', 'cut') THEN 'aged_out' ELSE response_state END \
         WHERE number = ?1",
    )?;
    told.execute([number])?;
    add_total(transaction, "bodies", -bytes.iter().sum::<i64>())
}

fn take_records(
    transaction: &Transaction<'_>,
    retention: &Retention,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    let is_too_much = is_above(transaction, "documents", retention.record_bytes)?;
    let numbers =
        oldest(transaction, ("requests", "number"), before_ms(now_ms, retention.records), is_too_much)?;
    let mut delete = transaction
        .prepare_cached("DELETE FROM requests WHERE number = ?1 RETURNING octet_length(document)")?;
    for number in &numbers {
        take_body(transaction, *number)?;
        let bytes: Vec<i64> =
            delete.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        add_total(transaction, "documents", -bytes.iter().sum::<i64>())?;
    }
    Ok(numbers.len())
}

fn take_feedback(transaction: &Transaction<'_>, before_ms: i64) -> rusqlite::Result<usize> {
    let mut delete = transaction.prepare_cached(&format!(
        "DELETE FROM feedback WHERE id IN (SELECT id FROM feedback WHERE created_ms < ?1 LIMIT {ROWS_MAX})"
    ))?;
    delete.execute([before_ms])
}

fn take_sums(transaction: &Transaction<'_>, retention: &Retention, now_ms: i64) -> rusqlite::Result<usize> {
    let mut delete = transaction.prepare_cached(&format!(
        "DELETE FROM sums WHERE (width_ms, start_ms, provider, model, key, currency) IN \
         (SELECT width_ms, start_ms, provider, model, key, currency FROM sums \
          WHERE width_ms = ?1 AND start_ms < ?2 LIMIT {ROWS_MAX})"
    ))?;
    let mut taken = 0;
    for width_ms in WIDTHS_MS {
        taken = taken.max(delete.execute(params![width_ms, before_ms(now_ms, retention.of_sums(width_ms))])?);
    }
    Ok(taken)
}
