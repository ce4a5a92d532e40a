//! JSON Schema, rewritten for vendors that take only a part of it.
//!
//! What a vendor takes is data, a [`Subset`]; [`rewrite`] says the schema in it as nearly as it can be said and
//! reports what it had to leave out. Names of properties and their order are never touched.

mod reference;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

/// Deepest nesting that is rewritten; below it everything is allowed.
pub const DEPTH_MAX: usize = 48;
/// Most schemas that one schema may become when its references are written out.
pub const SCHEMAS_MAX: usize = 5_000;
/// Most that is looked at or copied because references name it, in bytes of text and values.
pub const REFERENCED_MAX: usize = 4 << 20;
/// How often a reference may stand inside itself before it is cut off with an open object.
pub const RECURSION_MAX: usize = 2;

/// The part of JSON Schema that a vendor takes.
#[derive(Debug, Clone, Copy)]
pub struct Subset {
    /// Keywords that the vendor knows.
    pub keywords: &'static [&'static str],
    /// Other keywords are refused, so they have to go; else they are passed over by the vendor and may stay.
    pub closed: bool,
    /// Values of `format` that are taken; none of them named means all.
    pub formats: &'static [&'static str],
    /// `null` is said by `nullable: true`, and `type` is one word; else `null` is a type like others.
    pub nullable: bool,
    /// Values of `enum` have to be strings.
    pub string_enums: bool,
    /// Nothing may stand beside `anyOf`.
    pub any_of_alone: bool,
    /// An array has to say what its items are.
    pub items_required: bool,
    /// Every name in `required` has to be a property.
    pub required_defined: bool,
    /// A property that leads back to the schema that it is in may not be required.
    pub cycles_optional: bool,
}

impl Subset {
    fn takes(&self, keyword: &str) -> bool {
        self.keywords.contains(&keyword)
    }
}

/// The schema in this part, and the paths (`properties.size.exclusiveMinimum`) of what could not be said in it.
pub fn rewrite(schema: &Value, subset: &Subset) -> (Value, Vec<String>) {
    let (dropped, inside) = (Vec::new(), Vec::new());
    let mut rewriter = Rewriter { root: schema, subset, dropped, inside, schemas: 0, budget: REFERENCED_MAX };
    let value = rewriter.schema(schema, &Path::default());
    (value, rewriter.dropped)
}

/// Where a schema stands.
#[derive(Debug, Clone, Default)]
struct Path {
    text: String,
    depth: usize,
}

impl Path {
    fn field(&self, name: &str) -> Path {
        let dot = if self.text.is_empty() { "" } else { "." };
        Path { text: format!("{}{dot}{name}", self.text), depth: self.depth + 1 }
    }

    fn item(&self, position: usize) -> Path {
        Path { text: format!("{}[{position}]", self.text), depth: self.depth + 1 }
    }

    /// The same place, reached by one more reference.
    fn deeper(&self) -> Path {
        Path { text: self.text.clone(), depth: self.depth + 1 }
    }
}

struct Rewriter<'a> {
    root: &'a Value,
    subset: &'a Subset,
    dropped: Vec<String>,
    /// The references that are being written out.
    inside: Vec<String>,
    schemas: usize,
    /// What is left of [`REFERENCED_MAX`].
    budget: usize,
}

impl Rewriter<'_> {
    fn lose(&mut self, path: &Path) {
        self.dropped.push(path.text.clone());
    }

    fn schema(&mut self, schema: &Value, path: &Path) -> Value {
        self.schemas += 1;
        if path.depth > DEPTH_MAX || self.schemas > SCHEMAS_MAX {
            self.lose(path);
            return json!({"type": "object"});
        }
        let Value::Object(map) = schema else {
            if schema != &Value::Bool(true) {
                self.lose(path);
            }
            return json!({});
        };
        if map.contains_key("$ref") {
            return self.reference(map, path);
        }
        if map.contains_key("allOf") && !self.subset.takes("allOf") {
            let joined = self.joined(map, path);
            return self.schema(&joined, &path.deeper());
        }
        let mut out = self.keywords(map, path);
        self.adapt_types(&mut out, path);
        self.adapt_enum(&mut out, path);
        self.adapt_structure(&mut out, path);
        Value::Object(out)
    }

    /// Every keyword for itself; schemas below are rewritten.
    fn keywords(&mut self, map: &Map<String, Value>, path: &Path) -> Map<String, Value> {
        let mut out = Map::new();
        for (name, value) in map {
            let at = path.field(name);
            let taken = self.subset.takes(name) || !self.subset.closed;
            match (name.as_str(), value) {
                ("const", value) if !self.subset.takes("const") => {
                    out.insert("enum".to_owned(), json!([value]));
                }
                ("oneOf", Value::Array(members)) if !self.subset.takes("oneOf") => {
                    out.insert("anyOf".to_owned(), self.list(members, &at));
                }
                ("$schema" | "$id" | "$comment", _) if !self.subset.takes(name) => {}
                ("definitions" | "$defs", _) if !self.subset.takes("$defs") => {}
                ("definitions" | "$defs", Value::Object(map)) => {
                    let named = self.named(map, &at);
                    match (out.get_mut("$defs"), named) {
                        (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                        (_, named) => drop(out.insert("$defs".to_owned(), named)),
                    }
                }
                ("items", Value::Array(members)) => self.tuple(members, &at, &mut out),
                ("prefixItems", Value::Array(members)) if !taken => self.tuple(members, &at, &mut out),
                ("format", Value::String(format)) if !self.formats(format) => self.lose(&at),
                _ if !taken => self.lose(&at),
                _ => {
                    let value = self.keyword(name, value, &at);
                    out.insert(name.clone(), value);
                }
            }
        }
        out
    }

    fn keyword(&mut self, name: &str, value: &Value, at: &Path) -> Value {
        match (name, value) {
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(map)) => {
                self.named(map, at)
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(members)) => self.list(members, at),
            (
                "items"
                | "additionalProperties"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "propertyNames",
                Value::Object(_),
            ) => self.schema(value, at),
            _ => value.clone(),
        }
    }

    fn named(&mut self, map: &Map<String, Value>, at: &Path) -> Value {
        map.iter().map(|(name, schema)| (name.clone(), self.schema(schema, &at.field(name)))).collect()
    }

    fn list(&mut self, members: &[Value], at: &Path) -> Value {
        let schemas = members.iter().enumerate();
        schemas.map(|(position, schema)| self.schema(schema, &at.item(position))).collect()
    }

    /// Items by position: where they cannot be said, every item may be any of them.
    fn tuple(&mut self, members: &[Value], at: &Path, out: &mut Map<String, Value>) {
        let schemas = self.list(members, at);
        if self.subset.takes("prefixItems") {
            out.insert("prefixItems".to_owned(), schemas);
        } else {
            self.lose(at);
            out.insert("items".to_owned(), json!({"anyOf": schemas}));
        }
    }

    fn formats(&self, format: &str) -> bool {
        self.subset.formats.is_empty() || self.subset.formats.contains(&format)
    }

    /// `type` and `anyOf` where `null` is no type.
    fn adapt_types(&mut self, out: &mut Map<String, Value>, path: &Path) {
        if !self.subset.nullable {
            return;
        }
        if let Some(Value::Array(types)) = out.get("type") {
            let mut types = types.clone();
            if remove(&mut types, |kind| kind == "null") {
                out.insert("nullable".to_owned(), json!(true));
            }
            match types.as_slice() {
                [] => drop(out.remove("type")),
                [kind] => drop(out.insert("type".to_owned(), kind.clone())),
                _ => self.types_apart(&types, out, path),
            }
        }
        let Some(Value::Array(members)) = out.get_mut("anyOf") else { return };
        if !remove(members, |member| member.get("type") == Some(&json!("null"))) {
            return;
        }
        let only = if members.len() == 1 { members.pop() } else { None };
        if let Some(Value::Object(only)) = only {
            out.remove("anyOf");
            only.into_iter().for_each(|(name, value)| {
                out.entry(name).or_insert(value);
            });
        }
        out.insert("nullable".to_owned(), json!(true));
    }

    /// Several types become alternatives of one type each.
    fn types_apart(&mut self, types: &[Value], out: &mut Map<String, Value>, path: &Path) {
        out.remove("type");
        if out.contains_key("anyOf") {
            return self.lose(&path.field("type"));
        }
        let alternatives = types.iter().map(|kind| match kind.as_str() {
            Some("array") if self.subset.items_required => json!({"type": kind, "items": {}}),
            _ => json!({"type": kind}),
        });
        out.insert("anyOf".to_owned(), alternatives.collect());
    }

    /// Values that are no strings become strings, and the type follows them: the model will write the string.
    fn adapt_enum(&mut self, out: &mut Map<String, Value>, path: &Path) {
        let Some(Value::Array(values)) = out.get_mut("enum") else { return };
        if !self.subset.string_enums {
            return;
        }
        let nullable = remove(values, Value::is_null);
        let all_strings = values.iter().all(Value::is_string);
        values
            .iter_mut()
            .filter(|value| !value.is_string())
            .for_each(|value| *value = json!(value.to_string()));
        let empty = values.is_empty();
        if nullable && self.subset.nullable {
            out.insert("nullable".to_owned(), json!(true));
        }
        if empty {
            out.remove("enum");
        } else {
            out.insert("type".to_owned(), json!("string"));
        }
        if !all_strings {
            self.lose(&path.field("enum"));
        }
    }

    fn adapt_structure(&mut self, out: &mut Map<String, Value>, path: &Path) {
        self.adapt_required(out, path);
        let is_array = out.get("type").and_then(Value::as_str).is_some_and(|kind| kind == "array");
        if self.subset.items_required && is_array && !out.contains_key("items") {
            out.insert("items".to_owned(), json!({}));
        }
        if self.subset.any_of_alone && out.contains_key("anyOf") && out.len() > 1 {
            self.share_out(out);
        }
    }

    fn adapt_required(&mut self, out: &mut Map<String, Value>, path: &Path) {
        let Some(Value::Array(mut required)) = out.get("required").cloned() else { return };
        let nothing = Value::Null;
        let properties = out.get("properties").unwrap_or(&nothing);
        let unfit = |name: &Value| {
            let property = properties.get(name.as_str().unwrap_or_default());
            (self.subset.required_defined && property.is_none())
                || (self.subset.cycles_optional && property.is_some_and(|property| self.leads_back(property)))
        };
        if remove(&mut required, unfit) {
            self.lose(&path.field("required"));
            out.insert("required".to_owned(), Value::Array(required));
        }
    }

    /// What stands beside `anyOf` holds for every alternative that does not say otherwise.
    fn share_out(&mut self, out: &mut Map<String, Value>) {
        let Some(Value::Array(mut members)) = out.remove("anyOf") else { return };
        for member in members.iter_mut().filter_map(Value::as_object_mut) {
            for (name, value) in out.iter() {
                member.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        out.clear();
        out.insert("anyOf".to_owned(), Value::Array(members));
    }
}

/// Takes out the values for which `unwanted` holds, and says whether there were any.
fn remove(values: &mut Vec<Value>, mut unwanted: impl FnMut(&Value) -> bool) -> bool {
    let before = values.len();
    values.retain(|value| !unwanted(value));
    values.len() < before
}
