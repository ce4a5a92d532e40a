//! Spans of applications and what they logged.

use super::row_binary::Encoder;
use super::server::Parameters;
use super::{ClickHouse, Error, Reader, Writer};
use crate::answers::ReadError;
use crate::spans::{Joined, TOLD_MAX, read};
use crate::write_error::WriteError;

/// Tables and their columns, in the order in which rows are written.
const SPANS: &str = "ostia_spans (trace_id, received_ms, place, document, span_id, key)";
const LOGS: &str = "ostia_span_logs (trace_id, received_ms, place, document)";

impl Writer {
    pub(crate) fn join(&mut self, all: &Joined, now_ms: i64) -> Result<(), WriteError> {
        self.on(|own| insert(&own.server, all, now_ms))
    }
}

/// Logs first: senders repeat what failed, and a span that is written twice is told once.
fn insert(server: &ClickHouse, all: &Joined, now_ms: i64) -> Result<(), Error> {
    let mut logs = Encoder::default();
    for (place, log) in (0..).zip(&all.logs) {
        beginning(&mut logs, &log.trace_id, (now_ms, place), &log.document());
    }
    let mut spans = Encoder::default();
    for (place, span) in (0..).zip(&all.spans) {
        beginning(&mut spans, &span.trace_id, (now_ms, place), &span.document());
        spans.text(&span.span_id);
        spans.text(span.key.as_deref().unwrap_or_default());
    }
    for (table, rows) in [(LOGS, logs), (SPANS, spans)] {
        if !rows.0.is_empty() {
            server.insert(table, &rows)?;
        }
    }
    Ok(())
}

fn beginning(row: &mut Encoder, trace_id: &str, (received_ms, place): (i64, u32), document: &str) {
    row.text(trace_id);
    row.i64(received_ms);
    row.u32(place);
    row.text(document);
}

impl Reader {
    pub(crate) fn joined(&self, trace_id: &str) -> Result<Joined, ReadError> {
        let mut parameters = Parameters::default();
        let trace = parameters.text(trace_id);
        let spans = format!(
            "SELECT argMin(document, (received_ms, place)) FROM ostia_spans WHERE trace_id = {trace} \
             GROUP BY span_id, key ORDER BY min((received_ms, place)) LIMIT {TOLD_MAX}"
        );
        let logs = format!(
            "SELECT document FROM ostia_span_logs WHERE trace_id = {trace} ORDER BY received_ms, place LIMIT {TOLD_MAX}"
        );
        let documents = |text: &str| self.server.rows(text, &parameters, |row| row.text());
        Ok(Joined { spans: read(documents(&spans)?), logs: read(documents(&logs)?) })
    }
}
