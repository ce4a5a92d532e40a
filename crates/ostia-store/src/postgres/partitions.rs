//! The days that requests, their documents and bodies are partitioned by, and the longer times of names.

use std::collections::BTreeMap;

use ostia_catalog::Date;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::client::{Fault, param};
use crate::answers::DAY_MS;

/// How long the times are that names are partitioned by.
const NAMES_MS: i64 = 32 * DAY_MS;

/// Tables that have a partition for each day.
const OF_DAYS: [&str; 3] = ["requests", "documents", "bodies"];

/// The beginning of the day that holds this moment.
pub(super) fn day_of(ms: i64) -> i64 {
    ms.div_euclid(DAY_MS) * DAY_MS
}

/// Has these days ready. Tells of each whether bodies are kept of it still. Whoever asks holds the lock of writers.
pub(super) async fn ensure(
    transaction: &Transaction<'_>,
    days: &[i64],
) -> Result<BTreeMap<i64, bool>, Fault> {
    let text = "SELECT day_ms, has_bodies FROM days WHERE day_ms = ANY($1)";
    let rows = transaction.query_typed(text, &[param(&days, Type::INT8_ARRAY)]).await?;
    let there = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let mut there: BTreeMap<i64, bool> = there.collect::<Result<_, tokio_postgres::Error>>()?;
    for day_ms in days {
        if !there.contains_key(day_ms) {
            add(transaction, *day_ms).await?;
            there.insert(*day_ms, true);
        }
    }
    Ok(there)
}

/// Makes the partitions of a day. They are made apart and joined then, which stops nobody who reads or writes other days.
async fn add(transaction: &Transaction<'_>, day_ms: i64) -> Result<(), Fault> {
    for table in OF_DAYS {
        join(transaction, table, &partition(table, day_ms), (day_ms, day_ms + DAY_MS)).await?;
    }
    let names_ms = day_ms.div_euclid(NAMES_MS) * NAMES_MS;
    let names = partition("names", names_ms);
    let is_there = format!("SELECT to_regclass('{names}') IS NOT NULL");
    if !transaction.query_typed(&is_there, &[]).await?.iter().any(|row| row.get(0)) {
        join(transaction, "names", &names, (names_ms, names_ms + NAMES_MS)).await?;
    }
    transaction
        .execute_typed(
            "INSERT INTO days (day_ms) VALUES ($1) ON CONFLICT DO NOTHING",
            &[param(&day_ms, Type::INT8)],
        )
        .await?;
    Ok(())
}

async fn join(
    transaction: &Transaction<'_>,
    table: &str,
    name: &str,
    (from_ms, to_ms): (i64, i64),
) -> Result<(), Fault> {
    let text = format!(
        "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE); \
         ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from_ms}) TO ({to_ms})"
    );
    Ok(transaction.batch_execute(&text).await?)
}

/// Takes away the bodies of a day.
pub(super) async fn drop_bodies(transaction: &Transaction<'_>, day_ms: i64) -> Result<(), Fault> {
    let text = format!(
        "DROP TABLE IF EXISTS {}; UPDATE days SET has_bodies = false, body_bytes = 0 WHERE day_ms = {day_ms}",
        partition("bodies", day_ms)
    );
    Ok(transaction.batch_execute(&text).await?)
}

/// Takes away a day, and the names of its time where no other day of that is there.
pub(super) async fn drop_day(transaction: &Transaction<'_>, day_ms: i64) -> Result<(), Fault> {
    let tables = OF_DAYS.map(|table| partition(table, day_ms)).join(", ");
    let text = format!(
        "DROP TABLE IF EXISTS {tables}; DELETE FROM days WHERE day_ms = {day_ms}; \
         DELETE FROM packed WHERE day_ms = {day_ms}"
    );
    transaction.batch_execute(&text).await?;
    let from_ms = day_ms.div_euclid(NAMES_MS) * NAMES_MS;
    let others = "SELECT 1 FROM days WHERE day_ms >= $1 AND day_ms < $2 LIMIT 1";
    let to_ms = from_ms + NAMES_MS;
    let time = [param(&from_ms, Type::INT8), param(&to_ms, Type::INT8)];
    if transaction.query_typed(others, &time).await?.is_empty() {
        transaction.batch_execute(&format!("DROP TABLE IF EXISTS {}", partition("names", from_ms))).await?;
    }
    Ok(())
}

/// The name of a partition: `requests_20261129`.
fn partition(table: &str, from_ms: i64) -> String {
    let date = u64::try_from(from_ms / 1000).ok().and_then(Date::at_unix_s);
    match date {
        Some(date) => format!("{table}_{}", date.to_string().replace('-', "")),
        // Clocks may be wrong, and records are kept all the same.
        None => format!("{table}_at_{}", from_ms.to_string().replace('-', "minus_")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_partitions() {
        let check = |from_ms: i64, expected: &str| assert_eq!(partition("bodies", from_ms), expected);
        check(0, "bodies_19700101");
        check(day_of(1_795_939_200_000), "bodies_20261129");
        check(day_of(-1), "bodies_at_minus_86400000");
        assert_eq!(day_of(-1), -DAY_MS);
    }
}
