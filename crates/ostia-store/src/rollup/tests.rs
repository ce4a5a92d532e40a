//! Sums are those of the attempts, whatever order and batches the records come in.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::engine::{Engine, Place};
use crate::query::Filter;
use crate::reader::Reader;
use crate::record::{Cost, Usage};
use crate::summary::Grouping;

const ROUNDS: u64 = 12;
const RECORDS: u64 = 60;
const NOW_MS: i64 = 1_795_939_200_000;

/// Numbers that look like chance (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

fn attempt(chance: &mut Chance) -> Attempt {
    let outcomes = [Outcome::Answered, Outcome::Failed, Outcome::Broken, Outcome::Abandoned];
    let usage = Usage {
        prompt_tokens: chance.below(10_000),
        completion_tokens: chance.below(1000),
        cached_tokens: chance.below(100),
        reasoning_tokens: chance.below(100),
        ..Usage::default()
    };
    let is_priced = !chance.one_in(4);
    let cost = || Cost {
        amount: format!("{}.{:018}", chance.below(3), chance.below(1_000_000_000_000_000_000)),
        currency: if chance.one_in(5) { "CNY" } else { "USD" }.into(),
        ..Cost::default()
    };
    let cost = is_priced.then(cost);
    Attempt {
        target: format!("config.targets[{}]", chance.below(2)),
        provider: ["openai", "google"][chance.below(2) as usize].into(),
        model: Some(["small", "large"][chance.below(2) as usize].into()),
        outcome: outcomes[chance.below(4) as usize],
        usage: (!chance.one_in(4)).then_some(usage),
        usage_estimated: chance.one_in(3),
        cost_unknown: cost.is_none().then(|| "nobody knows it".into()),
        cost,
        ..Attempt::default()
    }
}

fn record(number: u64, chance: &mut Chance) -> Record {
    Record {
        id: format!("{number:032x}"),
        started_ms: NOW_MS - 60_000 * chance.below(600) as i64,
        key: chance.one_in(2).then(|| "team".into()),
        status: [200, 500][chance.below(2) as usize],
        end: ["whole", "broken", "client_left"][chance.below(3) as usize].into(),
        duration_us: chance.below(5_000_000),
        attempts: (0..chance.below(4)).map(|_| attempt(chance)).collect(),
        ..Record::default()
    }
}

fn shuffled(mut records: Vec<Record>, chance: &mut Chance) -> Vec<Record> {
    for at in (1..records.len()).rev() {
        records.swap(at, chance.below(at as u64 + 1) as usize);
    }
    records
}

#[test]
fn sums_are_those_of_the_attempts_in_whatever_order_they_come() {
    for seed in 0..ROUNDS {
        let mut chance = Chance(seed);
        let records: Vec<Record> = (0..RECORDS).map(|number| record(number, &mut chance)).collect();
        let mut expected = Sums::default();
        for record in &records {
            expected.plus(&of_request(record));
            record.attempts.iter().for_each(|attempt| expected.plus(&of_attempt(attempt)));
        }
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("records.db"));
        let mut engine = Engine::of(&place);
        engine.open().unwrap();
        let mut rest = shuffled(records.clone(), &mut chance);
        while !rest.is_empty() {
            let batch: Vec<Record> = rest.drain(..rest.len().min(1 + chance.below(20) as usize)).collect();
            engine.write(&batch).unwrap();
            // Written twice, as after an end whose beginning was not heard of.
            engine.write(&batch[..1]).unwrap();
        }
        let mut reader = Reader::of(&place);
        let looked_at = Filter { duration_ms: (Some(0), None), ..Filter::default() };
        for filter in [Filter::default(), looked_at] {
            for by in [Grouping::None, Grouping::Provider, Grouping::Key] {
                let (_, groups) = reader.sums(&filter, by, NOW_MS).unwrap();
                let mut total = Sums::default();
                groups.iter().for_each(|group| total.plus(&group.sums));
                assert_eq!(total, expected, "seed {seed}, {by:?}, {filter:?}");
            }
        }
    }
}
