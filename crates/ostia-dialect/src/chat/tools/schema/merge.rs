//! `allOf`, `anyOf` and `oneOf` at the top of a schema, made one object.

use serde_json::{Map, Value, json};

/// Most compositions inside one another that are taken apart.
const DEPTH_MAX: usize = 8;
/// Most schemas that one composition at the top is taken apart into.
const MEMBERS_MAX: usize = 1_000;
/// Longest text about one keyword, in characters.
const WORDS_CHARS_MAX: usize = 2_000;

/// A keyword that was taken out of the top.
#[derive(Debug)]
pub(super) struct TakenOut {
    pub(super) name: &'static str,
    /// What the object that came of it does not say.
    pub(super) words: Option<String>,
}

/// Writes out a reference at the top, and makes the object and the keywords that are refused beside it one object.
pub(super) fn merge(map: &mut Map<String, Value>, refused: &[&'static str]) -> Vec<TakenOut> {
    let root = Value::Object(map.clone());
    let mut merger = Merger { root: &root, left: MEMBERS_MAX };
    let mut taken_out = Vec::new();
    if map.contains_key("$ref") {
        *map = merger.pointed(map, DEPTH_MAX);
        if map.shift_remove("$ref").is_some() {
            taken_out.push(TakenOut { name: "$ref", words: None });
        }
    }
    for &name in refused {
        let Some(value) = map.shift_remove(name) else { continue };
        let words = match (name, value) {
            ("allOf", Value::Array(members)) => merger
                .all(map, &members, DEPTH_MAX)
                .map(|rest| clipped(format!("The arguments also have to fit: {rest}"))),
            ("anyOf", Value::Array(members)) => merger.one(map, &members, "at least one", DEPTH_MAX),
            ("oneOf", Value::Array(members)) => merger.one(map, &members, "exactly one", DEPTH_MAX),
            ("not", value) => Some(clipped(format!("The arguments must not fit this JSON schema: {value}"))),
            (_, value) => Some(clipped(format!("The arguments have to fit this: {name}: {value}"))),
        };
        taken_out.push(TakenOut { name, words });
    }
    taken_out
}

/// What an object says of its arguments.
#[derive(Debug, Default)]
struct Member {
    properties: Map<String, Value>,
    required: Vec<Value>,
    /// It has no further properties.
    is_closed: bool,
    /// Everything else that limits it.
    rest: Map<String, Value>,
    /// What compositions inside it say besides.
    words: Vec<String>,
}

/// Keywords that limit nothing.
const NOTES: [&str; 9] =
    ["$comment", "$defs", "$id", "$schema", "default", "definitions", "description", "examples", "title"];

struct Merger<'a> {
    root: &'a Value,
    left: usize,
}

impl Merger<'_> {
    /// The schema, with what its `$ref` names beside its own keywords. A reference to nothing that is here stays.
    fn pointed(&self, map: &Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut whole = map.clone();
        for _ in 0..depth {
            let Some(name) = whole.get("$ref").and_then(Value::as_str) else { break };
            let target = name.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            let Some(target) = target.and_then(Value::as_object).filter(|_| name != "#").cloned() else {
                break;
            };
            whole.shift_remove("$ref");
            for (key, value) in target {
                whole.entry(key).or_insert(value);
            }
        }
        whole
    }

    /// A member as far as it can be the schema of arguments, which are an object.
    fn member(&mut self, schema: &Value, depth: usize) -> Option<Member> {
        self.left = self.left.checked_sub(1)?;
        let Value::Object(map) = schema else { return (schema == &json!(true)).then(Member::default) };
        if depth == 0 {
            return Some(Member { words: vec![schema.to_string()], ..Member::default() });
        }
        let mut map = self.pointed(map, depth);
        let can_be = match map.get("type") {
            Some(Value::String(kind)) => kind == "object",
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
            _ => true,
        };
        if !can_be {
            return None;
        }
        map.shift_remove("type");
        let mut words: Vec<String> =
            map.shift_remove("$ref").map(|name| format!("$ref: {name}")).into_iter().collect();
        for (name, how) in [("allOf", ""), ("anyOf", "at least one"), ("oneOf", "exactly one")] {
            if let Some(Value::Array(members)) = map.shift_remove(name) {
                words.extend(match name {
                    "allOf" => self.all(&mut map, &members, depth - 1),
                    _ => self.one(&mut map, &members, how, depth - 1),
                });
            }
        }
        let mut member = Member::default();
        if let Some(Value::Object(properties)) = map.shift_remove("properties") {
            member.properties = properties;
        }
        if let Some(Value::Array(required)) = map.shift_remove("required") {
            member.required = required;
        }
        member.is_closed = map.shift_remove("additionalProperties") == Some(json!(false));
        map.retain(|name, _| !NOTES.contains(&name.as_str()));
        (member.rest, member.words) = (map, words);
        Some(member)
    }

    /// Everything that all members say. Gives what could not be joined.
    fn all(&mut self, base: &mut Map<String, Value>, members: &[Value], depth: usize) -> Option<String> {
        let mut unsaid = Vec::new();
        for schema in members {
            let Some(member) = self.member(schema, depth) else {
                unsaid.push(schema.to_string());
                continue;
            };
            let Member { properties, required, rest, words, .. } = member;
            unsaid.extend(words);
            properties.into_iter().for_each(|(name, schema)| both(base, name, schema));
            require(base, required);
            for (name, value) in rest {
                match base.get(&name) {
                    Some(own) if *own != value => unsaid.push(format!("{name}: {value}")),
                    Some(_) => {}
                    None => drop(base.insert(name, value)),
                }
            }
        }
        (!unsaid.is_empty()).then(|| unsaid.join("; "))
    }

    /// The properties of all members; required is what every member requires. Gives the choice in words.
    fn one(
        &mut self,
        base: &mut Map<String, Value>,
        members: &[Value],
        how: &str,
        depth: usize,
    ) -> Option<String> {
        let members: Vec<Member> = members.iter().filter_map(|schema| self.member(schema, depth)).collect();
        let common: Vec<Value> = match members.as_slice() {
            [] => return None,
            [first, others @ ..] => {
                let everywhere = |name: &&Value| others.iter().all(|member| member.required.contains(name));
                first.required.iter().filter(everywhere).cloned().collect()
            }
        };
        let is_only = members.len() == 1
            && members.iter().all(|member| member.rest.is_empty() && member.words.is_empty());
        let words = (!is_only).then(|| choice(&members, &common, how));
        let is_closed = members.iter().all(|member| member.is_closed);
        let mut names: Vec<&String> = Vec::new();
        for name in members.iter().flat_map(|member| member.properties.keys()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let said: Vec<&Value> = members.iter().filter_map(|member| member.properties.get(name)).collect();
            let is_known = base.get("properties").and_then(|own| own.get(name)).is_some();
            // A member that does not name a known property takes it as it is.
            if !is_known || said.len() == members.len() {
                both(base, name.clone(), either(&said));
            }
        }
        require(base, common);
        if is_closed && !base.contains_key("additionalProperties") {
            base.insert("additionalProperties".to_owned(), json!(false));
        }
        words
    }
}

/// One more thing that holds for a property.
fn both(base: &mut Map<String, Value>, name: String, schema: Value) {
    if !base.get("properties").is_some_and(Value::is_object) {
        base.insert("properties".to_owned(), json!({}));
    }
    let Some(Value::Object(properties)) = base.get_mut("properties") else { return };
    let Some(own) = properties.get_mut(&name) else {
        properties.insert(name, schema);
        return;
    };
    let says_nothing = |schema: &Value| matches!(schema, Value::Bool(true)) || schema == &json!({});
    if *own == schema || says_nothing(&schema) {
        return;
    }
    if says_nothing(own) {
        *own = schema;
        return;
    }
    let (Value::Object(left), Value::Object(right)) = (&*own, &schema) else { return };
    // These mean something else once other keywords stand beside them.
    let bound = ["$ref", "additionalProperties", "properties", "items", "patternProperties", "prefixItems"];
    let is_free = |name: &String, value: &Value| {
        NOTES.contains(&name.as_str())
            || left.get(name).map_or(!bound.contains(&name.as_str()), |own| own == value)
    };
    if right.iter().all(|(name, value)| is_free(name, value)) && !left.contains_key("$ref") {
        let mut joined = left.clone();
        for (name, value) in right {
            joined.entry(name).or_insert_with(|| value.clone());
        }
        *own = Value::Object(joined);
    } else {
        *own = json!({ "allOf": [left, right] });
    }
}

/// A property of which members say different things: one of their schemas, or one of all their values.
fn either(said: &[&Value]) -> Value {
    let mut different: Vec<&Value> = Vec::new();
    for schema in said {
        if !different.contains(schema) {
            different.push(schema);
        }
    }
    match different.as_slice() {
        [only] => (*only).clone(),
        _ => values(&different).unwrap_or_else(|| json!({ "anyOf": different })),
    }
}

/// The values of schemas that are only lists of values of one type.
fn values(schemas: &[&Value]) -> Option<Value> {
    let mut all: Vec<Value> = Vec::new();
    let kind = schemas.first()?.get("type");
    for schema in schemas {
        let map = schema.as_object()?;
        let is_plain = |name: &String| {
            matches!(name.as_str(), "const" | "enum" | "type") || NOTES.contains(&name.as_str())
        };
        if map.get("type") != kind || !map.keys().all(is_plain) {
            return None;
        }
        let own = match (map.get("const"), map.get("enum")) {
            (Some(value), None) => std::slice::from_ref(value),
            (None, Some(Value::Array(values))) => values.as_slice(),
            _ => return None,
        };
        own.iter().for_each(|value| {
            if !all.contains(value) {
                all.push(value.clone());
            }
        });
    }
    Some(match kind {
        Some(kind) => json!({ "type": kind, "enum": all }),
        None => json!({ "enum": all }),
    })
}

fn require(base: &mut Map<String, Value>, names: Vec<Value>) {
    if names.is_empty() {
        return;
    }
    let required = base.entry("required").or_insert_with(|| json!([]));
    let Value::Array(required) = required else { return };
    for name in names {
        if !required.contains(&name) {
            required.push(name);
        }
    }
}

/// "The arguments have to fit exactly one of these: (1) `kind` is "a"; needs `path`; (2) needs `url`."
fn choice(members: &[Member], common: &[Value], how: &str) -> String {
    let members = members.iter().enumerate().map(|(at, member)| {
        let fixed = member.properties.iter().filter_map(|(name, schema)| {
            let value = schema.get("const")?;
            Some(format!("`{name}` is {value}"))
        });
        let is_fixed =
            |name: &str| member.properties.get(name).is_some_and(|schema| schema.get("const").is_some());
        let needed = member.required.iter().filter(|name| !common.contains(name)).filter_map(Value::as_str);
        let needed: Vec<String> =
            needed.filter(|name| !is_fixed(name)).map(|name| format!("`{name}`")).collect();
        let others = member.properties.keys().filter(|name| {
            !is_fixed(name) && !member.required.iter().any(|required| required == name.as_str())
        });
        let others: Vec<String> = others.map(|name| format!("`{name}`")).collect();
        let mut parts: Vec<String> = fixed.collect();
        parts.extend((!needed.is_empty()).then(|| format!("needs {}", needed.join(", "))));
        parts.extend((!others.is_empty()).then(|| format!("may have {}", others.join(", "))));
        parts.extend(member.rest.iter().map(|(name, value)| format!("{name}: {value}")));
        parts.extend(member.words.iter().cloned());
        if parts.is_empty() {
            parts.push("nothing more".to_owned());
        }
        format!("({}) {}", at + 1, parts.join(", "))
    });
    let members: Vec<String> = members.collect();
    clipped(format!("The arguments have to fit {how} of these: {}.", members.join("; ")))
}

fn clipped(text: String) -> String {
    match text.char_indices().nth(WORDS_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
