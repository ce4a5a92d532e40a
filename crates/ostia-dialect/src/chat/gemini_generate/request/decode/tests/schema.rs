use serde_json::{Value, json};

use crate::chat::gemini_generate::request::decode::schema::decode;
use crate::json::Document;

#[track_caller]
fn check(google: Value, plain: Value) {
    let text = google.to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    let got = decode(document.root()).unwrap();
    // As text: the order of properties counts.
    assert_eq!(got.as_str(), plain.to_string());
}

#[test]
fn types_and_null_are_plain() {
    check(json!({"type": "STRING"}), json!({"type": "string"}));
    check(json!({"type": "TYPE_UNSPECIFIED", "title": "T"}), json!({"title": "T"}));
    check(json!({"type": "INTEGER", "nullable": true}), json!({"type": ["integer", "null"]}));
    check(json!({"type": "INTEGER", "nullable": false}), json!({"type": "integer"}));
    check(
        json!({"type": "STRING", "format": "enum", "enum": ["a"], "nullable": true}),
        json!({"type": ["string", "null"], "enum": ["a", null]}),
    );
    check(
        json!({"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}], "nullable": true}),
        json!({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}),
    );
    check(json!({"nullable": true}), json!({}));
}

#[test]
fn counts_and_numbers_are_numbers() {
    check(
        json!({"type": "ARRAY", "items": {"type": "NUMBER", "format": "float", "minimum": 0.5}, "min_items": "1", "maxItems": 4}),
        json!({"type": "array", "items": {"type": "number", "format": "float", "minimum": 0.5}, "minItems": 1, "maxItems": 4}),
    );
    check(json!({"type": "INTEGER", "enum": ["1", "two"]}), json!({"type": "integer", "enum": [1, "two"]}));
    check(json!({"type": "STRING", "maxLength": "many"}), json!({"type": "string", "maxLength": "many"}));
}

#[test]
fn properties_stand_in_the_order_that_was_asked_for() {
    check(
        json!({"type": "OBJECT", "properties": {"b": {"type": "STRING"}, "z": {}, "max_items": {"type": "STRING"}, "a": {}},
            "propertyOrdering": ["a", "max_items", "b", "none"], "required": ["a"]}),
        json!({"type": "object", "properties": {"a": {}, "max_items": {"type": "string"}, "b": {"type": "string"}, "z": {}},
            "required": ["a"]}),
    );
}

#[test]
fn json_schema_is_left_as_it_is() {
    let plain = json!({"$defs": {"A": {"type": "string"}}, "type": "object", "additionalProperties": false,
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"type": ["string", "null"]}, "c": {"const": 1}}});
    check(plain.clone(), plain);
    check(
        json!({"defs": {"A": {"type": "STRING"}}, "ref": "#/$defs/A", "example": 1, "default": {"type": "KEPT"}}),
        json!({"$defs": {"A": {"type": "string"}}, "$ref": "#/$defs/A", "examples": [1], "default": {"type": "KEPT"}}),
    );
}
