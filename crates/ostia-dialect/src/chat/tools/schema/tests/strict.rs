use serde_json::{Value, json};

use super::super::rules::{ANTHROPIC, COHERE, OPENAI};
use super::super::strict::Sums;
use super::super::{SchemaRules, fit};
use super::{fitted, tool};
use crate::Tool;

/// The schema that a strict tool goes out with, or none where it is strict no more.
fn check(takes: &SchemaRules, schema: Value, expected: Option<Value>, reported: &[&str]) {
    let (got, description, strict, dropped) = fitted(takes, &schema, Some(true));
    assert_eq!(strict, expected.is_some().then_some(true), "{schema}");
    assert_eq!(got, expected.unwrap_or(schema), "{got}");
    assert_eq!(description, "d");
    let reported: Vec<String> = reported.iter().map(|below| format!("tools[0].{below}")).collect();
    assert_eq!(dropped, reported, "{got}");
}

fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

/// "For 'array' type, property 'maxItems' is not supported".
#[test]
fn limits_that_strict_mode_refuses_are_told() {
    let schema = object(json!({"a": {"type": "integer", "minimum": 1, "maximum": 5, "description": "n"},
                               "l": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 3}}));
    let told = object(json!({"a": {"type": "integer", "description": "n (minimum: 1, maximum: 5)"},
                             "l": {"type": "array", "items": {"type": "string", "description": "(minLength: 1)"},
                                   "description": "(maxItems: 3)"}}));
    let reported = [
        "function.parameters.properties.a.minimum",
        "function.parameters.properties.a.maximum",
        "function.parameters.properties.l.maxItems",
        "function.parameters.properties.l.items.minLength",
    ];
    check(&ANTHROPIC, schema.clone(), Some(told), &reported);
    let told = object(json!({"a": {"type": "integer", "minimum": 1, "maximum": 5, "description": "n"},
                             "l": {"type": "array", "items": {"type": "string", "description": "(minLength: 1)"}, "maxItems": 3}}));
    check(&OPENAI, schema.clone(), Some(told), &reported[3..]);
    check(&COHERE, schema.clone(), Some(schema), &[]);
    let dated = object(
        json!({"a": {"type": "string", "format": "uri"}, "b": {"type": "string", "pattern": "(?=a)"}}),
    );
    let told = object(
        json!({"a": {"type": "string", "format": "uri"}, "b": {"type": "string", "description": "(pattern: \"(?=a)\")"}}),
    );
    check(&ANTHROPIC, dated, Some(told), &["function.parameters.properties.b.pattern"]);
}

/// "'required' is required to be supplied and to be an array including every key in properties" and others.
#[test]
fn a_schema_that_strict_mode_cannot_follow_is_not_strict() {
    let optional =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false});
    let open = object(json!({"a": {"type": "object", "additionalProperties": {"type": "string"}}}));
    let free = object(json!({"a": {"type": "object"}}));
    let conditional = object(json!({"a": {"type": "string", "if": {}, "then": {}}}));
    let foreign = object(json!({"a": {"$ref": "https://x.example/s.json"}}));
    let mut recursive = object(json!({"a": {"$ref": "#/$defs/N"}}));
    recursive["$defs"] =
        json!({"N": object(json!({"n": {"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]}}))});
    let untyped = object(json!({"a": {}}));
    let beside =
        object(json!({"a": {"type": "string"}, "b": {"$ref": "#/properties/a", "description": "x"}}));
    let cases = [
        (&OPENAI, &optional),
        (&COHERE, &optional),
        (&OPENAI, &open),
        (&ANTHROPIC, &open),
        (&ANTHROPIC, &free),
        (&ANTHROPIC, &conditional),
        (&OPENAI, &conditional),
        (&ANTHROPIC, &foreign),
        (&ANTHROPIC, &recursive),
        (&OPENAI, &untyped),
        (&OPENAI, &beside),
    ];
    for (takes, schema) in cases {
        check(takes, schema.clone(), None, &["strict"]);
    }
    for (takes, schema) in
        [(&ANTHROPIC, optional), (&OPENAI, recursive), (&ANTHROPIC, untyped), (&ANTHROPIC, beside)]
    {
        check(takes, schema.clone(), Some(schema), &[]);
    }
}

#[test]
fn objects_are_closed_and_exactly_one_is_any() {
    let schema = json!({"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["a"]});
    let expected = json!({"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
                          "required": ["a"], "additionalProperties": false});
    for takes in [&ANTHROPIC, &OPENAI] {
        check(takes, schema.clone(), Some(expected.clone()), &[]);
    }
}

/// "Schemas contains too many optional parameters (87) ... (limit: 24)"; 20 strict tools; 200 fields at Cohere.
#[test]
fn strict_mode_ends_where_a_request_has_too_much_of_it() {
    let strict = |takes: &SchemaRules, schema: &str, count: usize| {
        let (mut fitted, mut dropped) = (vec![tool(schema, Some(true)); count], Vec::new());
        let mut sums = Sums::default();
        for (at, tool) in fitted.iter_mut().enumerate() {
            fit(tool, at, takes, None, &mut sums, &mut dropped);
        }
        let stays = |tool: &&Tool| matches!(tool, Tool::Function { strict: Some(true), .. });
        let number = fitted.iter().filter(stays).count();
        assert_eq!(dropped, (number..count).map(|at| format!("tools[{at}].strict")).collect::<Vec<_>>());
        number
    };
    let one = object(json!({"a": {"type": "string"}})).to_string();
    let optional = r#"{"type":"object","properties":{"a":{},"b":{},"c":{}},"additionalProperties":false}"#;
    let union =
        object(json!({"a": {"type": ["string", "null"]}, "b": {"anyOf": [{"type": "string"}]}})).to_string();
    let many: serde_json::Map<String, Value> =
        (0..90).map(|at| (format!("p{at}"), json!({"type": "string"}))).collect();
    assert_eq!(strict(&ANTHROPIC, &one, 22), 20);
    assert_eq!(strict(&ANTHROPIC, optional, 10), 8);
    assert_eq!(strict(&ANTHROPIC, &union, 10), 8);
    assert_eq!(strict(&COHERE, &object(many.into()).to_string(), 3), 2);
    assert_eq!(strict(&OPENAI, &one, 200), 200);
}
