//! What was read from providers' prompt caches, calls that are compared, and how many requests there are.

use rusqlite::{OptionalExtension as _, Row, params_from_iter};

use super::Reader;
use crate::answers::{CacheUse, Compared, Piece, ReadError};
use crate::body::unpacked;
use crate::columns;
use crate::query::Filter;
use crate::sqlite::conditions;

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
        if filter.is_of_time() {
            // The index of times is all that is looked at.
            let conditions = conditions::of(filter);
            let text =
                format!("SELECT count(*) FROM (SELECT 1 FROM requests {} LIMIT {most})", conditions.text());
            let mut select = self.connection()?.prepare_cached(&text)?;
            return Ok(select.query_row(params_from_iter(&conditions.values), |row| count_at(row, 0))?);
        }
        columns::how_many(self, filter, most)
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
