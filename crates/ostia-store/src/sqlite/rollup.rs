//! Sums by minute, hour and day, in the file: each is read, changed and written.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::price;
use crate::rollup::{Rollup, Row, signed};
use crate::summary::{Durations, Sums};

/// Adds the sums of a batch to what is there.
pub(super) fn write_all(transaction: &Transaction<'_>, rollup: &Rollup) -> rusqlite::Result<()> {
    rollup.rows().iter().try_for_each(|(row, more)| add(transaction, row, more))
}

/// Adds these sums to a row, which need not be there.
pub(crate) fn add(transaction: &Transaction<'_>, row: &Row, more: &Sums) -> rusqlite::Result<()> {
    let mut sums = read(transaction, row)?.unwrap_or_default();
    sums.plus(more);
    write(transaction, row, &sums)
}

/// Changes the sums of a row. Is it there?
pub(crate) fn change(
    transaction: &Transaction<'_>,
    row: &Row,
    change: impl FnOnce(&mut Sums),
) -> rusqlite::Result<bool> {
    let Some(mut sums) = read(transaction, row)? else { return Ok(false) };
    change(&mut sums);
    write(transaction, row, &sums)?;
    Ok(true)
}

fn read(transaction: &Transaction<'_>, row: &Row) -> rusqlite::Result<Option<Sums>> {
    let mut read = transaction.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sums WHERE width_ms = ?1 AND start_ms = ?2 AND provider = ?3 AND model = ?4 AND \
         key = ?5 AND currency = ?6"
    ))?;
    let Row { width_ms, start_ms, provider, model, key, currency } = row;
    read.query_row(params![width_ms, start_ms, provider, model, key, currency], |row| sums(row, 0)).optional()
}

fn write(transaction: &Transaction<'_>, row: &Row, sums: &Sums) -> rusqlite::Result<()> {
    let mut write = transaction.prepare_cached(&format!(
        "INSERT OR REPLACE INTO sums (width_ms, start_ms, provider, model, key, {COLUMNS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)"
    ))?;
    let Row { width_ms, start_ms, provider, model, key, currency } = row;
    let money =
        |sums: &BTreeMap<String, u128>| price::decimal(sums.get(currency).copied().unwrap_or_default());
    write.execute(params![
        width_ms,
        start_ms,
        provider,
        model,
        key,
        currency,
        signed(sums.requests),
        signed(sums.failed),
        signed(sums.left),
        signed(sums.attempts),
        signed(sums.failed_attempts),
        signed(sums.prompt_tokens),
        signed(sums.completion_tokens),
        signed(sums.cached_tokens),
        signed(sums.reasoning_tokens),
        signed(sums.unpriced),
        money(&sums.cost),
        signed(sums.duration_us),
        sums.durations.bytes(),
        sums.first_tokens.bytes(),
        money(&sums.estimated),
    ])?;
    Ok(())
}

/// The columns that [`sums`] reads, in its order.
pub(crate) const COLUMNS: &str = "currency, requests, failed, left, attempts, failed_attempts, prompt_tokens, \
                                  completion_tokens, cached_tokens, reasoning_tokens, unpriced, cost, duration_us, \
                                  durations, first_tokens, estimated";

/// The sums in a row, from this column on.
pub(crate) fn sums(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Sums> {
    let count =
        |at: usize| row.get::<_, i64>(first + at).map(|count| u64::try_from(count).unwrap_or_default());
    let (currency, cost): (String, String) = (row.get(first)?, row.get(first + 11)?);
    let durations = |at: usize| {
        row.get_ref(first + at)?.as_blob().map(Durations::of_bytes).map_err(rusqlite::Error::from)
    };
    let estimated: String = row.get(first + 15)?;
    let money = |text: &str| -> BTreeMap<String, u128> {
        let atto = price::atto(text).filter(|atto| *atto > 0);
        atto.map(|atto| (currency.clone(), atto)).into_iter().collect()
    };
    Ok(Sums {
        requests: count(1)?,
        failed: count(2)?,
        left: count(3)?,
        attempts: count(4)?,
        failed_attempts: count(5)?,
        prompt_tokens: count(6)?,
        completion_tokens: count(7)?,
        cached_tokens: count(8)?,
        reasoning_tokens: count(9)?,
        unpriced: count(10)?,
        cost: money(&cost),
        estimated: money(&estimated),
        duration_us: count(12)?,
        durations: durations(13)?,
        first_tokens: durations(14)?,
    })
}
