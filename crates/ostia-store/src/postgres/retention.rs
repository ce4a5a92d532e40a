//! What has been kept long enough or is too much goes by whole days, at one gateway at a time.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::client::{Fault, param};
use super::partitions::{self, day_of};
use super::{RETENTION_LOCK, WRITE_LOCK, lock, spans};
use crate::answers::DAY_MS;
use crate::retention::{Retention, before_ms};
use crate::rollup::WIDTHS_MS;

/// Rows that one step takes away at most, where they do not go by day.
const ROWS_MAX: i64 = 10_000;
/// How long whoever reads or writes a day is waited for. Others who want to read wait behind this.
const WAITS: &str = "SET LOCAL lock_timeout = '1s'";

/// A day: its beginning, whether its bodies are there, the bytes of its documents and bodies.
type Day = (i64, bool, i64, i64);

/// Takes away a little, and has tomorrow's partitions ready. Is there more of it?
pub(super) async fn step(client: &mut Client, retention: &Retention, now_ms: i64) -> Result<bool, Fault> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(WAITS).await?;
    let text = format!("SELECT pg_try_advisory_xact_lock({RETENTION_LOCK})");
    if !transaction.query_typed(&text, &[]).await?.iter().any(|row| row.get(0)) {
        return Ok(false);
    }
    if take_rows(&transaction, retention, now_ms).await? > 0 {
        // Days go in a transaction of their own: who holds rows must not wait for those who write.
        transaction.commit().await?;
        return Ok(true);
    }
    let days = days(&transaction).await?;
    let today = day_of(now_ms);
    let ahead: Vec<i64> = [today, today + DAY_MS]
        .into_iter()
        .filter(|wanted| days.iter().all(|(day_ms, ..)| day_ms != wanted))
        .collect();
    let of_bodies =
        || days.iter().filter(|(_, has_bodies, ..)| *has_bodies).map(|(day_ms, .., bytes)| (*day_ms, *bytes));
    let of_records = || days.iter().map(|(day_ms, _, bytes, _)| (*day_ms, *bytes));
    let before = |kept| before_ms(now_ms, kept);
    let old_bodies = due(of_bodies(), before(retention.bodies), retention.body_bytes, today);
    let old_records = due(of_records(), before(retention.records), retention.record_bytes, today);
    if ahead.is_empty() && old_bodies.is_none() && old_records.is_none() {
        transaction.commit().await?;
        return Ok(false);
    }
    // From here on nobody writes.
    lock(&transaction, WRITE_LOCK).await?;
    partitions::ensure(&transaction, &ahead).await?;
    match (old_records, old_bodies) {
        (Some(day_ms), _) => partitions::drop_day(&transaction, day_ms).await?,
        (None, Some(day_ms)) => partitions::drop_bodies(&transaction, day_ms).await?,
        (None, None) => {}
    }
    transaction.commit().await?;
    Ok(old_bodies.is_some() || old_records.is_some())
}

async fn days(transaction: &Transaction<'_>) -> Result<Vec<Day>, Fault> {
    let text = "SELECT day_ms, has_bodies, document_bytes, body_bytes FROM days ORDER BY day_ms";
    let rows = transaction.query_typed(text, &[]).await?;
    let day =
        |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
    rows.iter().map(day).collect()
}

/// The oldest of these days, if it ended before this time or all of them are too large together. One that may still grow stays.
fn due(days: impl Iterator<Item = (i64, i64)>, before_ms: i64, bytes_max: u64, today: i64) -> Option<i64> {
    let days: Vec<(i64, i64)> = days.collect();
    let bytes: i64 = days.iter().map(|(_, bytes)| bytes).sum();
    let is_too_much = u64::try_from(bytes).unwrap_or_default() > bytes_max;
    let (oldest, _) = days.first()?;
    (oldest + DAY_MS <= before_ms || is_too_much && *oldest < today).then_some(*oldest)
}

/// Sums, feedback, and spans of applications. How many rows went?
async fn take_rows(transaction: &Transaction<'_>, retention: &Retention, now_ms: i64) -> Result<u64, Fault> {
    let mut taken = 0;
    for width_ms in WIDTHS_MS {
        let before = before_ms(now_ms, retention.of_sums(width_ms));
        let text = "DELETE FROM sums WHERE ctid = ANY(ARRAY(SELECT ctid FROM sums WHERE width_ms = $1 AND start_ms < $2 \
                    ORDER BY start_ms LIMIT $3))";
        let values = [param(&width_ms, Type::INT8), param(&before, Type::INT8), param(&ROWS_MAX, Type::INT8)];
        taken += transaction.execute_typed(text, &values).await?;
    }
    let before = before_ms(now_ms, retention.records);
    let text = "DELETE FROM feedback WHERE id IN (SELECT id FROM feedback WHERE created_ms < $1 LIMIT $2)";
    let values = [param(&before, Type::INT8), param(&ROWS_MAX, Type::INT8)];
    taken += transaction.execute_typed(text, &values).await?;
    // They hold what applications say of themselves, as bodies do, and have the same time and as much room again.
    Ok(taken + spans::take(transaction, before_ms(now_ms, retention.bodies), retention.body_bytes).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_days_go() {
        let days = [(0, 10), (1, 10), (5, 10)].map(|(day, bytes)| (day * DAY_MS, bytes));
        let check = |before: i64, bytes_max: u64, today: i64, expected: Option<i64>| {
            let found = due(days.into_iter(), before, bytes_max, today * DAY_MS);
            assert_eq!(found, expected.map(|day| day * DAY_MS), "{before} {bytes_max} {today}");
        };
        check(0, 30, 5, None);
        check(DAY_MS - 1, 30, 5, None);
        check(DAY_MS, 30, 5, Some(0));
        check(0, 29, 5, Some(0));
        // The day under way is never taken for its size.
        check(0, 29, 0, None);
        assert_eq!(due([].into_iter(), i64::MAX, 0, 0), None);
    }
}
