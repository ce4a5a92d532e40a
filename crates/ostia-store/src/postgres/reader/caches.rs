//! What was read from providers' prompt caches, and calls of sessions that can be compared; and how many requests there are.

use tokio_postgres::Row;

use super::scope::Scope;
use super::{Reader, query, sums};
use crate::answers::{CacheFall, CacheUse, Compared, Piece, ReadError};
use crate::body::unpacked;
use crate::conditions::Value;
use crate::postgres::client::Fault;
use crate::query::Filter;

impl Reader {
    pub(crate) fn kept_cache_use(
        &mut self,
        filter: &Filter,
        (width_ms, time): Piece,
    ) -> Result<Vec<CacheUse>, ReadError> {
        self.on(async |client| {
            let conditions = sums::kept(filter, width_ms, time);
            let text = format!(
                "SELECT key, provider, model, sum(attempts)::bigint, sum(prompt_tokens)::bigint, sum(cached_tokens)::bigint \
                 FROM sums {} GROUP BY 1, 2, 3",
                conditions.text()
            );
            query(client, &text, &conditions.values).await?.iter().map(cache_use).collect()
        })
    }

    pub(crate) fn counted_cache_use(&mut self, filter: &Filter) -> Result<Vec<CacheUse>, ReadError> {
        self.on(async |client| {
            let mut all = Vec::new();
            for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
                let text = format!(
                    "SELECT coalesce(key, ''), coalesce(provider, ''), coalesce(model, ''), sum(attempts)::bigint, \
                     sum(prompt_tokens)::bigint, sum(cached_tokens)::bigint FROM requests {} GROUP BY 1, 2, 3",
                    conditions.text()
                );
                for row in query(client, &text, &conditions.values).await? {
                    all.push(cache_use(&row)?);
                }
            }
            Ok(all)
        })
    }

    pub(crate) fn cached_calls(
        &mut self,
        filter: &Filter,
        most: u32,
    ) -> Result<Vec<(String, CacheFall)>, ReadError> {
        self.on(async |client| {
            let mut calls = Vec::new();
            for mut conditions in Scope::of(client, filter, None).await?.conditions(filter) {
                let missing = (most as usize).saturating_sub(calls.len());
                if missing == 0 {
                    break;
                }
                conditions.and("session IS NOT NULL AND prompt_tokens > 0 AND status < 400");
                let text = format!(
                    "SELECT number, started_ms, session, coalesce(key, ''), coalesce(provider, ''), coalesce(model, ''), \
                     coalesce(operation, ''), prompt_tokens, cached_tokens FROM requests {} \
                     ORDER BY started_ms DESC, number DESC LIMIT {missing}",
                    conditions.text()
                );
                for row in query(client, &text, &conditions.values).await? {
                    calls.push(call(&row)?);
                }
            }
            Ok(calls)
        })
    }

    pub(crate) fn one_compared(&mut self, number: i64, started_ms: i64) -> Result<Compared, ReadError> {
        let text = "SELECT id, request_state, request_packed, response_packed FROM requests \
                    LEFT JOIN bodies USING (started_ms, number) WHERE started_ms = ? AND number = ?";
        self.on(async |client| {
            let rows = query(client, text, &[Value::Integer(started_ms), Value::Integer(number)]).await?;
            let Some(row) = rows.first() else { return Ok(Compared::default()) };
            let is_cut = row.try_get::<_, &str>(1)? == "cut";
            let packed = |at: usize| Ok::<_, Fault>(row.try_get::<_, Option<&[u8]>>(at)?.and_then(unpacked));
            Ok(Compared {
                id: row.try_get(0)?,
                request: packed(2)?.map(|body| (body, is_cut)),
                response: packed(3)?,
            })
        })
    }

    pub(crate) fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        self.on(async |client| {
            let mut count = 0;
            for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
                let left = most.saturating_sub(count);
                if left == 0 {
                    break;
                }
                let text = format!(
                    "SELECT count(*) FROM (SELECT 1 FROM requests {} LIMIT {left}) AS found",
                    conditions.text()
                );
                let rows = query(client, &text, &conditions.values).await?;
                count += rows.first().map(|row| count_at(row, 0)).transpose()?.unwrap_or_default();
            }
            Ok(count)
        })
    }
}

fn count_at(row: &Row, at: usize) -> Result<u64, Fault> {
    Ok(u64::try_from(row.try_get::<_, i64>(at)?).unwrap_or_default())
}

fn cache_use(row: &Row) -> Result<CacheUse, Fault> {
    Ok(CacheUse {
        key: row.try_get(0)?,
        provider: row.try_get(1)?,
        model: row.try_get(2)?,
        attempts: count_at(row, 3)?,
        prompt_tokens: count_at(row, 4)?,
        cached_tokens: count_at(row, 5)?,
    })
}

/// A call, as the later one of two, and its API.
fn call(row: &Row) -> Result<(String, CacheFall), Fault> {
    let call = CacheFall {
        numbers: (0, row.try_get(0)?),
        started_ms: (0, row.try_get(1)?),
        session: row.try_get(2)?,
        key: row.try_get(3)?,
        provider: row.try_get(4)?,
        model: row.try_get(5)?,
        prompt_tokens: count_at(row, 7)?,
        cached_tokens: (0, count_at(row, 8)?),
    };
    Ok((row.try_get(6)?, call))
}
