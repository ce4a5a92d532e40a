//! New prices on what was kept in the file. Sums are corrected in the same transaction.

use rusqlite::{Connection, Transaction, params};

use super::insert::add_total;
use super::rollup;
use crate::facts::{cost_nano, costs};
use crate::price::Prices;
use crate::record::{Attempt, Record};
use crate::reprice::{BATCH, Progress, repriced};
use crate::rollup::{Row, WIDTHS_MS, of_attempt};

/// Goes through all requests that came then or later.
pub(crate) fn all(
    connection: &mut Connection,
    from_ms: i64,
    prices: &Prices,
    tell: &mut dyn FnMut(Progress),
) -> rusqlite::Result<Progress> {
    let count = "SELECT count(*) FROM requests WHERE started_ms >= ?1";
    let all: i64 = connection.query_row(count, [from_ms], |row| row.get(0))?;
    let mut progress = Progress { all: u64::try_from(all).unwrap_or_default(), ..Progress::default() };
    let mut place = (from_ms, i64::MIN);
    loop {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let Some(last) = batch(&transaction, place, prices, &mut progress)? else { return Ok(progress) };
        transaction.commit()?;
        place = last;
        tell(progress);
    }
}

/// The requests behind this place. Gives the place of the last one.
fn batch(
    transaction: &Transaction<'_>,
    place: (i64, i64),
    prices: &Prices,
    progress: &mut Progress,
) -> rusqlite::Result<Option<(i64, i64)>> {
    let mut select = transaction.prepare_cached(&format!(
        "SELECT started_ms, number, document FROM requests WHERE (started_ms, number) > (?1, ?2) \
         ORDER BY started_ms, number LIMIT {BATCH}"
    ))?;
    let row = |row: &rusqlite::Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get::<_, String>(2)?));
    let rows: Vec<((i64, i64), String)> = select.query_map(place, row)?.collect::<rusqlite::Result<_>>()?;
    for ((_, number), document) in &rows {
        progress.seen += 1;
        let Ok(old) = serde_json::from_str::<Record>(document) else { continue };
        progress.changed += u64::from(one(transaction, *number, document, &old, prices)?);
    }
    Ok(rows.last().map(|(place, _)| *place))
}

/// Does it cost something else now?
fn one(
    transaction: &Transaction<'_>,
    number: i64,
    document: &str,
    old: &Record,
    prices: &Prices,
) -> rusqlite::Result<bool> {
    let Some(new) = repriced(old, prices) else { return Ok(false) };
    for (old_attempt, new_attempt) in old.attempts.iter().zip(&new.attempts) {
        correct(transaction, old, old_attempt, new_attempt)?;
    }
    let told = serde_json::to_string(&new).unwrap_or_default();
    let unpriced = new.attempts.iter().filter(|attempt| attempt.cost_unknown.is_some()).count() as i64;
    transaction
        .prepare_cached(
            "UPDATE requests SET document = ?2, cost_nano = ?3, costs = ?4, unpriced = ?5 WHERE number = ?1",
        )?
        .execute(params![number, told, cost_nano(&new), costs(&new), unpriced])?;
    add_total(transaction, "documents", told.len() as i64 - document.len() as i64)?;
    Ok(true)
}

/// Takes an attempt out of the sums and puts it in again, at its new currency. Sums that are not kept any more stay away.
fn correct(
    transaction: &Transaction<'_>,
    record: &Record,
    old: &Attempt,
    new: &Attempt,
) -> rusqlite::Result<()> {
    if old == new {
        return Ok(());
    }
    for width_ms in WIDTHS_MS {
        let row = |attempt| Row::of_attempt(record, attempt, width_ms);
        let is_there = rollup::change(transaction, &row(old), |sums| sums.minus(&of_attempt(old)))?;
        if is_there {
            rollup::add(transaction, &row(new), &of_attempt(new))?;
        }
    }
    Ok(())
}
