use serde_json::json;

use super::super::*;
use super::check;
use super::world::{Request, World};

#[test]
fn one_target() {
    check("a | => a, ok");
    check("a | a=503 => a, exhausted");
    check("single(a b) | a=503 => a, exhausted");
    check("single(single(a)) | => a, ok");
    check("a | a=gone => a, client_gone");
}

#[test]
fn fallback() {
    check("fallback(a b) | => a, ok");
    check("fallback(a b c) | a=503 b=reset => a, b, c, ok");
    check("fallback(a b) | a=503 b=500 => a, b, exhausted");
    check("fallback(a b) | a=gone => a, client_gone");
}

#[test]
fn every_kind_of_failure_moves_on() {
    for failure in [
        "400",
        "401",
        "404",
        "408",
        "422",
        "429",
        "500",
        "529",
        "reset",
        "late",
        "446",
        "untranslatable",
        "sign_in",
        "nonsense",
        "context_length",
    ] {
        check(&format!("fallback(a b) | a={failure} => a, b, ok"));
        check(&format!("pool(a b:0.000001) | a={failure} => a, b, ok"));
    }
}

#[test]
fn what_does_not_move_on() {
    check("fallback(a b) | a=content_policy => a, stopped");
    check("pool(a b:0.000001) | a=content_policy => a, stopped");
    check(r#"fallback{"stop_on":[]}(a b) | a=content_policy => a, b, ok"#);
    check(r#"fallback{"stop_on":["bad_request"]}(a b) | a=content_policy => a, b, ok"#);
    check(r#"fallback{"stop_on":["bad_request","timeout"]}(a b) | a=400 => a, stopped"#);
    check(r#"fallback{"stop_on":["bad_request","timeout"]}(a b) | a=late => a, stopped"#);
    check(r#"fallback{"stop_on":["connection"]}(a b) | a=reset => a, stopped"#);
}

#[test]
fn listed_statuses() {
    let listed = r#"fallback{"on_status_codes":[429,408,246,446]}(a b)"#;
    for (act, moves) in [
        ("429", true),
        ("446", true),
        ("246", true),
        ("late", true),
        ("500", false),
        ("content_policy", false),
        ("reset", true),
        ("nonsense", true),
        ("untranslatable", true),
    ] {
        check(&format!("{listed} | a={act} => a, {}", if moves { "b, ok" } else { "stopped" }));
    }
    check(r#"fallback{"on_status_codes":[]}(a b) | a=500 => a, stopped"#);
    check(r#"fallback{"on_status_codes":[400]}(a b) | a=content_policy => a, b, ok"#);
    check(
        r#"fallback{"on_status_codes":[400],"stop_on":["content_policy"]}(a b) | a=content_policy => a, stopped"#,
    );
    check(r#"fallback{"on_status_codes":[429]}(a b) | a=200 => a, ok"#);
    // An empty account and a wrong key also come as 400: what a list says of 402, 429 and 401 holds for them.
    check(r#"fallback{"on_status_codes":[429]}(a b) | a=quota => a, b, ok"#);
    check(r#"fallback{"on_status_codes":[402]}(a b) | a=quota => a, b, ok"#);
    check(r#"fallback{"on_status_codes":[401]}(a b) | a=wrong_key => a, b, ok"#);
    check(r#"fallback{"on_status_codes":[401]}(a b) | a=403 => a, stopped"#);
    check(r#"fallback{"on_status_codes":[503]}(a b) | a=quota => a, stopped"#);
    check(r#"fallback{"stop_on":["quota"]}(a b) | a=402 => a, stopped"#);
    check(r#"fallback{"stop_on":["rate_limit"]}(a b) | a=402 => a, b, ok"#);
    check(r#"fallback{"retry":{"attempts":2}}(a b) | a=quota => a, b, ok"#);
    check(r#"fallback(a b) | a=246 => a, ok"#);
    check(r#"pool{"on_status_codes":[]}(a b:0.000001) | a=500 => a, stopped"#);
}

#[test]
fn nesting() {
    check("fallback(pool(a:9 b:0) c) | a=503 => a, c, ok");
    check("fallback(fallback(a b) c) | a=503 b=503 => a, b, c, ok");
    check("fallback(single(a b) c) | a=503 => a, c, ok");
    check("fallback(a pool(fallback(b c) d:0.000001)) | a=503 b=503 c=503 => a, b, c, d, ok");
    check("single(fallback(a b)) | a=503 => a, b, ok");
    check("pool(fallback(a b)) | a=503 => a, b, ok");
    // The inner strategy stops; the outer one asks for itself.
    check(r#"fallback(fallback{"on_status_codes":[429]}(a b) c) | a=503 => a, c, ok"#);
    check(r#"fallback{"on_status_codes":[429]}(fallback(a b) c) | a=503 b=503 => a, b, stopped"#);
    check("fallback(fallback(a b) c) | a=content_policy => a, stopped");
    check("fallback{\"stop_on\":[]}(fallback(a b) c) | a=content_policy => a, c, ok");
}

#[test]
fn a_failed_choice_is_made_again_among_the_others() {
    let mut world = World::new("pool(a b c)");
    for _ in 0..50 {
        let mut asked = Vec::new();
        let trace = world.run(&mut |name| {
            asked.push(name.to_owned());
            super::world::Act { outcome: Verdict::Unreachable.into(), takes: Duration::ZERO, breaks: None }
        });
        asked.sort();
        assert_eq!((asked.concat().as_str(), trace.last().unwrap().as_str()), ("abc", "exhausted"));
        world.seed += 1;
    }
    check("pool(a b:0) | a=503 => a, exhausted");
}

#[test]
fn shares_of_a_canary() {
    let mut world = World::new("pool(a:95 b:5)");
    let mut canary = 0;
    for seed in 0..10_000 {
        world.seed = seed;
        canary += usize::from(world.run(&mut |_| super::world::Act::default()) == ["b", "ok"]);
    }
    assert!((430..570).contains(&canary), "{canary}");
}

#[test]
fn conditions_choose() {
    let tree = r#"when{"default":"c","conditions":[
        {"query":{"metadata.tier":"paid","params.max_tokens":{"$gt":100}},"then":"b"},
        {"query":{"params.model":{"$regex":"^small"}},"then":"fallback"}]}(b c fallback(d e))"#;
    for (request, story) in [
        (json!({"metadata": {"tier": "paid"}, "params": {"max_tokens": 200}}), "=> b, ok"),
        (json!({"metadata": {"tier": "paid"}, "params": {"max_tokens": 50}}), "=> c, ok"),
        (json!({"metadata": {"tier": "paid"}, "params": {"max_tokens": 50}}), "c=503 => c, exhausted"),
        (json!({"params": {"model": "small-1"}}), "d=503 => d, e, ok"),
        (json!({}), "=> c, ok"),
    ] {
        let mut world = World::new(tree);
        world.request = Request(request, Vec::new());
        world.ask(story);
    }
    // A conditional inside a fallback: its target failed, so it has.
    let inner = r#"fallback(when{"default":"a","conditions":[{"query":{"params.x":1},"then":"b"}]}(a b) c)"#;
    check(&format!("{inner} | a=503 => a, c, ok"));
}

#[test]
fn prices() {
    let asked = |tree: &str, prices: &[Option<f64>], story: &str| {
        let mut world = World::new(tree);
        world.request = Request(json!({}), prices.to_vec());
        world.ask(story);
    };
    let tree = "least_cost(a b c)";
    asked(tree, &[Some(3.0), Some(1.0), Some(2.0)], "=> b, ok");
    asked(tree, &[Some(3.0), Some(1.0), Some(2.0)], "b=503 c=503 => b, c, a, ok");
    asked(tree, &[Some(3.0), None, Some(4.0)], "a=503 c=503 => a, c, b, ok");
    asked("least_cost(fallback(a b) c)", &[Some(3.0), Some(1.0), Some(2.0)], "=> a, ok");
    asked("least_cost(a b)", &[], &format!("=> {}, ok", if first_of_two() { "a" } else { "b" }));
}

/// What a fresh world draws of two equals.
fn first_of_two() -> bool {
    crate::hash::Dice::new(1).index(2) == 0
}
