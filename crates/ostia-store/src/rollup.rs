//! Sums by minute, hour and day, written together with the records that they count.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::price;
use crate::record::{Attempt, Outcome, Record};
use crate::summary::{Durations, Sums};

/// A minute, an hour and a day, in milliseconds.
pub(crate) const WIDTHS_MS: [i64; 3] = [60_000, 3_600_000, 86_400_000];
/// The currency of what cost nothing that is known.
pub(crate) const USD: &str = "USD";

/// What a row of sums is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    width_ms: i64,
    start_ms: i64,
    provider: String,
    model: String,
    key: String,
    currency: String,
}

/// The sums of the records of one batch.
#[derive(Debug, Default)]
pub(crate) struct Rollup(HashMap<Row, Sums>);

impl Rollup {
    /// Counts a record: the request where its answer came from, each attempt where it went.
    pub(crate) fn count(&mut self, record: &Record) {
        let last = record.last();
        let provider = last.map(|attempt| attempt.provider.as_str()).unwrap_or_default();
        let model = record.model.as_deref().or(last.and_then(|attempt| attempt.model.as_deref()));
        let sums = of_request(record);
        self.add(record, provider, model.unwrap_or_default(), USD, &sums);
        for attempt in &record.attempts {
            for width_ms in WIDTHS_MS {
                let row = Row::of_attempt(record, attempt, width_ms);
                self.0.entry(row).or_default().plus(&of_attempt(attempt));
            }
        }
    }

    fn add(&mut self, record: &Record, provider: &str, model: &str, currency: &str, sums: &Sums) {
        for width_ms in WIDTHS_MS {
            let row = Row::of(record, width_ms, provider, model, currency);
            self.0.entry(row).or_default().plus(sums);
        }
    }

    /// Adds them to what is there.
    pub(crate) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.0.iter().try_for_each(|(row, more)| add(transaction, row, more))
    }
}

impl Row {
    fn of(record: &Record, width_ms: i64, provider: &str, model: &str, currency: &str) -> Row {
        Row {
            width_ms,
            start_ms: record.started_ms.div_euclid(width_ms) * width_ms,
            provider: provider.to_owned(),
            model: model.to_owned(),
            key: record.key.clone().unwrap_or_default(),
            currency: currency.to_owned(),
        }
    }

    /// Where an attempt is counted.
    pub(crate) fn of_attempt(record: &Record, attempt: &Attempt, width_ms: i64) -> Row {
        let currency = attempt.cost.as_ref().map_or(USD, |cost| &cost.currency);
        let model = attempt.model.as_deref().or(record.model.as_deref()).unwrap_or_default();
        Row::of(record, width_ms, &attempt.provider, model, currency)
    }
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

/// SQLite counts with a sign.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What one record adds, its attempts left out.
pub(crate) fn of_request(record: &Record) -> Sums {
    let (mut durations, mut first_tokens) = (Durations::default(), Durations::default());
    durations.add(record.duration_us);
    record.first_token_us.into_iter().for_each(|time| first_tokens.add(time));
    let is_left = record.end == "client_left";
    Sums {
        requests: 1,
        failed: u64::from(!record.is_success() && !is_left),
        left: u64::from(is_left),
        duration_us: record.duration_us,
        durations,
        first_tokens,
        ..Sums::default()
    }
}

/// What one attempt adds.
pub(crate) fn of_attempt(attempt: &Attempt) -> Sums {
    let usage = attempt.usage.unwrap_or_default();
    let cost =
        attempt.cost.as_ref().and_then(|cost| Some((cost.currency.clone(), price::atto(&cost.amount)?)));
    let estimated = cost.clone().filter(|_| attempt.usage_estimated);
    Sums {
        attempts: 1,
        failed_attempts: u64::from(matches!(attempt.outcome, Outcome::Failed | Outcome::Broken)),
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        cached_tokens: usage.cached_tokens,
        reasoning_tokens: usage.reasoning_tokens,
        unpriced: u64::from(attempt.cost_unknown.is_some()),
        cost: cost.into_iter().collect(),
        estimated: estimated.into_iter().collect(),
        ..Sums::default()
    }
}

#[cfg(test)]
mod tests;
