//! What people thought of answers, in the file.

use std::collections::HashSet;

use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

use super::ids;
use crate::feedback::{Feedback, FeedbackChange, NotTheirs};

/// Most requests of a trace that are found when its first feedback comes, the oldest of them: whoever writes waits for that, and a client may
/// send all of its requests as one trace. All that come later are found.
const REQUESTS_MAX: u32 = 100_000;

/// Keeps all of them, or none where one is about a trace that has no request with its key.
pub(crate) fn keep(connection: &mut Connection, all: &[Feedback]) -> rusqlite::Result<Result<(), NotTheirs>> {
    let transaction = connection.transaction()?;
    let (mut theirs, mut known) = (HashSet::new(), HashSet::new());
    for one in all {
        if let Some(key) = &one.key
            && theirs.insert((&one.trace_id, key))
            && !has_request(&transaction, &one.trace_id, key)?
        {
            return Ok(Err(NotTheirs(one.trace_id.clone())));
        }
        if known.insert(&one.trace_id) {
            find_requests(&transaction, &one.trace_id)?;
        }
        let text = "INSERT INTO feedback (id, trace_id, created_ms, value, weight, metadata, key) \
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let metadata = one.metadata.as_ref().map(Value::to_string);
        let row = params![one.id, one.trace_id, one.created_ms, one.value, one.weight, metadata, one.key];
        transaction.prepare_cached(text)?.execute(row)?;
    }
    transaction.commit()?;
    Ok(Ok(()))
}

/// Has the trace a request with this key?
fn has_request(transaction: &Transaction<'_>, trace_id: &str, key: &str) -> rusqlite::Result<bool> {
    let text = format!(
        "SELECT 1 FROM requests WHERE number IN ({}) AND trace_id = ?1 AND key = ?2 LIMIT 1",
        ids::numbers_of_trace("?1", "?3")
    );
    transaction.prepare_cached(&text)?.exists(params![trace_id, key, ids::hash(trace_id)])
}

/// Looks for the requests of a trace that has no feedback yet; of one that has they are known.
fn find_requests(transaction: &Transaction<'_>, trace_id: &str) -> rusqlite::Result<()> {
    let has_feedback = "SELECT 1 FROM feedback WHERE trace_id = ?1 LIMIT 1";
    if transaction.prepare_cached(has_feedback)?.exists([trace_id])? {
        return Ok(());
    }
    let text = format!(
        "INSERT OR IGNORE INTO requests_with_feedback SELECT number, trace_id FROM requests \
         WHERE number IN ({}) AND trace_id = ?1 ORDER BY number LIMIT {REQUESTS_MAX}",
        ids::numbers_of_trace("?1", "?2")
    );
    transaction.prepare_cached(&text)?.execute(params![trace_id, ids::hash(trace_id)])?;
    Ok(())
}

/// Takes note of those of these new requests whose traces have feedback already.
pub(crate) fn found<'r>(
    transaction: &Transaction<'_>,
    requests: impl Iterator<Item = (i64, &'r str)>,
) -> rusqlite::Result<()> {
    if transaction.prepare_cached("SELECT 1 FROM feedback LIMIT 1")?.query([])?.next()?.is_none() {
        return Ok(());
    }
    let text = "INSERT INTO requests_with_feedback SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM feedback WHERE trace_id = ?2)";
    let mut insert = transaction.prepare_cached(text)?;
    for request in requests {
        insert.execute(request)?;
    }
    Ok(())
}

/// Changes one, which has to be of this key, where there is one.
pub(crate) fn change(
    connection: &mut Connection,
    id: &str,
    key: Option<&str>,
    change: &FeedbackChange,
) -> rusqlite::Result<Result<(), NotTheirs>> {
    let text = "UPDATE feedback SET value = coalesce(?3, value), weight = coalesce(?4, weight), \
                metadata = coalesce(?5, metadata) WHERE id = ?1 AND (?2 IS NULL OR key = ?2)";
    let metadata = change.metadata.as_ref().map(Value::to_string);
    let changed = connection.execute(text, params![id, key, change.value, change.weight, metadata])?;
    Ok(if changed == 0 { Err(NotTheirs(id.to_owned())) } else { Ok(()) })
}

/// What was thought of this trace, the oldest first.
pub(crate) fn of_trace(connection: &Connection, trace_id: &str) -> rusqlite::Result<Vec<Feedback>> {
    let mut select = connection.prepare_cached(
        "SELECT id, trace_id, created_ms, value, weight, metadata, key FROM feedback WHERE trace_id = ?1 \
         ORDER BY created_ms, id LIMIT 1000",
    )?;
    let feedback = |row: &rusqlite::Row<'_>| {
        let metadata: Option<String> = row.get(5)?;
        Ok(Feedback {
            id: row.get(0)?,
            trace_id: row.get(1)?,
            created_ms: row.get(2)?,
            value: row.get(3)?,
            weight: row.get(4)?,
            metadata: metadata.and_then(|text| serde_json::from_str(&text).ok()),
            key: row.get(6)?,
        })
    };
    select.query_map([trace_id], feedback)?.collect()
}
