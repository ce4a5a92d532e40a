//! Requests as they are told: pages, one, a trace.
//!
//! What is asked for is looked for in narrow columns first, in pieces of time that get longer and longer, the latest first; documents
//! and bodies are read only of what was found.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::conditions::Conditions;
use super::row_binary::Decoder;
use super::server::Parameters;
use super::{Error, Reader, feedback};
use crate::answers::{Listed, ReadError, TRACE_MAX, Time, Told, paged, plain};
use crate::body::Missing;
use crate::query::{Filter, Page};

/// The first piece of time that is looked through, and how many times as long each next one is.
const FIRST_PIECE_MS: i64 = 3_600_000;
const LONGER: i64 = 8;
/// Requests that are asked for by their ids in one question, which stand in its address: that may have 64 KiB.
pub(super) const KEYS_MAX: usize = 250;
/// The last number is looked for among the requests of the last day: the order of writing is nearly that of time.
const LAST_NUMBER_WITHIN_MS: i64 = 86_400_000;

/// A request by its place among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) started_ms: i64,
    pub(super) number: i64,
    pub(super) id: String,
}

impl Key {
    fn read(row: &mut Decoder<'_>) -> Result<Key, Error> {
        Ok(Key { started_ms: row.i64()?, number: row.i64()?, id: row.text()? })
    }
}

impl Reader {
    pub(crate) fn list(&self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        let keys = self.page(filter, page)?;
        let (rows, next) = paged(self.told(&keys)?, page.size.count());
        Ok((plain(rows), next))
    }

    pub(crate) fn list_with_bodies(&self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        let keys = self.page(filter, page)?;
        let (rows, next) = paged(self.told_with_bodies(&keys)?, page.size.count());
        Ok((plain(rows), next))
    }

    /// A page, and one more to know whether there are more.
    fn page(&self, filter: &Filter, page: Page) -> Result<Vec<Key>, Error> {
        self.newest(filter, None, page.after, page.size.count() as usize + 1)
    }

    /// The newest requests behind this place that pass the filter, and `only` those, where one more condition is given.
    pub(super) fn newest(
        &self,
        filter: &Filter,
        only: Option<&str>,
        after: Option<(i64, i64)>,
        count: usize,
    ) -> Result<Vec<Key>, Error> {
        let mut keys = Vec::new();
        for time in self.pieces(filter, after)? {
            let mut parameters = Parameters::default();
            let mut conditions = Conditions::of(filter, &mut parameters);
            conditions.time(time, &mut parameters);
            conditions.after(after, &mut parameters);
            only.into_iter().for_each(|only| conditions.and(only));
            let order = format!("ORDER BY started_ms DESC, number DESC LIMIT {}", count - keys.len());
            keys.extend(self.keys(&conditions, &order, &parameters)?);
            if keys.len() == count {
                break;
            }
        }
        Ok(keys)
    }

    /// The time that is asked for in pieces, the latest first. What is found by names is found at once.
    pub(super) fn pieces(&self, filter: &Filter, after: Option<(i64, i64)>) -> Result<Vec<Time>, Error> {
        if filter.trace.is_some() || filter.session.is_some() {
            return Ok(vec![(filter.from_ms, filter.to_ms)]);
        }
        let text = "SELECT count(), min(started_ms), max(started_ms) FROM ostia_records";
        let span = |row: &mut Decoder<'_>| Ok((row.u64()?, row.i64()?, row.i64()?));
        let Some((1.., first_ms, last_ms)) = self.server.rows(text, &Parameters::default(), span)?.pop()
        else {
            return Ok(Vec::new());
        };
        let from_ms = filter.from_ms.map_or(first_ms, |ms| ms.max(first_ms));
        let ends = [filter.to_ms, after.map(|(ms, _)| ms.saturating_add(1)), Some(last_ms.saturating_add(1))];
        let to_ms = ends.into_iter().flatten().min().unwrap_or(from_ms);
        Ok(backwards(from_ms, to_ms))
    }

    fn keys(&self, conditions: &Conditions, order: &str, parameters: &Parameters) -> Result<Vec<Key>, Error> {
        let conditions = conditions.text();
        let text = format!("SELECT started_ms, number, id FROM ostia_records FINAL {conditions} {order}");
        self.server.rows(&text, parameters, Key::read)
    }

    pub(crate) fn newer(
        &self,
        filter: &Filter,
        number: i64,
        most: u32,
    ) -> Result<(Vec<Value>, i64), ReadError> {
        let mut parameters = Parameters::default();
        let mut conditions = Conditions::of(filter, &mut parameters);
        conditions.and(format!("number > {}", parameters.int(number)));
        let keys = self.keys(&conditions, &format!("ORDER BY number LIMIT {most}"), &parameters)?;
        let last = keys.last().map_or(number, |key| key.number);
        Ok((plain(self.told(&keys)?), last))
    }

    pub(crate) fn last_number(&self) -> Result<i64, ReadError> {
        let text = format!(
            "SELECT max(number) FROM ostia_records \
             WHERE started_ms >= (SELECT max(started_ms) FROM ostia_records) - {LAST_NUMBER_WITHIN_MS}"
        );
        let found = self.server.rows(&text, &Parameters::default(), |row| row.i64())?;
        Ok(found.first().copied().unwrap_or_default())
    }

    pub(crate) fn one(&self, id: &str) -> Result<Option<Value>, ReadError> {
        let mut parameters = Parameters::default();
        let mut conditions = Conditions::default();
        conditions.named(&["id"], id, &mut parameters);
        let keys = self.keys(&conditions, "ORDER BY number LIMIT 1", &parameters)?;
        let Some(mut row) = self.told_with_bodies(&keys)?.pop() else { return Ok(None) };
        let trace_id = row.told["trace_id"].as_str().unwrap_or_default();
        let feedback = feedback::of_trace(&self.server, trace_id)?;
        row.told["feedback"] = serde_json::to_value(feedback).unwrap_or_default();
        Ok(Some(row.told))
    }

    pub(crate) fn trace(&self, trace_id: &str) -> Result<Vec<Value>, ReadError> {
        let filter = Filter { trace: Some(trace_id.to_owned()), ..Filter::default() };
        let mut parameters = Parameters::default();
        let conditions = Conditions::of(&filter, &mut parameters);
        let order = format!("ORDER BY started_ms, number LIMIT {TRACE_MAX}");
        let keys = self.keys(&conditions, &order, &parameters)?;
        Ok(plain(self.told(&keys)?))
    }

    /// These requests, in this order.
    pub(super) fn told(&self, keys: &[Key]) -> Result<Vec<Told>, Error> {
        let documents = self.documents(keys)?;
        let there: HashSet<String> =
            self.of_bodies(&documents, "id", |row| row.text())?.into_iter().collect();
        Ok(documents.iter().map(|document| document.told(there.contains(&document.key.id))).collect())
    }

    /// The same with their bodies, as far as they are kept.
    fn told_with_bodies(&self, keys: &[Key]) -> Result<Vec<Told>, Error> {
        let documents = self.documents(keys)?;
        let row = |row: &mut Decoder<'_>| {
            let (id, request) = (row.text()?, row.optional(Decoder::bytes)?.map(<[u8]>::to_vec));
            Ok((id, [request, row.optional(Decoder::bytes)?.map(<[u8]>::to_vec)]))
        };
        let rows = self.of_bodies(&documents, "id, request, response", row)?;
        let mut bodies: HashMap<String, [Option<Vec<u8>>; 2]> = rows.into_iter().collect();
        let told = |document: &Document| {
            let bodies = bodies.remove(&document.key.id);
            let mut told = document.told(bodies.is_some());
            told.put_bodies(bodies.unwrap_or_default());
            told
        };
        Ok(documents.iter().map(told).collect())
    }

    fn documents(&self, keys: &[Key]) -> Result<Vec<Document>, Error> {
        let mut by_id = HashMap::new();
        for some in keys.chunks(KEYS_MAX) {
            let mut parameters = Parameters::default();
            let keyed = keyed(some.iter(), &mut parameters);
            let text = format!(
                "SELECT started_ms, number, id, document, request_state, response_state FROM ostia_records FINAL WHERE {keyed}"
            );
            let documents = self.server.rows(&text, &parameters, Document::read)?;
            by_id.extend(documents.into_iter().map(|document| (document.key.id.clone(), document)));
        }
        // What was taken away since the keys were read is left out.
        Ok(keys.iter().filter_map(|key| by_id.remove(&key.id)).collect())
    }

    /// What is asked of the bodies of those that have any, if there are such.
    fn of_bodies<T>(
        &self,
        documents: &[Document],
        columns: &str,
        mut row: impl FnMut(&mut Decoder<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let kept: Vec<&Key> =
            documents.iter().filter(|document| document.has_bodies()).map(|document| &document.key).collect();
        let mut rows = Vec::new();
        for some in kept.chunks(KEYS_MAX) {
            let mut parameters = Parameters::default();
            let keyed = keyed(some.iter().copied(), &mut parameters);
            let text = format!("SELECT {columns} FROM ostia_bodies WHERE {keyed} LIMIT 1 BY id");
            rows.extend(self.server.rows(&text, &parameters, &mut row)?);
        }
        Ok(rows)
    }
}

/// A condition for these keys. Rows are in the order of time, so that few are looked at.
pub(super) fn keyed<'k>(
    keys: impl ExactSizeIterator<Item = &'k Key> + Clone,
    parameters: &mut Parameters,
) -> String {
    let times = parameters.ints(keys.clone().map(|key| key.started_ms));
    format!("started_ms IN {times} AND id IN {}", parameters.texts(keys.map(|key| key.id.as_str())))
}

/// A request, without what became of its bodies since.
struct Document {
    key: Key,
    document: String,
    states: [String; 2],
}

impl Document {
    fn read(row: &mut Decoder<'_>) -> Result<Document, Error> {
        Ok(Document { key: Key::read(row)?, document: row.text()?, states: [row.text()?, row.text()?] })
    }

    /// Were any kept?
    fn has_bodies(&self) -> bool {
        self.states.iter().any(|state| Missing::named(state).is_none())
    }

    /// As it is told; `is_there`: what was kept of its bodies.
    fn told(&self, is_there: bool) -> Told {
        let states = self.states.each_ref().map(|state| match Missing::named(state) {
            None if !is_there => Missing::AgedOut.as_str(),
            Some(_) | None => state.as_str(),
        });
        Told::of(self.key.number, self.key.started_ms, &self.document, states)
    }
}

/// A time in pieces, the latest first.
fn backwards(from_ms: i64, to_ms: i64) -> Vec<Time> {
    let (mut pieces, mut end, mut length) = (Vec::new(), to_ms, FIRST_PIECE_MS);
    while end > from_ms {
        let start = end.saturating_sub(length).max(from_ms);
        pieces.push((Some(start), Some(end)));
        (end, length) = (start, length.saturating_mul(LONGER));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_of_the_time() {
        let hour = FIRST_PIECE_MS;
        let check = |from_ms: i64, to_ms: i64, expected: &[(i64, i64)]| {
            let expected: Vec<Time> =
                expected.iter().map(|(from_ms, to_ms)| (Some(*from_ms), Some(*to_ms))).collect();
            assert_eq!(backwards(from_ms, to_ms), expected);
        };
        check(5, 5, &[]);
        check(6, 5, &[]);
        check(0, 1, &[(0, 1)]);
        check(0, hour, &[(0, hour)]);
        check(-1, 20 * hour, &[(19 * hour, 20 * hour), (11 * hour, 19 * hour), (-1, 11 * hour)]);
        assert!(backwards(i64::MIN, i64::MAX).len() < 20);
    }
}
