//! Sums: of requests, attempts, tokens, money and time.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::price;

/// Borders between durations: two for each doubling, from a millisecond to some nine hours. A duration is known to a fifth.
const BUCKETS: usize = 50;

/// A place and a count. No number of them is as long as all counts are, so that the two forms are told apart.
const ENTRY_BYTES: usize = 6;
const _: () = assert!(!(BUCKETS * 4).is_multiple_of(ENTRY_BYTES));

/// What a number of requests and attempts came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Requests.
    pub requests: u64,
    /// Those of them that ended with an error.
    pub failed: u64,
    /// Those whose client did not wait for the end.
    pub left: u64,
    /// Calls to providers.
    pub attempts: u64,
    /// Those of them that gave no answer.
    pub failed_attempts: u64,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Of those read: from a cache.
    pub cached_tokens: u64,
    /// Of those written: reasoning.
    pub reasoning_tokens: u64,
    /// Attempts that took tokens whose price nobody knows.
    pub unpriced: u64,
    /// Money by currency, in 10^-18 of it.
    pub cost: BTreeMap<String, u128>,
    /// As much of it as is estimated, because providers did not tell all that they counted.
    pub estimated: BTreeMap<String, u128>,
    /// Of all requests together, in microseconds.
    pub duration_us: u64,
    /// How many requests took how long.
    pub durations: Durations,
    /// How many streams took how long until their first token.
    pub first_tokens: Durations,
}

/// How many requests took how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durations([u32; BUCKETS]);

impl Default for Durations {
    fn default() -> Durations {
        Durations([0; BUCKETS])
    }
}

impl Durations {
    pub(crate) fn add(&mut self, duration_us: u64) {
        self.add_to(Durations::bucket(duration_us), 1);
    }

    /// Where one that took so long is counted.
    pub(crate) fn bucket(duration_us: u64) -> usize {
        let ms = duration_us as f64 / 1000.0;
        // The root of two to the bucket's number.
        if ms <= 1.0 { 0 } else { ((ms.log2() * 2.0) as usize + 1).min(BUCKETS - 1) }
    }

    /// So many more in one of them; a bucket that there is not is passed by.
    pub(crate) fn add_to(&mut self, bucket: usize, count: u64) {
        if let Some(own) = self.0.get_mut(bucket) {
            *own = own.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    fn plus(&mut self, other: &Durations) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own = own.saturating_add(other));
    }

    /// So many of a hundred took at most this long, in milliseconds; none where there were none.
    pub fn percentile_ms(&self, percent: u32) -> Option<u64> {
        let all: u64 = self.0.iter().map(|count| u64::from(*count)).sum();
        let wanted = (all * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.0.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        found.map(|bucket| 2f64.powf(bucket as f64 / 2.0).round() as u64)
    }

    /// As bytes, little-endian: numbers of four, or where that is shorter, each that is not zero behind its place, six together.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let counted = || (0_u16..).zip(&self.0).filter(|(_, count)| **count > 0);
        if counted().count() * ENTRY_BYTES >= BUCKETS * 4 {
            return self.0.iter().flat_map(|count| count.to_le_bytes()).collect();
        }
        counted()
            .flat_map(|(place, count)| place.to_le_bytes().into_iter().chain(count.to_le_bytes()))
            .collect()
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Durations {
        let mut durations = Durations::default();
        if bytes.len() == BUCKETS * 4 {
            let (counts, _) = bytes.as_chunks();
            durations.0.iter_mut().zip(counts).for_each(|(own, count)| *own = u32::from_le_bytes(*count));
            return durations;
        }
        let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
        for [low, high, count @ ..] in entries {
            if let Some(own) = durations.0.get_mut(usize::from(u16::from_le_bytes([*low, *high]))) {
                *own = u32::from_le_bytes(*count);
            }
        }
        durations
    }
}

impl Sums {
    /// Both together.
    pub fn plus(&mut self, other: &Sums) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.left += other.left;
        self.attempts += other.attempts;
        self.failed_attempts += other.failed_attempts;
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(other.cached_tokens);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(other.reasoning_tokens);
        self.unpriced += other.unpriced;
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
        self.durations.plus(&other.durations);
        self.first_tokens.plus(&other.first_tokens);
        other.cost.iter().for_each(|(currency, atto)| add(&mut self.cost, currency, *atto));
        other.estimated.iter().for_each(|(currency, atto)| add(&mut self.estimated, currency, *atto));
    }

    /// The first without what an attempt added.
    pub(crate) fn minus(&mut self, other: &Sums) {
        let take = |own: &mut u64, other: u64| *own = own.saturating_sub(other);
        take(&mut self.attempts, other.attempts);
        take(&mut self.failed_attempts, other.failed_attempts);
        take(&mut self.prompt_tokens, other.prompt_tokens);
        take(&mut self.completion_tokens, other.completion_tokens);
        take(&mut self.cached_tokens, other.cached_tokens);
        take(&mut self.reasoning_tokens, other.reasoning_tokens);
        take(&mut self.unpriced, other.unpriced);
        for (own, other) in [(&mut self.cost, &other.cost), (&mut self.estimated, &other.estimated)] {
            for (currency, atto) in other {
                let own = own.entry(currency.clone()).or_default();
                *own = own.saturating_sub(*atto);
            }
        }
    }

    /// Money by currency, as exact decimal numbers.
    pub fn costs(&self) -> BTreeMap<&str, String> {
        told(&self.cost)
    }

    /// The part of it that is estimated.
    pub fn estimated_costs(&self) -> BTreeMap<&str, String> {
        told(&self.estimated)
    }
}

fn told(sums: &BTreeMap<String, u128>) -> BTreeMap<&str, String> {
    sums.iter().map(|(currency, atto)| (currency.as_str(), price::decimal(*atto))).collect()
}

/// More money of a currency.
pub(crate) fn add(sums: &mut BTreeMap<String, u128>, currency: &str, atto: u128) {
    match sums.get_mut(currency) {
        Some(own) => *own = own.saturating_add(atto),
        None => drop(sums.insert(currency.to_owned(), atto)),
    }
}

/// By what sums are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Not at all.
    None,
    /// By provider.
    Provider,
    /// By the model that was asked for.
    Model,
    /// By the gateway's key.
    Key,
}

impl Grouping {
    /// The name of the one that is asked for.
    pub fn named(name: &str) -> Option<Grouping> {
        match name {
            "provider" => Some(Grouping::Provider),
            "model" => Some(Grouping::Model),
            "key" => Some(Grouping::Key),
            _ => None,
        }
    }

    pub(crate) fn column(self) -> &'static str {
        match self {
            Grouping::None => "''",
            Grouping::Provider => "provider",
            Grouping::Model => "model",
            Grouping::Key => "key",
        }
    }
}

/// The sums of one provider, model or key, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Whose; empty for all, and for what has no name.
    pub name: String,
    /// What they come to.
    pub sums: Sums,
}

/// Sums step by step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Series {
    /// One for each provider, model or key, or one for all.
    pub lines: Vec<Line>,
    /// Those that have no line of their own,
    pub others: std::collections::HashSet<String>,
    /// and what they come to together.
    pub rest: BTreeMap<i64, Sums>,
}

/// The sums of one provider, model or key, or of all, by when a step begins; steps in which nothing was are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Whose; empty for all, and for what has no name.
    pub name: String,
    /// What each step comes to.
    pub points: BTreeMap<i64, Sums>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_near() {
        let mut durations = Durations::default();
        assert_eq!(durations.percentile_ms(50), None);
        (1..=1000).for_each(|ms| durations.add(ms * 1000));
        let check = |percent, exact: f64| {
            let told = durations.percentile_ms(percent).unwrap() as f64;
            assert!(told >= exact && told <= exact * 1.42, "{percent}: {told} for {exact}");
        };
        check(50, 500.0);
        check(90, 900.0);
        check(99, 990.0);
        for least in [0, 1, 500, 1_000_000] {
            let mut some = Durations::default();
            (0..50)
                .map(|bucket| 2f64.powf(f64::from(bucket) / 2.0) as u64)
                .filter(|ms| *ms >= least)
                .for_each(|ms| some.add(ms * 1000));
            assert_eq!(Durations::of_bytes(&some.bytes()), some, "{least}");
            assert!(some.bytes().len() <= BUCKETS * 4);
        }
        assert!(Durations::default().bytes().is_empty());
        assert_eq!(Durations::of_bytes(&durations.bytes()), durations);
        durations.add(u64::MAX);
        assert_eq!(durations.percentile_ms(0), Some(1));
    }
}
