//! Providers' prompt caches: how much was read from them, and where less was than the call before had.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use super::{ReadError, Reader};
use crate::body::unpacked;
use crate::query::{Conditions, Filter};
use crate::steps::{least_width_ms, pieces, whole};

/// Most groups that are told.
const GROUPS_MAX: usize = 200;
/// Most calls that are compared with the one before, the newest.
const CALLS_MAX: u32 = 50_000;
/// Fewer tokens are no fall: providers cache in steps of so many (<https://platform.openai.com/docs/guides/prompt-caching>).
const FALL_TOKENS_MIN: u64 = 128;

/// What one key's calls of one model read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// The gateway's key; empty where there was none.
    pub key: String,
    /// Who was asked.
    pub provider: String,
    /// For which model; empty where that is not known.
    pub model: String,
    /// How often.
    pub attempts: u64,
    /// Tokens that were read,
    pub prompt_tokens: u64,
    /// and of those, from the provider's cache.
    pub cached_tokens: u64,
}

/// A call that read less from its provider's cache than the one before it in the same session, of the same model there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheFall {
    /// The call before and this one, as [`Reader::compared`] finds them.
    pub numbers: (i64, i64),
    /// The session.
    pub session: String,
    /// The gateway's key; empty where there was none.
    pub key: String,
    /// Who was asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// When the call before came, and when this one did, in milliseconds since 1970.
    pub started_ms: (i64, i64),
    /// Tokens that this one read,
    pub prompt_tokens: u64,
    /// and from the cache: the call before, and this one.
    pub cached_tokens: (u64, u64),
}

/// A request, as far as a comparison needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Its own name.
    pub id: String,
    /// The client's body, and whether its end was cut off; `None`: it is not kept.
    pub request: Option<(Vec<u8>, bool)>,
    /// The answer's, as far as it is kept.
    pub response: Option<Vec<u8>>,
}

impl CacheFall {
    /// How many tokens fewer came from the cache.
    pub fn tokens(&self) -> u64 {
        self.cached_tokens.0.saturating_sub(self.cached_tokens.1)
    }
}

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
        let connection = self.connection()?;
        let mut groups = HashMap::new();
        match filter.is_of_sums() {
            true => {
                time = whole(time, least_width_ms(time.0, now_ms));
                for piece in pieces(time) {
                    add_kept(connection, filter, piece, &mut groups)?;
                }
            }
            false => add_counted(connection, filter, &mut groups)?,
        }
        let mut groups: Vec<CacheUse> = groups.into_values().filter(|own| own.prompt_tokens > 0).collect();
        groups.sort_by(|one, other| {
            let place = |own: &CacheUse| (own.key.clone(), own.provider.clone(), own.model.clone());
            other.prompt_tokens.cmp(&one.prompt_tokens).then_with(|| place(one).cmp(&place(other)))
        });
        groups.truncate(GROUPS_MAX);
        Ok((time, groups))
    }

    /// Calls that read less from the cache than the one before, the newest first, and how many calls were compared.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn cache_falls(&mut self, filter: &Filter) -> Result<(Vec<CacheFall>, u64), ReadError> {
        let mut conditions = Conditions::of(filter);
        conditions.and("session IS NOT NULL AND prompt_tokens > 0 AND status < 400");
        let text = format!(
            "SELECT number, started_ms, session, coalesce(key, ''), coalesce(provider, ''), coalesce(model, ''), \
             coalesce(operation, ''), prompt_tokens, cached_tokens FROM requests {} \
             ORDER BY started_ms DESC, number DESC LIMIT {CALLS_MAX}",
            conditions.text()
        );
        let mut select = self.connection()?.prepare_cached(&text)?;
        let mut rows = select.query(params_from_iter(&conditions.values))?;
        let (mut falls, mut compared) = (Vec::new(), 0);
        // By session, model and API: the call behind the one that is looked at.
        let mut next: HashMap<[String; 4], CacheFall> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (operation, call) = call(row)?;
            let line = [call.session.clone(), call.provider.clone(), call.model.clone(), operation];
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
        let connection = self.connection()?;
        Ok((one(connection, fall.numbers.0)?, one(connection, fall.numbers.1)?))
    }
}

fn one(connection: &Connection, number: i64) -> Result<Compared, ReadError> {
    let mut select = connection.prepare_cached(
        "SELECT id, request_state, request_packed, response_packed FROM requests \
         LEFT JOIN bodies ON bodies.request = number WHERE number = ?1",
    )?;
    let read = |row: &Row<'_>| {
        let packed = |at: usize| row.get_ref(at)?.as_blob_or_null().map_err(rusqlite::Error::from);
        let is_cut = row.get_ref(1)?.as_str()? == "cut";
        Ok(Compared {
            id: row.get(0)?,
            request: packed(2)?.and_then(unpacked).map(|body| (body, is_cut)),
            response: packed(3)?.and_then(unpacked),
        })
    };
    // Retention may have taken it meanwhile.
    Ok(select.query_row([number], read).optional()?.unwrap_or_default())
}

/// A call, as the later one of two, and its API.
fn call(row: &Row<'_>) -> rusqlite::Result<(String, CacheFall)> {
    let count = |at: usize| row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default());
    let call = CacheFall {
        numbers: (0, row.get(0)?),
        started_ms: (0, row.get(1)?),
        session: row.get(2)?,
        key: row.get(3)?,
        provider: row.get(4)?,
        model: row.get(5)?,
        prompt_tokens: count(7)?,
        cached_tokens: (0, count(8)?),
    };
    Ok((row.get(6)?, call))
}

type Groups = HashMap<[String; 3], CacheUse>;

fn add_kept(
    connection: &Connection,
    filter: &Filter,
    (width_ms, (start_ms, end_ms)): (i64, (i64, i64)),
    groups: &mut Groups,
) -> Result<(), ReadError> {
    let mut select = connection.prepare_cached(
        "SELECT key, provider, model, sum(attempts), sum(prompt_tokens), sum(cached_tokens) FROM sums \
         WHERE width_ms = ?1 AND start_ms >= ?2 AND start_ms < ?3 AND (?4 IS NULL OR provider = ?4) \
         AND (?5 IS NULL OR model = ?5) AND (?6 IS NULL OR key = ?6) GROUP BY 1, 2, 3",
    )?;
    let values = (width_ms, start_ms, end_ms, &filter.provider, &filter.model, &filter.key);
    let mut rows = select.query(values)?;
    while let Some(row) = rows.next()? {
        add(row, groups)?;
    }
    Ok(())
}

fn add_counted(connection: &Connection, filter: &Filter, groups: &mut Groups) -> Result<(), ReadError> {
    let conditions = Conditions::of(filter);
    let text = format!(
        "SELECT coalesce(key, ''), coalesce(provider, ''), coalesce(model, ''), sum(attempts), sum(prompt_tokens), \
         sum(cached_tokens) FROM requests {} GROUP BY 1, 2, 3",
        conditions.text()
    );
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(params_from_iter(&conditions.values))?;
    while let Some(row) = rows.next()? {
        add(row, groups)?;
    }
    Ok(())
}

fn add(row: &Row<'_>, groups: &mut Groups) -> rusqlite::Result<()> {
    let count = |at: usize| row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default());
    let name: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
    let [key, provider, model] = name.clone();
    let own = groups.entry(name).or_insert_with(|| CacheUse { key, provider, model, ..CacheUse::default() });
    own.attempts += count(3)?;
    own.prompt_tokens = own.prompt_tokens.saturating_add(count(4)?);
    own.cached_tokens = own.cached_tokens.saturating_add(count(5)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::body::Kept;
    use crate::record::{Attempt, Outcome, Record, Usage};
    use crate::{database, insert};

    /// A call of a session: when, at whom, for which model, and the tokens that it read in all and from the cache.
    type Call = (&'static str, i64, &'static str, &'static str, u64, u64);

    fn reader(folder: &Path, calls: &[Call]) -> Reader {
        let path = folder.join("records.db");
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
        insert::write(&mut database::open(&path).unwrap(), &all).unwrap();
        Reader::new(&path)
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
