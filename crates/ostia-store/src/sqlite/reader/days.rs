//! On which days there is any of what is asked for: sums by day know, and so a rare model need not be looked for on all others.

use rusqlite::Connection;

use crate::answers::{DAY_MS, ReadError, Time, joined};
use crate::query::{Filter, Page};

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
