use serde_json::json;

use super::super::*;
use super::world::{Act, Request, World};

/// A breaker that opens at the second failure.
const BREAKS: &str = r#""cb_config":{"failure_threshold":2,"cooldown_interval":30000}"#;

#[test]
fn an_open_breaker_leaves_a_target_alone() {
    let mut world = World::new(&format!("fallback{{{BREAKS}}}(a b)"));
    world.ask("a=503 => a, b, ok");
    world.ask("a=503 => a, b, ok");
    world.ask("=> b, ok");
    world.ask("b=503 => b, exhausted");
    world.wait(29);
    world.ask("=> b, ok");
    world.wait(2);
    world.ask("a=503 => a, b, ok");
    world.ask("=> b, ok");
    world.wait(31);
    world.ask("=> a, ok");
    world.ask("a=503 => a, b, ok");
}

#[test]
fn a_pool_chooses_among_the_healthy() {
    let mut world = World::new(&format!("fallback(pool{{{BREAKS}}}(a:1000000 b) c)"));
    world.ask("a=reset => a, b, ok");
    world.ask("a=reset b=reset => a, b, c, ok");
    world.ask("b=503 => b, c, ok");
    world.ask("=> c, ok");
}

#[test]
fn when_all_are_open_none_counts() {
    let mut world = World::new(&format!("fallback{{{BREAKS}}}(a b)"));
    world.ask("a=503 b=503 => a, b, exhausted");
    world.ask("a=503 b=503 => a, b, exhausted");
    world.ask("a=503 b=200 => a, b, ok");
    let record = {
        let mut plan = world.plan();
        plan.next(world.now);
        plan.record(world.now)
    };
    let steps: Vec<&str> = record.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, ["skipped", "skipped", "breakers_ignored", "tried"]);
    let mut one = World::new(&format!("a{{{BREAKS}}}"));
    (0..4).for_each(|_| one.ask("a=503 => a, exhausted"));
}

#[test]
fn one_probe_for_all_requests() {
    let mut world = World::new(&format!("fallback{{{BREAKS}}}(a b)"));
    world.ask("a=503 => a, b, ok");
    world.ask("a=503 => a, b, ok");
    world.wait(31);
    let (mut probe, mut other) = (world.plan(), world.plan());
    let leaf = |step: Step| match step {
        Step::Attempt(attempt) => attempt,
        _ => panic!("{step:?}"),
    };
    let probing = leaf(probe.next(world.now));
    assert_eq!((probing.leaf, leaf(other.next(world.now)).leaf), (0, 1));
    // The client of the probe goes away: the next request is the probe.
    probe.finish(world.now);
    assert_eq!(leaf(world.plan().next(world.now)).leaf, 0);
}

#[test]
fn a_breaker_that_opens_ends_the_retries() {
    let tree = format!(r#"fallback(a{{"retry":{{"attempts":5}},{BREAKS}}} b)"#);
    World::new(&tree).ask("a=503 => a, wait, a, wait, b, ok");
}

#[test]
fn targets_of_one_id_share_a_breaker() {
    let tree = format!(r#"fallback{{{BREAKS}}}(a{{"id":"x"}} b{{"id":"x"}} c)"#);
    let mut world = World::new(&tree);
    world.ask("a=503 b=503 => a, b, c, ok");
    world.ask("=> c, ok");
}

#[test]
fn configs_do_not_share() {
    let mut world = World::new(&format!("fallback{{{BREAKS}}}(a b)"));
    world.ask("a=503 => a, b, ok");
    world.ask("a=503 => a, b, ok");
    world.follow(&format!("fallback{{{BREAKS}}}(a c)"));
    world.ask("=> a, ok");
}

#[test]
fn round_robin() {
    let mut world = World::new("round_robin(a b c)");
    world.ask("=> a, ok");
    world.ask("=> b, ok");
    world.ask("c=503 => c, a, ok");
    world.ask("=> a, ok");
}

#[test]
fn least_pending() {
    let world = World::new("least_pending(a b:3)");
    let mut open: Vec<(Plan, Attempt)> = Vec::new();
    let mut counts = [0, 0];
    for seed in 0..40 {
        let mut plan = Plan::new(world.route.clone(), &world.request, seed, world.now);
        let Step::Attempt(attempt) = plan.next(world.now) else { panic!() };
        counts[attempt.leaf] += 1;
        open.push((plan, attempt));
    }
    assert_eq!(counts, [10, 30]);
    for (plan, attempt) in &mut open {
        plan.outcome(attempt, Verdict::SUCCESS, world.now);
    }
    let record = |plan: &Plan| {
        plan.record(world.now).targets.iter().map(|target| target.open_requests).collect::<Vec<_>>()
    };
    assert_eq!(record(&open[0].0), [Some(10), Some(30)], "an answer is open until it is whole");
    open.iter_mut().for_each(|(plan, _)| plan.finish(world.now));
    assert_eq!(record(&open[0].0), [Some(0), Some(0)]);
}

#[test]
fn least_latency() {
    let mut world = World::new("least_latency(a b c)");
    let mut counts = [0, 0, 0];
    for seed in 0..1000 {
        world.seed = seed;
        let trace = world.run(&mut |name| Act {
            outcome: Verdict::SUCCESS.into(),
            takes: Duration::from_millis(match name {
                "a" => 40,
                "b" => 200,
                _ => 2000,
            }),
            breaks: None,
        });
        counts[(trace[0].as_bytes()[0] - b'a') as usize] += 1;
    }
    assert!(counts[0] > counts[1] && counts[1] > counts[2] && counts[2] > 0, "{counts:?}");
    // One that fails at once is not quick.
    let mut world = World::new("least_latency(a b)");
    let mut failed = 0;
    for seed in 0..200 {
        world.seed = seed;
        let trace = world.run(&mut |name| Act {
            outcome: if name == "a" { Verdict::Unreachable.into() } else { Verdict::SUCCESS.into() },
            takes: Duration::from_millis(if name == "a" { 1 } else { 200 }),
            breaks: None,
        });
        failed += usize::from(trace[0] == "a");
    }
    assert!(failed < 20, "{failed}");
}

#[test]
fn sticky_callers() {
    let sticky =
        r#"pool{"sticky":{"enabled":true,"hash_fields":["metadata.user","params.x"],"ttl":3600}}(a b c)"#;
    let mut world = World::new(sticky);
    let caller = |user: u64, unix_s: u64| {
        Request(
            json!({"metadata": {"user": user.to_string()}, "params": {"x": 1}, "unix_s": unix_s}),
            Vec::new(),
        )
    };
    let mut asked = |request: Request, seed: u64| {
        (world.request, world.seed) = (request, seed);
        world.run(&mut |_| Act::default())[0].clone()
    };
    let mut seen = std::collections::BTreeSet::new();
    let (mut moved, mut moved_later) = (0, 0);
    for user in 0..300 {
        let first = asked(caller(user, 1_800_000_000), user);
        seen.insert(first.clone());
        moved += usize::from(asked(caller(user, 1_800_000_060), user + 7) != first);
        moved_later += usize::from(asked(caller(user, 1_800_007_200), user + 9) != first);
    }
    assert_eq!(seen.len(), 3);
    assert!(moved < 15, "within a minute only those whose hour ends: {moved}");
    assert!((150..250).contains(&moved_later), "after two hours all are drawn anew: {moved_later}");
    // Without one of the fields the choice is free.
    let free = (0..50).map(|seed| asked(Request(json!({"metadata": {"user": "1"}}), Vec::new()), seed));
    assert!(free.collect::<std::collections::BTreeSet<_>>().len() == 3);
}

#[test]
fn a_sticky_caller_moves_on_when_it_must() {
    let sticky = format!(
        r#"pool{{"sticky":{{"enabled":true,"hash_fields":["metadata.user"]}},{BREAKS}}}(a b:0.000001)"#
    );
    let mut world = World::new(&sticky);
    world.request = Request(json!({"metadata": {"user": "u"}}), Vec::new());
    world.ask("a=503 => a, b, ok");
    world.ask("a=503 => a, b, ok");
    world.ask("=> b, ok");
}

#[test]
fn retries_are_not_for_an_outage() {
    let mut world = World::new(r#"a{"retry":{"attempts":5,"max_wait":0,"budget":10}}"#);
    let mut attempts = 0;
    for _ in 0..5000 {
        let act = Act { outcome: Verdict::Unreachable.into(), takes: Duration::from_millis(1), breaks: None };
        attempts += world.run(&mut |_| act).iter().filter(|step| *step == "a").count();
    }
    // A tenth of the requests, a hundred in reserve, and ten a second for six seconds.
    assert!((5600..5700).contains(&attempts), "{attempts}");
}

#[test]
fn configs_that_share_nothing_keep_nothing() {
    for tree in ["a", "fallback(a b)", "pool(a b)", "least_cost(a b)"] {
        let mut world = World::new(tree);
        world.run(&mut |_| Act::default());
        assert!(world.route.slots.is_none(), "{tree}");
    }
}
