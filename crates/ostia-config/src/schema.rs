//! The JSON Schema of the file, for editors. It is made from the tables that the reader reads by, so that it says the same.
//!
//! Draft 7 (<https://json-schema.org/draft-07>): the newest that the YAML language server knows all of. A schema cannot know
//! everything: variables, names that stand elsewhere and what fits together are for `ostia check`.

use ostia_routing::config::known_fields;
use serde_json::{Map, Value, json};

use crate::AGE_MAX;
use crate::shape::{FILE, Field, Shape};

/// Where editors find the schema.
pub const SCHEMA_URL: &str =
    "https://raw.githubusercontent.com/ostia-ai/ostia/main/crates/ostia-config/ostia.schema.json";

/// The first line of a file whose editor should know the schema.
pub fn schema_line() -> String {
    format!("# yaml-language-server: $schema={SCHEMA_URL}")
}

/// The schema.
pub fn schema() -> Value {
    let mut root = Map::new();
    root.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
    root.insert("$id".into(), SCHEMA_URL.into());
    root.insert("title".into(), "Configuration of Ostia".into());
    let mut made = Maker { definitions: Map::new(), in_config: false };
    // A file with nothing in it is good.
    if let Value::Object(file) = nullable(made.schema(&FILE)) {
        root.extend(file);
    }
    root.insert("definitions".into(), Value::Object(made.definitions));
    Value::Object(root)
}

/// A text with a reference in it can be anything.
const REFERENCE: &str = r"\$\{";

struct Maker {
    /// Shapes that have a name.
    definitions: Map<String, Value>,
    /// We are in a routing config, where Portkey's spelling is taken too.
    in_config: bool,
}

impl Maker {
    fn schema(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Text | Shape::Private => json!({"type": "string"}),
            Shape::Secret => json!({"type": "string", "minLength": 1}),
            Shape::Words(words) => any_of(vec![json!({"enum": words()}), text(REFERENCE)]),
            Shape::Bool => json!({"type": "boolean"}),
            Shape::Count(least, most) => any_of(vec![whole(*least, *most), text(&written("[0-9]+"))]),
            Shape::Amount => {
                let number = json!({"type": "number", "minimum": 0});
                any_of(vec![number, text(&written("[0-9.]+([eE][-+]?[0-9]+)?"))])
            }
            Shape::Bytes(least, most) => {
                any_of(vec![whole(*least, *most), text(&written(r"[0-9]+\s*(([kKmMgG][iI]?)?[bB])?"))])
            }
            Shape::Time => any_of(vec![whole(1, DAY_MS), text(&written(TIME))]),
            Shape::TimeOrOff => any_of(vec![whole(0, DAY_MS), text(&written(&format!("({TIME}|off)")))]),
            Shape::Age => any_of(vec![whole(1, AGE_MAX_MS), text(&written(AGE))]),
            Shape::Whole(least, most) => whole(*least, *most),
            Shape::Number(least, most) if *most == f64::MAX => json!({"type": "number", "minimum": least}),
            Shape::Number(least, most) => json!({"type": "number", "minimum": least, "maximum": most}),
            Shape::List(item) => json!({"type": "array", "items": self.schema(item)}),
            Shape::ListOf(least, most, item) => {
                json!({"type": "array", "items": self.schema(item), "minItems": least, "maxItems": most})
            }
            Shape::Pair(item) => {
                json!({"type": "array", "items": self.schema(item), "minItems": 2, "maxItems": 2})
            }
            Shape::Map(entry) => {
                json!({"type": "object", "additionalProperties": nullable(self.schema(entry))})
            }
            Shape::Fields(fields, needed) => self.fields(fields, needed),
            Shape::Either(shapes) => any_of(shapes.iter().map(|shape| self.schema(shape)).collect()),
            Shape::Named(name, shape) => self.named(name, shape),
            Shape::Json => json!({}),
        }
    }

    fn fields(&mut self, fields: &[Field], needed: &[&str]) -> Value {
        let mut properties = Map::new();
        for (name, shape, about) in fields {
            let mut property = Map::new();
            property.insert("description".to_owned(), (*about).into());
            if let Value::Object(schema) = nullable(self.schema(shape)) {
                property.extend(schema);
            }
            properties.insert((*name).to_owned(), Value::Object(property));
        }
        let mut patterns = Map::new();
        patterns.insert("^x-".to_owned(), json!({}));
        if self.in_config {
            patterns.insert("[A-Z]".to_owned(), json!({}));
        }
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "patternProperties": patterns,
            "additionalProperties": false,
        });
        if !needed.is_empty() {
            schema["required"] = json!(needed);
        }
        schema
    }

    /// A level of a routing config. It may hold others, so it stands by itself.
    fn named(&mut self, name: &str, shape: &Shape) -> Value {
        if !self.definitions.contains_key(name) {
            self.definitions.insert(name.to_owned(), Value::Null);
            let outer = std::mem::replace(&mut self.in_config, true);
            let mut schema = self.schema(shape);
            self.in_config = outer;
            let all = known_fields().into_iter().filter(|(object, _)| *object == name);
            for field in all.flat_map(|(_, fields)| fields).filter(|field| *field != OLD_FORM) {
                if schema["properties"].get(field).is_none() {
                    schema["properties"][field] =
                        json!({"description": "Known from Portkey, and of no effect"});
                }
            }
            self.definitions.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/definitions/{name}")})
    }
}

/// The field of an older form of configs, which is known and refused.
const OLD_FORM: &str = "options";
/// The longest time, in milliseconds.
const DAY_MS: u64 = 86_400_000;
const TIME: &str = r"[0-9]+\s*([mM]?[sS]|[mMhH])?";

/// The longest time for which anything is kept, in milliseconds.
const AGE_MAX_MS: u64 = AGE_MAX.as_secs() * 1000;
const AGE: &str = r"[0-9]+\s*([mM]?[sS]|[mMhHdD])?";

fn whole(least: u64, most: u64) -> Value {
    match most {
        u64::MAX => json!({"type": "integer", "minimum": least}),
        _ => json!({"type": "integer", "minimum": least, "maximum": most}),
    }
}

fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// A text that is written so, or has a reference in it.
fn written(pattern: &str) -> String {
    format!(r"^\s*{pattern}\s*$|{REFERENCE}")
}

/// Any of these, without alternatives in alternatives.
fn any_of(schemas: Vec<Value>) -> Value {
    let mut flat = Vec::new();
    for mut schema in schemas {
        match schema.get_mut("anyOf").map(Value::take) {
            Some(Value::Array(inner)) => flat.extend(inner),
            _ => flat.push(schema),
        }
    }
    json!({ "anyOf": flat })
}

/// The same, or null, which is the same as leaving it out.
fn nullable(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").cloned() {
        schema["type"] = json!([kind, "null"]);
        return schema;
    }
    match schema.as_object().is_some_and(Map::is_empty) {
        true => schema,
        false => any_of(vec![schema, json!({"type": "null"})]),
    }
}
