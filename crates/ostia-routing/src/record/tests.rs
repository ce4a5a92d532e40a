#![allow(clippy::unwrap_used, clippy::panic)]
use std::sync::Arc;

use serde_json::json;

use crate::condition::{Facts, Field};
use crate::plan::{Plan, Step};
use crate::{Outcome, Route, State, Time, Verdict, config};

struct Nothing;

impl Facts for Nothing {
    fn get(&self, _: &Field) -> Option<crate::Fact<'_>> {
        None
    }

    fn unix_s(&self) -> u64 {
        0
    }

    fn price(&self, leaf: usize) -> Option<f64> {
        [None, Some(0.5), Some(0.25)].get(leaf).copied().flatten()
    }
}

fn route() -> Arc<Route> {
    let config = json!({
        "strategy": {"mode": "fallback"}, "deadline": 60000,
        "targets": [
            {"name": "main", "provider": "one", "retry": {"attempts": 1, "max_wait": 2000},
             "cb_config": {"failure_threshold": 2}},
            {"strategy": {"mode": "loadbalance", "balance": "least_cost"},
             "targets": [{"provider": "two"}, {"provider": "three"}]},
        ],
    });
    Arc::new(Route::new(&config::from_value(&config).unwrap().config, &State::default()).unwrap())
}

fn at(millis: u64) -> Time {
    Time::from_micros(1_000_000 + millis * 1000)
}

#[test]
fn a_record_tells_the_whole_story() {
    let mut plan = Plan::new(route(), &Nothing, 1, at(0));
    let attempt = |plan: &mut Plan, now: Time| match plan.next(now) {
        Step::Attempt(attempt) => attempt,
        step => panic!("{step:?}"),
    };
    let first = attempt(&mut plan, at(0));
    let told =
        Outcome { wait: Some(std::time::Duration::from_millis(1500)), ..Verdict::of_status(429).into() };
    plan.outcome(&first, told, at(100));
    let second = attempt(&mut plan, at(1600));
    plan.outcome(&second, Outcome { wait: told.wait, ..Verdict::of_status(503).into() }, at(1700));
    let third = attempt(&mut plan, at(1700));
    assert_eq!(plan.record(at(1700)).result, "under_way");
    plan.outcome(&third, Verdict::SUCCESS, at(2000));
    let expected = json!({
        "result": "answered", "answered_by": "config.targets[1].targets[1]", "attempts": 3, "deadline_ms": 60000,
        "steps": [
            {"at_ms": 0, "step": "tried", "target": "config.targets[0]", "attempt": 1},
            {"at_ms": 100, "step": "failed", "target": "config.targets[0]", "attempt": 1, "status": 429,
             "class": "rate_limit"},
            {"at_ms": 100, "step": "waits", "target": "config.targets[0]", "wait_ms": 1500,
             "why": "the target asked for this wait"},
            {"at_ms": 1600, "step": "tried", "target": "config.targets[0]", "attempt": 2, "why": "retry 1"},
            {"at_ms": 1700, "step": "failed", "target": "config.targets[0]", "attempt": 2, "status": 503,
             "class": "overloaded"},
            {"at_ms": 1700, "step": "chosen", "target": "config.targets[1].targets[1]",
             "why": "the lowest expected price"},
            {"at_ms": 1700, "step": "tried", "target": "config.targets[1].targets[1]", "attempt": 3},
            {"at_ms": 2000, "step": "answered", "target": "config.targets[1].targets[1]", "attempt": 3, "status": 200},
        ],
        "targets": [
            {"target": "config.targets[0]", "name": "main", "provider": "one",
             "breaker": {"state": "closed", "requests": 2, "failures": 1}},
            {"target": "config.targets[1].targets[0]", "provider": "two", "expected_price": 0.5},
            {"target": "config.targets[1].targets[1]", "provider": "three", "expected_price": 0.25},
        ],
    });
    assert_eq!(serde_json::to_value(plan.record(at(2000))).unwrap(), expected);
    plan.malformed(at(2100));
    let step = plan.record(at(2200)).steps.pop().unwrap();
    assert_eq!((step.step, step.at_ms, step.attempt), ("malformed", 2100, Some(3)));
}

#[test]
fn a_wait_that_is_too_long_is_said() {
    let mut plan = Plan::new(route(), &Nothing, 1, at(0));
    let Step::Attempt(first) = plan.next(at(0)) else { panic!() };
    let told = Outcome { wait: Some(std::time::Duration::from_secs(9)), ..Verdict::of_status(429).into() };
    plan.outcome(&first, told, at(100));
    let step = plan.record(at(100)).steps.pop().unwrap();
    assert_eq!((step.step, step.wait_ms), ("not_again", Some(9000)));
}

#[test]
fn a_dry_run_names_the_order() {
    let record = Plan::explain(route(), &Nothing, 1, at(0));
    assert_eq!((record.result, record.answered_by.as_deref()), ("answered", Some("config.targets[0]")));
    let order = ["config.targets[0]", "config.targets[1].targets[1]", "config.targets[1].targets[0]"];
    assert_eq!(record.order_if_all_fail, order);
}
