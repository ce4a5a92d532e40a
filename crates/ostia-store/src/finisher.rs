//! From what was handed over to a record: priced, without secrets, counted, and told to whoever else wants to hear of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::body::{Kept, Missing};
use crate::mask;
use crate::metrics::Metrics;
use crate::price::Prices;
use crate::queue::{State, Unwritten};
use crate::record::Record;
use crate::record_error::RecordError;

/// Told of each request of this gateway when it is over, on the thread that finishes records: it must not wait.
pub type Observer = Box<dyn FnMut(&Record) + Send>;

/// Who makes records of what is handed over.
pub struct Finisher {
    /// What a call costs.
    pub prices: Prices,
    /// Fields of bodies that are not kept, by their path.
    pub mask: Vec<String>,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Who else hears of them.
    pub observer: Option<Observer>,
}

impl fmt::Debug for Finisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finisher")
    }
}

impl Finisher {
    /// The record of one request.
    pub(crate) fn finish(&mut self, one: Box<dyn Unwritten>, state: &State) -> Record {
        let is_own = one.is_own();
        let mut record = one.finish();
        self.complete(&mut record, state);
        if is_own {
            self.metrics.count(&record);
            if let Some(observer) = &mut self.observer {
                observer(&record);
            }
        }
        record
    }

    /// Puts prices on it, and hides what is secret.
    fn complete(&self, record: &mut Record, state: &State) {
        let started_ms = record.started_ms;
        for attempt in &mut record.attempts {
            if self.prices.price(attempt, started_ms) {
                state.unpriced.fetch_add(1, Ordering::Relaxed);
            }
            attempt.error.as_mut().map(mask_error);
        }
        record.error.as_mut().map(mask_error);
        let checks = record.guardrails.iter_mut().flat_map(|guardrail| &mut guardrail.checks);
        checks.filter_map(|check| check.error.as_mut()).for_each(mask_error);
        if self.mask.is_empty() {
            return;
        }
        for body in [&mut record.request, &mut record.response] {
            let Kept::Bytes { bytes, total } = body else { continue };
            // One that is cut is no JSON.
            let is_whole = bytes.len() as u64 == *total;
            *body = match mask::mask_fields(bytes, &self.mask) {
                Some(masked) => {
                    let total = if is_whole { masked.len() as u64 } else { *total };
                    Kept::Bytes { bytes: masked, total }
                }
                None => Kept::Missing(Missing::Off),
            };
        }
    }
}

fn mask_error(error: &mut RecordError) {
    if let Some(message) = &mut error.message {
        *message = mask::mask_text(message);
    }
}
