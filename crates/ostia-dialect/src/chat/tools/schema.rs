//! Schemas of tools, fitted to what the upstream's vendor takes as the arguments of a function.
//!
//! What is taken is data, one [`SchemaRules`] for each dialect. A schema that asks for nothing else goes out as the client
//! wrote it, byte for byte, and is not built up as a tree. Otherwise it is said in other words as nearly as can be: a
//! union at its top becomes one object, a limit that strict mode refuses moves into the description, and strict mode
//! itself is given up where the schema cannot follow it. All of that is reported. A property whose name the vendor refuses
//! has another one there, and its own again in the answer.

mod merge;
mod names;
mod rules;
mod strict;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub use names::NameRule;
pub(crate) use names::Names;
pub(crate) use rules::ANTHROPIC_STRICT;
pub use rules::{SchemaRules, Strict};
pub(crate) use strict::{describe, is_plain_pattern};

use crate::json::{Document, Json, Node};
use crate::{Content, Dialect, Request, Tool, ToolChoice, Undo};

/// The schema of a function that takes nothing.
pub(crate) const NOTHING: &str = r#"{"type":"object","properties":{}}"#;
/// Deepest nesting of a schema that is looked into for arrays without items.
const DEPTH_MAX: usize = 64;

/// Changes the schemas of a request's tools to what the upstream takes, and the calls in its history with them. Gives
/// the paths, below `tools[i]`, of what is lost.
pub(crate) fn adapt(request: &mut Request, upstream: Dialect, undo: &mut Undo) -> Vec<String> {
    let mut dropped = Vec::new();
    let Some(takes) = SchemaRules::of(upstream, request.known_as()) else { return dropped };
    let mut sums = strict::Sums::default();
    let Request { tools, tool_choice, messages, .. } = request;
    for (at, tool) in tools.iter_mut().enumerate() {
        let Some((name, names)) = fit(tool, at, takes, tool_choice.as_ref(), &mut sums, &mut dropped) else {
            continue;
        };
        for block in messages.iter_mut().flat_map(|message| &mut message.blocks) {
            let Content::ToolCall { name: called, arguments, .. } = &mut block.content else { continue };
            if let Some(renamed) = names.arguments_out(arguments).filter(|_| *called == name) {
                *arguments = renamed;
            }
        }
        undo.own(&name).properties = Some(names);
    }
    dropped
}

/// Fits one tool. Gives its name and the other names of its properties, if some had to be renamed.
fn fit(
    tool: &mut Tool,
    at: usize,
    takes: &SchemaRules,
    choice: Option<&ToolChoice>,
    sums: &mut strict::Sums,
    dropped: &mut Vec<String>,
) -> Option<(String, Names)> {
    let Tool::Function { name, description, parameters, strict, .. } = tool else { return None };
    let asks_strict = *strict == Some(true) && takes.strict.is_some();
    if !asks_strict && parameters.as_ref().is_none_or(|schema| is_taken(schema, takes)) {
        return None;
    }
    if (takes.holds_settings)(name) || (takes.offers_chosen && is_left_away(name, choice)) {
        return None;
    }
    let before = parameters.as_ref().map_or(Value::Null, Json::to_value);
    let mut fit = Fit { value: before.clone(), path: format!("tools[{at}]"), words: Vec::new(), dropped };
    fit.object(takes);
    let names = takes.names.as_ref().and_then(|rule| Names::replace(&mut fit.value, rule));
    if let Some(rules) = takes.strict.as_ref().filter(|_| asks_strict)
        && !fit.strict(rules, sums)
    {
        *strict = None;
    }
    if fit.value != before {
        *parameters = Some(Json::from_value(&fit.value));
    }
    if !fit.words.is_empty() {
        let told: Vec<String> = description.take().into_iter().chain(fit.words).collect();
        *description = Some(told.join("\n\n"));
    }
    names.map(|names| (name.clone(), names))
}

/// Some vendors cannot name a subset of the tools: the others are left away there.
fn is_left_away(name: &str, choice: Option<&ToolChoice>) -> bool {
    match choice {
        Some(ToolChoice::Allowed { names, .. }) => names.iter().all(|known| known != name),
        None | Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required | ToolChoice::Named(_)) => {
            false
        }
    }
}

/// Is nothing to be done for this schema? Reads spans, and only as deep as it has to.
fn is_taken(schema: &Json, takes: &SchemaRules) -> bool {
    let text = schema.as_str();
    let looks_for_arrays = takes.items_required && text.contains(r#""array""#);
    let depth = if looks_for_arrays { usize::MAX } else { 2 };
    let Ok(document) = Document::parse_to(text.as_bytes(), depth) else { return false };
    let root = document.root();
    let is_object = root.str("type").is_some_and(|kind| kind == "object");
    let properties = root.get("properties");
    let lists = properties.map_or(!takes.properties_required, |properties| properties.is_object());
    let named = |rule: &NameRule| {
        properties.is_none_or(|properties| properties.fields().all(|(name, _)| rule.takes(&name)))
    };
    is_object
        && !root.fields().any(|(name, _)| name == "$ref" || takes.refused_at_top.contains(&name.as_ref()))
        && lists
        && takes.names.as_ref().is_none_or(named)
        && !(looks_for_arrays && lacks_items(root, DEPTH_MAX))
}

/// Does anything in there look like an array that does not say what its items are?
fn lacks_items(node: Node<'_>, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let is_array = node.get("type").is_some_and(|kind| {
        kind.as_str().is_some_and(|kind| kind == "array")
            || kind.items().any(|kind| kind.as_str().is_some_and(|kind| kind == "array"))
    });
    (is_array && node.get("items").is_none())
        || node.fields().any(|(_, value)| lacks_items(value, depth - 1))
        || node.items().any(|value| lacks_items(value, depth - 1))
}

/// One schema on its way to what is taken.
struct Fit<'a> {
    value: Value,
    /// `tools[0]`
    path: String,
    /// What is to be added to the tool's description.
    words: Vec<String>,
    dropped: &'a mut Vec<String>,
}

impl Fit<'_> {
    fn lose(&mut self, below: &str) {
        self.dropped.push(format!("{}.function.parameters{below}", self.path));
    }

    /// Makes the top an object that lists its properties, with nothing beside that is refused there.
    fn object(&mut self, takes: &SchemaRules) {
        let Value::Object(map) = &mut self.value else {
            // `null` and `true` say as much as an object without properties does.
            if !matches!(self.value, Value::Null | Value::Bool(true)) {
                self.lose("");
            }
            self.value = json!({ "type": "object", "properties": {} });
            return;
        };
        let taken_out = merge::merge(map, takes.refused_at_top);
        let is_other = adapt_top(map, takes);
        if takes.items_required {
            map.values_mut().for_each(|value| give_items(value, DEPTH_MAX));
        }
        if is_other {
            self.lose(".type");
        }
        for keyword in taken_out {
            self.lose(&format!(".{}", keyword.name));
            self.words.extend(keyword.words);
        }
    }

    /// Fits the schema to strict mode and says whether that can be; else it stays as it is, and is not strict.
    fn strict(&mut self, rules: &Strict, sums: &mut strict::Sums) -> bool {
        let mut value = self.value.clone();
        if let Some(top) = value.as_object_mut().filter(|top| !top.contains_key("properties")) {
            top.insert("properties".to_owned(), json!({}));
        }
        let path = format!("{}.function.parameters", self.path);
        match strict::fit(&mut value, rules, &path)
            .and_then(|(told, own)| Some((told, sums.with(&own, rules)?)))
        {
            Some((told, with)) => {
                (self.value, *sums) = (value, with);
                self.dropped.extend(told);
                true
            }
            None => {
                self.dropped.push(format!("{}.strict", self.path));
                false
            }
        }
    }
}

/// `type` and `properties`, which vendors ask for at the top. Was it said to be something else than an object?
fn adapt_top(map: &mut Map<String, Value>, takes: &SchemaRules) -> bool {
    let is_other = match map.get("type") {
        None | Some(Value::Null) => false,
        Some(Value::Array(kinds)) => !kinds.iter().any(|kind| kind == "object"),
        Some(kind) => kind != "object",
    };
    if map.get("type") != Some(&json!("object")) {
        map.shift_remove("type");
        map.shift_insert(0, "type".to_owned(), json!("object"));
    }
    let says = map.contains_key("properties");
    let lists = map.get("properties").is_some_and(Value::is_object);
    if !lists && (says || takes.properties_required || map.len() == 1) {
        map.insert("properties".to_owned(), json!({}));
    }
    is_other
}

/// An array that does not say what its items are may have any. Only where schemas stand, not in values.
fn give_items(schema: &mut Value, depth: usize) {
    if depth == 0 {
        return;
    }
    match schema {
        Value::Array(members) => members.iter_mut().for_each(|member| give_items(member, depth - 1)),
        Value::Object(map) => {
            let is_array = match map.get("type") {
                Some(Value::String(kind)) => kind == "array",
                Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "array"),
                _ => false,
            };
            if is_array && !map.contains_key("items") {
                map.insert("items".to_owned(), json!({}));
            }
            let values = map.iter_mut().filter(|(name, _)| !VALUES.contains(&name.as_str()));
            values.for_each(|(_, value)| give_items(value, depth - 1));
        }
        _ => {}
    }
}

/// Keywords that hold values, not schemas.
const VALUES: [&str; 5] = ["const", "default", "enum", "example", "examples"];
