//! How long what is kept is kept, and how much of it: whole days go, the oldest first, one in each step. To drop a day is to take
//! away some files; nothing is rewritten for it, whoever else does the same does no harm, and another time or size in the
//! configuration holds at once, which a TTL of the table would not.

use std::time::Duration;

use super::row_binary::Decoder;
use super::server::Parameters;
use super::{ClickHouse, Error, Writer};
use crate::retention::{Retention, before_ms};
use crate::write_error::WriteError;

/// A table, the column of its time, and what its partitions hold.
struct Aging {
    table: &'static str,
    time: &'static str,
    span: Span,
    keep: Duration,
    /// On disk; `None`: whatever there is.
    bytes_max: Option<u64>,
}

/// What a partition holds.
#[derive(Debug, Clone, Copy)]
enum Span {
    Day,
    Month,
}

/// The oldest partition of a table.
struct Oldest {
    name: u32,
    end_ms: i64,
    /// There is no other.
    is_last: bool,
}

impl Writer {
    /// Takes away a day of each table, if there is one that has been kept long enough or is too much. Is there more of it?
    pub(crate) fn retain(&mut self, retention: &Retention, now_ms: i64) -> Result<bool, WriteError> {
        self.on(|own| step(&own.server, retention, now_ms))
    }
}

fn step(server: &ClickHouse, retention: &Retention, now_ms: i64) -> Result<bool, Error> {
    let Retention { records, record_bytes, bodies, body_bytes } = *retention;
    let (started, created) = ("started_ms", "created_ms");
    let all = [
        Aging {
            table: "ostia_bodies",
            time: started,
            span: Span::Day,
            keep: bodies.min(records),
            bytes_max: Some(body_bytes),
        },
        Aging {
            table: "ostia_records",
            time: started,
            span: Span::Day,
            keep: records,
            bytes_max: Some(record_bytes),
        },
        Aging {
            table: "ostia_spans",
            time: "received_ms",
            span: Span::Day,
            keep: bodies,
            bytes_max: Some(body_bytes),
        },
        Aging {
            table: "ostia_span_logs",
            time: "received_ms",
            span: Span::Day,
            keep: bodies,
            bytes_max: Some(body_bytes),
        },
        Aging { table: "ostia_names", time: started, span: Span::Month, keep: records, bytes_max: None },
        Aging { table: "ostia_feedback", time: created, span: Span::Month, keep: records, bytes_max: None },
    ];
    let mut is_more = false;
    for aging in &all {
        is_more |= aging.take_oldest(server, now_ms)?;
    }
    Ok(is_more)
}

impl Aging {
    /// Takes away the oldest partition, if it is to go. Was it?
    fn take_oldest(&self, server: &ClickHouse, now_ms: i64) -> Result<bool, Error> {
        let Some(oldest) = self.oldest(server)? else { return Ok(false) };
        let is_old = oldest.end_ms <= before_ms(now_ms, self.keep);
        // What is written now stays, however much it is.
        let is_too_much = || -> Result<bool, Error> {
            let Some(bytes_max) = self.bytes_max.filter(|_| !oldest.is_last) else { return Ok(false) };
            Ok(self.bytes(server)? > bytes_max)
        };
        if !is_old && !is_too_much()? {
            return Ok(false);
        }
        server.command(&format!("ALTER TABLE {} DROP PARTITION ID '{}'", self.table, oldest.name))?;
        Ok(true)
    }

    fn oldest(&self, server: &ClickHouse) -> Result<Option<Oldest>, Error> {
        let Aging { table, time, span, .. } = self;
        let (name, start, end) = match span {
            Span::Day => ("toYYYYMMDD", "toStartOfDay", "addDays"),
            Span::Month => ("toYYYYMM", "toStartOfMonth", "addMonths"),
        };
        let text = format!(
            "SELECT count(), {name}(fromUnixTimestamp64Milli(min({time}), 'UTC')) AS first, \
             toInt64(toUnixTimestamp(toDateTime({end}({start}(fromUnixTimestamp64Milli(min({time}), 'UTC')), 1), 'UTC'))) * 1000, \
             first = {name}(fromUnixTimestamp64Milli(max({time}), 'UTC')) FROM {table}"
        );
        let row = |row: &mut Decoder<'_>| {
            let (count, name) = (row.u64()?, row.u32()?);
            Ok((count, Oldest { name, end_ms: row.i64()?, is_last: row.byte()? > 0 }))
        };
        let found = server.rows(&text, &Parameters::default(), row)?.pop();
        Ok(found.filter(|(count, _)| *count > 0).map(|(_, oldest)| oldest))
    }

    /// What a table takes on disk.
    fn bytes(&self, server: &ClickHouse) -> Result<u64, Error> {
        let text = format!(
            "SELECT ifNull(sum(total_bytes), 0) FROM system.tables WHERE database = currentDatabase() AND name = '{}'",
            self.table
        );
        server.number(&text, &Parameters::default())
    }
}
