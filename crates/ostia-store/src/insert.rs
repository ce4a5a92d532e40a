//! Records into the file: a batch at a time, whole or not at all.

use rusqlite::{Connection, Transaction, params};

use crate::price;
use crate::record::{Outcome, Record};
use crate::rollup::{self, Rollup, USD, signed};
use crate::summary::Sums;

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
        facts.costs,
        facts.metadata,
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

/// What stands in columns of its own, to be added up.
struct Facts {
    /// Of all attempts.
    sums: Sums,
    /// Attempts that failed at the target of a whole answer.
    retries: i64,
    /// Others failed before that.
    fell_back: bool,
    costs: Option<String>,
    metadata: Option<String>,
}

impl Facts {
    fn of(record: &Record) -> Facts {
        let mut sums = Sums::default();
        record.attempts.iter().for_each(|attempt| sums.plus(&rollup::of_attempt(attempt)));
        let target = record.last().filter(|_| record.is_success()).map(|attempt| attempt.target.as_str());
        let failed = record
            .attempts
            .iter()
            .filter(|attempt| matches!(attempt.outcome, Outcome::Failed | Outcome::Broken));
        let (own, others): (Vec<_>, Vec<_>) =
            failed.partition(|attempt| target == Some(attempt.target.as_str()));
        Facts {
            sums,
            retries: own.len() as i64,
            fell_back: target.is_some() && !others.is_empty(),
            costs: costs(record),
            metadata: (!record.metadata.is_empty())
                .then(|| serde_json::to_string(&record.metadata).unwrap_or_default()),
        }
    }
}

/// What each attempt cost: `USD 0.1,CNY 2~`.
pub(crate) fn costs(record: &Record) -> Option<String> {
    let costs: Vec<String> = record.attempts.iter().filter_map(price::told_cost).collect();
    (!costs.is_empty()).then(|| costs.join(","))
}

/// What it cost in dollars, to filter by; none where an attempt took something whose price nobody knows.
pub(crate) fn cost_nano(record: &Record) -> Option<i64> {
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
