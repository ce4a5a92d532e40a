//! JSON Schema for structured outputs, of which the vendor takes a part:
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>, "JSON Schema limitations".
//!
//! A keyword outside that part would be refused. It is taken out, said in words in the `description`, where the model
//! can still follow it, and reported. A schema that needs none of this goes out as it was written.

use serde_json::{Map, Value};

use crate::chat::tools::schema::{ANTHROPIC_STRICT, describe, is_plain_pattern};
use crate::json::Json;

/// Keywords whose values are schemas by name.
const SCHEMAS_BY_NAME: &[&str] = &["properties", "$defs", "definitions"];
/// Keywords whose values are lists of schemas.
const SCHEMA_LISTS: &[&str] = &["anyOf", "allOf"];
/// The schema as the vendor takes it.
pub(in crate::chat) fn fit(schema: &Json, path: &str, dropped: &mut Vec<String>) -> Json {
    let mut value = schema.to_value();
    let before = value.clone();
    fit_schema(&mut value, path, dropped);
    if value == before { schema.clone() } else { Json::from_value(&value) }
}

fn fit_schema(schema: &mut Value, path: &str, dropped: &mut Vec<String>) {
    let Value::Object(fields) = schema else { return };
    // The vendor knows no "exactly one"; "any of" is what a generator makes of it.
    if let Some(one_of) = fields.get("oneOf").filter(|_| !fields.contains_key("anyOf")).cloned() {
        fields.remove("oneOf");
        fields.insert("anyOf".into(), one_of);
    }
    let mut unsaid = Map::new();
    for (name, mut value) in std::mem::take(fields) {
        let here = format!("{path}.{name}");
        if fit_keyword(&name, &mut value, &here, dropped) {
            fields.insert(name, value);
        } else {
            dropped.push(here);
            unsaid.insert(name, value);
        }
    }
    close_object(fields, &mut unsaid, path, dropped);
    if !unsaid.is_empty() {
        describe(fields, &unsaid);
    }
}

/// Does this keyword go through? Schemas inside it are fitted.
fn fit_keyword(name: &str, value: &mut Value, path: &str, dropped: &mut Vec<String>) -> bool {
    match value {
        Value::Object(schemas) if SCHEMAS_BY_NAME.contains(&name) => {
            schemas
                .iter_mut()
                .for_each(|(key, schema)| fit_schema(schema, &format!("{path}.{key}"), dropped));
            true
        }
        Value::Array(schemas) if SCHEMA_LISTS.contains(&name) => {
            let numbered = schemas.iter_mut().enumerate();
            numbered.for_each(|(at, schema)| fit_schema(schema, &format!("{path}[{at}]"), dropped));
            true
        }
        _ if SCHEMAS_BY_NAME.contains(&name) || SCHEMA_LISTS.contains(&name) => false,
        _ if name == "items" => {
            fit_schema(value, path, dropped);
            value.is_object()
        }
        _ => match name {
            "additionalProperties" => true,
            "minItems" => value.as_u64().is_some_and(|least| least <= ANTHROPIC_STRICT.min_items_max),
            "format" => value.as_str().is_some_and(|format| ANTHROPIC_STRICT.formats.contains(&format)),
            "pattern" => value.as_str().is_some_and(is_plain_pattern),
            _ => ANTHROPIC_STRICT.keywords.contains(&name),
        },
    }
}

/// Every object has to say `"additionalProperties": false`; anything else said there is lost.
fn close_object(
    fields: &mut Map<String, Value>,
    unsaid: &mut Map<String, Value>,
    path: &str,
    dropped: &mut Vec<String>,
) {
    let is_object = match fields.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => fields.contains_key("properties"),
    };
    let open = fields.get("additionalProperties").filter(|value| **value != Value::Bool(false)).cloned();
    if let Some(value) = open {
        dropped.push(format!("{path}.additionalProperties"));
        fields.remove("additionalProperties");
        unsaid.insert("additionalProperties".into(), value);
    }
    if is_object && !fields.contains_key("additionalProperties") {
        fields.insert("additionalProperties".into(), Value::Bool(false));
    }
}
