//! Records into the file: a batch at a time, whole or not at all.

use rusqlite::{Connection, Transaction, params};

use crate::price;
use crate::record::Record;
use crate::rollup::{Rollup, USD, signed};

/// 10^-18 in the unit of the column that costs are filtered by.
const ATTO_IN_NANO: u128 = 1_000_000_000;

/// Writes these records, and what they come to. Those that are there already are left out.
pub(crate) fn write(connection: &mut Connection, records: &[Record]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut rollup = Rollup::default();
    let (mut documents, mut bodies) = (0, 0);
    for record in records {
        let Some(added) = write_one(&transaction, record)? else { continue };
        documents += added.document_bytes;
        bodies += added.body_bytes;
        rollup.count(record);
    }
    rollup.write(&transaction)?;
    add_total(&transaction, "documents", documents)?;
    add_total(&transaction, "bodies", bodies)?;
    transaction.commit()
}

struct Added {
    document_bytes: i64,
    body_bytes: i64,
}

fn write_one(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<Option<Added>> {
    let document = serde_json::to_string(record).unwrap_or_default();
    let last = record.last();
    let model = record.model.as_deref().or(last.and_then(|attempt| attempt.model.as_deref()));
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO requests (id, started_ms, trace_id, operation, key, provider, model, status, end, \
         duration_us, tokens, cost_nano, document, request_state, response_state) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    let added = insert.execute(params![
        record.id,
        record.started_ms,
        record.trace_id,
        record.operation,
        record.key,
        last.map(|attempt| &attempt.provider),
        model,
        record.status,
        record.end,
        signed(record.duration_us),
        record.tokens().map(|(prompt, completion)| signed(prompt.saturating_add(completion))),
        cost_nano(record),
        document,
        record.request.state(),
        record.response.state(),
    ])?;
    if added == 0 {
        return Ok(None);
    }
    let number = transaction.last_insert_rowid();
    let mut name =
        transaction.prepare_cached("INSERT OR IGNORE INTO names (name, request) VALUES (?1, ?2)")?;
    for provider_id in record.attempts.iter().filter_map(|attempt| attempt.request_id.as_ref()) {
        name.execute(params![provider_id, number])?;
    }
    let body_bytes = write_bodies(transaction, record, number)?;
    Ok(Some(Added { document_bytes: document.len() as i64, body_bytes }))
}

fn write_bodies(transaction: &Transaction<'_>, record: &Record, number: i64) -> rusqlite::Result<i64> {
    let (request, response) = (record.request.packed(), record.response.packed());
    if request.is_none() && response.is_none() {
        return Ok(0);
    }
    let length = |packed: &Option<Vec<u8>>| packed.as_ref().map_or(0, |packed| packed.len() as i64);
    let bytes = length(&request) + length(&response);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO bodies (request, started_ms, bytes, request_packed, response_packed) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute(params![number, record.started_ms, bytes, request, response])?;
    Ok(bytes)
}

/// What it cost in dollars, to filter by; none where an attempt took something whose price nobody knows.
fn cost_nano(record: &Record) -> Option<i64> {
    if record.attempts.iter().any(|attempt| attempt.cost_unknown.is_some()) {
        return None;
    }
    let costs = record.attempts.iter().filter_map(|attempt| attempt.cost.as_ref());
    let atto = costs.filter(|cost| cost.currency == USD).filter_map(|cost| price::atto(&cost.amount));
    atto.reduce(u128::saturating_add).map(|atto| i64::try_from(atto / ATTO_IN_NANO).unwrap_or(i64::MAX))
}

/// More, or with a minus less, of what is counted under this name.
pub(crate) fn add_total(transaction: &Transaction<'_>, name: &str, bytes: i64) -> rusqlite::Result<()> {
    if bytes != 0 {
        let mut update =
            transaction.prepare_cached("UPDATE totals SET bytes = max(0, bytes + ?1) WHERE name = ?2")?;
        update.execute(params![bytes, name])?;
    }
    Ok(())
}
