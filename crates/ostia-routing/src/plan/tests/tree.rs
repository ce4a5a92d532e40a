//! Configs in few letters: `fallback(a:2 pool{"sticky":...}(b c))` and `a{"retry":{"attempts":1}}`.

use serde_json::{Deserializer, Map, Value, json};

/// Fields in braces after a strategy's name that belong to the strategy and not to the level.
const OF_STRATEGY: [&str; 6] = ["on_status_codes", "stop_on", "conditions", "default", "sticky", "cb_config"];

/// The config of a tree. Leaves are named as they are written; `:` gives a weight.
pub fn config(text: &str) -> Value {
    let mut rest = text.trim();
    let config = level(&mut rest);
    assert_eq!(rest.trim(), "", "{text}");
    config
}

fn level(rest: &mut &str) -> Value {
    let name = word(rest);
    let fields = braces(rest);
    let mut level = json!({});
    if rest.starts_with('(') {
        let mut strategy = strategy(name);
        for (key, value) in fields {
            let place = if OF_STRATEGY.contains(&key.as_str()) { &mut strategy } else { &mut level };
            place[key] = value;
        }
        level["strategy"] = strategy;
        level["targets"] = targets(rest);
    } else {
        level["provider"] = json!("p");
        level.as_object_mut().unwrap().extend(fields);
    }
    level["name"] = json!(name);
    if let Some(after) = rest.strip_prefix(':') {
        *rest = after;
        level["weight"] = word(rest).parse::<f64>().unwrap().into();
    }
    level
}

fn strategy(name: &str) -> Value {
    match name {
        "single" | "fallback" => json!({"mode": name}),
        "when" => json!({"mode": "conditional"}),
        "pool" => json!({"mode": "loadbalance"}),
        balance => json!({"mode": "loadbalance", "balance": balance}),
    }
}

fn targets(rest: &mut &str) -> Value {
    *rest = rest[1..].trim_start();
    let mut targets = Vec::new();
    while !rest.starts_with(')') {
        targets.push(level(rest));
        *rest = rest.trim_start();
    }
    *rest = &rest[1..];
    targets.into()
}

fn word<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    assert!(!word.is_empty(), "a name is missing before {rest}");
    *rest = after;
    word
}

fn braces(rest: &mut &str) -> Map<String, Value> {
    if !rest.starts_with('{') {
        return Map::new();
    }
    let mut values = Deserializer::from_str(rest).into_iter();
    let value = values.next().unwrap().unwrap();
    let end = values.byte_offset();
    *rest = &rest[end..];
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!(),
    }
}
