//! A request as it is told: its record, and of its bodies what became of them.

use serde_json::{Map, Value};

use crate::body::{Missing, unpacked};
use crate::query::Page;

/// A request that was found.
pub(crate) struct Told {
    pub(crate) number: i64,
    pub(crate) started_ms: i64,
    pub(crate) told: Value,
}

impl Told {
    /// From its document, and what became of the bodies of the request and of the answer.
    pub(crate) fn of(number: i64, started_ms: i64, document: &str, states: [&str; 2]) -> Told {
        let mut told: Value = serde_json::from_str(document).unwrap_or_default();
        for (name, state) in ["request", "response"].into_iter().zip(states) {
            told[name] = body_state(state);
        }
        Told { number, started_ms, told }
    }

    /// Puts its bodies to it, as far as they are kept, which are compressed.
    pub(crate) fn add_bodies(&mut self, packed: [Option<Vec<u8>>; 2]) {
        self.put_bodies(packed.map(|packed| packed.as_deref().and_then(unpacked)));
    }

    /// The same as they were sent.
    pub(crate) fn put_bodies(&mut self, bodies: [Option<Vec<u8>>; 2]) {
        for (name, bytes) in ["request", "response"].into_iter().zip(bodies) {
            let Some(bytes) = bytes else { continue };
            self.told[name]["body"] = match serde_json::from_slice::<Value>(&bytes) {
                Ok(document) => document,
                Err(_) => String::from_utf8_lossy(&bytes).into(),
            };
        }
    }
}

/// A page of `size` of these, one more of which may have been read; and where the next one begins, if there is one.
pub(crate) fn paged(mut rows: Vec<Told>, size: u32) -> (Vec<Told>, Option<String>) {
    let is_more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next = rows.last().filter(|_| is_more).map(|row| Page::told((row.started_ms, row.number)));
    (rows, next)
}

/// Without what only readers need.
pub(crate) fn plain(rows: Vec<Told>) -> Vec<Value> {
    rows.into_iter().map(|row| row.told).collect()
}

/// What became of a body: whether it is kept, and if not, why.
fn body_state(state: &str) -> Value {
    let mut told = Map::new();
    match Missing::named(state) {
        Some(missing) => told.insert("missing".to_owned(), missing.as_str().into()),
        None => told.insert("cut".to_owned(), (state == "cut").into()),
    };
    told.into()
}
