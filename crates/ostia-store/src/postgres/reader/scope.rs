//! When there is any of what is asked for.

use tokio_postgres::Client;

use super::places::array;
use super::query;
use crate::answers::{DAY_MS, joined};
use crate::conditions::{Conditions, Value};
use crate::postgres::client::Fault;
use crate::postgres::conditions;
use crate::postgres::names::{self, Kind};
use crate::postgres::partitions::day_of;
use crate::postgres::text::clean;
use crate::query::Filter;

/// Most days that one question touches: for each the server takes locks, of which it has some thousands for all
/// (`max_locks_per_transaction`).
const DAYS_AT_ONCE: i64 = 31;

/// Times, the latest first, each of some days at most; and which requests of them, where that is known.
#[derive(Debug)]
pub(super) struct Scope {
    times: Vec<(i64, i64)>,
    numbers: Option<String>,
}

impl Scope {
    /// Of a filter, up to this place.
    pub(super) async fn of(
        client: &Client,
        filter: &Filter,
        after: Option<(i64, i64)>,
    ) -> Result<Scope, Fault> {
        let last_ms = after.map_or(i64::MAX, |(ms, _)| ms.saturating_add(1));
        let time = (filter.from_ms.unwrap_or(i64::MIN), filter.to_ms.unwrap_or(i64::MAX).min(last_ms));
        let Some(trace) = &filter.trace else {
            return Ok(Scope { times: slices(&days(client, filter).await?, time), numbers: None });
        };
        let places = names::find(client, Kind::Request, &[trace]).await?;
        let mut days: Vec<i64> = places.started_ms.iter().map(|ms| day_of(*ms)).collect();
        days.dedup();
        Ok(Scope { times: slices(&days, time), numbers: Some(array(&places.numbers)) })
    }

    /// The times.
    pub(super) fn times(&self) -> &[(i64, i64)] {
        &self.times
    }

    /// The filter's conditions for each time.
    pub(super) fn conditions(&self, filter: &Filter) -> impl DoubleEndedIterator<Item = Conditions> {
        self.times.iter().map(move |time| {
            let mut conditions = conditions::of(&filter.within(*time));
            if let Some(numbers) = &self.numbers {
                conditions.with("number = ANY(?::bigint[])", [Value::Text(numbers.clone())]);
            }
            conditions
        })
    }
}

/// Times with requests that were written behind this number.
pub(super) async fn written_behind(client: &Client, number: i64) -> Result<Vec<(i64, i64)>, Fault> {
    let text = "SELECT day_ms FROM days WHERE last_number > ? ORDER BY day_ms DESC";
    Ok(slices(&starts(client, text, &[number.into()]).await?, (i64::MIN, i64::MAX)))
}

/// The days on which there is any, the latest first.
async fn days(client: &Client, filter: &Filter) -> Result<Vec<i64>, Fault> {
    if let Some(session) = &filter.session {
        let text = format!(
            "SELECT DISTINCT started_ms / {DAY_MS} * {DAY_MS} FROM names WHERE kind = {} AND name = ? ORDER BY 1 DESC",
            Kind::Session as i16
        );
        return starts(client, &text, &[Value::Text(clean(session).into_owned())]).await;
    }
    if !filter.is_of_days() {
        return starts(client, "SELECT day_ms FROM days WHERE requests > 0 ORDER BY 1 DESC", &[]).await;
    }
    let filter = conditions::cleaned(filter);
    let mut conditions = Conditions::default();
    conditions.some("width_ms = ?", Some(DAY_MS));
    conditions.some("start_ms > ?", filter.from_ms.map(|ms| ms.saturating_sub(DAY_MS)));
    conditions.some("start_ms < ?", filter.to_ms);
    conditions.some("provider = ?", filter.provider.as_deref());
    conditions.some("model = ?", filter.model.as_deref());
    conditions.some("key = ?", filter.key.as_deref());
    let text =
        format!("SELECT DISTINCT start_ms FROM sums {} ORDER BY 1 DESC", conditions.and_text("requests > 0"));
    starts(client, &text, &conditions.values).await
}

async fn starts(client: &Client, text: &str, values: &[Value]) -> Result<Vec<i64>, Fault> {
    let rows = query(client, text, values).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Days, the latest first, as times within this one; none of more days than one question may touch.
pub(super) fn slices(days: &[i64], (from_ms, to_ms): (i64, i64)) -> Vec<(i64, i64)> {
    let mut times = Vec::new();
    for (first, end) in joined(days) {
        let first = first.max(from_ms);
        let mut end = end.min(to_ms);
        while first < end {
            let start = first.max(end.saturating_sub(DAYS_AT_ONCE * DAY_MS));
            times.push((start, end));
            end = start;
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_some_days() {
        let check = |days: &[i64], time: (i64, i64), expected: &[(i64, i64)]| {
            let days: Vec<i64> = days.iter().map(|day| day * DAY_MS).collect();
            let ms = |(from, to): &(i64, i64)| (from * DAY_MS, to * DAY_MS);
            let time = (time.0.saturating_mul(DAY_MS), time.1.saturating_mul(DAY_MS));
            assert_eq!(slices(&days, time), expected.iter().map(ms).collect::<Vec<_>>());
        };
        let always = (i64::MIN, i64::MAX);
        check(&[], always, &[]);
        check(&[9, 8, 3], always, &[(8, 10), (3, 4)]);
        check(&[9, 8, 3], (4, 9), &[(8, 9)]);
        let all: Vec<i64> = (0..70).rev().collect();
        check(&all, always, &[(39, 70), (8, 39), (0, 8)]);
    }
}
