//! Counters and times of the requests that came last, at hand.
//!
//! To find one its labels are made and hashed, which takes many times as long as to count. Most requests have the same labels as one
//! shortly before. What has never been counted has no line in what Prometheus reads, so each is looked up when it is first needed.

use std::cell::OnceCell;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::{Labels, method};
use crate::record::{Attempt, Record};

/// Kinds of requests, and of attempts, that are at hand. One that is not is found by its labels.
const KINDS_MAX: usize = 64;

/// A counter of money.
pub(super) type Money = Counter<f64, AtomicU64>;

/// What is at hand.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pub(super) requests: Kinds<Requests>,
    pub(super) attempts: Kinds<Attempts>,
}

/// Those that came last, of which the very last is the first.
#[derive(Debug)]
pub(super) struct Kinds<T>(Vec<T>);

impl<T> Default for Kinds<T> {
    fn default() -> Kinds<T> {
        Kinds(Vec::new())
    }
}

impl<T> Kinds<T> {
    /// The one that it is, or else a new one.
    pub(super) fn find(&mut self, is_it: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &T {
        let place = self.0.iter().position(is_it).unwrap_or_else(|| {
            self.0.truncate(KINDS_MAX - 1);
            self.0.push(make());
            self.0.len() - 1
        });
        self.0.swap(0, place);
        &self.0[0]
    }
}

/// The labels that the operator wants besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) model: Option<String>,
    pub(super) key: Option<String>,
}

impl Chosen {
    pub(super) fn labels(&self) -> impl Iterator<Item = (&'static str, String)> {
        let model = self.model.clone().map(|model| ("model", model));
        model.into_iter().chain(self.key.clone().map(|key| ("key", key)))
    }
}

/// Requests with the same labels.
#[derive(Debug)]
pub(super) struct Requests {
    /// What is told of all, and that with what the operator wants besides.
    pub(super) of: Labels,
    pub(super) own: Labels,
    method: &'static str,
    operation: Option<String>,
    status: u16,
    provider: String,
    is_stream: bool,
    chosen: Chosen,
    pub(super) requests: OnceCell<Counter>,
    pub(super) duration: OnceCell<Histogram>,
    pub(super) first_token: OnceCell<Histogram>,
    pub(super) gateway: OnceCell<Histogram>,
    pub(super) upstream: OnceCell<Histogram>,
    pub(super) portkey: PortkeyRequests,
}

/// The same by Portkey's names.
#[derive(Debug, Default)]
pub(super) struct PortkeyRequests {
    pub(super) requests: OnceCell<Gauge>,
    pub(super) duration: OnceCell<Histogram>,
    pub(super) upstream: OnceCell<Histogram>,
    pub(super) gateway: OnceCell<Histogram>,
    pub(super) cost: OnceCell<Gauge<f64, AtomicU64>>,
    pub(super) tokens: OnceCell<Gauge>,
}

impl Requests {
    pub(super) fn like(record: &Record, chosen: Chosen) -> Requests {
        let provider = provider(record);
        let method = method(record);
        let of = vec![
            ("method", method.to_owned()),
            ("endpoint", record.operation.clone().unwrap_or_else(|| "proxy".to_owned())),
            ("code", record.status.to_string()),
            ("provider", provider.to_owned()),
            ("stream", record.stream.to_string()),
        ];
        Requests {
            own: of.iter().cloned().chain(chosen.labels()).collect(),
            of,
            method,
            operation: record.operation.clone(),
            status: record.status,
            provider: provider.to_owned(),
            is_stream: record.stream,
            chosen,
            requests: OnceCell::new(),
            duration: OnceCell::new(),
            first_token: OnceCell::new(),
            gateway: OnceCell::new(),
            upstream: OnceCell::new(),
            portkey: PortkeyRequests::default(),
        }
    }

    pub(super) fn is_like(&self, record: &Record, chosen: &Chosen) -> bool {
        self.status == record.status
            && self.is_stream == record.stream
            && self.provider == provider(record)
            && self.operation == record.operation
            && self.method == method(record)
            && self.chosen == *chosen
    }
}

fn provider(record: &Record) -> &str {
    record.last().map(|attempt| attempt.provider.as_str()).unwrap_or_default()
}

/// Attempts with the same labels but for those of a counter's own.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) provider: String,
    pub(super) chosen: Chosen,
    /// By outcome.
    pub(super) outcomes: [OnceCell<Counter>; 4],
    /// By kind, in the order of [`kinds`].
    pub(super) tokens: [OnceCell<Counter>; 5],
    /// Of the first currency.
    pub(super) cost: OnceCell<(String, Money)>,
}

impl Attempts {
    pub(super) fn like(attempt: &Attempt, chosen: Chosen) -> Attempts {
        Attempts {
            provider: attempt.provider.clone(),
            chosen,
            outcomes: Default::default(),
            tokens: Default::default(),
            cost: OnceCell::new(),
        }
    }

    pub(super) fn is_like(&self, attempt: &Attempt, chosen: &Chosen) -> bool {
        self.provider == attempt.provider && self.chosen == *chosen
    }

    /// Its labels, and one more.
    pub(super) fn labels(&self, name: &'static str, value: &str) -> Labels {
        let own = [("provider", self.provider.clone()), (name, value.to_owned())];
        own.into_iter().chain(self.chosen.labels()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_kinds_are_at_hand() {
        let (mut kinds, made) = (Kinds::default(), std::cell::Cell::new(0));
        let mut check = |name: usize, expected: usize| {
            let make = || {
                made.set(made.get() + 1);
                name
            };
            assert_eq!(*kinds.find(|kind| *kind == name, make), name);
            assert_eq!(made.get(), expected, "{name}");
        };
        (0..KINDS_MAX).for_each(|name| check(name, name + 1));
        (0..KINDS_MAX).for_each(|name| check(name, KINDS_MAX));
        check(KINDS_MAX, KINDS_MAX + 1);
        check(KINDS_MAX, KINDS_MAX + 1);
    }
}
