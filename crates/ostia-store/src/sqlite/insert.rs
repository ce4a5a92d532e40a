//! Records into the file: a batch at a time, whole or not at all.

use rusqlite::{CachedStatement, Connection, Transaction, params};

use super::{feedback, ids, rollup};
use crate::facts::{Facts, costs};
use crate::record::Record;
use crate::rollup::{Rollup, signed};

/// Writes these records, and what they come to. Those that are there already are left out.
pub(crate) fn write(connection: &mut Connection, records: &[Record]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut rollup = Rollup::default();
    let (mut documents, mut bodies, mut ids, mut traces) = (0, 0, Vec::new(), Vec::new());
    let mut inserts = Inserts::prepared(&transaction)?;
    for record in records {
        let Some(added) = inserts.write(&transaction, record)? else { continue };
        documents += added.document_bytes;
        bodies += added.body_bytes;
        ids.extend(ids::of(record, added.number));
        traces.push((added.number, record.trace_id.as_str()));
        rollup.count(record);
    }
    drop(inserts);
    ids::write(&transaction, ids)?;
    feedback::found(&transaction, traces.into_iter())?;
    rollup::write_all(&transaction, &rollup)?;
    add_total(&transaction, "documents", documents)?;
    add_total(&transaction, "bodies", bodies)?;
    transaction.commit()
}

struct Added {
    number: i64,
    document_bytes: i64,
    body_bytes: i64,
}

/// What a record is written with, made once for a batch.
struct Inserts<'t> {
    request: CachedStatement<'t>,
    bodies: CachedStatement<'t>,
    /// Of the last record.
    document: Vec<u8>,
}

const INSERT_REQUEST: &str = "INSERT OR IGNORE INTO requests (id, started_ms, trace_id, operation, key, provider, model, status, end, \
     duration_us, tokens, cost_nano, document, request_state, response_state, session, first_token_us, \
     prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, attempts, failed_attempts, retries, fell_back, \
     unpriced, costs, metadata) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
     ?23, ?24, ?25, ?26, ?27, ?28)";
const INSERT_BODIES: &str = "INSERT INTO bodies (request, started_ms, bytes, request_packed, response_packed) \
                             VALUES (?1, ?2, ?3, ?4, ?5)";

impl<'t> Inserts<'t> {
    fn prepared(transaction: &'t Transaction<'_>) -> rusqlite::Result<Inserts<'t>> {
        let request = transaction.prepare_cached(INSERT_REQUEST)?;
        Ok(Inserts { request, bodies: transaction.prepare_cached(INSERT_BODIES)?, document: Vec::new() })
    }

    /// Writes a record; none where it is there already.
    fn write(&mut self, transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<Option<Added>> {
        let document = encoded(record, &mut self.document);
        let metadata = (!record.metadata.is_empty())
            .then(|| serde_json::to_string(&record.metadata).unwrap_or_default());
        let facts = Facts::of(record);
        let added = self.request.execute(params![
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
        let document_bytes = document.len() as i64;
        let body_bytes = self.write_bodies(record, number)?;
        Ok(Some(Added { number, document_bytes, body_bytes }))
    }

    fn write_bodies(&mut self, record: &Record, number: i64) -> rusqlite::Result<i64> {
        let (request, response) = (record.request.packed(), record.response.packed());
        if request.is_none() && response.is_none() {
            return Ok(0);
        }
        let length = |packed: &Option<Vec<u8>>| packed.as_ref().map_or(0, |packed| packed.len() as i64);
        let bytes = length(&request) + length(&response);
        self.bodies.execute(params![number, record.started_ms, bytes, request, response])?;
        Ok(bytes)
    }
}

/// A record as JSON, in this buffer.
fn encoded<'b>(record: &Record, buffer: &'b mut Vec<u8>) -> &'b str {
    buffer.clear();
    // A record has no form that JSON lacks.
    let _ = serde_json::to_writer(&mut *buffer, record);
    std::str::from_utf8(buffer).unwrap_or_default()
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
