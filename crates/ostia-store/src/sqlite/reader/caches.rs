//! What was read from providers' prompt caches, and calls of sessions that can be compared.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{OptionalExtension as _, Row, params_from_iter};

use super::Reader;
use super::scan::{self, Chunk, Scan};
use crate::answers::{CacheFall, CacheUse, Compared, Piece, ReadError};
use crate::body::unpacked;
use crate::query::Filter;
use crate::sqlite::conditions;
use crate::sqlite::packed::{Columns, Number, Text, Wanted};

impl Reader {
    pub(crate) fn kept_cache_use(
        &mut self,
        filter: &Filter,
        (width_ms, (start_ms, end_ms)): Piece,
    ) -> Result<Vec<CacheUse>, ReadError> {
        let mut select = self.connection()?.prepare_cached(
            "SELECT key, provider, model, sum(attempts), sum(prompt_tokens), sum(cached_tokens) FROM sums \
             WHERE width_ms = ?1 AND start_ms >= ?2 AND start_ms < ?3 AND (?4 IS NULL OR provider = ?4) \
             AND (?5 IS NULL OR model = ?5) AND (?6 IS NULL OR key = ?6) GROUP BY 1, 2, 3",
        )?;
        let values = (width_ms, start_ms, end_ms, &filter.provider, &filter.model, &filter.key);
        Ok(select.query_map(values, cache_use)?.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn counted_cache_use(&mut self, filter: &Filter) -> Result<Vec<CacheUse>, ReadError> {
        let of = [Text::Key, Text::Provider, Text::Model];
        let wanted = Wanted::of(&[Number::Attempts, Number::PromptTokens, Number::CachedTokens], &of);
        let mut scan = Scan::of(self.connection()?, filter, wanted)?;
        let mut all = BTreeMap::<[String; 3], CacheUse>::new();
        while let Some(Chunk { columns, rows }) = scan.next()? {
            let mut by_codes = HashMap::<[u32; 3], [u64; 3]>::new();
            for row in rows {
                let own = by_codes.entry(of.map(|column| columns.code(column, row))).or_default();
                let more = [Number::Attempts, Number::PromptTokens, Number::CachedTokens];
                own.iter_mut().zip(more).for_each(|(own, column)| *own += number(&columns, column, row));
            }
            for (codes, [attempts, prompt_tokens, cached_tokens]) in by_codes {
                let word =
                    |place: usize| columns.words(of[place]).word(codes[place]).unwrap_or_default().to_owned();
                let [key, provider, model] = [0, 1, 2].map(word);
                let own = all.entry([key.clone(), provider.clone(), model.clone()]);
                let own = own.or_insert(CacheUse { key, provider, model, ..CacheUse::default() });
                own.attempts += attempts;
                own.prompt_tokens += prompt_tokens;
                own.cached_tokens += cached_tokens;
            }
        }
        Ok(all.into_values().collect())
    }

    pub(crate) fn cached_calls(
        &mut self,
        filter: &Filter,
        most: u32,
    ) -> Result<Vec<(String, CacheFall)>, ReadError> {
        let numbers =
            [Number::StartedMs, Number::Request, Number::Status, Number::PromptTokens, Number::CachedTokens];
        let texts = [Text::Session, Text::Key, Text::Provider, Text::Model, Text::Operation];
        let scan = Scan::of(self.connection()?, filter, Wanted::of(&numbers, &texts))?;
        let calls = scan::newest(scan, None, most as usize, call)?;
        Ok(calls.into_iter().map(|(_, call)| call).collect())
    }

    pub(crate) fn one_compared(&mut self, number: i64) -> Result<Compared, ReadError> {
        let mut select = self.connection()?.prepare_cached(
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
        Ok(select.query_row([number], read).optional()?.unwrap_or_default())
    }

    pub(crate) fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        let connection = self.connection()?;
        if filter.is_of_time() {
            // The index of times is all that is looked at.
            let conditions = conditions::of(filter);
            let text =
                format!("SELECT count(*) FROM (SELECT 1 FROM requests {} LIMIT {most})", conditions.text());
            let mut select = connection.prepare_cached(&text)?;
            return Ok(select.query_row(params_from_iter(&conditions.values), |row| count_at(row, 0))?);
        }
        let mut scan = Scan::of(connection, filter, Wanted::default())?;
        let mut count = 0;
        while count < most
            && let Some(chunk) = scan.next()?
        {
            count += chunk.rows.len() as u64;
        }
        Ok(count.min(most))
    }
}

fn count_at(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default())
}

fn cache_use(row: &Row<'_>) -> rusqlite::Result<CacheUse> {
    Ok(CacheUse {
        key: row.get(0)?,
        provider: row.get(1)?,
        model: row.get(2)?,
        attempts: count_at(row, 3)?,
        prompt_tokens: count_at(row, 4)?,
        cached_tokens: count_at(row, 5)?,
    })
}

fn number(columns: &Columns, column: Number, row: usize) -> u64 {
    columns.number(column, row).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// A call of a session that read something, as the later one of two, and its API.
fn call(columns: &Columns, row: usize) -> Option<(String, CacheFall)> {
    let text = |column: Text| columns.text(column, row).unwrap_or_default().to_owned();
    let session = columns.text(Text::Session, row)?.to_owned();
    let prompt_tokens = number(columns, Number::PromptTokens, row);
    if prompt_tokens == 0 || number(columns, Number::Status, row) >= 400 {
        return None;
    }
    let call = CacheFall {
        numbers: (0, columns.number(Number::Request, row)?),
        started_ms: (0, columns.number(Number::StartedMs, row)?),
        session,
        key: text(Text::Key),
        provider: text(Text::Provider),
        model: text(Text::Model),
        prompt_tokens,
        cached_tokens: (0, number(columns, Number::CachedTokens, row)),
    };
    Some((text(Text::Operation), call))
}
