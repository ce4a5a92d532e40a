//! Records into ClickHouse: a batch is two inserts, bodies first, so that whoever finds a record finds its bodies.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use super::row_binary::Encoder;
use super::{Error, Writer};
use crate::body::Kept;
use crate::facts::Facts;
use crate::price;
use crate::record::{Attempt, Record};
use crate::rollup;
use crate::summary::Durations;
use crate::write_error::WriteError;

/// Numbers are the millisecond of writing, and behind it in these bits who writes,
const WRITER_BITS: u32 = 11;
/// and in these the place in a batch.
const PLACE_BITS: u32 = 10;

/// A table and its columns, in the order of [`encode`].
pub(super) const RECORDS: &str = "ostia_records (id, started_ms, number, version, trace_id, session, operation, key, provider, \
    model, status, `end`, duration_us, duration_bucket, first_token_us, first_token_bucket, tokens, cost_nano, prompt_tokens, \
    completion_tokens, retries, fell_back, metadata, request_ids, attempt_provider, attempt_model, attempt_failed, \
    attempt_prompt_tokens, attempt_completion_tokens, attempt_cached_tokens, attempt_reasoning_tokens, attempt_unpriced, \
    attempt_currency, attempt_cost, attempt_estimated, request_state, response_state, document)";
const BODIES: &str = "ostia_bodies (started_ms, id, request, response)";

/// Gives records numbers in the order of writing.
#[derive(Debug)]
pub(super) struct Numbers {
    /// One of many, by chance: others write to the same tables.
    writer: i64,
    last: i64,
}

impl Default for Numbers {
    fn default() -> Numbers {
        let chance = RandomState::new().build_hasher().finish();
        Numbers { writer: (chance % (1 << WRITER_BITS)) as i64, last: 0 }
    }
}

impl Numbers {
    /// The next one, for what is written now.
    fn next(&mut self, now_ms: i64) -> i64 {
        let first = ((now_ms << WRITER_BITS) | self.writer) << PLACE_BITS;
        let following = self.last + 1;
        // Where the places of a millisecond are used up, or the clock went back, the next millisecond's are taken.
        self.last = match first > self.last {
            true => first,
            false if following % (1 << PLACE_BITS) != 0 => following,
            false => {
                (((self.last >> (WRITER_BITS + PLACE_BITS)) + 1) << WRITER_BITS | self.writer) << PLACE_BITS
            }
        };
        self.last
    }
}

/// What of a row is not in the record itself.
pub(super) struct Written<'a> {
    pub(super) number: i64,
    /// The latest version of a row holds.
    pub(super) version: u64,
    pub(super) request_state: &'a str,
    pub(super) response_state: &'a str,
    /// The record as JSON.
    pub(super) document: &'a str,
}

impl Writer {
    /// Writes these records. To write the same again does no harm.
    pub(crate) fn write(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.on(|own| own.write_rows(records))
    }

    fn write_rows(&mut self, records: &[Record]) -> Result<(), Error> {
        let now = now();
        let (mut rows, mut bodies) = (Encoder::default(), Encoder::default());
        let mut seen = HashSet::new();
        for record in records.iter().filter(|record| seen.insert(record.id.as_str())) {
            let document = serde_json::to_string(record).unwrap_or_default();
            let written = Written {
                number: self.numbers.next(now.ms),
                version: now.us,
                request_state: record.request.state(),
                response_state: record.response.state(),
                document: &document,
            };
            encode(record, &written, &mut rows);
            encode_bodies(record, &mut bodies);
        }
        if !bodies.0.is_empty() {
            self.server.insert(BODIES, &bodies)?;
        }
        self.server.insert(RECORDS, &rows)
    }
}

/// The time, in two units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) ms: i64,
    pub(super) us: u64,
}

pub(super) fn now() -> Now {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
    Now { ms: i64::try_from(us / 1000).unwrap_or(i64::MAX), us }
}

/// A row of [`RECORDS`].
pub(super) fn encode(record: &Record, written: &Written<'_>, row: &mut Encoder) {
    let facts = Facts::of(record);
    row.text(&record.id);
    row.i64(record.started_ms);
    row.i64(written.number);
    row.u64(written.version);
    row.text(&record.trace_id);
    row.optional(record.session.as_ref(), Encoder::text);
    row.optional(record.operation.as_ref(), Encoder::text);
    row.optional(record.key.as_ref(), Encoder::text);
    row.optional(facts.provider, Encoder::text);
    row.optional(facts.model, Encoder::text);
    row.u16(record.status);
    row.text(&record.end);
    row.u64(record.duration_us);
    row.byte(Durations::bucket(record.duration_us) as u8);
    row.optional(record.first_token_us, Encoder::u64);
    row.optional(record.first_token_us.map(|us| Durations::bucket(us) as u8), Encoder::byte);
    row.optional(facts.tokens, Encoder::i64);
    row.optional(facts.cost_nano, Encoder::i64);
    row.u64(facts.sums.prompt_tokens);
    row.u64(facts.sums.completion_tokens);
    row.u32(u32::try_from(facts.retries).unwrap_or(u32::MAX));
    row.byte(u8::from(facts.fell_back));
    row.list(record.metadata.iter(), |row, (name, value)| {
        row.text(name);
        row.text(value);
    });
    let request_ids: Vec<_> =
        record.attempts.iter().filter_map(|attempt| attempt.request_id.as_ref()).collect();
    row.list(request_ids.into_iter(), Encoder::text);
    encode_attempts(record, row);
    row.text(written.request_state);
    row.text(written.response_state);
    row.text(written.document);
}

/// The columns of attempts: a list in each.
fn encode_attempts(record: &Record, row: &mut Encoder) {
    let sums: Vec<_> = record.attempts.iter().map(rollup::of_attempt).collect();
    row.list(record.attempts.iter(), |row, attempt| row.text(&attempt.provider));
    row.list(record.attempts.iter(), |row, attempt| {
        row.text(attempt.model.as_ref().or(record.model.as_ref()).map_or("", String::as_str));
    });
    row.list(sums.iter(), |row, sums| row.byte(u8::from(sums.failed_attempts > 0)));
    row.list(sums.iter(), |row, sums| row.u64(sums.prompt_tokens));
    row.list(sums.iter(), |row, sums| row.u64(sums.completion_tokens));
    row.list(sums.iter(), |row, sums| row.u64(sums.cached_tokens));
    row.list(sums.iter(), |row, sums| row.u64(sums.reasoning_tokens));
    row.list(sums.iter(), |row, sums| row.byte(u8::from(sums.unpriced > 0)));
    row.list(record.attempts.iter(), |row, attempt| {
        row.text(cost(attempt).map_or("", |(currency, _)| currency))
    });
    row.list(record.attempts.iter(), |row, attempt| {
        // A `Decimal` is a whole number of its last digit.
        row.i128(cost(attempt).map_or(0, |(_, atto)| i128::try_from(atto).unwrap_or(i128::MAX)));
    });
    row.list(record.attempts.iter(), |row, attempt| row.byte(u8::from(attempt.usage_estimated)));
}

fn cost(attempt: &Attempt) -> Option<(&str, u128)> {
    let cost = attempt.cost.as_ref()?;
    Some((&cost.currency, price::atto(&cost.amount)?))
}

fn encode_bodies(record: &Record, row: &mut Encoder) {
    let bodies = [&record.request, &record.response].map(|body| match body {
        Kept::Bytes { bytes, .. } => Some(bytes),
        Kept::Missing(_) => None,
    });
    if bodies.iter().any(Option::is_some) {
        row.i64(record.started_ms);
        row.text(&record.id);
        bodies.into_iter().for_each(|body| row.optional(body, Encoder::text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_writing() {
        let mut numbers = Numbers::default();
        let mut last = 0;
        let clock =
            (0..3000).map(|_| 1_795_939_200_000).chain([1_795_939_199_000, 1_795_939_200_500, 1 << 42]);
        for now_ms in clock {
            let number = numbers.next(now_ms);
            assert!(number > last, "{now_ms}: {number} is behind {last}");
            last = number;
            assert_eq!(number >> PLACE_BITS & ((1 << WRITER_BITS) - 1), numbers.writer, "others have others");
        }
    }
}
