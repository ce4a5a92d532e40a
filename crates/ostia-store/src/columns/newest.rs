//! The newest of what passes, and how many there are.

use std::cmp::Reverse;

use super::{ByColumn, Columns, Number, Place, Scan, Wanted};
use crate::answers::ReadError;
use crate::query::Filter;

/// What tells [`Chunk::place`].
pub(super) const PLACE: [Number; 2] = [Number::StartedMs, Number::Request];

/// Where the newest requests are that pass, the newest first.
pub(crate) fn places(
    engine: &mut impl ByColumn,
    filter: &Filter,
    after: Option<Place>,
    count: usize,
) -> Result<Vec<Place>, ReadError> {
    let before = after.map(|(started_ms, _)| started_ms.saturating_add(1));
    let filter = Filter { to_ms: [filter.to_ms, before].into_iter().flatten().min(), ..filter.clone() };
    let mut scan = engine.scan(&filter, Wanted::of(&PLACE, &[]))?;
    let found = newest(&mut scan, after, count, |_, _| Some(()))?;
    Ok(found.into_iter().map(|(place, ())| place).collect())
}

/// The newest of those that pass, the newest first, each with what is made of its columns; none is made of those that do not count.
pub(super) fn newest<T>(
    scan: &mut impl Scan,
    after: Option<Place>,
    count: usize,
    of: impl Fn(&Columns, usize) -> Option<T>,
) -> Result<Vec<(Place, T)>, ReadError> {
    let mut found: Vec<(Place, T)> = Vec::new();
    while let Some(chunk) = scan.next()? {
        let worst = found.last().filter(|_| found.len() >= count).map(|(place, _)| *place);
        for row in &chunk.rows {
            let place = chunk.place(*row);
            if after.is_none_or(|after| place < after) && worst.is_none_or(|worst| place > worst) {
                found.extend(of(&chunk.columns, *row).map(|made| (place, made)));
            }
        }
        found.sort_by_key(|(place, _)| Reverse(*place));
        found.truncate(count);
        let is_enough = found.len() >= count;
        if is_enough && found.last().is_none_or(|(place, _)| !scan.reaches(place.0)) {
            break;
        }
    }
    Ok(found)
}

/// How many requests pass; no more than `most` are counted.
pub(crate) fn how_many(engine: &mut impl ByColumn, filter: &Filter, most: u64) -> Result<u64, ReadError> {
    let mut scan = engine.scan(filter, Wanted::default())?;
    let mut count = 0;
    while count < most
        && let Some(chunk) = scan.next()?
    {
        count += chunk.rows.len() as u64;
    }
    Ok(count.min(most))
}
