//! New prices on what was kept, some requests of a day at a time. Sums are corrected in the same transaction.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::client::{Fault, param};
use super::documents::{self, Keys};
use super::partitions::day_of;
use super::{WRITE_LOCK, lock};
use super::{packed, rollup};
use crate::answers::DAY_MS;
use crate::facts::{cost_nano, costs};
use crate::price::Prices;
use crate::record::Record;
use crate::reprice::{BATCH, Progress, repriced};
use crate::rollup::{Row, WIDTHS_MS, of_attempt};

/// A day, or the part of it that is meant.
pub(super) struct Day {
    pub(super) from_ms: i64,
    to_ms: i64,
    pub(super) requests: u64,
}

/// The days with requests that came then or later.
pub(super) async fn days(client: &Client, from_ms: i64) -> Result<Vec<Day>, Fault> {
    let first = day_of(from_ms);
    let text = "SELECT day_ms, requests FROM days WHERE day_ms >= $1 ORDER BY day_ms";
    let rows = client.query_typed(text, &[param(&first, Type::INT8)]).await?;
    let mut days = Vec::new();
    for row in rows {
        let (day_ms, mut requests): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let (from_ms, to_ms) = (day_ms.max(from_ms), day_ms + DAY_MS);
        if from_ms > day_ms {
            let text = "SELECT count(*) FROM requests WHERE started_ms >= $1 AND started_ms < $2";
            let time = [param(&from_ms, Type::INT8), param(&to_ms, Type::INT8)];
            requests = client.query_typed_one(text, &time).await?.try_get(0)?;
        }
        days.push(Day { from_ms, to_ms, requests: u64::try_from(requests).unwrap_or_default() });
    }
    Ok(days)
}

/// A request that costs something else now.
struct Changed {
    number: i64,
    document: String,
    old: Record,
    new: Record,
}

/// Goes through the requests behind this place. Gives the place of the last one; none where there are no more.
pub(super) async fn batch(
    client: &mut Client,
    day: &Day,
    (ms, number): (i64, i64),
    prices: &Prices,
    progress: &mut Progress,
) -> Result<Option<(i64, i64)>, Fault> {
    let transaction = client.transaction().await?;
    lock(&transaction, WRITE_LOCK).await?;
    let text = format!(
        "SELECT started_ms, number, document FROM requests WHERE started_ms >= $1 AND started_ms < $2 \
         AND (started_ms, number) > ($1, $3) ORDER BY started_ms, number LIMIT {BATCH}"
    );
    let values = [param(&ms, Type::INT8), param(&day.to_ms, Type::INT8), param(&number, Type::INT8)];
    let rows = transaction.query_typed(&text, &values).await?;
    let (mut last, mut changed) = (None, Vec::new());
    let mut apart = Keys::default();
    for row in &rows {
        apart.push(row.try_get(0)?, row.try_get(1)?);
    }
    let documents = documents::read(&transaction, &apart).await?;
    for row in &rows {
        let number: i64 = row.try_get(1)?;
        let apart = || documents.get(&number).map(String::as_str).unwrap_or_default();
        let document = row.try_get::<_, Option<&str>>(2)?.unwrap_or_else(apart);
        last = Some((row.try_get(0)?, number));
        let Ok(old) = serde_json::from_str::<Record>(document) else { continue };
        if let Some(new) = repriced(&old, prices) {
            changed.push(Changed { number, document: document.to_owned(), old, new });
        }
    }
    if !changed.is_empty() {
        update(&transaction, &changed).await?;
        correct(&transaction, &changed).await?;
    }
    transaction.commit().await?;
    progress.seen += rows.len() as u64;
    progress.changed += changed.len() as u64;
    Ok(last)
}

async fn update(transaction: &Transaction<'_>, changed: &[Changed]) -> Result<(), Fault> {
    let documents: Vec<String> =
        changed.iter().map(|one| serde_json::to_string(&one.new).unwrap_or_default()).collect();
    let more: i64 =
        documents.iter().zip(changed).map(|(new, one)| new.len() as i64 - one.document.len() as i64).sum();
    let unpriced =
        |record: &Record| record.attempts.iter().filter(|one| one.cost_unknown.is_some()).count() as i64;
    let mut keys = Keys::default();
    changed.iter().for_each(|one| keys.push(one.old.started_ms, one.number));
    let nanos: Vec<Option<i64>> = changed.iter().map(|one| cost_nano(&one.new)).collect();
    let costs: Vec<Option<String>> = changed.iter().map(|one| costs(&one.new)).collect();
    let unpriced: Vec<i64> = changed.iter().map(|one| unpriced(&one.new)).collect();
    let day = day_of(keys.started_ms[0]);
    let end = day + DAY_MS;
    documents::replace(transaction, &keys, &documents, (day, end)).await?;
    let values = [
        param(&keys.started_ms, Type::INT8_ARRAY),
        param(&keys.numbers, Type::INT8_ARRAY),
        param(&nanos, Type::INT8_ARRAY),
        param(&costs, Type::TEXT_ARRAY),
        param(&unpriced, Type::INT8_ARRAY),
        param(&day, Type::INT8),
        param(&end, Type::INT8),
    ];
    let text = "UPDATE requests SET cost_nano = new.cost_nano, costs = new.costs, unpriced = new.unpriced \
                FROM unnest($1, $2, $3, $4, $5) AS new (started_ms, number, cost_nano, costs, unpriced) \
                WHERE requests.started_ms >= $6 AND requests.started_ms < $7 \
                AND requests.started_ms = new.started_ms AND requests.number = new.number";
    transaction.execute_typed(text, &values).await?;
    packed::changed(transaction, day, &keys.numbers).await?;
    let text = "UPDATE days SET document_bytes = greatest(0, document_bytes + $1) WHERE day_ms = $2";
    transaction.execute_typed(text, &[param(&more, Type::INT8), param(&day, Type::INT8)]).await?;
    Ok(())
}

/// Takes attempts out of the sums and puts them in again, each at its new currency. Sums that are not kept any more stay away.
async fn correct(transaction: &Transaction<'_>, changed: &[Changed]) -> Result<(), Fault> {
    let mut corrections = Vec::new();
    for Changed { old, new, .. } in changed {
        let attempts = old.attempts.iter().zip(&new.attempts).filter(|(old, new)| old != new);
        for (before, after) in attempts {
            for width_ms in WIDTHS_MS {
                let key = |attempt| rollup::cleaned(&Row::of_attempt(old, attempt, width_ms));
                corrections.push(((key(before), of_attempt(before)), (key(after), of_attempt(after))));
            }
        }
    }
    let keys: BTreeSet<&Row> = corrections.iter().flat_map(|((old, _), (new, _))| [old, new]).collect();
    let mut rows = rollup::read(transaction, keys.into_iter()).await?;
    for ((old, less), (new, more)) in corrections {
        let Some(sums) = rows.get_mut(&old) else { continue };
        sums.minus(&less);
        rows.entry(new).or_default().plus(&more);
    }
    rollup::write(transaction, &rows).await
}
