#![allow(clippy::unwrap_used)]
use std::cell::Cell;

use serde_json::json;

use super::*;
use crate::hash::Hash;

/// A request, as JSON.
struct Asked(Value);

impl Facts for Asked {
    fn get(&self, field: &Field) -> Option<Fact<'_>> {
        let found = match field {
            Field::Metadata(key) => self.0.get("metadata")?.get(key),
            Field::Param(steps) => find(self.0.get("params")?, steps),
            Field::Header(name) => self.0.get("headers")?.get(name),
            Field::Path => self.0.get("path"),
            Field::Method => self.0.get("method"),
            Field::Operation => self.0.get("operation"),
            Field::Model => self.0.get("model"),
            Field::Tokens => self.0.get("tokens"),
            Field::Key => self.0.get("key"),
            Field::Time(_) => None,
        };
        found.map(Fact::from)
    }

    fn unix_s(&self) -> u64 {
        // 2026-12-01 09:30:15, a Tuesday.
        1_796_117_415
    }
}

fn asked() -> Asked {
    Asked(json!({
        "metadata": {"tier": "paid", "age": "42", "a.b": "dotted", "empty": ""},
        "params": {"model": "m-1", "n": 1, "temperature": 0.7, "stream": true, "stop": null,
                   "messages": [{"role": "system"}, {"role": "user", "content": [{"type": "text"}]}]},
        "headers": {"x-team": "red"},
        "path": "/v1/chat/completions",
        "method": "POST",
        "operation": "openai_chat",
        "model": "m-1",
        "tokens": 1200,
        "key": "team-a",
    }))
}

fn check(query: Value, expected: bool) {
    let mut compiler = Compiler::default();
    let compiled = compiler.query(&query, "query");
    assert_eq!(compiler.warnings, [], "{query}");
    assert_eq!(holds(&compiled, &compiler, &asked()), expected, "{query}");
}

fn holds(query: &Query, compiler: &Compiler, asked: &Asked) -> bool {
    query.holds(&Inquiry::new(asked, &compiler.fields))
}

#[test]
fn operators() {
    for (query, expected) in [
        (json!({"metadata.tier": "paid"}), true),
        (json!({"metadata.tier": {"$eq": "free"}}), false),
        (json!({"metadata.tier": {"$ne": "free"}}), true),
        (json!({"metadata.tier": {"$in": ["free", "paid"]}}), true),
        (json!({"metadata.tier": {"$nin": ["free", "paid"]}}), false),
        (json!({"params.n": 1.0}), true),
        (json!({"params.n": "1"}), false),
        (json!({"params.temperature": {"$gt": 0.5, "$lte": 0.7}}), true),
        (json!({"params.temperature": {"$gt": 0.5, "$lt": 0.7}}), false),
        (json!({"params.temperature": {"$gte": "0.7"}}), true),
        (json!({"metadata.age": {"$gt": 9}}), true),
        (json!({"metadata.age": {"$gt": "9"}}), true),
        (json!({"metadata.tier": {"$gt": 9}}), false),
        (json!({"metadata.tier": {"$gt": "free"}}), true),
        (json!({"params.stream": true}), true),
        (json!({"params.stream": {"$regex": "^t"}}), true),
        (json!({"params.stop": null}), true),
        (json!({"params.n": {"$regex": "^1$"}}), true),
        (json!({"url.pathname": {"$regex": "chat"}}), true),
        (json!({"url.pathname": {"$regex": "(?i)CHAT", "$ne": "/v1/chat/completions"}}), false),
        (json!({"metadata.tier": {"$not": {"$eq": "paid"}}}), false),
        (json!({"metadata.tier": {"$not": "free"}}), true),
    ] {
        check(query, expected);
    }
}

#[test]
fn what_the_request_lacks() {
    for (query, expected) in [
        (json!({"metadata.none": "x"}), false),
        (json!({"metadata.none": {"$ne": "x"}}), false),
        (json!({"metadata.none": {"$nin": ["x"]}}), false),
        (json!({"metadata.none": {"$lt": 1}}), false),
        (json!({"metadata.none": null}), false),
        (json!({"metadata.none": {"$exists": false}}), true),
        (json!({"metadata.none": {"$exists": true}}), false),
        (json!({"params.stop": {"$exists": true}}), true),
        (json!({"metadata.none": {"$not": {"$eq": "x"}}}), true),
        (json!({"colour": "x"}), false),
        (json!({"$not": {"colour": "x"}}), true),
    ] {
        check(query, expected);
    }
}

#[test]
fn every_field() {
    for query in [
        json!({"metadata.a.b": "dotted"}),
        json!({"params.messages[1].content[0].type": "text"}),
        json!({"params.messages.1.role": "user"}),
        json!({"params.messages[7].role": {"$exists": false}}),
        json!({"params.messages.role": {"$exists": false}}),
        json!({"headers.X-Team": "red"}),
        json!({"method": "POST"}),
        json!({"operation": "openai_chat"}),
        json!({"model": {"$regex": "^m-"}}),
        json!({"tokens": {"$gte": 1000}}),
        json!({"key": "team-a"}),
        json!({"time.hour": 9, "time.minute": 30, "time.weekday": 2, "time.date": "2026-12-01"}),
        json!({"time.of_day": {"$gte": "09:00", "$lt": "17:00"}}),
        json!({"time.date": {"$gt": "2026-11-30"}}),
    ] {
        check(query, true);
    }
}

#[test]
fn the_whole_tree_counts() {
    let (yes, no) = (json!({"params.n": 1}), json!({"params.n": 2}));
    for (query, expected) in [
        (json!({"$and": [yes, yes]}), true),
        (json!({"$and": [yes, no]}), false),
        (json!({"$or": [no, yes]}), true),
        (json!({"$or": [no, no]}), false),
        (json!({"$or": []}), false),
        (json!({"$and": []}), true),
        (json!({"$and": [yes], "metadata.tier": "free"}), false),
        (json!({"metadata.tier": "free", "$or": [yes]}), false),
        (json!({"$and": [yes], "$or": [no]}), false),
        (json!({"$or": [{"$and": [yes, {"$not": no}]}, no], "metadata.tier": "paid"}), true),
    ] {
        check(query, expected);
    }
}

#[test]
fn bad_patterns_are_never_true_and_are_said() {
    let warned = |query: Value| {
        let mut compiler = Compiler::default();
        let compiled = compiler.query(&query, "q");
        let holds = holds(&compiled, &compiler, &asked());
        (holds, compiler.warnings.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))
    };
    let (holds, warnings) = warned(json!({"$or": [{"metadata.tier": {"$regex": "pa(?=id)"}}]}));
    assert!(
        !holds && warnings.starts_with("q.$or[0].metadata.tier.$regex: is never true: it is no"),
        "{warnings}"
    );
    let (holds, warnings) = warned(json!({"metadata.tier": {"$regex": "(.{1000}){1000}"}}));
    assert!(!holds && warnings.ends_with("too large"), "{warnings}");
}

#[test]
fn patterns_beyond_the_bounds_are_a_problem() {
    let excess = |pattern: &str, count: usize| {
        let mut compiler = Compiler::default();
        let query = json!({"$or": vec![json!({"metadata.tier": {"$regex": pattern}}); count]});
        compiler.query(&query, "q");
        assert!(compiler.pattern_bytes < PATTERNS_BYTES_MAX + (1 << 20), "{}", compiler.pattern_bytes);
        compiler.excess.map(|problem| problem.to_string())
    };
    assert_eq!(excess("^gpt-4", PATTERNS_MAX), None);
    let many = excess("^gpt-4", PATTERNS_MAX + 1).unwrap();
    assert!(
        many.starts_with(
            "q.$or[100].metadata.tier.$regex: is one of more than 100 patterns in one config; join"
        ),
        "{many}"
    );
    assert_eq!(excess(r"\w+@\w+", 40), None);
    for pattern in ["[a-z].{2000}", "(.{1000}){1000}"] {
        let large = excess(pattern, 50).unwrap();
        assert!(large.contains("is one pattern too many: those before it take 4 MiB; join"), "{large}");
    }
}

#[test]
fn warnings_are_no_longer_than_the_config_that_has_them() {
    let mut operators = json!({"$regex": "("});
    for _ in 0..90 {
        operators = json!({"$regex": "(", "$not": operators});
    }
    let mut compiler = Compiler::default();
    compiler.query(&json!({ format!("metadata.{}", "x".repeat(10_000)): operators }), "q");
    let told: usize = compiler.warnings.iter().map(|problem| problem.path.len()).sum();
    assert!(told < 10_000 && !compiler.warnings.is_empty(), "{told}");
}

#[test]
fn what_has_the_wrong_shape_is_never_true() {
    for query in [
        json!(1),
        json!({"$and": 1, "params.n": {"$in": 1}}),
        json!({"params.n": {"$exists": 1}}),
        json!({"params.n": {"$nor": 1}}),
        json!({"params.": 1}),
        json!({"params.a..b": {"$exists": false}}),
        json!({"params.a[x]": {"$exists": false}}),
        json!({"params.messages[00].role": "system"}),
        json!({"params.messages.+0.role": "system"}),
    ] {
        check(query, false);
    }
}

#[test]
fn dates() {
    for (days, expected) in [
        (0, "\"1970-01-01\""),
        (59, "\"1970-03-01\""),
        (11_016, "\"2000-02-29\""),
        (19_782, "\"2024-02-29\""),
        (47_540, "\"2100-02-28\""),
        (47_541, "\"2100-03-01\""),
    ] {
        assert_eq!(Clock::Date.at(days * 86_400).to_string(), expected);
    }
    Clock::Date.at(u64::MAX);
}

/// A request that counts how often it is asked.
struct Counting {
    asked: Asked,
    /// The field of this name, as it is written.
    list: String,
    times: Cell<usize>,
    cost: u64,
}

impl Counting {
    fn of(params: Value, cost: u64) -> Counting {
        let list = params["list"].to_string();
        Counting { asked: Asked(json!({ "params": params })), list, times: Cell::new(0), cost }
    }
}

impl Facts for Counting {
    fn get(&self, field: &Field) -> Option<Fact<'_>> {
        self.times.set(self.times.get() + 1);
        if matches!(field, Field::Param(steps) if steps[0].key == "list") {
            return Some(Fact::Json(&self.list));
        }
        self.asked.get(field)
    }

    fn cost(&self, _: &Field) -> u64 {
        self.cost
    }

    fn unix_s(&self) -> u64 {
        0
    }
}

/// Whether it is too much work to ask for all of these.
fn is_too_much(asked: &Counting, queries: Vec<Value>) -> bool {
    let mut compiler = Compiler::default();
    let query = compiler.query(&json!({ "$or": queries }), "q");
    assert_eq!(compiler.warnings, []);
    let inquiry = Inquiry::new(asked, &compiler.fields);
    query.holds(&inquiry);
    inquiry.is_exhausted()
}

#[test]
fn a_field_is_looked_up_once_however_many_conditions_ask_for_it() {
    let asked = Counting::of(json!({"a": "x", "b": ["y"]}), 1);
    let of =
        |number: usize| json!({"params.a": number, "params.b[0]": {"$in": [number]}, "params.c": number});
    assert!(!is_too_much(
        &asked,
        (0..900).map(of).map(|query| json!({ "$not": { "$not": query } })).collect()
    ));
    assert_eq!(asked.times.get(), 1);
    assert!(!is_too_much(
        &asked,
        (0..900).flat_map(|number| [json!({"params.b.0": number}), json!({"params.b[0]": number})]).collect()
    ));
    assert_eq!(asked.times.get(), 2);
}

#[test]
fn the_work_of_conditions_has_an_end() {
    let (long, list) = ("x".repeat(1 << 20), vec![0; 30_000]);
    let pattern = |number: usize| json!({"params.text": {"$regex": format!("^y{number}")}});
    let text = Counting::of(json!({ "text": long }), 1);
    assert!(!is_too_much(&text, (0..90).map(pattern).collect()));
    let longer = Counting::of(json!({ "text": long.repeat(10) }), 1);
    assert!(is_too_much(&longer, (0..90).map(pattern).collect()));
    // However long a text is, no more of it is compared than the config has, and no number is as long.
    let values = |number: usize| json!({"params.text": {"$in": [number, "z"], "$gt": number}});
    assert!(!is_too_much(&longer, (0..900).map(values).collect()));
    let costly = Counting::of(json!({}), WORK_MAX / 10);
    let names = |count: usize| (0..count).map(|name| json!({format!("params.a{name}"): 1})).collect();
    assert!(!is_too_much(&costly, names(10)));
    assert!(is_too_much(&costly, names(11)));
    let compared = |number: usize| json!({"params.list": [number]});
    assert!(!is_too_much(&Counting::of(json!({ "list": list }), 1), (0..100).map(compared).collect()));
    assert!(is_too_much(&Counting::of(json!({ "list": list }), 1), (0..900).map(compared).collect()));
    let with_number = |number: usize| json!({"params.list": {"$in": [number, "x"]}});
    assert!(!is_too_much(&Counting::of(json!({ "list": list }), 1), (0..900).map(with_number).collect()));
}

#[test]
fn a_fact_means_the_same_however_it_is_held() {
    let list = json!([1, {"a": "b"}]);
    let (text, json) = (list.to_string(), format!("[1, {}1]", " ".repeat(JSON_BYTES_MAX)));
    for (fact, other, expected) in [
        (Fact::from("x"), json!("x"), true),
        (Fact::from("1"), json!(1), false),
        (Fact::from(json!("x")), json!("x"), true),
        (Fact::from(json!(1.0)), json!(1), true),
        (Fact::Json(&text), list.clone(), true),
        (Fact::Json(&text), json!([1]), false),
        (Fact::Json(&text), json!(text), false),
        // Nobody reads a list as long as this one to compare it.
        (Fact::Json(&json), json!([1, 1]), false),
    ] {
        assert_eq!(fact.equals(&other), expected, "{other}");
    }
    let hash = |fact: Fact<'_>| fact.hashed(Hash::new()).finish();
    assert_eq!(hash(Fact::from("x")), hash(Fact::from(json!("x"))));
    assert_eq!(hash(Fact::Json(&text)), hash(Fact::from(list)));
    assert_ne!(hash(Fact::Json(&json)), hash(Fact::Json(&json[1..])));
    for (fact, expected) in [("9", Some(Ordering::Less)), ("x", None), (&"9".repeat(65), None)] {
        assert_eq!(Fact::from(fact).order(&json!(10)), expected, "{fact}");
    }
}
