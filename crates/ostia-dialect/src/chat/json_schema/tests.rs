#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Subset, rewrite};

/// A vendor that refuses what it does not know, has no null type and no references.
const NARROW: Subset = Subset {
    keywords: &[
        "type",
        "format",
        "description",
        "nullable",
        "enum",
        "properties",
        "required",
        "anyOf",
        "items",
        "minimum",
    ],
    closed: true,
    formats: &["date-time"],
    nullable: true,
    string_enums: true,
    any_of_alone: true,
    items_required: true,
    required_defined: true,
    cycles_optional: false,
};

/// A vendor that passes over what it does not know and takes references that stand alone.
const WIDE: Subset = Subset {
    keywords: &["$defs", "$ref", "type", "enum", "anyOf", "oneOf", "items", "prefixItems", "properties"],
    closed: false,
    formats: &[],
    nullable: false,
    string_enums: false,
    any_of_alone: false,
    items_required: false,
    required_defined: false,
    cycles_optional: true,
};

fn check(subset: &Subset, schema: Value, expected: Value, dropped: &[&str]) {
    let (got, lost) = rewrite(&schema, subset);
    assert_eq!(got, expected, "{schema}");
    assert_eq!(lost, dropped, "{schema}");
}

#[test]
fn narrow_forms_say_what_they_can() {
    let cases: Vec<(Value, Value, &[&str])> = vec![
        (json!({ "const": "a" }), json!({ "enum": ["a"], "type": "string" }), &[]),
        (
            json!({ "type": "integer", "enum": [1, 2] }),
            json!({ "type": "string", "enum": ["1", "2"] }),
            &["enum"],
        ),
        (json!({ "enum": ["a", null] }), json!({ "enum": ["a"], "nullable": true, "type": "string" }), &[]),
        (json!({ "type": ["string", "null"] }), json!({ "type": "string", "nullable": true }), &[]),
        (
            json!({ "type": ["string", "integer"] }),
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
            &[],
        ),
        (
            json!({ "description": "d", "anyOf": [{ "type": "string" }, { "type": "null" }] }),
            json!({ "description": "d", "type": "string", "nullable": true }),
            &[],
        ),
        (
            json!({ "description": "d", "oneOf": [{ "type": "string" }, { "type": "integer", "description": "e" }] }),
            json!({ "anyOf": [
                { "type": "string", "description": "d" }, { "type": "integer", "description": "e" },
            ] }),
            &[],
        ),
        (json!({ "type": "array" }), json!({ "type": "array", "items": {} }), &[]),
        (
            json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }] }),
            json!({ "type": "array", "items": { "anyOf": [{ "type": "string" }, { "type": "integer" }] } }),
            &["prefixItems"],
        ),
        (
            json!({ "properties": { "a": { "exclusiveMinimum": 0, "format": "email" }, "b": true } }),
            json!({ "properties": { "a": {}, "b": {} } }),
            &["properties.a.exclusiveMinimum", "properties.a.format"],
        ),
        (
            json!({ "properties": { "const": { "type": "string" } }, "required": ["const", "x"] }),
            json!({ "properties": { "const": { "type": "string" } }, "required": ["const"] }),
            &["required"],
        ),
        (
            json!({ "$schema": "s", "additionalProperties": false, "not": {} }),
            json!({}),
            &["additionalProperties", "not"],
        ),
        (
            json!({ "allOf": [{ "$ref": "#/$defs/A" }, { "properties": { "b": { "minimum": 1 } }, "required": ["b"] }],
                    "$defs": { "A": { "type": "object", "properties": { "a": {} }, "required": ["a"] } } }),
            json!({ "type": "object", "properties": { "a": {}, "b": { "minimum": 1 } }, "required": ["a", "b"] }),
            &[],
        ),
        (
            json!({ "allOf": [{ "$ref": "#/$defs/A", "description": "d" }, { "minimum": 1 }, { "minimum": 2 }, 7],
                    "$defs": { "A": { "type": "integer", "description": "e" } } }),
            json!({ "description": "d", "type": "integer", "minimum": 1 }),
            &["allOf[2].minimum", "allOf[3]"],
        ),
    ];
    for (schema, expected, dropped) in cases {
        check(&NARROW, schema, expected, dropped);
    }
}

#[test]
fn references_are_written_out_where_they_are_not_taken() {
    let city = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
    let schema = json!({
        "properties": {
            "from": { "$ref": "#/$defs/City", "description": "start" },
            "to": { "$ref": "#/definitions/Old" },
            "gone": { "$ref": "#/$defs/None" },
        },
        "$defs": { "City": city },
        "definitions": { "Old": { "$ref": "#/$defs/City" } },
    });
    let expected = json!({ "properties": {
        "from": { "type": "object", "properties": { "name": { "type": "string" } }, "description": "start" },
        "to": city,
        "gone": { "type": "object" },
    } });
    check(&NARROW, schema, expected, &["properties.gone.$ref"]);
}

#[test]
fn a_schema_that_holds_itself_ends_in_an_open_object() {
    let schema = json!({
        "$ref": "#/$defs/Node",
        "$defs": { "Node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/Node" } } } },
    });
    let inner = json!({ "type": "object", "properties": { "next": { "type": "object" } } });
    let expected = json!({ "type": "object", "properties": { "next": inner } });
    check(&NARROW, schema, expected, &["properties.next.properties.next.$ref"]);
}

#[test]
fn wide_forms_keep_references_that_stand_alone() {
    let node = json!({ "type": "object", "properties": { "next": { "$ref": "#/$defs/Node" } } });
    let schema = json!({
        "properties": {
            "plain": { "$ref": "#/definitions/Leaf" },
            "said": { "$ref": "#/definitions/Leaf", "description": "d" },
            "tree": { "$ref": "#/$defs/Node", "description": "lost" },
            "fixed": { "const": 1 },
            "kept": { "type": ["string", "null"], "pattern": "a" },
        },
        "definitions": { "Leaf": { "type": "string" } },
        "$defs": { "Node": node },
    });
    let (got, dropped) = rewrite(&schema, &WIDE);
    let expected = json!({
        "plain": { "$ref": "#/$defs/Leaf" },
        "said": { "type": "string", "description": "d" },
        "tree": { "$ref": "#/$defs/Node" },
        "fixed": { "enum": [1] },
        "kept": { "type": ["string", "null"], "pattern": "a" },
    });
    assert_eq!(got["properties"], expected);
    assert_eq!(got["$defs"], json!({ "Leaf": { "type": "string" }, "Node": node }));
    assert_eq!(dropped, ["properties.tree.description"]);
}

#[test]
fn what_leads_back_is_not_required_where_the_vendor_says_so() {
    let node = |required: Value| {
        json!({
            "type": "object",
            "properties": {
                "value": { "$ref": "#/definitions/Value" },
                "children": { "type": "array", "items": { "$ref": "#/definitions/Node" } },
            },
            "required": required,
        })
    };
    let value = json!({ "type": "string" });
    let schema = json!({
        "$ref": "#/definitions/Node",
        "definitions": { "Node": node(json!(["value", "children"])), "Value": value },
    });
    let (got, dropped) = rewrite(&schema, &WIDE);
    assert_eq!(got["$defs"]["Node"]["required"], json!(["value"]));
    assert_eq!(got["$ref"], "#/$defs/Node");
    assert_eq!(dropped, ["definitions.Node.required"]);
}

#[test]
fn schemas_that_explode_are_bounded() {
    let many: serde_json::Map<String, Value> = (0..12)
        .map(|from| {
            let properties: serde_json::Map<String, Value> = (0..12)
                .map(|to| (format!("p{to}"), json!({ "$ref": format!("#/$defs/T{to}"), "title": "t" })))
                .collect();
            (format!("T{from}"), json!({ "type": "object", "properties": properties }))
        })
        .collect();
    let schema = json!({ "$ref": "#/$defs/T0", "$defs": many });
    for subset in [&NARROW, &WIDE] {
        let (got, dropped) = rewrite(&schema, subset);
        assert!(!dropped.is_empty());
        assert!(got.to_string().len() < 1 << 20);
    }
    let large = "x".repeat(1 << 20);
    let named: Value = (0..100).map(|at| (format!("p{at}"), json!({ "$ref": "#/$defs/L" }))).collect();
    let schema = json!({ "properties": named, "$defs": { "L": { "description": large } } });
    assert!(rewrite(&schema, &NARROW).0.to_string().len() < 8 << 20);
    for turns in [json!({ "allOf": [{ "$ref": "#" }] }), json!({ "$ref": "#" })] {
        assert!(!rewrite(&turns, &NARROW).1.is_empty());
    }
}

fn any_schema() -> impl Strategy<Value = Value> {
    let names =
        ["type", "enum", "anyOf", "allOf", "items", "properties", "$ref", "required", "const", "$defs"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..9u32).prop_map(Value::from),
        prop::sample::select(vec!["string", "array", "null", "#", "#/$defs/enum", "#/properties/type"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(names.to_vec()), inner), 0..5).prop_map(|fields| {
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_gives_an_object(schema in any_schema()) {
        for subset in [&NARROW, &WIDE] {
            prop_assert!(rewrite(&schema, subset).0.is_object());
        }
    }
}
