//! Other gateways' files, translated: LiteLLM's configuration to `ostia.yaml`, Portkey's routing config to one of ours. Every
//! field of the file gets a verdict; what cannot be carried is named and never silently lost.

mod litellm;
mod portkey;
#[cfg(test)]
mod tests;
mod yaml;

use serde_json::Value;

use crate::tree;
use crate::{Problem, TEXT_BYTES_MAX};

/// A translation.
#[derive(Debug)]
pub struct Imported {
    /// The file: YAML.
    pub text: String,
    /// What became of each field, in the order of the file.
    pub verdicts: Vec<Verdict>,
}

/// What became of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Where it stands in the file: `model_list[0].litellm_params.rpm`.
    pub path: String,
    /// How much of it is in the translation.
    pub carried: Carried,
    /// What it became, or what to do instead.
    pub note: String,
}

/// How much of a field is in the translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It means the same.
    Exact,
    /// It means nearly the same; the note says what differs.
    Approximate,
    /// It is not there.
    Missing,
}

impl Carried {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Carried::Exact => "exact",
            Carried::Approximate => "approximate",
            Carried::Missing => "not there",
        }
    }
}

/// Translates LiteLLM's `config.yaml`. Source: <https://docs.litellm.ai/docs/proxy/config_settings>.
///
/// # Errors
/// The text is no YAML, or no map.
pub fn litellm(text: &str) -> Result<Imported, Problem> {
    read(text).map(|file| litellm::translate(&file))
}

/// Translates a routing config of Portkey's. Source: <https://portkey.ai/docs/api-reference/inference-api/config-object>.
///
/// # Errors
/// The text is no JSON (nor YAML), or no object.
pub fn portkey(text: &str) -> Result<Imported, Problem> {
    read(text).map(|file| portkey::translate(&file))
}

fn read(text: &str) -> Result<Value, Problem> {
    let value = value_of(&tree::parse(text)?.value);
    let message = "the file is no map of fields".to_owned();
    debug_assert!(text.len() <= TEXT_BYTES_MAX);
    if value.is_object() {
        return Ok(value);
    }
    Err(Problem::of_file(crate::Code::WrongType, message))
}

/// Nothing is expanded: variables stay variables.
fn value_of(value: &tree::Value) -> Value {
    match value {
        tree::Value::Null => Value::Null,
        tree::Value::Bool(value) => (*value).into(),
        tree::Value::Integer(value) => (*value).into(),
        tree::Value::Float(value) => (*value).into(),
        tree::Value::Text(value) => value.clone().into(),
        tree::Value::List(items) => items.iter().map(|item| value_of(&item.value)).collect(),
        tree::Value::Map(fields) => {
            fields.iter().map(|(key, field)| (key.name.clone(), value_of(&field.value))).collect()
        }
    }
}

/// The verdicts so far.
#[derive(Default)]
struct Notes(Vec<Verdict>);

impl Notes {
    fn exact(&mut self, path: &str, note: impl Into<String>) {
        self.add(path, Carried::Exact, note);
    }

    fn near(&mut self, path: &str, note: impl Into<String>) {
        self.add(path, Carried::Approximate, note);
    }

    fn missing(&mut self, path: &str, note: impl Into<String>) {
        self.add(path, Carried::Missing, note);
    }

    fn add(&mut self, path: &str, carried: Carried, note: impl Into<String>) {
        self.0.push(Verdict { path: path.to_owned(), carried, note: note.into() });
    }
}
