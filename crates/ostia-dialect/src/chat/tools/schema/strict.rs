//! Schemas of tools whose arguments the vendor holds to the schema.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::Strict;

/// Deepest nesting that is looked into; a deeper schema is not strict.
const NESTING_MAX: usize = 64;

/// What counts against limits on all strict tools of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    tools: usize,
    optional: usize,
    unions: usize,
    properties: usize,
}

impl Sums {
    /// One more tool; none if that is too much.
    pub(super) fn with(&self, own: &Sums, rules: &Strict) -> Option<Sums> {
        let sums = Sums {
            tools: self.tools + 1,
            optional: self.optional + own.optional,
            unions: self.unions + own.unions,
            properties: self.properties + own.properties,
        };
        let fits = sums.tools <= rules.tools_max
            && sums.optional <= rules.optional_max
            && sums.unions <= rules.unions_max
            && sums.properties <= rules.properties_max;
        fits.then_some(sums)
    }
}

/// Fits a schema to these rules; gives the paths of what went into descriptions, and what counts. None where the schema
/// says what strict mode cannot.
pub(super) fn fit(schema: &mut Value, rules: &Strict, path: &str) -> Option<(Vec<String>, Sums)> {
    if !references_fit(schema, rules) {
        return None;
    }
    let mut walk = Walk { rules, told: Vec::new(), sums: Sums::default() };
    walk.schema(schema, path, Level::default())?;
    Some((walk.told, walk.sums))
}

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    nesting: usize,
    objects: usize,
}

struct Walk<'a> {
    rules: &'a Strict,
    told: Vec<String>,
    sums: Sums,
}

impl Walk<'_> {
    fn schema(&mut self, schema: &mut Value, path: &str, level: Level) -> Option<()> {
        let map = schema.as_object_mut().filter(|_| level.nesting < NESTING_MAX)?;
        // No vendor knows "exactly one" here; "any of" is what their own libraries make of it.
        if !self.rules.keywords.contains(&"oneOf") && !map.contains_key("anyOf") {
            rename(map, "oneOf", "anyOf");
        }
        let is_whole = ["type", "anyOf", "$ref", "enum", "const"].iter().any(|name| map.contains_key(*name));
        if self.rules.typed && !is_whole && level.nesting > 0 {
            return None;
        }
        let points = map.contains_key("$ref");
        let is_beside = |name: &String| !matches!(name.as_str(), "$ref" | "$defs" | "definitions");
        if self.rules.reference_alone && points && map.keys().any(is_beside) {
            return None;
        }
        self.keywords(map, path)?;
        let objects = level.objects + usize::from(map.contains_key("properties"));
        if objects > self.rules.depth_max {
            return None;
        }
        self.object(map)?;
        self.below(map, path, Level { nesting: level.nesting + 1, objects })
    }

    fn keywords(&mut self, map: &mut Map<String, Value>, path: &str) -> Option<()> {
        let refused = |(name, value): (&String, &Value)| (!self.takes(name, value)).then(|| name.clone());
        let refused: Vec<String> = map.iter().filter_map(refused).collect();
        if refused.iter().any(|name| !self.rules.told.contains(&name.as_str())) {
            return None;
        }
        let mut unsaid = Map::new();
        for name in refused {
            self.told.push(format!("{path}.{name}"));
            unsaid.extend(map.shift_remove_entry(&name));
        }
        if !unsaid.is_empty() {
            describe(map, &unsaid);
        }
        Some(())
    }

    fn takes(&self, name: &str, value: &Value) -> bool {
        let rules = self.rules;
        rules.keywords.contains(&name)
            && match name {
                // No formats listed: all of them are taken, or passed over.
                "format" => {
                    rules.formats.is_empty()
                        || value.as_str().is_some_and(|name| rules.formats.contains(&name))
                }
                "pattern" => rules.told.is_empty() || value.as_str().is_some_and(is_plain_pattern),
                "minItems" => value.as_u64().is_some_and(|least| least <= rules.min_items_max),
                _ => true,
            }
    }

    /// The object is closed and its required properties are named; counts its properties.
    fn object(&mut self, map: &mut Map<String, Value>) -> Option<()> {
        let kinds = match map.get("type") {
            Some(Value::Array(kinds)) => kinds.len(),
            _ => 1,
        };
        let is_object = match map.get("type") {
            Some(Value::String(kind)) => kind == "object",
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
            _ => map.contains_key("properties"),
        };
        self.sums.unions += usize::from(kinds > 1 || map.contains_key("anyOf"));
        if !is_object {
            return Some(());
        }
        let properties = map.get("properties").and_then(Value::as_object);
        if self.rules.closed {
            match map.get("additionalProperties") {
                Some(Value::Bool(false)) => {}
                // Closed, an object of names that are not known beforehand could hold nothing.
                None if properties.is_some() => {}
                _ => return None,
            }
        }
        let required = map.get("required").and_then(Value::as_array);
        let is_required =
            |name: &String| required.is_some_and(|names| names.iter().any(|known| known == name));
        let names = properties.into_iter().flat_map(Map::keys);
        let optional = names.clone().filter(|name| !is_required(name)).count();
        self.sums.properties += names.count();
        self.sums.optional += optional;
        let none_required = required.is_none_or(Vec::is_empty);
        if optional > 0 && (self.rules.all_required || (self.rules.one_required && none_required)) {
            return None;
        }
        if self.rules.all_required && properties.is_some() && required.is_none() {
            map.insert("required".to_owned(), json!([]));
        }
        if self.rules.closed {
            map.insert("additionalProperties".to_owned(), json!(false));
        }
        Some(())
    }

    fn below(&mut self, map: &mut Map<String, Value>, path: &str, level: Level) -> Option<()> {
        for (name, value) in map {
            match (name.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(schemas)) => {
                    for (key, schema) in schemas {
                        self.schema(schema, &format!("{path}.{name}.{key}"), level)?;
                    }
                }
                ("anyOf" | "allOf", Value::Array(schemas)) => {
                    for (at, schema) in schemas.iter_mut().enumerate() {
                        self.schema(schema, &format!("{path}.{name}[{at}]"), level)?;
                    }
                }
                ("items", schema) => self.schema(schema, &format!("{path}.{name}"), level)?,
                _ => {}
            }
        }
        Some(())
    }
}

fn rename(map: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = map.shift_remove(from) {
        map.insert(to.to_owned(), value);
    }
}

/// Does every reference lead to something in the schema, and, where that is asked for, none back to itself?
fn references_fit(root: &Value, rules: &Strict) -> bool {
    let mut names = Vec::new();
    references(root, &mut names, NESTING_MAX);
    let resolve = |name: &str| name.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
    names.sort_unstable();
    names.dedup();
    names.iter().all(|name| {
        resolve(name).is_some() && (rules.recursion || !leads_to(name, name, &resolve, &mut HashSet::new()))
    })
}

fn leads_to<'v>(
    from: &str,
    to: &str,
    resolve: &impl Fn(&str) -> Option<&'v Value>,
    seen: &mut HashSet<&'v str>,
) -> bool {
    let mut names = Vec::new();
    resolve(from).into_iter().for_each(|schema| references(schema, &mut names, NESTING_MAX));
    names.into_iter().any(|name| name == to || (seen.insert(name) && leads_to(name, to, resolve, seen)))
}

fn references<'v>(value: &'v Value, names: &mut Vec<&'v str>, depth: usize) {
    match value {
        _ if depth == 0 => {}
        Value::Array(members) => members.iter().for_each(|member| references(member, names, depth - 1)),
        Value::Object(map) => {
            names.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|member| references(member, names, depth - 1));
        }
        _ => {}
    }
}

/// Look-around, back references and word boundaries are not taken.
pub(crate) fn is_plain_pattern(pattern: &str) -> bool {
    let refused = |pair: &[u8]| matches!(pair, [b'\\', b'b' | b'B' | b'1'..=b'9'] | [b'(', b'?']);
    !pattern.as_bytes().windows(2).any(refused)
}

/// Says in words, in the description, what may not be said otherwise: `(minimum: 1, maximum: 5)`.
pub(crate) fn describe(fields: &mut Map<String, Value>, unsaid: &Map<String, Value>) {
    let words: Vec<String> = unsaid.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let limits = format!("({})", words.join(", "));
    let description = match fields.get("description").and_then(Value::as_str) {
        Some(text) => format!("{text} {limits}"),
        None => limits,
    };
    fields.insert("description".into(), Value::String(description));
}
