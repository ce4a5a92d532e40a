//! What was read from providers' prompt caches, calls that are compared, and how many requests there are.

use tokio_postgres::Row;

use super::scope::Scope;
use super::{Reader, query, sums};
use crate::answers::{CacheUse, Compared, Piece, ReadError};
use crate::body::unpacked;
use crate::columns;
use crate::conditions::Value;
use crate::postgres::client::Fault;
use crate::query::Filter;

impl Reader {
    pub(crate) fn kept_cache_use(
        &mut self,
        filter: &Filter,
        time: Piece,
    ) -> Result<Vec<CacheUse>, ReadError> {
        self.on(async |client| {
            let conditions = sums::kept(filter, time);
            let text = format!(
                "SELECT key, provider, model, sum(attempts)::bigint, sum(prompt_tokens)::bigint, sum(cached_tokens)::bigint \
                 FROM sums {} GROUP BY 1, 2, 3",
                conditions.text()
            );
            query(client, &text, &conditions.values).await?.iter().map(cache_use).collect()
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
        if !filter.is_of_time() {
            return columns::how_many(self, filter, most);
        }
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
