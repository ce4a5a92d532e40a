//! On which days there is any of what is asked for: sums by day know, and so a rare model need not be looked for on all others.

use rusqlite::Connection;

use super::ReadError;
use crate::query::{Filter, Page};
use crate::rollup::WIDTHS_MS;

/// A day, in milliseconds.
const DAY_MS: i64 = WIDTHS_MS[2];

/// From, and to before.
type Time = (Option<i64>, Option<i64>);

/// The times in which there is any, the latest first. Without a provider, a model or a key: all that is asked for.
pub(super) fn with_any(connection: &Connection, filter: &Filter, page: Page) -> Result<Vec<Time>, ReadError> {
    if !filter.is_of_days() {
        return Ok(vec![(filter.from_ms, filter.to_ms)]);
    }
    let (from_ms, to_ms) = (filter.from_ms.unwrap_or(i64::MIN), filter.to_ms.unwrap_or(i64::MAX));
    let last_ms = page.after.map_or(to_ms, |(ms, _)| to_ms.min(ms.saturating_add(1)));
    let mut select = connection.prepare_cached(
        "SELECT DISTINCT start_ms FROM sums WHERE width_ms = ?1 AND start_ms > ?2 AND start_ms < ?3 AND requests > 0 \
         AND (?4 IS NULL OR provider = ?4) AND (?5 IS NULL OR model = ?5) AND (?6 IS NULL OR key = ?6) \
         ORDER BY start_ms DESC",
    )?;
    let place =
        (DAY_MS, from_ms.saturating_sub(DAY_MS), last_ms, &filter.provider, &filter.model, &filter.key);
    let days: Vec<i64> = select.query_map(place, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let within = |(first, end): (i64, i64)| (Some(first.max(from_ms)), Some(end.min(to_ms)));
    Ok(joined(&days).into_iter().map(within).collect())
}

/// Days, the latest first, as times; those that follow each other as one.
fn joined(days: &[i64]) -> Vec<(i64, i64)> {
    let mut times: Vec<(i64, i64)> = Vec::new();
    for day in days {
        match times.last_mut() {
            Some((first, _)) if *first == day + DAY_MS => *first = *day,
            _ => times.push((*day, day + DAY_MS)),
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_follow_each_other() {
        let check = |days: &[i64], expected: &[(i64, i64)]| {
            let days: Vec<i64> = days.iter().map(|day| day * DAY_MS).collect();
            let expected: Vec<_> =
                expected.iter().map(|(first, end)| (first * DAY_MS, end * DAY_MS)).collect();
            assert_eq!(joined(&days), expected);
        };
        check(&[], &[]);
        check(&[7], &[(7, 8)]);
        check(&[9, 8, 7, 3, 1, 0], &[(7, 10), (3, 4), (0, 2)]);
    }
}
