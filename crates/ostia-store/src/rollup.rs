//! Sums by minute, hour and day, written together with the records that they count.

use std::collections::{BTreeMap, HashMap};

use crate::price;
use crate::record::{Attempt, Outcome, Record};
use crate::summary::{Durations, Sums};

/// A minute, an hour and a day, in milliseconds.
pub(crate) const WIDTHS_MS: [i64; 3] = [60_000, 3_600_000, 86_400_000];
/// The currency of what cost nothing that is known.
pub(crate) const USD: &str = "USD";

/// What a row of sums is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) width_ms: i64,
    pub(crate) start_ms: i64,
    pub(crate) provider: String,
    pub(crate) model: String,
    /// Of the gateway.
    pub(crate) key: String,
    pub(crate) currency: String,
}

/// The sums of the records of one batch, by minute.
#[derive(Debug, Default)]
pub(crate) struct Rollup(HashMap<Row, Sums>);

impl Rollup {
    /// Counts a record: the request where its answer came from, each attempt where it went.
    pub(crate) fn count(&mut self, record: &Record) {
        let provider = record.last().map(|attempt| attempt.provider.as_str()).unwrap_or_default();
        let model = record.model_asked().unwrap_or_default();
        let [minute_ms, ..] = WIDTHS_MS;
        self.add(Row::of(record, minute_ms, provider, model, USD), &of_request(record));
        for attempt in &record.attempts {
            self.add(Row::of_attempt(record, attempt, minute_ms), &of_attempt(attempt));
        }
    }

    fn add(&mut self, row: Row, sums: &Sums) {
        self.0.entry(row).or_default().plus(sums);
    }

    /// Each row of each width with what is to be added to it, in the order of their keys.
    pub(crate) fn rows(&self) -> BTreeMap<Row, Sums> {
        let mut rows = BTreeMap::<Row, Sums>::new();
        for (minute, sums) in &self.0 {
            for width_ms in WIDTHS_MS {
                rows.entry(minute.within(width_ms)).or_default().plus(sums);
            }
        }
        rows
    }
}

impl Row {
    fn of(record: &Record, width_ms: i64, provider: &str, model: &str, currency: &str) -> Row {
        Row {
            width_ms,
            start_ms: record.started_ms.div_euclid(width_ms) * width_ms,
            provider: provider.to_owned(),
            model: model.to_owned(),
            key: record.key.clone().unwrap_or_default(),
            currency: currency.to_owned(),
        }
    }

    /// The row that this minute is a part of.
    fn within(&self, width_ms: i64) -> Row {
        Row { width_ms, start_ms: self.start_ms.div_euclid(width_ms) * width_ms, ..self.clone() }
    }

    /// Where an attempt is counted.
    pub(crate) fn of_attempt(record: &Record, attempt: &Attempt, width_ms: i64) -> Row {
        let currency = attempt.cost.as_ref().map_or(USD, |cost| &cost.currency);
        let model = attempt.model.as_deref().or(record.model.as_deref()).unwrap_or_default();
        Row::of(record, width_ms, &attempt.provider, model, currency)
    }
}

/// Engines count with a sign.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What one record adds, its attempts left out.
pub(crate) fn of_request(record: &Record) -> Sums {
    let (mut durations, mut first_tokens) = (Durations::default(), Durations::default());
    durations.add(record.duration_us);
    record.first_token_us.into_iter().for_each(|time| first_tokens.add(time));
    let is_left = record.end == "client_left";
    Sums {
        requests: 1,
        failed: u64::from(!record.is_success() && !is_left),
        left: u64::from(is_left),
        duration_us: record.duration_us,
        durations,
        first_tokens,
        ..Sums::default()
    }
}

/// What one attempt adds.
pub(crate) fn of_attempt(attempt: &Attempt) -> Sums {
    let usage = attempt.usage.unwrap_or_default();
    let cost =
        attempt.cost.as_ref().and_then(|cost| Some((cost.currency.clone(), price::atto(&cost.amount)?)));
    let estimated = cost.clone().filter(|_| attempt.usage_estimated);
    Sums {
        attempts: 1,
        failed_attempts: u64::from(matches!(attempt.outcome, Outcome::Failed | Outcome::Broken)),
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        cached_tokens: usage.cached_tokens,
        reasoning_tokens: usage.reasoning_tokens,
        unpriced: u64::from(attempt.cost_unknown.is_some()),
        cost: cost.into_iter().collect(),
        estimated: estimated.into_iter().collect(),
        ..Sums::default()
    }
}

#[cfg(test)]
mod tests;
