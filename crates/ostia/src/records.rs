//! What was decided for the last requests of each core, for whoever asks later.
//!
//! A core writes to a ring of its own, under a lock that nobody else takes but to look one request up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use ostia_routing::{History, Plan, Record};
use serde_json::{Value, json};

use crate::caller::Owner;
use crate::clock::now;

/// Requests that each core remembers. About half a kilobyte each, where a config was followed.
const REQUESTS_MAX: usize = 512;
/// Most bytes of decisions that are told in a header. Servers in front may take no more than 8 KiB.
const HEADER_BYTES_MAX: usize = 6 << 10;

/// A plan under way, or at its end. Nobody takes the lock but who follows it, and who reads it here.
pub type SharedPlan = Arc<Mutex<Plan>>;

/// The rings of all cores.
#[derive(Debug, Clone, Default)]
pub struct Records(Arc<Mutex<Vec<Arc<Ring>>>>);

/// The last requests of one core.
#[derive(Debug, Default)]
pub struct Ring(Mutex<VecDeque<Entry>>);

/// One request.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub trace_id: HeaderValue,
    /// Who sent it.
    pub owner: Owner,
    /// Who was asked last.
    pub provider: HeaderValue,
    /// The status that the client got.
    pub status: u16,
    /// What could not be said to the provider.
    pub dropped: Vec<String>,
    /// The decisions, where there was something to decide.
    pub decisions: Option<Decisions>,
}

/// What was decided for a request.
#[derive(Debug)]
pub enum Decisions {
    /// All that there was to decide.
    Made(History),
    /// The answer is under way, and may break off.
    UnderWay(SharedPlan),
}

impl From<SharedPlan> for Decisions {
    /// Of a plan that nobody follows any further only what its record needs is kept.
    fn from(plan: SharedPlan) -> Decisions {
        match Arc::try_unwrap(plan) {
            Ok(plan) => {
                let plan = plan.into_inner().unwrap_or_else(PoisonError::into_inner);
                Decisions::Made(plan.into_history())
            }
            Err(plan) => Decisions::UnderWay(plan),
        }
    }
}

impl Decisions {
    fn record(&self) -> Record {
        match self {
            Decisions::Made(history) => history.record(now()),
            Decisions::UnderWay(plan) => plan.lock().unwrap_or_else(PoisonError::into_inner).record(now()),
        }
    }
}

impl Records {
    /// A ring for one more core.
    pub fn ring(&self) -> Arc<Ring> {
        let ring = Arc::new(Ring::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ring.clone());
        ring
    }

    /// What was decided for the request of this name, if it was this owner's; `None` for anybody's.
    pub fn find(&self, trace_id: &str, owner: Option<Owner>) -> Option<Value> {
        let rings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rings.iter().find_map(|ring| ring.find(trace_id, owner))
    }
}

impl Ring {
    /// Remembers a request; the oldest one goes where there is no room.
    pub fn push(&self, entry: Entry) {
        let mut entries = self.entries();
        if entries.len() >= REQUESTS_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    fn find(&self, trace_id: &str, owner: Option<Owner>) -> Option<Value> {
        let is_theirs = |entry: &&Entry| owner.is_none_or(|owner| entry.owner == owner);
        let entries = self.entries();
        let mut found = entries.iter().rev().filter(|entry| entry.trace_id == trace_id).filter(is_theirs);
        found.next().map(Entry::told)
    }

    /// Nothing that is done under the lock can fail half-way, so a poisoned one is as good.
    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn told(&self) -> Value {
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let mut told = json!({
            "trace_id": text(&self.trace_id),
            "provider": text(&self.provider),
            "status": self.status,
            "dropped": self.dropped,
        });
        if let Some(decisions) = &self.decisions {
            told["decisions"] = serde_json::to_value(decisions.record()).unwrap_or_default();
        }
        told
    }
}

/// The decisions on one request, as JSON on one line.
pub fn header(record: &Record, dropped: &[String]) -> HeaderValue {
    let mut told = serde_json::to_value(record).unwrap_or_default();
    if !dropped.is_empty() {
        told["dropped"] = dropped.into();
    }
    let text = ascii(&told);
    let text = match text.len() > HEADER_BYTES_MAX {
        true => {
            json!({"result": record.result, "attempts": record.attempts, "bytes": text.len()}).to_string()
        }
        false => text,
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("{}"))
}

/// JSON whose texts are escaped where a header could not hold them.
pub fn ascii(value: &Value) -> String {
    let json = value.to_string();
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            let escaped = letter
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            text.push_str(&escaped);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_hold_every_text() {
        let told = ascii(&json!({"a": "\u{e9}\u{1f600}\n", "b": "x"}));
        assert_eq!(told, r#"{"a":"\u00e9\ud83d\ude00\n","b":"x"}"#);
        assert_eq!(
            serde_json::from_str::<Value>(&told).ok(),
            Some(json!({"a": "\u{e9}\u{1f600}\n", "b": "x"}))
        );
    }
}
