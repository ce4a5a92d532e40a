//! Small things that conversations and settings are made of: words, JSON, marks, proofs.

use ostia_dialect::json::Json;
use ostia_dialect::{Citation, Dialect, Signature};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A JSON value as the hub carries it.
pub fn raw(value: Value) -> Json {
    Json::from_value(&value)
}

/// Words of every alphabet, with everything that JSON escapes; sometimes none, or nothing but space.
pub fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => "[a-z]{1,6}( [a-z]{1,6}){0,2}",
        3 => "[\"\\\\\n\r\t\u{0}\u{7f}{}\\[\\]:,/é中🦀\u{2028}]{1,4}[a-z]{1,3}",
        1 => Just(String::new()),
        1 => "[ \n]{1,2}",
        1 => "[a-z]{2} {1,2}",
    ]
}

/// A name of something: never empty.
pub fn name() -> impl Strategy<Value = String> {
    "[a-z]{1,6}"
}

/// Anthropic's cache marker, rarely.
pub fn cache() -> impl Strategy<Value = Option<Json>> {
    let marks = vec![json!({"type": "ephemeral"}), json!({"type": "ephemeral", "ttl": "1h"})];
    prop::option::weighted(0.15, prop::sample::select(marks).prop_map(raw))
}

/// A proof of any vendor's.
pub fn signature() -> impl Strategy<Value = Option<Signature>> {
    prop::option::weighted(0.5, prop::sample::select(Dialect::ALL.to_vec()).prop_flat_map(signature_of))
}

/// A proof of this vendor's: base64, as all of them are.
pub fn signature_of(dialect: Dialect) -> impl Strategy<Value = Signature> {
    "[a-zA-Z0-9+/]{8}".prop_map(move |value| Signature { dialect, value })
}

/// The arguments of a function: a JSON object as text, or nothing.
pub fn arguments() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        words().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!([null, true, {"a": []}])),
    ];
    let object = prop::collection::btree_map("[a-z]{1,3}", value, 0..3);
    prop_oneof![
        4 => object.prop_map(|fields| json!(fields).to_string()),
        1 => Just("{ \"b\" : 1.0e3,\n\"a\":{\"x\":[]} }".to_owned()),
        1 => Just(String::new()),
    ]
}

/// A schema that every vendor takes, or one with keywords that some refuse.
pub fn schema() -> impl Strategy<Value = Json> {
    let schemas = vec![
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
               "additionalProperties": false}),
        json!({"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "array",
               "items": {"type": "string", "enum": ["x", "y"]}}}, "additionalProperties": false}),
        json!({"type": "object", "properties": {"n": {"type": "number", "exclusiveMinimum": 0},
               "s": {"type": "string", "pattern": "^a$", "minLength": 2}}, "additionalProperties": false}),
        json!({"type": "object", "properties": {"one": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
               "additionalProperties": false}),
    ];
    prop::sample::select(schemas).prop_map(raw)
}

/// A source of a text, as the vendor of one dialect tells it.
pub fn citation() -> impl Strategy<Value = Citation> {
    let values = vec![
        json!({"type": "web_search_result_location", "url": "https://x.test", "title": "X",
               "encrypted_index": "EqQB", "cited_text": "c"}),
        json!({"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 0, "end_index": 1}),
        json!({"type": "url_citation", "url_citation": {"url": "https://x.test", "title": "X",
               "start_index": 0, "end_index": 1}}),
        Value::Null,
    ];
    prop::sample::select(values).prop_map(|value| Citation {
        url: Some("https://x.test".into()),
        title: Some("X".into()),
        start: Some(0),
        end: Some(1),
        value: (!value.is_null()).then(|| raw(value)),
    })
}
