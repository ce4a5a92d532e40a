use serde_json::{Value, json};

use super::super::*;
use super::check;
use super::world::World;

#[test]
fn retries() {
    let a = r#"a{"retry":{"attempts":2}}"#;
    check(&format!("{a} | a=503,200 => a, wait, a, ok"));
    check(&format!("{a} | a=503 => a, wait, a, wait, a, exhausted"));
    check(&format!("{a} | a=reset,nonsense,200 => a, wait, a, wait, a, ok"));
    for failure in ["400", "401", "late", "446", "untranslatable", "sign_in", "content_policy"] {
        check(&format!("{a} | a={failure} => a, exhausted"));
    }
    check(&format!("fallback({a} b) | a=503 => a, wait, a, wait, a, b, ok"));
    check(r#"fallback{"retry":{"attempts":1}}(a b) | a=503 b=503,200 => a, wait, a, b, wait, b, ok"#);
    check(r#"a{"retry":{"attempts":1,"on_status_codes":[408]}} | a=late,200 => a, wait, a, ok"#);
    check(r#"a{"retry":{"attempts":1,"on_status_codes":[408]}} | a=503 => a, exhausted"#);
    check(r#"a{"retry":{"attempts":0}} | a=503 => a, exhausted"#);
}

#[test]
fn verdicts_of_guardrails_are_tried_again_at_once() {
    let listed = r#"a{"retry":{"attempts":1,"on_status_codes":[246,446]}}"#;
    check(&format!("{listed} | a=446,200 => a, a, ok"));
    check(&format!("{listed} | a=246,200 => a, a, ok"));
    check(&format!("{listed} | a=246,246 => a, a, ok"));
    check(&format!("fallback({listed} b) | a=446 => a, a, b, ok"));
}

#[test]
fn waits_that_targets_ask_for() {
    let a = r#"a{"retry":{"attempts":3,"max_wait":5000}}"#;
    check(&format!("fallback({a} b) | a=429~2000,200 => a, wait 2000, a, ok"));
    check(&format!("fallback({a} b) | a=429~6000 => a, b, ok"));
    check(&format!("fallback({a} b) | a=429~3000,429~3000 => a, wait 3000, a, b, ok"));
    check(&format!("fallback({a} b) | a=503~5000,200 => a, wait 5000, a, ok"));
    check(&format!("{a} | a=429~6000 => a, exhausted"));
    check(r#"fallback(a{"retry":{"attempts":1}} b) | a=429~60000,200 => a, wait 60000, a, ok"#);
    check(r#"fallback(a{"retry":{"attempts":1}} b) | a=429~60001 => a, b, ok"#);
}

#[test]
fn one_deadline_for_all() {
    check(r#"fallback{"deadline":1000}(a b) | a=503@400 b=200@400 => a, b, ok"#);
    check(r#"fallback{"deadline":1000}(a b c) | a=503@600 b=503@600 => a, b, deadline"#);
    check(r#"fallback{"deadline":1000}(a b) | a=503@1000 => a, deadline"#);
    check(r#"fallback{"deadline":1000}(a{"retry":{"attempts":1}} b) | a=429~900 b=200 => a, b, ok"#);
    check(
        r#"a{"deadline":1000,"retry":{"attempts":5}} | a=429~300 => a, wait 300, a, wait 300, a, exhausted"#,
    );
    let mut plan = World::new("a").plan().bounded_by(Time::from_micros(0));
    assert_eq!(plan.next(Time::from_micros(5)), Step::GiveUp(Reason::Deadline));
}

#[test]
fn limits_of_an_attempt() {
    check(r#"fallback{"request_timeout":200}(a b) | a=200@300 => a, b, ok"#);
    check(
        r#"fallback{"first_token_timeout":200}(a b{"first_token_timeout":400}) | a=200@300 b=200@300 => a, b, ok"#,
    );
    let world =
        World::new(r#"single{"idle_timeout":7,"request_timeout":5,"deadline":90}(a{"request_timeout":6})"#);
    let Step::Attempt(attempt) = world.plan().next(world.now) else { panic!() };
    let limits = attempt.limits;
    assert_eq!(
        (limits.first_byte, limits.idle),
        (Some(Duration::from_millis(6)), Some(Duration::from_millis(7)))
    );
    assert_eq!((limits.first_token, limits.until), (None, Some(world.now.after(Duration::from_millis(90)))));
}

#[test]
fn attempts_are_bounded() {
    let leaves = (0..40).map(|index| format!("t{index}")).collect::<Vec<_>>().join(" ");
    let tree = format!(r#"fallback{{"retry":{{"attempts":5,"max_wait":0,"budget":100}}}}({leaves})"#);
    let mut world = World::new(&tree);
    let act = super::world::Act { outcome: Verdict::Unreachable.into(), takes: Duration::ZERO, breaks: None };
    let trace = world.run(&mut |_| act);
    let attempts = trace.iter().filter(|step| step.starts_with('t')).count();
    assert_eq!((attempts, trace.last().unwrap().as_str()), (ATTEMPTS_MAX as usize, "attempts_max"));
}

#[test]
fn hedges() {
    let tree = r#"fallback{"hedge":{"after":500,"budget":10}}(a b c)"#;
    check(&format!("{tree} | a=200@400 => a, ok"));
    check(&format!("{tree} | a=200@5000 => a, +b, ok"));
    check(&format!("{tree} | a=200@550 b=200@900 => a, +b, ok"));
    check(&format!("{tree} | a=503@600 b=200@900 => a, +b, ok"));
    check(&format!("{tree} | a=200@2000 b=503@100 => a, +b, ok"));
    check(&format!("{tree} | a=503@2000 b=503@100 => a, +b, c, ok"));
    check(&format!("{tree} | a=503@600 b=503@900 => a, +b, c, ok"));
    check(r#"a{"hedge":{"after":500}} | a=200@5000 => a, ok"#);
    check(r#"a{"hedge":{"after":500},"retry":{"attempts":1}} | a=503@5000,200 => a, wait, a, ok"#);
    check(r#"fallback{"hedge":{"after":500,"budget":0}}(a b) | a=200@5000 => a, ok"#);
    // The last attempt that there may be is not hedged, and is not asked about again and again.
    let world = World::new(tree);
    let mut plan = world.plan();
    let Step::Attempt(_) = plan.next(world.now) else { panic!() };
    let mut plan = plan.bounded_by(world.now);
    let due = plan.hedge_at().unwrap();
    assert_eq!((plan.hedge(due), plan.hedge_at()), (None, None));
    check(r#"pool{"hedge":{"after":500}}(a b:0.000001) | a=200@5000 => a, +b, ok"#);
}

#[test]
fn a_budget_of_hedges() {
    let mut world = World::new(r#"fallback{"hedge":{"after":10,"budget":5}}(a b)"#);
    let mut hedges = 0;
    for _ in 0..2000 {
        let act = |name: &str| super::world::Act {
            outcome: Verdict::SUCCESS.into(),
            takes: Duration::from_millis(if name == "a" { 20 } else { 0 }),
            breaks: None,
        };
        hedges += usize::from(world.run(&mut |name| act(name)).contains(&"+b".to_owned()));
    }
    // Ten in reserve, one a second for 38 s, and a twentieth of the requests.
    assert!((140..=150).contains(&hedges), "{hedges}");
}

#[test]
fn nonsense_from_the_shell_is_borne() {
    let mut world = World::new("fallback(a b)");
    let mut plan = world.plan();
    let Step::Attempt(first) = plan.next(world.now) else { panic!() };
    assert_eq!(plan.next(world.now), Step::Attempt(first), "said again until its outcome is told");
    plan.outcome(&Attempt { number: 9, ..first }, Verdict::SUCCESS, world.now);
    assert_eq!(plan.broken(Verdict::Broken, Sent::Text, world.now), MidStream::Error);
    assert_eq!(plan.hedge(world.now), None);
    plan.outcome(&first, Verdict::Unreachable, world.now);
    plan.outcome(&first, Verdict::SUCCESS, world.now);
    let Step::Attempt(second) = plan.next(world.now) else { panic!() };
    assert_eq!((second.leaf, second.number), (1, 2));
    plan.finish(world.now);
    plan.finish(world.now);
    plan.outcome(&second, Verdict::SUCCESS, world.now);
    assert_eq!(plan.next(world.now), Step::GiveUp(Reason::ClientGone));
    world.wait(1);
    assert_eq!(plan.record(Time::default()).attempts, 2);
}

#[test]
fn conditions_that_are_too_much_work_ask_nobody() {
    let list: Vec<Value> =
        (0..100).map(|number| json!({"params.text": {"$regex": format!("^y{number}")}})).collect();
    let config = json!({"strategy": {"mode": "conditional", "default": "a", "conditions": [
            {"query": {"$or": list}, "then": "a"}]},
        "targets": [{"name": "a", "provider": "p"}]});
    let mut world = World::of(&config);
    world.request.0 = json!({"params": {"text": "x".repeat(4 << 20)}});
    let mut plan = world.plan();
    assert_eq!(plan.next(world.now), Step::GiveUp(Reason::TooMuchWork));
    let record = plan.record(world.now);
    assert_eq!((record.result, record.attempts, record.steps.len()), ("too_much_work", 0, 1));
    world.request.0 = json!({"params": {"text": "x"}});
    assert!(matches!(world.plan().next(world.now), Step::Attempt(_)));
}
