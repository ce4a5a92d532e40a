//! Requests by column ([`columns`](crate::columns)): of each day some thousands at a time (`packed`, `packed_columns`). RequestRange are given while the
//! lock of writers is held, and so is what is packed: nothing is written later among requests that are packed.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient, Row, Transaction};

use super::client::{Fault, param};
use super::{WRITE_LOCK, lock};
use crate::answers::DAY_MS;
use crate::columns::{Codes, Columns, Number, Text, Wanted};

/// How many requests are packed together.
pub(crate) const TOGETHER: i64 = 1 << 12;
/// So many are packed by themselves once their day is over,
const REST_MIN: i64 = 64;
/// for so long, in milliseconds: others may come still.
const OVER_MS: i64 = 3_600_000;

/// Requests of a day, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestRange {
    pub(super) day_ms: i64,
    pub(super) first: i64,
    pub(super) behind: i64,
}

impl RequestRange {
    /// All of a day from this one on.
    fn rest(day_ms: i64, first: i64) -> RequestRange {
        RequestRange { day_ms, first, behind: i64::MAX }
    }

    fn holds(&self, other: &RequestRange) -> bool {
        self.day_ms == other.day_ms && self.first <= other.first && self.behind >= other.behind
    }
}

/// Requests that are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) numbers: RequestRange,
    requests: usize,
    /// When they came: the first and the last of them, whichever they are.
    pub(super) times_ms: (i64, i64),
}

/// The requests of days that have any between these times.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) packed: Vec<Part>,
    /// They have to be read from their rows.
    pub(super) plain: Vec<RequestRange>,
}

impl Parts {
    pub(super) async fn of(client: &Client, time: (i64, i64)) -> Result<Parts, Fault> {
        // What is not packed first, so that what is packed meanwhile is not left out.
        let mut parts = Parts::not_packed(client, time).await?;
        parts.add_packed(client, time).await?;
        Ok(parts)
    }

    async fn not_packed(client: &Client, (from_ms, to_ms): (i64, i64)) -> Result<Parts, Fault> {
        let mut parts = Parts::default();
        let time = [param(&from_ms, Type::INT8), param(&to_ms, Type::INT8)];
        let text = format!(
            "SELECT day_ms, packed_before FROM days WHERE requests > packed AND day_ms > $1 - {DAY_MS} AND day_ms < $2"
        );
        for row in client.query_typed(&text, &time).await? {
            parts.plain.push(RequestRange::rest(row.try_get(0)?, row.try_get(1)?));
        }
        Ok(parts)
    }

    async fn add_packed(&mut self, client: &Client, (from_ms, to_ms): (i64, i64)) -> Result<(), Fault> {
        let text = "SELECT day_ms, first, behind, requests, first_ms, last_ms, is_stale FROM packed \
                    WHERE last_ms >= $1 AND first_ms < $2";
        let time = [param(&from_ms, Type::INT8), param(&to_ms, Type::INT8)];
        for row in client.query_typed(text, &time).await? {
            self.add(&row)?;
        }
        Ok(())
    }

    fn add(&mut self, row: &Row) -> Result<(), Fault> {
        let numbers =
            RequestRange { day_ms: row.try_get(0)?, first: row.try_get(1)?, behind: row.try_get(2)? };
        // It was packed after the days were looked at.
        if self.plain.iter().any(|plain| plain.holds(&numbers)) {
            return Ok(());
        }
        if row.try_get(6)? {
            self.plain.push(numbers);
            return Ok(());
        }
        let requests: i64 = row.try_get(3)?;
        let times_ms = (row.try_get(4)?, row.try_get(5)?);
        self.packed.push(Part { numbers, requests: usize::try_from(requests).unwrap_or_default(), times_ms });
        Ok(())
    }
}

/// The columns of these parts; none of one where they are not there, or not whole.
pub(super) async fn read(
    client: &Client,
    parts: &[Part],
    wanted: &Wanted,
) -> Result<Vec<Option<Columns>>, Fault> {
    let mut read: Vec<Columns> = parts.iter().map(|part| Columns::of(part.requests)).collect();
    let names: Vec<&str> = wanted.names().collect();
    if !names.is_empty() {
        let text = "SELECT first, name, data FROM packed_columns WHERE first = ANY($1) AND name = ANY($2)";
        let firsts: Vec<i64> = parts.iter().map(|part| part.numbers.first).collect();
        let values = [param(&firsts, Type::INT8_ARRAY), param(&names, Type::TEXT_ARRAY)];
        let mut rows = pin!(client.query_typed_raw(text, values).await?);
        while let Some(row) = rows.try_next().await? {
            let first: i64 = row.try_get(0)?;
            let Some(place) = firsts.iter().position(|own| *own == first) else { continue };
            read[place].decode(wanted, row.try_get(1)?, row.try_get(2)?);
        }
    }
    Ok(read.into_iter().map(|columns| columns.has(wanted).then_some(columns)).collect())
}

/// As `requests` has them.
pub(super) fn expressions(wanted: &Wanted) -> String {
    let of = |name: &str| match name == Text::Metadata.name() {
        true => "metadata::text".to_owned(),
        false => format!("\"{name}\""),
    };
    let all: Vec<String> = wanted.names().map(of).collect();
    if all.is_empty() { "number".to_owned() } else { all.join(", ") }
}

/// ColumnsOfRows of [`expressions`] as columns.
#[derive(Default)]
pub(super) struct ColumnsOfRows {
    pub(super) columns: Columns,
    codes: Codes,
}

impl ColumnsOfRows {
    pub(super) fn push(&mut self, row: &Row, wanted: &Wanted) -> Result<(), Fault> {
        self.columns.requests += 1;
        for (place, column) in wanted.numbers.iter().enumerate() {
            self.columns.push_number(*column, row.try_get(place)?);
        }
        for (place, column) in (wanted.numbers.len()..).zip(&wanted.texts) {
            self.codes.push(&mut self.columns, *column, row.try_get(place)?);
        }
        Ok(())
    }
}

/// Packs some requests that are due. Were there any?
pub(super) async fn step(client: &mut Client, together: i64, now_ms: i64) -> Result<bool, Fault> {
    if due(client, together, now_ms).await?.is_none() {
        return Ok(false);
    }
    let transaction = client.transaction().await?;
    lock(&transaction, WRITE_LOCK).await?;
    // Another gateway may have done it meanwhile.
    let Some(numbers) = due(&transaction, together, now_ms).await? else { return Ok(true) };
    pack(&transaction, numbers, together).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Those that were changed; else those that are not packed, of the latest day that has enough of them.
async fn due(client: &impl GenericClient, together: i64, now_ms: i64) -> Result<Option<RequestRange>, Fault> {
    let text = format!(
        "(SELECT day_ms, first, behind FROM packed WHERE is_stale LIMIT 1) UNION ALL \
         (SELECT day_ms, packed_before, {} FROM days WHERE requests - packed >= $1 OR requests - packed >= $2 AND day_ms < $3 \
         ORDER BY day_ms DESC LIMIT 1)",
        i64::MAX
    );
    let (rest, over_ms) = (REST_MIN.min(together), now_ms - OVER_MS - DAY_MS);
    let values = [&together, &rest, &over_ms].map(|value| param(value, Type::INT8));
    let rows = client.query_typed(&text, &values).await?;
    let numbers = |row: &Row| {
        Ok(RequestRange { day_ms: row.try_get(0)?, first: row.try_get(1)?, behind: row.try_get(2)? })
    };
    rows.first().map(numbers).transpose()
}

async fn pack(transaction: &Transaction<'_>, numbers: RequestRange, together: i64) -> Result<(), Fault> {
    let wanted = Wanted::all();
    let RequestRange { day_ms, first, behind } = numbers;
    let text = format!(
        "SELECT {} FROM requests WHERE started_ms >= $1 AND started_ms < $2 AND number >= $3 AND number < $4 \
         ORDER BY number LIMIT $5",
        expressions(&wanted)
    );
    let (end_ms, is_anew) = (day_ms + DAY_MS, behind != i64::MAX);
    let most = if is_anew { i64::MAX } else { together };
    let values = [&day_ms, &end_ms, &first, &behind, &most].map(|value| param(value, Type::INT8));
    let mut rows = ColumnsOfRows::default();
    for row in transaction.query_typed(&text, &values).await? {
        rows.push(&row, &wanted)?;
    }
    let columns = rows.columns;
    let ends = |column: Number| {
        let all = || (0..columns.requests).filter_map(|row| columns.number(column, row));
        Some((all().min()?, all().max()?))
    };
    let (Some((first_number, last)), Some((first_ms, last_ms))) =
        (ends(Number::Request), ends(Number::StartedMs))
    else {
        // Somebody took them away.
        let text = match is_anew {
            true => "DELETE FROM packed WHERE first = $1",
            false => "UPDATE days SET packed = requests WHERE day_ms = $1",
        };
        let which = if is_anew { first } else { day_ms };
        transaction.execute_typed(text, &[param(&which, Type::INT8)]).await?;
        return Ok(());
    };
    let (next, requests) = (last + 1, columns.requests as i64);
    if is_anew {
        transaction
            .execute_typed("DELETE FROM packed WHERE first = $1", &[param(&first, Type::INT8)])
            .await?;
    } else {
        let text = "UPDATE days SET packed_before = $2, packed = packed + $3 WHERE day_ms = $1";
        let values = [&day_ms, &next, &requests].map(|value| param(value, Type::INT8));
        transaction.execute_typed(text, &values).await?;
    }
    let values = [&day_ms, &first_number, &next, &requests, &first_ms, &last_ms];
    let text = "INSERT INTO packed (day_ms, first, behind, requests, first_ms, last_ms) VALUES ($1, $2, $3, $4, $5, $6)";
    transaction.execute_typed(text, &values.map(|value| param(value, Type::INT8))).await?;
    write(transaction, first_number, &columns, &wanted).await
}

async fn write(
    transaction: &Transaction<'_>,
    first: i64,
    columns: &Columns,
    wanted: &Wanted,
) -> Result<(), Fault> {
    let names: Vec<&str> = wanted.names().collect();
    let numbers = wanted.numbers.iter().map(|column| columns.encoded_numbers(*column));
    let texts = wanted.texts.iter().map(|column| columns.encoded_texts(*column));
    let data: Vec<Vec<u8>> = numbers.chain(texts).collect();
    let text = "INSERT INTO packed_columns (first, name, data) SELECT $1, * FROM unnest($2, $3)";
    let values =
        [param(&first, Type::INT8), param(&names, Type::TEXT_ARRAY), param(&data, Type::BYTEA_ARRAY)];
    transaction.execute_typed(text, &values).await?;
    Ok(())
}

/// These requests of a day were changed: whatever was packed of them has to be made anew.
pub(super) async fn changed(
    transaction: &Transaction<'_>,
    day_ms: i64,
    numbers: &[i64],
) -> Result<(), Fault> {
    let text = "UPDATE packed SET is_stale = true WHERE day_ms = $1 AND NOT is_stale AND EXISTS \
                (SELECT 1 FROM unnest($2) AS changed (number) WHERE number >= first AND number < behind)";
    transaction.execute_typed(text, &[param(&day_ms, Type::INT8), param(&numbers, Type::INT8_ARRAY)]).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
