//! Conditions on `requests` in SQLite's words.

use rusqlite::ToSql;
use rusqlite::types::ToSqlOutput;

use crate::conditions::{Conditions, Value};
use crate::query::Filter;
use crate::sqlite::ids;

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Value::Integer(number) => number.to_sql(),
            Value::Real(number) => number.to_sql(),
            Value::Text(text) => text.to_sql(),
        }
    }
}

/// All that a filter asks for.
pub(crate) fn of(filter: &Filter) -> Conditions {
    let mut all = Conditions::of(filter);
    if let (least, most) = filter.feedback
        && (least.is_some() || most.is_some())
    {
        all.with(
            "number IN (SELECT request FROM requests_with_feedback WHERE trace_id IN (SELECT trace_id FROM feedback GROUP BY 1 \
             HAVING avg(value * weight) >= ? AND avg(value * weight) <= ?))",
            [least.unwrap_or(f64::MIN).into(), most.unwrap_or(f64::MAX).into()],
        );
    }
    for (name, value) in &filter.metadata {
        // The text as JSON has it is looked for first: to read the object takes ten times as long.
        let quoted = serde_json::Value::from(value.as_str()).to_string();
        all.with(
            "instr(metadata, ?) > 0 AND EXISTS (SELECT 1 FROM json_each(metadata) AS own \
             WHERE own.key = ? AND own.value = ?)",
            [Value::Text(quoted), name.as_str().into(), value.as_str().into()],
        );
    }
    if let Some(trace) = &filter.trace {
        of_trace(&mut all, trace);
    }
    all
}

/// It has this id, or its trace, or its provider's request.
fn of_trace(all: &mut Conditions, id: &str) {
    let text = format!(
        "number IN ({}) AND (id = ? OR trace_id = ? OR EXISTS (SELECT 1 FROM json_each(document, '$.attempts') AS attempt \
         WHERE attempt.value ->> '$.request_id' = ?))",
        ids::numbers_of_trace("?", "?")
    );
    all.with(&text, [id.into(), ids::hash(id).into(), id.into(), id.into(), id.into()]);
}
