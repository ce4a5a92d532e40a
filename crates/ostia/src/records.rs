//! What was decided for the last requests of each core, for whoever asks later.
//!
//! A core writes to a ring of its own, under a lock that nobody else takes but to look one request up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use serde_json::{Value, json};

use crate::core::now;
use crate::course;

/// Requests that each core remembers. About a kilobyte each, where a config was followed.
const REQUESTS_MAX: usize = 512;

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
    /// Who was asked last.
    pub provider: Option<HeaderValue>,
    /// The status that the client got.
    pub status: u16,
    /// What could not be said to the provider.
    pub dropped: Vec<String>,
    /// The decisions, where there was something to decide.
    pub plan: Option<course::Shared>,
}

impl Records {
    /// A ring for one more core.
    pub fn ring(&self) -> Arc<Ring> {
        let ring = Arc::new(Ring::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ring.clone());
        ring
    }

    /// What was decided for the request of this name.
    pub fn find(&self, trace_id: &str) -> Option<Value> {
        let rings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rings.iter().find_map(|ring| ring.find(trace_id))
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

    fn find(&self, trace_id: &str) -> Option<Value> {
        self.entries().iter().rev().find(|entry| entry.trace_id == trace_id).map(Entry::told)
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
            "provider": self.provider.as_ref().map(text),
            "status": self.status,
            "dropped": self.dropped,
        });
        if let Some(plan) = &self.plan {
            let record = plan.lock().unwrap_or_else(PoisonError::into_inner).record(now());
            told["decisions"] = serde_json::to_value(record).unwrap_or_default();
        }
        told
    }
}
