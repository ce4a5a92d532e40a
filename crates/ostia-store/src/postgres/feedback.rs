//! What people thought of answers.

use serde_json::Value;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};

use super::client::{Fault, param};
use super::names::{self, Kind};
use super::text::clean;
use crate::feedback::{Feedback, FeedbackChange, NotTheirs};

/// Keeps all of them, or none where one is about a trace that has no request with its key. Those that are there already stay.
pub(super) async fn keep(client: &mut Client, all: &[Feedback]) -> Result<Result<(), NotTheirs>, Fault> {
    let transaction = client.transaction().await?;
    for one in all {
        let trace_id = clean(&one.trace_id);
        if let Some(key) = &one.key
            && !has_request(&transaction, &trace_id, &clean(key)).await?
        {
            return Ok(Err(NotTheirs(one.trace_id.clone())));
        }
        let metadata = one.metadata.as_ref().map(Value::to_string);
        let key = one.key.as_deref().map(clean);
        let values = [
            param(&one.id, Type::TEXT),
            param(&trace_id, Type::TEXT),
            param(&one.created_ms, Type::INT8),
            param(&one.value, Type::INT8),
            param(&one.weight, Type::FLOAT8),
            param(&metadata, Type::TEXT),
            param(&key, Type::TEXT),
        ];
        let text = "INSERT INTO feedback (id, trace_id, created_ms, value, weight, metadata, key) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        transaction.execute_typed(text, &values).await?;
    }
    transaction.commit().await?;
    Ok(Ok(()))
}

/// Has the trace a request with this key?
async fn has_request(client: &impl GenericClient, trace_id: &str, key: &str) -> Result<bool, Fault> {
    let places = names::find(client, Kind::Request, &[trace_id]).await?;
    let values = [
        param(&places.started_ms, Type::INT8_ARRAY),
        param(&places.numbers, Type::INT8_ARRAY),
        param(&trace_id, Type::TEXT),
        param(&key, Type::TEXT),
    ];
    let text = "SELECT 1 FROM requests WHERE started_ms = ANY($1) AND number = ANY($2) AND trace_id = $3 AND key = $4 LIMIT 1";
    Ok(!client.query_typed(text, &values).await?.is_empty())
}

/// Changes one, which has to be of this key, where there is one.
pub(super) async fn change(
    client: &Client,
    id: &str,
    key: Option<&str>,
    change: &FeedbackChange,
) -> Result<Result<(), NotTheirs>, Fault> {
    let metadata = change.metadata.as_ref().map(Value::to_string);
    let (name, key) = (clean(id), key.map(clean));
    let values = [
        param(&name, Type::TEXT),
        param(&key, Type::TEXT),
        param(&change.value, Type::INT8),
        param(&change.weight, Type::FLOAT8),
        param(&metadata, Type::TEXT),
    ];
    let text = "UPDATE feedback SET value = coalesce($3, value), weight = coalesce($4, weight), \
                metadata = coalesce($5, metadata) WHERE id = $1 AND ($2 IS NULL OR key = $2)";
    let changed = client.execute_typed(text, &values).await?;
    Ok(if changed == 0 { Err(NotTheirs(id.to_owned())) } else { Ok(()) })
}

/// What was thought of this trace, the oldest first.
pub(super) async fn of_trace(client: &Client, trace_id: &str) -> Result<Vec<Feedback>, Fault> {
    let text = "SELECT id, trace_id, created_ms, value, weight, metadata, key FROM feedback WHERE trace_id = $1 \
                ORDER BY created_ms, id LIMIT 1000";
    let trace_id = clean(trace_id);
    let rows = client.query_typed(text, &[param(&trace_id, Type::TEXT)]).await?;
    let feedback = |row: &tokio_postgres::Row| {
        let metadata: Option<&str> = row.try_get(5)?;
        Ok(Feedback {
            id: row.try_get(0)?,
            trace_id: row.try_get(1)?,
            created_ms: row.try_get(2)?,
            value: row.try_get(3)?,
            weight: row.try_get(4)?,
            metadata: metadata.and_then(|text| serde_json::from_str(text).ok()),
            key: row.try_get(6)?,
        })
    };
    rows.iter().map(feedback).collect()
}
