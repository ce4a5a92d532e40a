//! Spans of applications and what they logged.

use rusqlite::{Connection, Transaction, params};
use serde::Deserialize;

use super::insert::add_total;
use crate::spans::{Joined, TOLD_MAX, read};

/// Rows that one step takes away at most.
const ROWS_MAX: u32 = 500;
/// The name of their sum among the totals.
const TOTAL: &str = "spans";

/// Keeps all of them, or none. A span that is there already, of the same key, is left as it is: senders repeat what they had no
/// answer for.
pub(super) fn insert_spans(connection: &mut Connection, all: &Joined, now_ms: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut bytes = 0;
    for span in &all.spans {
        let document = span.document();
        let key = span.key.as_deref().unwrap_or_default();
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO spans (trace_id, span_id, key, received_ms, document) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let added = insert.execute(params![span.trace_id, span.span_id, key, now_ms, document])?;
        bytes += (added * document.len()) as i64;
    }
    for log in &all.logs {
        let document = log.document();
        let mut insert = transaction
            .prepare_cached("INSERT INTO span_logs (trace_id, received_ms, document) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![log.trace_id, now_ms, document])?;
        bytes += document.len() as i64;
    }
    add_total(&transaction, TOTAL, bytes)?;
    transaction.commit()
}

/// What joins this trace.
pub(super) fn spans_of(connection: &Connection, trace_id: &str) -> rusqlite::Result<Joined> {
    let spans = documents(connection, "spans", trace_id)?;
    let logs = documents(connection, "span_logs", trace_id)?;
    Ok(Joined { spans, logs })
}

fn documents<T: for<'d> Deserialize<'d>>(
    connection: &Connection,
    table: &str,
    trace_id: &str,
) -> rusqlite::Result<Vec<T>> {
    let text = format!("SELECT document FROM {table} WHERE trace_id = ?1 ORDER BY number LIMIT {TOLD_MAX}");
    let mut select = connection.prepare_cached(&text)?;
    let rows = select.query_map([trace_id], |row| row.get(0))?;
    Ok(read(rows.collect::<rusqlite::Result<Vec<String>>>()?))
}

/// Takes away a little of what came before this time, or is too much. How many rows at most of one kind?
pub(super) fn take_spans(
    transaction: &Transaction<'_>,
    before_ms: i64,
    is_too_much: bool,
) -> rusqlite::Result<usize> {
    let before_ms = if is_too_much { i64::MAX } else { before_ms };
    let mut most = 0;
    for table in ["spans", "span_logs"] {
        let text = format!(
            "DELETE FROM {table} WHERE number IN (SELECT number FROM (SELECT number, received_ms FROM {table} \
             ORDER BY number LIMIT {ROWS_MAX}) WHERE received_ms < ?1) RETURNING octet_length(document)"
        );
        let mut delete = transaction.prepare_cached(&text)?;
        let bytes: Vec<i64> =
            delete.query_map([before_ms], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        add_total(transaction, TOTAL, -bytes.iter().sum::<i64>())?;
        most = most.max(bytes.len());
    }
    Ok(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spans::{AppLog, Span};
    use crate::sqlite::database;

    fn span(trace_id: &str, span_id: &str, key: Option<&str>, name: &str) -> Span {
        Span {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
            key: key.map(str::to_owned),
            name: name.to_owned(),
            started_ms: 1.5,
            ..Span::default()
        }
    }

    fn total(connection: &Connection) -> i64 {
        let text = "SELECT bytes FROM totals WHERE name = 'spans'";
        connection.query_row(text, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn what_is_kept_is_told_and_goes_with_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = database::open(&folder.path().join("records.db")).unwrap();
        let log = AppLog { trace_id: "t".to_owned(), body: "said".into(), ..AppLog::default() };
        let first = Joined { spans: vec![span("t", "1", None, "first")], logs: vec![log] };
        insert_spans(&mut connection, &first, 10).unwrap();
        // The same again, the same of another key, and one of another trace.
        let again =
            vec![span("t", "1", None, "again"), span("t", "1", Some("b"), "b's"), span("u", "1", None, "u")];
        insert_spans(&mut connection, &Joined { spans: again, logs: Vec::new() }, 20).unwrap();
        let told = spans_of(&connection, "t").unwrap();
        let names: Vec<_> = told.spans.iter().map(|span| (span.name.as_str(), span.key.as_deref())).collect();
        assert_eq!(names, [("first", None), ("b's", Some("b"))]);
        assert_eq!((told.logs.len(), &told.logs[0].body), (1, &serde_json::Value::from("said")));
        assert!(total(&connection) > 0);

        let mut take = |before_ms: i64, is_too_much: bool, expected: (usize, usize)| {
            let transaction = connection.transaction().unwrap();
            let taken = take_spans(&transaction, before_ms, is_too_much).unwrap();
            transaction.commit().unwrap();
            assert_eq!((taken, spans_of(&connection, "t").unwrap().spans.len()), expected, "{before_ms}");
        };
        take(10, false, (0, 2));
        take(20, false, (1, 1));
        take(0, true, (2, 0));
        assert_eq!(total(&connection), 0);
    }
}
