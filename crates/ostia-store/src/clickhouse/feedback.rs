//! What people thought of answers: a row for each, and one more of a later version for each change.

use serde_json::Value;

use super::conditions::Conditions;
use super::row_binary::{Decoder, Encoder};
use super::server::{Parameters, Timed};
use super::write::now;
use super::{ClickHouse, Error, Writer};
use crate::feedback::{Feedback, FeedbackChange, NotTheirs};
use crate::write_error::Checked;

/// Most of one trace that is told.
const OF_TRACE_MAX: u32 = 1000;
/// A table and its columns, in the order of [`encode`].
const FEEDBACK: &str = "ostia_feedback (id, trace_id, created_ms, value, weight, metadata, key, version)";
/// What [`read`] reads, in its order.
const COLUMNS: &str = "id, trace_id, created_ms, value, weight, metadata, key";

impl Writer {
    pub(crate) fn keep_feedback(&mut self, all: &[Feedback]) -> Checked {
        self.on(|own| keep(&own.server, all))
    }

    pub(crate) fn change_feedback(
        &mut self,
        id: &str,
        key: Option<&str>,
        change: &FeedbackChange,
    ) -> Checked {
        self.on(|own| self::change(&own.server, id, key, change))
    }
}

fn keep(server: &ClickHouse, all: &[Feedback]) -> Result<Result<(), NotTheirs>, Error> {
    let mut rows = Encoder::default();
    for one in all {
        if !is_theirs(server, one)? {
            return Ok(Err(NotTheirs(one.trace_id.clone())));
        }
        encode(one, now().us, &mut rows);
    }
    server.insert(FEEDBACK, &rows).map(Ok)
}

fn change(
    server: &ClickHouse,
    id: &str,
    key: Option<&str>,
    change: &FeedbackChange,
) -> Result<Result<(), NotTheirs>, Error> {
    let mut parameters = Parameters::default();
    let named = parameters.text(id);
    let text = format!(
        "SELECT version, {COLUMNS} FROM ostia_feedback WHERE id = {named} ORDER BY version DESC LIMIT 1"
    );
    let found = server.rows(&text, &parameters, |row| Ok((row.u64()?, read(row)?)))?.pop();
    let is_theirs = |one: &Feedback| key.is_none() || one.key.as_deref() == key;
    let Some((version, mut one)) = found.filter(|(_, one)| is_theirs(one)) else {
        return Ok(Err(NotTheirs(id.to_owned())));
    };
    one.value = change.value.unwrap_or(one.value);
    one.weight = change.weight.unwrap_or(one.weight);
    one.metadata = change.metadata.clone().or(one.metadata);
    let mut rows = Encoder::default();
    encode(&one, now().us.max(version + 1), &mut rows);
    server.insert(FEEDBACK, &rows).map(Ok)
}

/// What was thought of this trace, the oldest first.
pub(super) fn of_trace(server: &Timed, trace_id: &str) -> Result<Vec<Feedback>, Error> {
    let mut parameters = Parameters::default();
    let text = format!(
        "SELECT {COLUMNS} FROM ostia_feedback FINAL WHERE trace_id = {} ORDER BY created_ms, id LIMIT {OF_TRACE_MAX}",
        parameters.text(trace_id)
    );
    server.rows(&text, &parameters, read)
}

/// Has its trace a request with its key, where it has one?
fn is_theirs(server: &ClickHouse, one: &Feedback) -> Result<bool, Error> {
    let Some(key) = &one.key else { return Ok(true) };
    let mut parameters = Parameters::default();
    let mut conditions = Conditions::default();
    conditions.named(&["trace"], &one.trace_id, &mut parameters);
    conditions.and(format!("key = {}", parameters.text(key)));
    let text = format!("SELECT count() FROM ostia_records {}", conditions.text());
    Ok(server.number(&text, &parameters)? > 0)
}

fn encode(one: &Feedback, version: u64, row: &mut Encoder) {
    row.text(&one.id);
    row.text(&one.trace_id);
    row.i64(one.created_ms);
    row.i64(one.value);
    row.f64(one.weight);
    row.optional(one.metadata.as_ref().map(Value::to_string), Encoder::text);
    row.optional(one.key.as_ref(), Encoder::text);
    row.u64(version);
}

fn read(row: &mut Decoder<'_>) -> Result<Feedback, Error> {
    Ok(Feedback {
        id: row.text()?,
        trace_id: row.text()?,
        created_ms: row.i64()?,
        value: row.i64()?,
        weight: row.f64()?,
        metadata: row.optional(Decoder::bytes)?.and_then(|text| serde_json::from_slice(text).ok()),
        key: row.optional(Decoder::text)?,
    })
}
