//! `providers:`, by id: a credential for a provider that is known, or the whole row of one that is not.

use ostia_routing::config::Redacted;
use serde_json::{Map, Value};

use crate::SecretRef;
use crate::reader::{Item, Reader};

/// What an entry may say. All but the first two are the fields of a provider's row, which is checked by the crate
/// that knows providers.
const FIELDS: [&str; 17] = [
    "api_key",
    "models",
    "name",
    "base_url",
    "prefix",
    "pass_prefix",
    "unprefixed",
    "dialects",
    "auth",
    "oauth",
    "key_env",
    "headers",
    "paths",
    "quirks",
    "docs",
    "local",
    "aliases",
];
/// Longest id of a provider, in bytes.
const ID_BYTES_MAX: usize = 64;

/// One entry of `providers:`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProviderEntry {
    /// The gateway's own credential for this provider.
    pub api_key: Option<SecretRef>,
    /// The models to offer; empty for whatever the provider has.
    pub models: Vec<String>,
    /// The remaining fields, with `${NAME}` expanded: an object in the shape of a provider's row. Empty for a
    /// provider that is used as it is known. Not printed, because headers may hold credentials.
    pub row: Redacted<Value>,
}

/// Reads one entry.
pub(crate) fn read(id: &str, item: &Item<'_>, reader: &mut Reader<'_>) -> ProviderEntry {
    let good = !id.is_empty()
        && id.len() <= ID_BYTES_MAX
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte));
    if !good {
        let hint = format!("use lower-case letters, digits, `-`, `_` and `.`, at most {ID_BYTES_MAX}");
        reader.problem(item, "is no id of a provider", Some(hint));
    }
    let mut entry = ProviderEntry::default();
    let mut row = Map::new();
    for (name, field) in reader.fields(item, &FIELDS) {
        match name {
            "api_key" => entry.api_key = reader.secret(&field),
            "models" => entry.models = reader.texts(&field),
            _ => drop(row.insert(name.to_owned(), reader.json(&field))),
        }
    }
    entry.row = Redacted(Value::Object(row));
    entry
}
