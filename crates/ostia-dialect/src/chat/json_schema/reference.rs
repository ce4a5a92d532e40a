//! `$ref` and `allOf`: schemas that are made of other schemas.

use serde_json::{Map, Value, json};

use super::{Path, RECURSION_MAX, Rewriter};

/// Most references that are followed to find out whether one leads back to itself.
const REFERENCES_MAX: usize = 1_000;
/// Where the form keeps the schemas that references name.
const DEFINITIONS: &str = "#/$defs/";

impl Rewriter<'_> {
    /// A schema with a `$ref`: left as it is where the vendor takes it, else the schema that it names with what
    /// stands beside it. A reference that goes round in circles, or to nothing that is here, is an open object.
    pub(super) fn reference(&mut self, map: &Map<String, Value>, path: &Path) -> Value {
        let name = map.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let beside: Map<String, Value> = map
            .iter()
            .filter(|(key, _)| *key != "$ref")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if let Some(kept) = self.kept(name) {
            let plain = beside.keys().all(|key| key.starts_with('$') || key == "definitions");
            if plain || self.is_recursive(name) {
                return self.pointing(kept, &beside, path);
            }
        }
        let deep = self.inside.iter().filter(|inside| *inside == name).count() >= RECURSION_MAX;
        let target = resolve(self.root, name).filter(|target| !deep && self.afford(target));
        let Some(Value::Object(target)) = target else {
            self.lose(&path.field("$ref"));
            let mut open = Map::from_iter([("type".to_owned(), json!("object"))]);
            open.extend(beside.into_iter().filter(|(key, _)| key == "description" || key == "title"));
            return Value::Object(open);
        };
        let mut whole = target.clone();
        whole.extend(beside);
        self.inside.push(name.to_owned());
        let schema = self.schema(&Value::Object(whole), &path.deeper());
        self.inside.pop();
        schema
    }

    /// The schema of `allOf` and what stands beside it as one: properties and required names come together, of other
    /// keywords the first counts.
    pub(super) fn joined(&mut self, map: &Map<String, Value>, path: &Path) -> Value {
        let mut whole: Map<String, Value> = map
            .iter()
            .filter(|(key, _)| *key != "allOf")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let members = map.get("allOf").and_then(Value::as_array);
        for (position, member) in members.into_iter().flatten().enumerate() {
            let target = member.get("$ref").and_then(Value::as_str).and_then(|name| resolve(self.root, name));
            let Some(fields) = self.together(member, target) else {
                self.lose(&path.field("allOf").item(position));
                continue;
            };
            for (name, value) in fields {
                if !join(&mut whole, &name, value) {
                    self.lose(&path.field("allOf").item(position).field(&name));
                }
            }
        }
        Value::Object(whole)
    }

    /// The fields of a schema, and those of the schema that it refers to.
    fn together(&mut self, schema: &Value, target: Option<&Value>) -> Option<Map<String, Value>> {
        let mut fields = schema.as_object().filter(|_| self.afford(schema))?.clone();
        if let Some(target) = target {
            fields.remove("$ref");
            let target = target.as_object().filter(|_| self.afford(target))?;
            for (name, value) in target {
                fields.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Some(fields)
    }

    /// The reference in the form's words, where the form takes references of its kind.
    fn kept(&self, name: &str) -> Option<String> {
        let within = name.strip_prefix(DEFINITIONS).or_else(|| name.strip_prefix("#/definitions/"))?;
        let known = self.subset.takes("$ref") && resolve(self.root, name).is_some();
        known.then(|| format!("{DEFINITIONS}{within}"))
    }

    fn pointing(&mut self, name: String, beside: &Map<String, Value>, path: &Path) -> Value {
        let mut out = self.keywords(
            &beside
                .iter()
                .filter(|(key, _)| key.starts_with('$') || *key == "definitions")
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            path,
        );
        for key in beside.keys().filter(|key| !key.starts_with('$') && *key != "definitions") {
            self.lose(&path.field(key));
        }
        out.insert("$ref".to_owned(), Value::String(name));
        Value::Object(out)
    }

    /// Does a schema hold a reference that leads back to itself?
    pub(super) fn leads_back(&mut self, schema: &Value) -> bool {
        references(schema).into_iter().any(|name| self.is_recursive(name))
    }

    /// Does the schema of this name lead back to itself? Where that is too much to find out, it counts as if it did.
    fn is_recursive(&mut self, name: &str) -> bool {
        let Some(start) = resolve(self.root, name) else { return false };
        let (mut seen, mut open) = (vec![start], vec![start]);
        while let Some(next) = open.pop() {
            if seen.len() > REFERENCES_MAX || !self.afford(next) {
                return true;
            }
            for found in references(next).into_iter().filter_map(|name| resolve(self.root, name)) {
                if std::ptr::eq(found, start) {
                    return true;
                }
                if !seen.iter().any(|known| std::ptr::eq(*known, found)) {
                    seen.push(found);
                    open.push(found);
                }
            }
        }
        false
    }

    /// Takes the size of a value from the budget; false, for good, once it is used up.
    fn afford(&mut self, value: &Value) -> bool {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            let size = match value {
                Value::String(text) => text.len(),
                Value::Array(items) => {
                    open.extend(items);
                    items.len()
                }
                Value::Object(map) => {
                    open.extend(map.values());
                    map.keys().map(String::len).sum()
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            };
            self.budget = self.budget.saturating_sub(size + 1);
            if self.budget == 0 {
                return false;
            }
        }
        true
    }
}

/// The value that a local reference (`#/$defs/City`) points at, by the older or the newer word for definitions.
fn resolve<'v>(root: &'v Value, name: &str) -> Option<&'v Value> {
    let older = || root.pointer(&format!("/definitions/{}", name.strip_prefix(DEFINITIONS)?));
    root.pointer(name.strip_prefix('#')?).or_else(older)
}

/// All references in a value.
fn references(value: &Value) -> Vec<&str> {
    let (mut found, mut open) = (Vec::new(), vec![value]);
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                open.extend(map.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// Adds a keyword to a schema; false where the schema says something else already.
fn join(whole: &mut Map<String, Value>, name: &str, value: Value) -> bool {
    match (name, whole.get_mut(name), value) {
        ("properties" | "$defs" | "definitions", Some(Value::Object(known)), Value::Object(more)) => {
            more.into_iter().for_each(|(name, schema)| {
                known.entry(name).or_insert(schema);
            });
            true
        }
        ("required" | "allOf", Some(Value::Array(known)), Value::Array(more)) => {
            let new: Vec<Value> = more.into_iter().filter(|item| !known.contains(item)).collect();
            known.extend(new);
            true
        }
        (_, Some(known), value) => *known == value || name == "description" || name == "title",
        (_, None, value) => {
            whole.insert(name.to_owned(), value);
            true
        }
    }
}
