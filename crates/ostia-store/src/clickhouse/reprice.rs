//! New prices on what was kept: each request that costs something else now is written once more, as a later version of its row. Sums
//! are added up from the rows, and so are right at once.

use super::row_binary::{Decoder, Encoder};
use super::server::Parameters;
use super::write::{RECORDS, Written, encode, now};
use super::{ClickHouse, Error, Writer};
use crate::price::Prices;
use crate::record::Record;
use crate::reprice::{Progress, repriced};
use crate::write_error::WriteError;

/// Requests that are gone through at once: a few megabytes.
const BATCH: usize = 1000;

/// A request as it was written.
struct Row {
    started_ms: i64,
    id: String,
    number: i64,
    version: u64,
    states: [String; 2],
    document: String,
}

impl Writer {
    pub(crate) fn reprice(
        &mut self,
        from_ms: i64,
        prices: &Prices,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Progress, WriteError> {
        self.on(|own| all(&own.server, from_ms, prices, tell))
    }
}

fn all(
    server: &ClickHouse,
    from_ms: i64,
    prices: &Prices,
    tell: &mut dyn FnMut(Progress),
) -> Result<Progress, Error> {
    let mut parameters = Parameters::default();
    let text =
        format!("SELECT count() FROM ostia_records FINAL WHERE started_ms >= {}", parameters.int(from_ms));
    let mut progress = Progress { all: server.number(&text, &parameters)?, ..Progress::default() };
    let mut place = (from_ms, String::new());
    loop {
        let rows = rows_behind(server, &place)?;
        let Some(last) = rows.last() else { return Ok(progress) };
        place = (last.started_ms, last.id.clone());
        let mut changed = Encoder::default();
        for row in &rows {
            progress.seen += 1;
            progress.changed += u64::from(row.encode_repriced(prices, &mut changed));
        }
        if !changed.0.is_empty() {
            server.insert(RECORDS, &changed)?;
        }
        tell(progress);
    }
}

fn rows_behind(server: &ClickHouse, (started_ms, id): &(i64, String)) -> Result<Vec<Row>, Error> {
    let mut parameters = Parameters::default();
    let (started_ms, id) = (parameters.int(*started_ms), parameters.text(id));
    let text = format!(
        "SELECT started_ms, id, number, version, request_state, response_state, document FROM ostia_records \
         WHERE started_ms >= {started_ms} AND (started_ms, id) > ({started_ms}, {id}) \
         ORDER BY started_ms, id, version DESC LIMIT 1 BY started_ms, id LIMIT {BATCH}"
    );
    server.rows(&text, &parameters, Row::read)
}

impl Row {
    fn read(row: &mut Decoder<'_>) -> Result<Row, Error> {
        Ok(Row {
            started_ms: row.i64()?,
            id: row.text()?,
            number: row.i64()?,
            version: row.u64()?,
            states: [row.text()?, row.text()?],
            document: row.text()?,
        })
    }

    /// Writes it once more, if it costs something else now. Does it?
    fn encode_repriced(&self, prices: &Prices, rows: &mut Encoder) -> bool {
        let Ok(old) = serde_json::from_str::<Record>(&self.document) else { return false };
        let Some(new) = repriced(&old, prices) else { return false };
        let document = serde_json::to_string(&new).unwrap_or_default();
        let [request_state, response_state] = self.states.each_ref().map(String::as_str);
        let version = now().us.max(self.version + 1);
        let written =
            Written { number: self.number, version, request_state, response_state, document: &document };
        encode(&new, &written, rows);
        true
    }
}
