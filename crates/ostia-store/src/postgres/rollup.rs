//! Sums by minute, hour and day: read, added up and written by whoever holds the lock of writers.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;
use tokio_postgres::{Row as SqlRow, Transaction};

use super::client::{Fault, Param, param};
use super::text::clean;
use crate::price;
use crate::rollup::{Row, signed};
use crate::summary::{Durations, Sums};

/// Rows of sums, in the order in which they are written.
pub(super) type Rows = BTreeMap<Row, Sums>;

/// What a row is about, with texts as their columns have them.
pub(super) fn cleaned(row: &Row) -> Row {
    let text = |text: &str| clean(text).into_owned();
    let Row { width_ms, start_ms, provider, model, key, currency } = row;
    Row {
        width_ms: *width_ms,
        start_ms: *start_ms,
        provider: text(provider),
        model: text(model),
        key: text(key),
        currency: text(currency),
    }
}

/// Adds these to what is there.
pub(super) async fn add(transaction: &Transaction<'_>, mut more: Rows) -> Result<(), Fault> {
    for (key, sums) in read(transaction, more.keys()).await? {
        more.entry(key).or_default().plus(&sums);
    }
    write(transaction, &more).await
}

/// Those of these rows that are there.
pub(super) async fn read(
    transaction: &Transaction<'_>,
    keys: impl Iterator<Item = &Row>,
) -> Result<Rows, Fault> {
    let keys = Keys::of(keys);
    let text = format!(
        "SELECT width_ms, start_ms, provider, model, key, {COLUMNS} FROM sums \
         JOIN unnest($1, $2, $3, $4, $5, $6) AS wanted (width_ms, start_ms, provider, model, key, currency) \
         USING (width_ms, start_ms, provider, model, key, currency)"
    );
    let rows = transaction.query_typed(&text, &keys.values()).await?;
    let row = |row: &SqlRow| {
        let key = Row {
            width_ms: row.try_get(0)?,
            start_ms: row.try_get(1)?,
            provider: row.try_get(2)?,
            model: row.try_get(3)?,
            key: row.try_get(4)?,
            currency: row.try_get(5)?,
        };
        Ok((key, sums(row, 5)?))
    };
    rows.iter().map(row).collect()
}

/// Puts these in the place of what is there.
pub(super) async fn write(transaction: &Transaction<'_>, rows: &Rows) -> Result<(), Fault> {
    let keys = Keys::of(rows.keys());
    let counts = COUNTS.map(|(_, count)| rows.values().map(|sums| signed(count(sums))).collect::<Vec<i64>>());
    let money = |of: fn(&Sums) -> &BTreeMap<String, u128>| {
        let amount = |(key, sums): (&Row, &Sums)| of(sums).get(&key.currency).copied().unwrap_or_default();
        rows.iter().map(|row| price::decimal(amount(row))).collect::<Vec<String>>()
    };
    let (costs, estimated) = (money(|sums| &sums.cost), money(|sums| &sums.estimated));
    let durations: Vec<Vec<u8>> = rows.values().map(|sums| sums.durations.bytes()).collect();
    let first_tokens: Vec<Vec<u8>> = rows.values().map(|sums| sums.first_tokens.bytes()).collect();
    let mut values = keys.values();
    values.extend(counts.iter().map(|counts| param(counts, Type::INT8_ARRAY)));
    values.extend([&costs, &estimated].map(|money| param(money, Type::TEXT_ARRAY)));
    values.extend([&durations, &first_tokens].map(|bytes| param(bytes, Type::BYTEA_ARRAY)));
    let names: Vec<&str> = COUNTS.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let places: Vec<String> = (1..=values.len()).map(|place| format!("${place}")).collect();
    let changed: Vec<String> = COUNTS
        .iter()
        .map(|(name, _)| *name)
        .chain(["cost", "estimated", "durations", "first_tokens"])
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let text = format!(
        "INSERT INTO sums (width_ms, start_ms, provider, model, key, currency, {names}, cost, estimated, durations, first_tokens) \
         SELECT width_ms, start_ms, provider, model, key, currency, {names}, cost::numeric, estimated::numeric, durations, first_tokens \
         FROM unnest({}) AS new (width_ms, start_ms, provider, model, key, currency, {names}, cost, estimated, durations, first_tokens) \
         ON CONFLICT (width_ms, start_ms, provider, model, key, currency) DO UPDATE SET {}",
        places.join(", "),
        changed.join(", ")
    );
    transaction.execute_typed(&text, &values).await?;
    Ok(())
}

/// Keys, column by column.
#[derive(Default)]
struct Keys<'k> {
    numbers: [Vec<i64>; 2],
    texts: [Vec<&'k str>; 4],
}

impl<'k> Keys<'k> {
    fn of(keys: impl Iterator<Item = &'k Row>) -> Keys<'k> {
        let mut all = Keys::default();
        for Row { width_ms, start_ms, provider, model, key, currency } in keys {
            all.numbers
                .iter_mut()
                .zip([width_ms, start_ms])
                .for_each(|(column, number)| column.push(*number));
            let texts = [provider, model, key, currency];
            all.texts.iter_mut().zip(texts).for_each(|(column, text)| column.push(text));
        }
        all
    }

    fn values(&self) -> Vec<Param<'_>> {
        let numbers = self.numbers.iter().map(|column| param(column, Type::INT8_ARRAY));
        numbers.chain(self.texts.iter().map(|column| param(column, Type::TEXT_ARRAY))).collect()
    }
}

/// A column that is a count, and of what.
type Count = (&'static str, fn(&Sums) -> u64);

const COUNTS: [Count; 11] = [
    ("requests", |sums| sums.requests),
    ("failed", |sums| sums.failed),
    ("\"left\"", |sums| sums.left),
    ("attempts", |sums| sums.attempts),
    ("failed_attempts", |sums| sums.failed_attempts),
    ("prompt_tokens", |sums| sums.prompt_tokens),
    ("completion_tokens", |sums| sums.completion_tokens),
    ("cached_tokens", |sums| sums.cached_tokens),
    ("reasoning_tokens", |sums| sums.reasoning_tokens),
    ("unpriced", |sums| sums.unpriced),
    ("duration_us", |sums| sums.duration_us),
];

/// The columns that [`sums`] reads, in its order.
pub(super) const COLUMNS: &str = "currency, requests, failed, \"left\", attempts, failed_attempts, prompt_tokens, \
                                  completion_tokens, cached_tokens, reasoning_tokens, unpriced, cost::text, duration_us, \
                                  durations, first_tokens, estimated::text";

/// The sums in a row, from this column on.
pub(super) fn sums(row: &SqlRow, first: usize) -> Result<Sums, Fault> {
    let count =
        |at: usize| row.try_get::<_, i64>(first + at).map(|count| u64::try_from(count).unwrap_or_default());
    let durations = |at: usize| row.try_get::<_, &[u8]>(first + at).map(Durations::of_bytes);
    let currency: String = row.try_get(first)?;
    let money = |at: usize| -> Result<BTreeMap<String, u128>, Fault> {
        let atto = price::atto(row.try_get(first + at)?).filter(|atto| *atto > 0);
        Ok(atto.map(|atto| (currency.clone(), atto)).into_iter().collect())
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
        cost: money(11)?,
        estimated: money(15)?,
        duration_us: count(12)?,
        durations: durations(13)?,
        first_tokens: durations(14)?,
    })
}
