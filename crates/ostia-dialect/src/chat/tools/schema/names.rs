//! Names of properties that a vendor refuses: others in their place, and back again in the arguments of calls.
//!
//! Only names at the top are renamed, because only these are looked at. Names are made from the schema alone, so the
//! same tool has the same names in every request, and two properties never share one.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::json::{Document, Writer};

/// What a property may be called: ASCII letters, digits and a few marks, up to a length.
#[derive(Debug, Clone, Copy)]
pub struct NameRule {
    /// What is taken besides letters and digits.
    pub marks: &'static str,
    /// Longest name, in characters.
    pub chars_max: usize,
}

impl NameRule {
    /// Is this name taken?
    pub fn takes(&self, name: &str) -> bool {
        (1..=self.chars_max).contains(&name.len()) && name.chars().all(|char| self.takes_char(char))
    }

    fn takes_char(&self, char: char) -> bool {
        char.is_ascii_alphanumeric() || self.marks.contains(char)
    }

    /// A name that is taken and is none of `others`: the name with other characters replaced, and a number made of the
    /// whole name where that alone would not tell it apart.
    fn name(&self, own: &str, others: &HashSet<String>) -> String {
        let plain: String = own
            .chars()
            .take(self.chars_max)
            .map(|char| if self.takes_char(char) { char } else { '_' })
            .collect();
        let is_whole = own.chars().count() <= self.chars_max;
        if is_whole && !plain.is_empty() && !others.contains(&plain) {
            return plain;
        }
        let mut number = number(own);
        loop {
            let ending = format!("_{number:08x}");
            let kept = self.chars_max.saturating_sub(ending.len());
            let name = format!("{}{ending}", plain.chars().take(kept).collect::<String>());
            if !others.contains(&name) {
                return name;
            }
            number = number.wrapping_add(1);
        }
    }
}

/// FNV-1a: the same on every machine and in every release.
fn number(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The renamed properties of one tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The name that goes out, and the client's.
    pairs: Vec<(String, String)>,
}

impl Names {
    /// Gives the properties of a schema names that the rule takes, and says which. None if they have them.
    pub(crate) fn replace(value: &mut Value, rule: &NameRule) -> Option<Names> {
        let properties = value.get("properties")?.as_object()?;
        let mut taken: HashSet<String> = properties.keys().filter(|name| rule.takes(name)).cloned().collect();
        let mut names = Names::default();
        for own in properties.keys().filter(|name| !rule.takes(name)) {
            let sent = rule.name(own, &taken);
            taken.insert(sent.clone());
            names.pairs.push((sent, own.clone()));
        }
        if names.pairs.is_empty() {
            return None;
        }
        names.rename_schema(value);
        Some(names)
    }

    /// The arguments of a call in the client's history, as they go out.
    pub(crate) fn arguments_out(&self, arguments: &str) -> Option<String> {
        renamed(arguments, |name| self.sent(name))
    }

    /// The arguments of a call that the model made, as the client knows them. None if there is nothing to change, or the
    /// text is no object.
    pub(crate) fn arguments_back(&self, arguments: &str) -> Option<String> {
        renamed(arguments, |name| {
            self.pairs.iter().find(|(sent, _)| sent == name).map(|(_, own)| own.as_str())
        })
    }

    /// The names that go out, each with the client's.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The same from these.
    pub(crate) fn of_pairs(pairs: Vec<(String, String)>) -> Names {
        Names { pairs }
    }

    fn sent(&self, own: &str) -> Option<&str> {
        self.pairs.iter().find(|(_, known)| known == own).map(|(sent, _)| sent.as_str())
    }

    fn rename_schema(&self, schema: &mut Value) {
        let Some(map) = schema.as_object_mut() else { return };
        for (keyword, value) in map.iter_mut() {
            match (keyword.as_str(), value) {
                ("properties" | "dependentRequired" | "dependentSchemas", Value::Object(fields)) => {
                    self.rename_fields(fields, keyword == "properties");
                }
                ("required", Value::Array(names)) => names.iter_mut().for_each(|name| self.rename(name)),
                _ => {}
            }
        }
        if let Some(Value::Object(fields)) = map.get_mut("dependentRequired") {
            fields.values_mut().filter_map(Value::as_array_mut).flatten().for_each(|name| self.rename(name));
        }
        self.rename_references(schema);
    }

    /// The model is told what the property is really called: descriptions speak of it under that name.
    fn rename_fields(&self, fields: &mut Map<String, Value>, are_properties: bool) {
        for (name, mut value) in std::mem::take(fields) {
            let sent = self.sent(&name);
            if let (Some(_), Value::Object(schema), true) = (sent, &mut value, are_properties) {
                let told = match schema.get("description").and_then(Value::as_str) {
                    Some(text) => format!("{text} (stands for `{name}`)"),
                    None => format!("Stands for `{name}`."),
                };
                schema.insert("description".to_owned(), Value::String(told));
            }
            fields.insert(sent.map_or(name.clone(), str::to_owned), value);
        }
    }

    fn rename(&self, name: &mut Value) {
        if let Some(sent) = name.as_str().and_then(|name| self.sent(name)) {
            *name = Value::String(sent.to_owned());
        }
    }

    /// `{"$ref": "#/properties/$filter"}` leads to the same schema as before.
    fn rename_references(&self, value: &mut Value) {
        match value {
            Value::Array(members) => members.iter_mut().for_each(|member| self.rename_references(member)),
            Value::Object(map) => {
                if let Some(Value::String(name)) = map.get_mut("$ref") {
                    let parts = name
                        .strip_prefix("#/properties/")
                        .map(|rest| rest.split_once('/').unwrap_or((rest, "")));
                    if let Some((own, below)) = parts
                        && let Some(sent) = self.sent(&own.replace("~1", "/").replace("~0", "~"))
                    {
                        let slash = if below.is_empty() { "" } else { "/" };
                        *name = format!("#/properties/{sent}{slash}{below}");
                    }
                }
                map.values_mut().for_each(|member| self.rename_references(member));
            }
            _ => {}
        }
    }
}

/// The object with other names for some of its fields; the values' text stays.
fn renamed<'n>(arguments: &str, other: impl Fn(&str) -> Option<&'n str>) -> Option<String> {
    let document = Document::parse_to(arguments.as_bytes(), 1).ok()?;
    let root = document.root();
    if !root.fields().any(|(name, _)| other(&name).is_some()) {
        return None;
    }
    let mut writer = Writer::with_capacity(arguments.len());
    writer.object(|writer| {
        root.fields().for_each(|(name, value)| writer.field_raw(other(&name).unwrap_or(&name), value.text()));
    });
    String::from_utf8(writer.into_bytes()).ok()
}
