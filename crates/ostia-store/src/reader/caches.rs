//! Providers' prompt caches: how much was read from them, and where less was than the call before had.

use std::collections::HashMap;

use super::Reader;
use crate::answers::{CacheFall, CacheUse, Compared, Piece, ReadError};
use crate::columns;
use crate::query::Filter;
use crate::steps::{least_width_ms, pieces, whole};

/// Most calls that are compared with the one before, the newest.
const CALLS_MAX: u32 = 50_000;
/// Fewer tokens are no fall: providers cache in steps of so many (<https://platform.openai.com/docs/guides/prompt-caching>).
const FALL_TOKENS_MIN: u64 = 128;

impl Reader {
    /// What the attempts of the requests that pass the filter read, by key, provider and model, the most tokens first; and the time that
    /// was summed up, as [`Reader::sums`] has it.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn cache_use(
        &mut self,
        filter: &Filter,
        now_ms: i64,
    ) -> Result<((i64, i64), Vec<CacheUse>), ReadError> {
        let mut time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(now_ms + 1));
        let rows = match filter.is_of_sums() {
            true => {
                time = whole(time, least_width_ms(time.0, now_ms));
                self.kept_cache_use(filter, time)?
            }
            false => self.counted_cache_use(filter)?,
        };
        let mut groups = HashMap::new();
        rows.into_iter().for_each(|row| add(row, &mut groups));
        let mut groups: Vec<CacheUse> = groups.into_values().filter(|own| own.prompt_tokens > 0).collect();
        groups.sort_by(|one, other| {
            let place = |own: &CacheUse| (own.key.clone(), own.provider.clone(), own.model.clone());
            other.prompt_tokens.cmp(&one.prompt_tokens).then_with(|| place(one).cmp(&place(other)))
        });
        Ok((time, groups))
    }

    /// Calls that read less from the cache than the one before, the newest first, and how many calls were compared.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn cache_falls(&mut self, filter: &Filter) -> Result<(Vec<CacheFall>, u64), ReadError> {
        let (mut falls, mut compared) = (Vec::new(), 0);
        // By session, key, model and API: the call behind the one that is looked at.
        let mut next: HashMap<[String; 5], CacheFall> = HashMap::new();
        for (operation, call) in self.cached_calls(filter, CALLS_MAX)? {
            let CacheFall { session, key, provider, model, .. } = call.clone();
            let line = [session, key, provider, model, operation];
            let Some(later) = next.insert(line, call.clone()) else { continue };
            compared += 1;
            let fall = CacheFall {
                numbers: (call.numbers.1, later.numbers.1),
                started_ms: (call.started_ms.1, later.started_ms.1),
                cached_tokens: (call.cached_tokens.1, later.cached_tokens.1),
                ..later
            };
            if fall.tokens() >= FALL_TOKENS_MIN {
                falls.push(fall);
            }
        }
        falls.sort_by_key(|fall| std::cmp::Reverse(fall.started_ms.1));
        Ok((falls, compared))
    }

    /// The two requests of a fall.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn compared(&mut self, fall: &CacheFall) -> Result<(Compared, Compared), ReadError> {
        let (numbers, started_ms) = (fall.numbers, fall.started_ms);
        Ok((self.one_compared(numbers.0, started_ms.0)?, self.one_compared(numbers.1, started_ms.1)?))
    }

    /// In this time, of the sums that are kept of it.
    fn kept_cache_use(&mut self, filter: &Filter, time: (i64, i64)) -> Result<Vec<CacheUse>, ReadError> {
        match self {
            Reader::Sqlite(own) => of_all(time, |piece| own.kept_cache_use(filter, piece)),
            Reader::Postgres(own) => of_all(time, |piece| own.kept_cache_use(filter, piece)),
            Reader::ClickHouse(own) => own.kept_cache_use(filter, time),
        }
    }

    /// Of the records themselves.
    fn counted_cache_use(&mut self, filter: &Filter) -> Result<Vec<CacheUse>, ReadError> {
        match self {
            Reader::Sqlite(own) => columns::cache_use(own, filter),
            Reader::Postgres(own) => columns::cache_use(own, filter),
            Reader::ClickHouse(own) => own.counted_cache_use(filter),
        }
    }

    /// Calls of sessions that read anything and succeeded, the newest first: each as the later one of two, with its API.
    fn cached_calls(&mut self, filter: &Filter, most: u32) -> Result<Vec<(String, CacheFall)>, ReadError> {
        match self {
            Reader::Sqlite(own) => columns::cached_calls(own, filter, most),
            Reader::Postgres(own) => columns::cached_calls(own, filter, most),
            Reader::ClickHouse(own) => own.cached_calls(filter, most),
        }
    }

    /// The request of this number, which came then; nothing of one that retention has taken meanwhile.
    fn one_compared(&mut self, number: i64, started_ms: i64) -> Result<Compared, ReadError> {
        match self {
            Reader::Sqlite(own) => own.one_compared(number),
            Reader::Postgres(own) => own.one_compared(number, started_ms),
            Reader::ClickHouse(own) => own.one_compared(number, started_ms),
        }
    }
}

/// What all pieces of a time have.
fn of_all(
    time: (i64, i64),
    of: impl FnMut(Piece) -> Result<Vec<CacheUse>, ReadError>,
) -> Result<Vec<CacheUse>, ReadError> {
    let all: Vec<Vec<CacheUse>> = pieces(time).into_iter().map(of).collect::<Result<_, _>>()?;
    Ok(all.into_iter().flatten().collect())
}

type Groups = HashMap<[String; 3], CacheUse>;

fn add(row: CacheUse, groups: &mut Groups) {
    let name = [row.key.clone(), row.provider.clone(), row.model.clone()];
    let Some(own) = groups.get_mut(&name) else {
        groups.insert(name, row);
        return;
    };
    own.attempts += row.attempts;
    own.prompt_tokens = own.prompt_tokens.saturating_add(row.prompt_tokens);
    own.cached_tokens = own.cached_tokens.saturating_add(row.cached_tokens);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::body::Kept;
    use crate::engine::{Engine, Place};
    use crate::record::{Attempt, Outcome, Record, Usage};

    /// A call of a session: when, at whom, for which model, and the tokens that it read in all and from the cache.
    type Call = (&'static str, i64, &'static str, &'static str, u64, u64);

    fn reader(folder: &Path, calls: &[Call]) -> Reader {
        let place = Place::File(folder.join("records.db"));
        let record = |(number, call): (usize, &Call)| {
            let (session, started_ms, provider, model, prompt_tokens, cached_tokens) = *call;
            let usage = Usage { prompt_tokens, cached_tokens, ..Usage::default() };
            let (model, usage) = (Some(model.to_owned()), Some(usage));
            let attempt = Attempt {
                provider: provider.into(),
                outcome: Outcome::Answered,
                usage,
                model,
                ..Attempt::default()
            };
            Record {
                id: format!("r-{number}"),
                session: Some(session.to_owned()),
                started_ms,
                key: Some("team".into()),
                status: 200,
                end: "whole".into(),
                attempts: vec![attempt],
                request: Kept::Bytes {
                    bytes: format!("body {number}").into_bytes(),
                    total: 6 + number as u64,
                },
                ..Record::default()
            }
        };
        let all: Vec<Record> = calls.iter().enumerate().map(record).collect();
        let mut engine = Engine::of(&place);
        engine.open().unwrap();
        engine.write(&all).unwrap();
        Reader::of(&place)
    }

    #[test]
    fn no_more_is_missed_than_was_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut reader =
            reader(folder.path(), &[("a", 1, "p", "m", 9000, 8000), ("a", 2, "p", "m", 300, 128)]);
        let (falls, _) = reader.cache_falls(&Filter::default()).unwrap();
        assert_eq!((falls.len(), falls[0].cached_tokens, falls[0].tokens()), (1, (8000, 128), 172));
    }

    #[test]
    fn falls_are_those_of_one_session_and_model() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut reader = reader(
            folder.path(),
            &[
                ("a", 1, "p", "m", 2000, 0),
                ("a", 2, "p", "m", 2100, 1920),
                ("b", 3, "p", "m", 2000, 0),
                ("a", 4, "p", "other", 500, 0),
                ("a", 5, "q", "m", 500, 0),
                ("a", 6, "p", "m", 2200, 1800),
                ("a", 7, "p", "m", 2300, 256),
            ],
        );
        let (falls, compared) = reader.cache_falls(&Filter::default()).unwrap();
        assert_eq!((falls.len(), compared), (1, 3), "{falls:?}");
        let fall = &falls[0];
        assert_eq!((fall.cached_tokens, fall.tokens(), fall.started_ms), ((1800, 256), 1544, (6, 7)));
        let (before, after) = reader.compared(fall).unwrap();
        assert_eq!((before.id.as_str(), after.id.as_str()), ("r-5", "r-6"));
        // Of 6 bytes, "body 5", 11 were sent.
        assert_eq!(before.request, Some((b"body 5".to_vec(), true)));
        let (_, groups) = reader.cache_use(&Filter::default(), 10).unwrap();
        let told = groups
            .iter()
            .map(|own| (own.provider.as_str(), own.model.as_str(), own.prompt_tokens, own.cached_tokens));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [("p", "m", 10_600, 3976), ("p", "other", 500, 0), ("q", "m", 500, 0)]
        );
        // The same from the records themselves.
        let filter = Filter { session: Some("a".into()), ..Filter::default() };
        let (_, groups) = reader.cache_use(&filter, 10).unwrap();
        assert_eq!((groups[0].key.as_str(), groups[0].prompt_tokens, groups[0].attempts), ("team", 8600, 4));
    }
}
