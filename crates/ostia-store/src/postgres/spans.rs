//! Spans of applications and what they logged.

use serde::Deserialize;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::client::{Fault, param};
use super::text::clean;
use crate::spans::{Joined, TOLD_MAX, read};

/// Rows that one step takes away at most where they are old,
const OLD_ROWS_MAX: i64 = 10_000;
/// and where there are too many: no more than have to go.
const ROWS_TOO_MANY_MAX: i64 = 500;
/// Adds bytes of rows that were `added` to their sum.
const ADDED: &str = "UPDATE totals SET bytes = totals.bytes + (SELECT coalesce(sum(bytes), 0) FROM added) WHERE name = 'spans'";

/// Keeps all of them, or none.
pub(super) async fn insert(client: &mut Client, all: &Joined, now_ms: i64) -> Result<(), Fault> {
    let transaction = client.transaction().await?;
    insert_spans(&transaction, all, now_ms).await?;
    insert_logs(&transaction, all, now_ms).await?;
    Ok(transaction.commit().await?)
}

async fn insert_spans(transaction: &Transaction<'_>, all: &Joined, now_ms: i64) -> Result<(), Fault> {
    let of = |text: fn(&crate::spans::Span) -> String| all.spans.iter().map(text).collect::<Vec<_>>();
    let (traces, ids) = (of(|one| clean(&one.trace_id).into()), of(|one| clean(&one.span_id).into()));
    let keys = of(|one| clean(one.key.as_deref().unwrap_or_default()).into());
    let documents = of(|one| one.document());
    let values = [
        param(&traces, Type::TEXT_ARRAY),
        param(&ids, Type::TEXT_ARRAY),
        param(&keys, Type::TEXT_ARRAY),
        param(&documents, Type::TEXT_ARRAY),
        param(&now_ms, Type::INT8),
    ];
    let text = format!(
        "WITH added AS (INSERT INTO spans (trace_id, span_id, key, document, received_ms) \
         SELECT one.*, $5 FROM unnest($1, $2, $3, $4) AS one ON CONFLICT DO NOTHING \
         RETURNING octet_length(document) AS bytes) {ADDED}"
    );
    transaction.execute_typed(&text, &values).await?;
    Ok(())
}

async fn insert_logs(transaction: &Transaction<'_>, all: &Joined, now_ms: i64) -> Result<(), Fault> {
    let traces: Vec<_> = all.logs.iter().map(|one| clean(&one.trace_id)).collect();
    let documents: Vec<String> = all.logs.iter().map(|one| one.document()).collect();
    let values =
        [param(&traces, Type::TEXT_ARRAY), param(&documents, Type::TEXT_ARRAY), param(&now_ms, Type::INT8)];
    let text = format!(
        "WITH added AS (INSERT INTO span_logs (trace_id, document, received_ms) \
         SELECT one.*, $3 FROM unnest($1, $2) AS one RETURNING octet_length(document) AS bytes) {ADDED}"
    );
    transaction.execute_typed(&text, &values).await?;
    Ok(())
}

/// What joins this trace.
pub(super) async fn of_trace(client: &Client, trace_id: &str) -> Result<Joined, Fault> {
    let spans = documents(client, "spans", trace_id).await?;
    let logs = documents(client, "span_logs", trace_id).await?;
    Ok(Joined { spans, logs })
}

async fn documents<T: for<'d> Deserialize<'d>>(
    client: &Client,
    table: &str,
    trace_id: &str,
) -> Result<Vec<T>, Fault> {
    let text = format!("SELECT document FROM {table} WHERE trace_id = $1 ORDER BY number LIMIT {TOLD_MAX}");
    let trace_id = clean(trace_id);
    let rows = client.query_typed(&text, &[param(&trace_id, Type::TEXT)]).await?;
    Ok(read(rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?))
}

/// Takes away some of what came before this time, or where there is more than so many bytes of it, of the oldest. How many rows went?
pub(super) async fn take(
    transaction: &Transaction<'_>,
    before_ms: i64,
    bytes_max: u64,
) -> Result<u64, Fault> {
    let bytes = transaction.query_opt("SELECT bytes FROM totals WHERE name = 'spans'", &[]).await?;
    let bytes: i64 = bytes.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    let is_too_much = u64::try_from(bytes).unwrap_or_default() > bytes_max;
    let (before_ms, most) = match is_too_much {
        true => (i64::MAX, ROWS_TOO_MANY_MAX),
        false => (before_ms, OLD_ROWS_MAX),
    };
    let mut taken = 0;
    for table in ["spans", "span_logs"] {
        let text = format!(
            "WITH gone AS (DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE received_ms < $1 \
             ORDER BY received_ms LIMIT $2)) RETURNING octet_length(document) AS bytes), \
             less AS (UPDATE totals SET bytes = greatest(0, totals.bytes - (SELECT coalesce(sum(bytes), 0) FROM gone)) \
             WHERE name = 'spans') SELECT count(*) FROM gone"
        );
        let values = [param(&before_ms, Type::INT8), param(&most, Type::INT8)];
        let count: i64 = transaction.query_typed_one(&text, &values).await?.try_get(0)?;
        taken += u64::try_from(count).unwrap_or_default();
    }
    Ok(taken)
}
