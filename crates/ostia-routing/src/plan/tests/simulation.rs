//! Thousands of random configs against targets that fail at random; what must hold whatever is decided.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::super::*;
use super::world::{Act, World};
use crate::outcome::{Class, Limit};

/// Outcomes by number; 0 to 2 are good.
fn act(number: u32) -> Act {
    let verdict = match number % 16 {
        0..=2 => Verdict::SUCCESS,
        3 => Verdict::Success { status: 246 },
        4 => Verdict::Unreachable,
        5 => Verdict::Late(Limit::FirstByte),
        6 => Verdict::BadAnswer,
        7 => Verdict::Denied,
        8 => Verdict::Untranslatable,
        9 => Verdict::Refused { status: 400, class: Class::ContentPolicy },
        10 => Verdict::Refused { status: 400, class: Class::ContextLength },
        11 => Verdict::of_status(429),
        12 => Verdict::of_status(500),
        _ => Verdict::of_status(503),
    };
    let wait = number.is_multiple_of(5).then(|| Duration::from_millis(u64::from(number % 4000)));
    let sent = [None, None, None, Some(Sent::Text), Some(Sent::ToolCall)];
    Act {
        outcome: Outcome { wait, ..Outcome::of(verdict) },
        takes: Duration::from_millis(u64::from(number % 700)),
        breaks: sent[number as usize % sent.len()],
    }
}

fn settings() -> impl Strategy<Value = Value> {
    let retry = prop_oneof![
        3 => Just(Value::Null),
        1 => (1..=5_u32, 0..3000_u32)
            .prop_map(|(attempts, wait)| json!({"attempts": attempts, "max_wait": wait})),
    ];
    let breaker = prop_oneof![
        3 => Just(Value::Null),
        1 => (1..4_u32).prop_map(|failures| json!({"failure_threshold": failures})),
    ];
    let hedge =
        prop_oneof![3 => Just(Value::Null), 1 => (1..500_u32).prop_map(|after| json!({"after": after}))];
    let policy = prop_oneof![Just(Value::Null), Just(json!("continue"))];
    (retry, breaker, hedge, policy).prop_map(|(retry, breaker, hedge, policy)| {
        json!({"retry": retry, "cb_config": breaker, "hedge": hedge, "mid_stream": policy})
    })
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = (settings(), any::<bool>(), 0..4_u32).prop_map(|(mut level, prefill, weight)| {
        (level["provider"], level["prefill"], level["weight"]) = (json!("p"), json!(prefill), json!(weight));
        level
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let rules = prop_oneof![
            Just(json!({"mode": "single"})),
            Just(json!({"mode": "fallback"})),
            Just(json!({"mode": "fallback", "on_status_codes": [429, 503, 246]})),
            Just(json!({"mode": "fallback", "stop_on": []})),
            Just(json!({"mode": "loadbalance"})),
            Just(json!({"mode": "loadbalance", "balance": "round_robin"})),
            Just(json!({"mode": "loadbalance", "balance": "least_pending"})),
            Just(json!({"mode": "loadbalance", "balance": "least_latency"})),
            Just(json!({"mode": "loadbalance", "balance": "least_cost"})),
            Just(json!({"mode": "conditional", "default": "t0",
                        "conditions": [{"query": {"params.x": 1}, "then": "t1"}]})),
        ];
        (rules, proptest::collection::vec(inner, 2..5), settings(), 0..4_u32).prop_map(
            |(rule, mut targets, mut level, weight)| {
                for (index, target) in targets.iter_mut().enumerate() {
                    target["name"] = json!(format!("t{index}"));
                }
                targets[0]["weight"] = json!(1);
                (level["strategy"], level["targets"], level["weight"]) =
                    (rule, targets.into(), json!(weight));
                level
            },
        )
    })
}

/// Gives every leaf a name of its own; names that conditions use stay.
fn name_leaves(level: &mut Value, count: &mut u32) {
    match level["targets"].as_array_mut() {
        Some(targets) => targets.iter_mut().for_each(|target| name_leaves(target, count)),
        None => {
            level["id"] = json!(format!("leaf{count}"));
            *count += 1;
        }
    }
}

/// Whether following this level finds one of these leaves, if failures always move on.
fn finds(level: &Value, good: &dyn Fn(&str) -> bool) -> bool {
    let Some(targets) = level["targets"].as_array() else { return good(level["id"].as_str().unwrap()) };
    match level["strategy"]["mode"].as_str().unwrap() {
        "single" | "conditional" => finds(&targets[0], good),
        "fallback" => targets.iter().any(|target| finds(target, good)),
        _ => targets.iter().any(|target| target["weight"] != json!(0) && finds(target, good)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn bounds_hold_and_requests_end(
        mut config in tree(),
        deadline in proptest::option::of(1..5000_u32),
        numbers in proptest::collection::vec(any::<u32>(), 64),
        seed in any::<u64>(),
    ) {
        config["deadline"] = json!(deadline);
        let mut world = World::of(&config);
        for request in 0..5 {
            world.seed = seed.wrapping_add(request);
            let began = world.now;
            let mut next = 0;
            let mut asked = Vec::new();
            let trace = world.run(&mut |name| {
                next += 1;
                asked.push(name.to_owned());
                act(numbers[(next + request as usize * 7) % numbers.len()])
            });
            prop_assert!(asked.len() <= ATTEMPTS_MAX as usize, "{} attempts", asked.len());
            prop_assert!(trace.len() < 1000);
            if let Some(deadline) = deadline {
                let took = world.now.since(began);
                prop_assert!(took <= Duration::from_millis(u64::from(deadline)), "took {took:?}");
            }
            world.wait(u64::from(numbers[request as usize] % 40));
        }
    }

    #[test]
    fn a_good_target_is_found(mut config in tree(), good in any::<u32>(), seed in any::<u64>()) {
        name_leaves(&mut config, &mut 0);
        let is_good = |id: &str| good >> (id[4..].parse::<u32>().unwrap() % 32) & 1 == 1;
        let mut world = World::of(&config);
        let ids: BTreeMap<usize, String> =
            world.route.leaves().iter().map(|leaf| leaf.settings.id.clone().unwrap()).enumerate().collect();
        world.seed = seed;
        let mut plan = world.plan();
        let result = loop {
            match plan.next(world.now) {
                Step::Attempt(attempt) => {
                    let good = is_good(&ids[&attempt.leaf]);
                    let verdict = if good { Verdict::SUCCESS } else { Verdict::Unreachable };
                    plan.outcome(&attempt, verdict, world.now);
                }
                Step::Wait(until) => world.now = until,
                Step::Answered => break true,
                Step::GiveUp(_) => break false,
            }
        };
        prop_assert_eq!(result, finds(&config, &is_good), "{}", config);
    }

    #[test]
    fn nobody_is_asked_after_being_refused(
        config in tree(),
        numbers in proptest::collection::vec(any::<u32>(), 64),
        seed in any::<u64>(),
    ) {
        let mut world = World::of(&config);
        for request in 0..20 {
            world.seed = seed.wrapping_add(request);
            let mut plan = world.plan();
            let mut next = request as usize;
            loop {
                let before = plan.record(world.now);
                match plan.next(world.now) {
                    Step::Attempt(attempt) => {
                        let after = plan.record(world.now);
                        let forced = after.steps.iter().any(|step| step.step == "breakers_ignored");
                        let breaker = before.targets[attempt.leaf].breaker.as_ref();
                        let open = breaker.is_some_and(|breaker| breaker.state == "open");
                        prop_assert!(forced || !open, "{:?}", after.steps);
                        next += 1;
                        plan.outcome(&attempt, act(numbers[next % 64]).outcome, world.now);
                    }
                    Step::Wait(until) => world.now = until,
                    Step::Answered | Step::GiveUp(_) => break,
                }
            }
            plan.finish(world.now);
            let targets = plan.record(world.now).targets;
            prop_assert_eq!(targets.iter().filter_map(|target| target.open_requests).sum::<u32>(), 0);
        }
    }

    #[test]
    fn a_dry_run_changes_nothing_and_says_what_comes(config in tree(), seed in any::<u64>()) {
        let world = World::of(&config);
        let explain = || Plan::explain(world.route.clone(), &world.request, seed, world.now);
        let (first, second) = (explain(), explain());
        prop_assert_eq!(&first, &second);
        let mut plan = Plan::new(world.route.clone(), &world.request, seed, world.now);
        if let Step::Attempt(attempt) = plan.next(world.now) {
            let path = &world.route.leaves()[attempt.leaf].index_path;
            prop_assert_eq!(first.answered_by.as_ref(), Some(path));
            prop_assert_eq!(first.order_if_all_fail.first(), Some(path));
        }
    }
}
