#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod names;
mod property;
mod strict;

use serde_json::{Value, json};

use super::rules::{ANTHROPIC, COHERE, GEMINI_OPENAPI, OPENAI};
use super::strict::Sums;
use super::{SchemaRules, fit};
use crate::Tool;
use crate::json::{Document, Json};

fn tool(schema: &str, strict: Option<bool>) -> Tool {
    Tool::Function {
        name: "f".into(),
        description: Some("d".into()),
        parameters: Some(Json::from_value(&serde_json::from_str(schema).unwrap())),
        strict,
        cache_control: None,
    }
}

/// The schema, the description, the strictness and the report for one tool with this schema.
fn fitted(
    takes: &SchemaRules,
    schema: &Value,
    strict: Option<bool>,
) -> (Value, String, Option<bool>, Vec<String>) {
    let (mut tool, mut dropped) = (tool(&schema.to_string(), strict), Vec::new());
    fit(&mut tool, 0, takes, None, &mut Sums::default(), &mut dropped);
    let Tool::Function { description, parameters, strict, .. } = tool else { panic!("a function") };
    (parameters.unwrap().to_value(), description.unwrap(), strict, dropped)
}

/// `words` is what the description has more than before.
fn check(takes: &SchemaRules, schema: Value, expected: Value, words: &str, reported: &[&str]) {
    let (got, description, _, dropped) = fitted(takes, &schema, None);
    assert_eq!(got, expected, "{schema}");
    assert_eq!(description.trim_start_matches('d').trim_start(), words, "{schema}");
    let reported: Vec<String> =
        reported.iter().map(|below| format!("tools[0].function.parameters{below}")).collect();
    assert_eq!(dropped, reported, "{schema}");
}

#[test]
fn what_is_taken_stays_as_it_was_written() {
    let schemas = [
        r#"{ "type":"object" , "properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}}"#,
        r#"{"type":"object","properties":{"l":{"type":"array","items":{}},"type":{"enum":["array"]}}, "$schema":"s"}"#,
        r#"{"type":"object","properties":{},"additionalProperties":{"type":"string"},"if":{},"then":{}}"#,
        r##"{"type":"object","properties":{"n":{"$ref":"#/$defs/N"}},"$defs":{"N":{"items":{"$ref":"#/$defs/N"}}}}"##,
    ];
    for takes in [&ANTHROPIC, &OPENAI, &GEMINI_OPENAPI, &COHERE] {
        for schema in schemas {
            let raw = Document::parse(schema.as_bytes()).unwrap();
            let mut tool = tool("{}", Some(false));
            let Tool::Function { parameters, .. } = &mut tool else { panic!("a function") };
            *parameters = Some(Json::of(raw.root()));
            let (before, mut dropped) = (tool.clone(), Vec::new());
            fit(&mut tool, 0, takes, None, &mut Sums::default(), &mut dropped);
            assert_eq!((tool, dropped), (before, Vec::new()));
        }
    }
}

/// "input_schema does not support oneOf, allOf, or anyOf at the top level"; "schema must have type 'object' and not
/// have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level".
#[test]
fn a_union_at_the_top_becomes_one_object() {
    let cases = [
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["c"],
                   "anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}),
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["c"]}),
            "The arguments have to fit at least one of these: (1) needs `a`; (2) needs `b`, `c`.",
            ".anyOf",
        ),
        (
            json!({"oneOf": [
                {"type": "object", "properties": {"kind": {"const": "file"}, "path": {"type": "string"}},
                 "required": ["kind", "path"], "additionalProperties": false},
                {"type": "object", "properties": {"kind": {"const": "url"}, "url": {"type": "string"}, "path": {"type": "integer"}},
                 "required": ["url", "kind"], "additionalProperties": false},
            ]}),
            json!({"type": "object", "properties": {
                "kind": {"enum": ["file", "url"]},
                "path": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "url": {"type": "string"},
            }, "required": ["kind"], "additionalProperties": false}),
            "The arguments have to fit exactly one of these: (1) `kind` is \"file\", needs `path`; \
             (2) `kind` is \"url\", needs `url`, may have `path`.",
            ".oneOf",
        ),
        (
            json!({"properties": {"a": {"type": "string", "description": "x"}}, "anyOf": [
                {"properties": {"a": {"enum": ["p"]}}}, {"properties": {"a": {"enum": ["q"]}, "b": {}}},
            ]}),
            json!({"type": "object", "properties": {"a": {"type": "string", "description": "x", "enum": ["p", "q"]}, "b": {}}}),
            "The arguments have to fit at least one of these: (1) may have `a`; (2) may have `a`, `b`.",
            ".anyOf",
        ),
        // What one member does not name, it takes as it is.
        (
            json!({"properties": {"a": {"type": "string"}}, "anyOf": [{"properties": {"a": {"const": "p"}}}, {"required": ["b"]}]}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            "The arguments have to fit at least one of these: (1) `a` is \"p\"; (2) needs `b`.",
            ".anyOf",
        ),
        (
            json!({"type": ["object", "null"], "anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}],
                   "$defs": {"A": {"properties": {"a": {}}, "required": ["a"]}}}),
            json!({"type": "object", "$defs": {"A": {"properties": {"a": {}}, "required": ["a"]}},
                   "properties": {"a": {}}, "required": ["a"]}),
            "",
            ".anyOf",
        ),
        (
            json!({"type": "object", "properties": {"a": {}, "b": {}},
                   "oneOf": [{"required": ["a"], "not": {"required": ["b"]}}, {"allOf": [{"required": ["a"]}, {"required": ["b"]}]}]}),
            json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}),
            "The arguments have to fit exactly one of these: (1) not: {\"required\":[\"b\"]}; (2) needs `b`.",
            ".oneOf",
        ),
    ];
    for (schema, expected, words, reported) in cases {
        for takes in [&ANTHROPIC, &OPENAI, &GEMINI_OPENAPI, &COHERE] {
            check(takes, schema.clone(), expected.clone(), words, &[reported]);
        }
    }
}

#[test]
fn everything_that_all_members_say_is_said() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "allOf": [
        {"properties": {"a": {"maxLength": 3}, "b": {"items": {}}}, "required": ["a"]},
        {"properties": {"b": {"items": {"type": "string"}}}, "required": ["b"], "minProperties": 1},
    ]});
    let expected = json!({"type": "object", "properties": {
        "a": {"type": "string", "maxLength": 3},
        "b": {"allOf": [{"items": {}}, {"items": {"type": "string"}}]},
    }, "required": ["a", "b"], "minProperties": 1});
    check(&ANTHROPIC, schema, expected, "", &[".allOf"]);
}

#[test]
fn what_each_vendor_refuses_at_the_top_is_told() {
    let schema =
        json!({"type": "object", "properties": {"a": {}}, "not": {"required": ["a"]}, "enum": [{"a": 1}]});
    check(&ANTHROPIC, schema.clone(), schema.clone(), "", &[]);
    let without = json!({"type": "object", "properties": {"a": {}}});
    let words = "The arguments have to fit this: enum: [{\"a\":1}]\n\n\
                 The arguments must not fit this JSON schema: {\"required\":[\"a\"]}";
    check(&OPENAI, schema, without, words, &[".enum", ".not"]);
}

/// "input_schema.type: Field required"; "In context=(), object schema missing properties"; "functionDeclaration
/// parameters schema should be of type OBJECT".
#[test]
fn the_top_is_an_object() {
    let nothing = json!({"type": "object", "properties": {}});
    let cases: [(Value, &[&str]); 8] = [
        (Value::Null, &[]),
        (json!(true), &[]),
        (json!(false), &[""]),
        (json!([]), &[""]),
        (json!({}), &[]),
        (json!({"type": null}), &[]),
        (json!({"type": "string"}), &[".type"]),
        (json!({"type": "object", "properties": null}), &[]),
    ];
    for (schema, reported) in cases {
        for takes in [&ANTHROPIC, &OPENAI, &GEMINI_OPENAPI, &COHERE] {
            check(takes, schema.clone(), nothing.clone(), "", reported);
        }
    }
    check(&OPENAI, json!({"type": "object"}), nothing.clone(), "", &[]);
    check(&ANTHROPIC, json!({"type": "object"}), json!({"type": "object"}), "", &[]);
    let named = json!({"$ref": "#/$defs/A", "description": "x", "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}}}});
    let written_out = json!({"type": "object", "description": "x",
                             "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}}},
                             "properties": {"a": {"$ref": "#/$defs/A"}}});
    check(&OPENAI, named, written_out, "", &[]);
    check(&OPENAI, json!({"$ref": "https://x.example/s.json"}), nothing, "", &[".$ref"]);
}

/// "In context=('properties', 'configs'), array schema missing items."
#[test]
fn arrays_say_what_they_hold_where_that_is_asked_for() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "array"}, "b": {"type": ["string", "array"]}, "c": {"default": {"type": "array"}},
    }});
    let expected = json!({"type": "object", "properties": {
        "a": {"type": "array", "items": {}}, "b": {"type": ["string", "array"], "items": {}},
        "c": {"default": {"type": "array"}},
    }});
    check(&OPENAI, schema.clone(), expected, "", &[]);
    check(&ANTHROPIC, schema.clone(), schema, "", &[]);
}
