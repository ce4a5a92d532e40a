//! Small requests that would have the gateway do or keep much: it answers soon, and its memory stays what it was.

use std::time::Instant;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
/// How much the memory of a gateway may grow in these tests, in KiB. What a single config came to before was more.
const GROWTH_KIB_MAX: u64 = 200 << 10;
/// How long an answer may take, in seconds, on a busy machine and without optimisation.
const SECONDS_MAX: f64 = 8.0;

/// A config with these conditions for its first target, and others behind it.
fn conditional(conditions: Vec<Value>, targets: Vec<Value>) -> Value {
    let conditions: Vec<Value> =
        conditions.into_iter().map(|query| json!({"query": query, "then": "n"})).collect();
    let mut config = json!({"strategy": {"mode": "conditional", "default": "n", "conditions": conditions}, "targets": targets});
    config["targets"][0]["name"] = json!("n");
    config
}

/// A config of about 30 KB, of which there are as many as there are numbers.
fn large(number: usize, upstream: &Upstream) -> Value {
    let target = json!({"provider": "openai", "custom_host": upstream.url()});
    let plain = json!({"provider": "b"});
    let with_target = |others: Vec<Value>| [vec![target.clone()], others].concat();
    let once = |more: Value, targets: Vec<Value>| {
        let mut config = conditional(vec![json!({"metadata.number": number})], targets);
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    match number % 5 {
        0 => once(json!({"default_params": {"a": vec![0; 7_000]}}), with_target(vec![plain; 600])),
        1 => once(
            json!({"override_params": {"a": vec![0; 7_000]}}),
            with_target(vec![json!({"provider": "b", "override_params": {"b": 1}}); 300]),
        ),
        2 => once(
            json!({}),
            [vec![json!({"provider": "b".repeat(14_000)})], with_target(vec![plain; 600])].concat(),
        ),
        3 => once(
            json!({"retry": {"attempts": 1, "on_status_codes": vec![429; 500]}, "drop_params": vec!["messages[*].name"; 100]}),
            with_target(vec![plain; 800]),
        ),
        _ => {
            let pattern =
                |index: usize| json!({"metadata.text": {"$regex": format!("{number} \\w+@\\w+ {index}")}});
            conditional((0..100).map(pattern).collect(), with_target(vec![plain; 300]))
        }
    }
}

#[test]
fn two_hundred_large_configs_leave_the_memory_as_it_was() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let ask = |config: Option<&Value>| {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("authorization", "Bearer sk-client");
        match config {
            Some(config) => ask.header("x-ostia-config", &config.to_string()).to(&gateway),
            None => ask.at(&upstream, "openai").to(&gateway),
        }
    };
    assert_eq!(ask(None).status, 200);
    let before = gateway.resident_kib();
    let mut answered = 0;
    for number in 0..200 {
        let config = large(number, &upstream);
        let reply = ask(Some(&config));
        assert!([200, 400].contains(&reply.status), "{}", reply.text());
        answered += usize::from(reply.status == 200);
        let grown = gateway.resident_kib().saturating_sub(before);
        assert!(grown < GROWTH_KIB_MAX, "{grown} KiB after {} configs", number + 1);
    }
    assert!(answered >= 80, "{answered}");
    let refused = ask(Some(&large(1, &upstream)));
    assert!(refused.text().contains("config: is too large: made ready for use"), "{}", refused.text());
    assert_eq!(refused.json()["error"]["code"], "invalid_config");
    assert_eq!(ask(None).status, 200);
}

/// How long it takes to answer, and the status.
fn timed(ask: &Ask, gateway: &Gateway) -> (u16, String) {
    let began = Instant::now();
    let reply = ask.to(gateway);
    let seconds = began.elapsed().as_secs_f64();
    assert!(seconds < SECONDS_MAX, "{seconds} s: {:.500}", reply.text());
    (reply.status, reply.text().to_owned())
}

#[test]
fn nine_hundred_conditions_on_a_long_field_are_soon_decided() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let decided = |query: &dyn Fn(usize) -> Value, field: &Value| {
        let target = json!({"provider": "openai", "custom_host": upstream.url()});
        let config = conditional((0..900).map(query).collect(), vec![target, json!({"provider": "b"})]);
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "field": field});
        let ask =
            Ask::post("/v1/chat/completions", body.to_string()).header("authorization", "Bearer sk-client");
        timed(&ask.header("x-ostia-config", &config.to_string()), &gateway)
    };
    let (text, list) = (json!("x\n".repeat(500_000)), json!(vec!["x"; 250_000]));
    let digits = json!("9".repeat(1_000_000));
    for (query, field) in [
        (&(|number| json!({"params.field": number})) as &dyn Fn(usize) -> Value, &text),
        (&|number| json!({"params.field": number}), &list),
        (&|number| json!({"params.field": {"$gt": number}}), &digits),
        (&|number| json!({ format!("params.field[{number}].a"): 1 }), &list),
        (&|number| json!({"params.field": {"$in": [number, [number], "x"]}}), &list),
    ] {
        let (status, text) = decided(query, field);
        assert!(status == 200 || text.contains("config_too_costly"), "{status} {text}");
    }
    assert_eq!(decided(&|number| json!({"params.field": {"$exists": number}}), &list).0, 400);
}

#[test]
fn patterns_on_long_texts_are_refused_beyond_a_bound() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let target = json!({"provider": "openai", "custom_host": upstream.url()});
    let pattern = |number: usize| json!({"params.field": {"$regex": format!("^y{number}")}});
    let config = conditional((0..90).map(pattern).collect(), vec![target, json!({"provider": "b"})]);
    for (length, expected) in [(1_000_000, 200), (5_000_000, 400)] {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "field": "x".repeat(length)});
        let ask =
            Ask::post("/v1/chat/completions", body.to_string()).header("authorization", "Bearer sk-client");
        let (status, text) = timed(&ask.header("x-ostia-config", &config.to_string()), &gateway);
        assert_eq!((status, text.contains("config_too_costly")), (expected, expected == 400), "{text}");
    }
    assert_eq!(upstream.count(), 1);
}

#[test]
fn no_dry_run_ends_the_gateway() {
    let gateway = Gateway::start();
    let before = gateway.resident_kib();
    let request: Value = crate::json(CHAT);
    let five = json!({"strategy": {"mode": "fallback"}, "targets": vec![json!({"provider": "b"}); 5]});
    let mut amplified = conditional(vec![json!({"params.a": 1})], vec![five; 900]);
    amplified["override_params"] = json!({"a": vec![0; 40_000]});
    let merged = json!({"strategy": {"mode": "fallback"}, "override_params": {"a": vec![0; 40_000]},
        "targets": vec![json!({"provider": "b", "override_params": {"b": 1}}); 100]});
    let names: Vec<String> = (0..1000).map(|name| format!("a-name-of-thirty-letters-{name:05}")).collect();
    let named: Vec<Value> = names.iter().map(|name| json!({"provider": "b", "name": name})).collect();
    let mut missing = conditional(vec![json!({"params.a": 1}); 1000], named);
    for (condition, name) in missing["strategy"]["conditions"].as_array_mut().unwrap().iter_mut().zip(&names)
    {
        condition["then"] = json!(format!("z{}", &name[1..]));
    }
    let of = |config: &Value| json!({"request": request, "config": config}).to_string();
    let (arrays, objects) =
        ("[".repeat(90_000) + &"]".repeat(90_000), "{\"a\":".repeat(30_000) + "1" + &"}".repeat(30_000));
    let nested =
        |left: &str, right: &str, inner: &str| format!("{}{inner}{}", left.repeat(110), right.repeat(110));
    for (body, expected) in [
        (of(&amplified), 200),
        (of(&merged), 400),
        (of(&missing), 400),
        (arrays.clone(), 400),
        (format!(r#"{{"request":{{"a":{arrays}}}}}"#), 400),
        (format!(r#"{{"request":{{}},"config":{objects}}}"#), 400),
        (format!(r#"{{"request":{CHAT},"config":{}}}"#, nested("{\"a\":", "}", "1")), 400),
        (format!(r#"{{"request":{CHAT},"metadata":{}}}"#, nested("{\"a\":", "}", "1")), 200),
        (json!({"request": request, "metadata": {"a": "x".repeat(100_000)}}).to_string(), 400),
        (json!({"request": {"model": "m", "a": "x".repeat(5 << 20)}}).to_string(), 413),
        (format!(r#"{{"request":{{"a":{}}}}}"#, "9".repeat(180_000)), 200),
        ("[]".to_owned(), 400),
        (String::new(), 400),
    ] {
        let (status, text) = timed(&Ask::post("/v1/explain", body.clone()), &gateway);
        assert_eq!(status, expected, "{:.80}: {text:.500}", body);
    }
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB");
    assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200);
}

#[test]
fn a_dry_run_translates_no_more_than_so_much() {
    let gateway = Gateway::start();
    let targets = vec![json!({"provider": "anthropic", "api_key": "k"}); 30];
    let config = json!({"strategy": {"mode": "fallback"}, "targets": targets});
    for (bytes, expected) in [(10, 20), (2_000_000, 4), (4_000_000, 2)] {
        let request = json!({"model": "m", "messages": [{"role": "user", "content": "x".repeat(bytes)}]});
        let body = json!({"request": request, "config": config}).to_string();
        let (status, text) = timed(&Ask::post("/v1/explain", body), &gateway);
        assert_eq!(status, 200, "{text}");
        assert_eq!(crate::json(&text)["calls"].as_array().unwrap().len(), expected);
    }
}
