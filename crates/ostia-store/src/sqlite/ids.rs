//! Ids by which requests are found over all time: of traces and providers' requests, and their own.
//!
//! A request's own id has an index of its own, and begins with the time, so that new ones stand together. All others are anybody's
//! words. An index of each would have every record written into pages all over the file, and that was most of what a record cost; here they
//! share one table (`ids`), in which [`hash`] stands for an id and each [segment](SEGMENT_BITS) of requests has a place of its own. To find
//! one is a look-up in each segment: sixty of a million requests, a quarter of a millisecond. What is found is compared with the id itself.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Transaction, params};

use crate::record::Record;

/// Requests whose numbers are the same but for so many bits are a segment (`tables_4.sql` has it too). Larger ones are found in sooner, and
/// have more pages that a batch writes to.
const SEGMENT_BITS: u32 = 14;
/// Ids that one step of retention takes away at most.
const IDS_MAX: u32 = 1000;

/// FNV-1a of 64 bits (<https://datatracker.ietf.org/doc/draft-eastlake-fnv>), as a number that SQLite has. It stands in files, so it stays as it is.
pub(super) fn hash(id: &str) -> i64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = id.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    hash.cast_signed()
}

/// Gives a connection the function `id_hash`.
pub(super) fn add_function(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("id_hash", 1, flags, |context| {
        Ok(hash(context.get_raw(0).as_str().map_err(rusqlite::Error::from)?))
    })
}

/// Numbers of requests that may have the id of this hash, an expression of SQL.
pub(super) fn numbers_by(hash: &str) -> String {
    format!("SELECT request FROM segments CROSS JOIN ids ON ids.segment = segments.segment AND hash = {hash}")
}

/// The numbers of requests that may be of the trace of this id, whose hash is the second expression.
pub(super) fn numbers_of_trace(id: &str, hash: &str) -> String {
    format!("SELECT number FROM requests WHERE id = {id} UNION ALL {}", numbers_by(hash))
}

/// An id of a request, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    segment: i64,
    hash: i64,
    request: i64,
}

/// The ids of a record that has this number.
pub(super) fn of(record: &Record, number: i64) -> impl Iterator<Item = Id> {
    let trace = Some(&record.trace_id).filter(|trace| **trace != record.id);
    let of_attempts = record.attempts.iter().filter_map(|attempt| attempt.request_id.as_ref());
    let all = trace.into_iter().chain(of_attempts);
    all.map(move |id| Id { segment: number >> SEGMENT_BITS, hash: hash(id), request: number })
}

/// Writes those of a batch.
pub(super) fn write(transaction: &Transaction<'_>, mut ids: Vec<Id>) -> rusqlite::Result<()> {
    // One page after the other.
    ids.sort_unstable();
    let mut insert = transaction
        .prepare_cached("INSERT OR IGNORE INTO ids (segment, hash, request) VALUES (?1, ?2, ?3)")?;
    for Id { segment, hash, request } in ids {
        insert.execute(params![segment, hash, request])?;
    }
    Ok(())
}

/// Takes away a little of the segments whose requests are all gone. How much?
pub(super) fn take(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    let mut delete = transaction.prepare_cached(&format!(
        "DELETE FROM ids WHERE (segment, hash, request) IN (SELECT segment, hash, request FROM ids \
         WHERE segment < (SELECT coalesce(min(number) >> {SEGMENT_BITS}, {}) FROM requests) LIMIT {IDS_MAX})",
        i64::MAX
    ))?;
    delete.execute([])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stay_as_they_are() {
        for (id, expected) in
            [("", 0xcbf2_9ce4_8422_2325_u64), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(hash(id).cast_unsigned(), expected, "{id}");
        }
    }
}
