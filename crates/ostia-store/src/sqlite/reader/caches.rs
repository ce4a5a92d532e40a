//! What was read from providers' prompt caches, and calls of sessions that can be compared.

use rusqlite::{OptionalExtension as _, Row, params_from_iter};

use super::{Reader, conditions};
use crate::answers::{CacheFall, CacheUse, Compared, Piece, ReadError};
use crate::body::unpacked;
use crate::query::Filter;

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
        let conditions = conditions::of(filter);
        let text = format!(
            "SELECT coalesce(key, ''), coalesce(provider, ''), coalesce(model, ''), sum(attempts), sum(prompt_tokens), \
             sum(cached_tokens) FROM requests {} GROUP BY 1, 2, 3",
            conditions.text()
        );
        let mut select = self.connection()?.prepare_cached(&text)?;
        let rows = select.query_map(params_from_iter(&conditions.values), cache_use)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn cached_calls(
        &mut self,
        filter: &Filter,
        most: u32,
    ) -> Result<Vec<(String, CacheFall)>, ReadError> {
        let mut conditions = conditions::of(filter);
        conditions.and("session IS NOT NULL AND prompt_tokens > 0 AND status < 400");
        let text = format!(
            "SELECT number, started_ms, session, coalesce(key, ''), coalesce(provider, ''), coalesce(model, ''), \
             coalesce(operation, ''), prompt_tokens, cached_tokens FROM requests {} \
             ORDER BY started_ms DESC, number DESC LIMIT {most}",
            conditions.text()
        );
        let mut select = self.connection()?.prepare_cached(&text)?;
        let rows = select.query_map(params_from_iter(&conditions.values), call)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
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
        let conditions = conditions::of(filter);
        let text =
            format!("SELECT count(*) FROM (SELECT 1 FROM requests {} LIMIT {most})", conditions.text());
        let mut select = self.connection()?.prepare_cached(&text)?;
        let count: i64 = select.query_row(params_from_iter(&conditions.values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
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

/// A call, as the later one of two, and its API.
fn call(row: &Row<'_>) -> rusqlite::Result<(String, CacheFall)> {
    let call = CacheFall {
        numbers: (0, row.get(0)?),
        started_ms: (0, row.get(1)?),
        session: row.get(2)?,
        key: row.get(3)?,
        provider: row.get(4)?,
        model: row.get(5)?,
        prompt_tokens: count_at(row, 7)?,
        cached_tokens: (0, count_at(row, 8)?),
    };
    Ok((row.get(6)?, call))
}
