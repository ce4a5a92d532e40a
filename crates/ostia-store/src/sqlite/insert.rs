//! Records into the file: a batch at a time, whole or not at all.

use rusqlite::{Connection, Transaction, params};

use super::rollup;
use crate::facts::{Facts, costs};
use crate::record::Record;
use crate::rollup::{Rollup, signed};

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
    rollup::write_all(&transaction, &rollup)?;
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
    let metadata =
        (!record.metadata.is_empty()).then(|| serde_json::to_string(&record.metadata).unwrap_or_default());
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO requests (id, started_ms, trace_id, operation, key, provider, model, status, end, \
         duration_us, tokens, cost_nano, document, request_state, response_state, session, first_token_us, \
         prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, attempts, failed_attempts, retries, fell_back, \
         unpriced, costs, metadata) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
         ?23, ?24, ?25, ?26, ?27, ?28)",
    )?;
    let facts = Facts::of(record);
    let added = insert.execute(params![
        record.id,
        record.started_ms,
        record.trace_id,
        record.operation,
        record.key,
        facts.provider,
        facts.model,
        record.status,
        record.end,
        signed(record.duration_us),
        facts.tokens,
        facts.cost_nano,
        document,
        record.request.state(),
        record.response.state(),
        record.session,
        record.first_token_us.map(signed),
        signed(facts.sums.prompt_tokens),
        signed(facts.sums.completion_tokens),
        signed(facts.sums.cached_tokens),
        signed(facts.sums.reasoning_tokens),
        signed(facts.sums.attempts),
        signed(facts.sums.failed_attempts),
        facts.retries,
        facts.fell_back,
        signed(facts.sums.unpriced),
        costs(record),
        metadata,
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

/// More, or with a minus less, of what is counted under this name.
pub(crate) fn add_total(transaction: &Transaction<'_>, name: &str, bytes: i64) -> rusqlite::Result<()> {
    if bytes != 0 {
        let mut update =
            transaction.prepare_cached("UPDATE totals SET bytes = max(0, bytes + ?1) WHERE name = ?2")?;
        update.execute(params![bytes, name])?;
    }
    Ok(())
}
