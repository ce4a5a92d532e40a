#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::*;

/// A request, as JSON.
struct Asked(Value);

impl Facts for Asked {
    fn get(&self, field: &Field) -> Option<Cow<'_, Value>> {
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
        found.map(Cow::Borrowed)
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
    assert_eq!(compiled.holds(&asked()), expected, "{query}");
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
        let holds = compiler.query(&query, "q").holds(&asked());
        (holds, compiler.warnings.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))
    };
    let (holds, warnings) = warned(json!({"$or": [{"metadata.tier": {"$regex": "pa(?=id)"}}]}));
    assert!(
        !holds && warnings.starts_with("q.$or[0].metadata.tier.$regex: is never true: it is no"),
        "{warnings}"
    );
    let (holds, warnings) = warned(json!({"metadata.tier": {"$regex": "(.{1000}){1000}"}}));
    assert!(!holds && warnings.ends_with("too large"), "{warnings}");
    let many = vec![json!({"metadata.tier": {"$regex": "."}}); REGEXES_MAX + 1];
    let (holds, warnings) = warned(json!({"$and": many}));
    assert!(!holds && warnings.ends_with("at most 100 patterns"), "{warnings}");
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
