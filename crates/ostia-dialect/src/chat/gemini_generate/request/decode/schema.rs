//! The vendor's `Schema` (<https://ai.google.dev/api/caching#Schema>) as JSON Schema: the way back from
//! `request/forms.rs`. Types are in capitals there, `null` is a flag, and counts may be strings.
//!
//! What the vendor's form does not have is left as it was written, because clients send JSON Schema in these fields too.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::Fault;
use crate::json::{Json, Node, camel};

/// The schema as JSON Schema. It is no deeper than the body, so the recursion has that bound.
pub(super) fn decode(schema: Node<'_>) -> Result<Json, Fault> {
    schema.expect_fields()?;
    Ok(Json::from_value(&rewrite(Json::of(schema).to_value())))
}

fn rewrite(schema: Value) -> Value {
    let Value::Object(fields) = schema else { return schema };
    let (mut out, mut nullable, mut order) = (Map::new(), false, Value::Null);
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
        let (name, value) = match (camel(&name).as_str(), value) {
            ("nullable", value) => {
                nullable = value == Value::Bool(true);
                continue;
            }
            ("propertyOrdering", value) => {
                order = value;
                continue;
            }
            // Says that there is an `enum`, and nothing more.
            ("format", Value::String(format)) if format == "enum" => continue,
            ("type", value) => match types(value) {
                Some(types) => ("type", types),
                None => continue,
            },
            ("example", value) => ("examples", json!([value])),
            ("ref", value) => ("$ref", value),
            (known, value) => {
                let known = if known == "defs" { "$defs" } else { known };
                out.insert(known.to_owned(), keyword(known, value));
                continue;
            }
        };
        out.insert(name.to_owned(), value);
    }
    sort(&mut out, &order);
    adapt_enum(&mut out);
    if nullable {
        allow_null(&mut out);
    }
    Value::Object(out)
}

fn keyword(name: &str, value: Value) -> Value {
    match (name, value) {
        ("properties" | "$defs", Value::Object(map)) => {
            map.into_iter().map(|(name, schema)| (name, rewrite(schema))).collect()
        }
        ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(members)) => {
            members.into_iter().map(rewrite).collect()
        }
        ("items" | "additionalProperties" | "not", schema) => rewrite(schema),
        (
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties"
            | "minimum" | "maximum",
            Value::String(text),
        ) => number(text),
        (_, value) => value,
    }
}

/// The number that a text stands for: the vendor's JSON writes those of 64 bits in quotes.
fn number(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(Value::Number(number)) => Value::Number(number),
        _ => Value::String(text),
    }
}

/// The type in small letters; `None` where the vendor's word says that there is none.
fn types(types: Value) -> Option<Value> {
    match types {
        Value::String(word) if word == "TYPE_UNSPECIFIED" => None,
        Value::String(word) => Some(Value::String(word.to_ascii_lowercase())),
        Value::Array(words) => Some(words.into_iter().filter_map(self::types).collect()),
        other => Some(other),
    }
}

/// Models write properties in the order in which the schema has them, so the order that was asked for is made theirs.
fn sort(schema: &mut Map<String, Value>, order: &Value) {
    let (Some(order), Some(Value::Object(properties))) = (order.as_array(), schema.get_mut("properties"))
    else {
        return;
    };
    let places: BTreeMap<&str, usize> =
        order.iter().filter_map(Value::as_str).enumerate().map(|(place, name)| (name, place)).collect();
    let mut sorted: Vec<(String, Value)> = std::mem::take(properties).into_iter().collect();
    sorted.sort_by_key(|(name, _)| places.get(name.as_str()).copied().unwrap_or(usize::MAX));
    properties.extend(sorted);
}

/// The vendor's `enum` holds strings, also of numbers.
fn adapt_enum(schema: &mut Map<String, Value>) {
    let is_number = matches!(schema.get("type").and_then(Value::as_str), Some("integer" | "number"));
    if let (true, Some(Value::Array(values))) = (is_number, schema.get_mut("enum")) {
        for value in values.iter_mut() {
            if let Value::String(text) = value {
                *value = number(std::mem::take(text));
            }
        }
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get("type").filter(|kind| kind.is_string()).cloned() {
        schema.insert("type".to_owned(), json!([kind, "null"]));
    } else if let Some(Value::Array(members)) = schema.get_mut("anyOf") {
        members.push(json!({"type": "null"}));
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}
