//! All providers, found by id or alias.

use crate::{Provider, Row, RowProblem};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The rows that come with the program.
const BUILTIN_YAML: &str = include_str!("../providers.yaml");

/// Providers by id, and the aliases that lead to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Providers {
    by_id: BTreeMap<String, Provider>,
    /// Alias to id.
    aliases: BTreeMap<String, String>,
}

impl Providers {
    /// The providers that come with the program, parsed once.
    pub fn builtin() -> &'static Providers {
        // The file is part of the program, and a test holds that all of it is good: the default is never used.
        static BUILTIN: LazyLock<Providers> = LazyLock::new(|| parse(BUILTIN_YAML).unwrap_or_default());
        &BUILTIN
    }

    /// A built-in row with some of its fields written anew, or a new row where there is none of this id. A row with a
    /// plain `http` address is taken for a private server.
    ///
    /// # Errors
    /// What is wrong with the fields, as a text.
    pub fn row(id: &str, fields: Value) -> Result<Row, String> {
        static BUILTIN: LazyLock<BTreeMap<String, Value>> =
            LazyLock::new(|| serde_saphyr::from_str(BUILTIN_YAML).unwrap_or_default());
        let mut merged = BUILTIN.get(id).cloned().unwrap_or_else(|| Value::Object(Default::default()));
        match (merged.as_object_mut(), fields) {
            (Some(row), Value::Object(mut fields)) => {
                merge_settings(id, row, &mut fields)?;
                if fields.contains_key("base_url") {
                    // Somebody is at that address, whatever settings and models are.
                    row.remove("retired");
                    row.remove("base_urls");
                    let families = row.get_mut("families").and_then(Value::as_array_mut);
                    for family in families.into_iter().flatten().filter_map(Value::as_object_mut) {
                        family.remove("base_url");
                    }
                    // Its key is for that address, and not for the vendor's hosts.
                    if let Some(addresses) = row.get_mut("addresses").and_then(Value::as_object_mut) {
                        addresses.remove("hosts");
                    }
                    let hosts = row.get_mut("hosts").and_then(Value::as_object_mut);
                    for host in hosts.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
                        host.remove("base_url");
                        host.remove("base_urls");
                    }
                }
                merge_hosts(row, &mut fields);
                row.extend(fields);
            }
            _ => return Err("must be an object".into()),
        }
        let mut row: Row = serde_json::from_value(merged).map_err(|fault| fault.to_string())?;
        row.local |= row.base_url.as_deref().is_some_and(|url| url.starts_with("http://"));
        Ok(row)
    }

    /// These and the rows of a user. A row with the id of a provider that is here takes its place, aliases and all;
    /// a row whose id is another's alias takes that name over.
    ///
    /// # Errors
    /// Every problem of every row.
    pub fn with(&self, rows: BTreeMap<String, Row>) -> Result<Providers, Vec<RowProblem>> {
        let newcomers: BTreeSet<String> = rows.keys().cloned().collect();
        let mut all = self.clone();
        for provider in all.by_id.values_mut() {
            provider.aliases.retain(|alias| !newcomers.contains(alias));
        }
        let mut problems = Vec::new();
        for (id, row) in rows {
            match Provider::from_row(&id, row) {
                Ok(provider) => {
                    all.by_id.insert(id, provider);
                }
                Err(more) => problems.extend(more),
            }
        }
        problems.extend(all.link(&newcomers));
        if problems.is_empty() { Ok(all) } else { Err(problems) }
    }

    /// The provider of this id or alias.
    pub fn get(&self, id: &str) -> Option<&Provider> {
        self.by_id.get(id).or_else(|| self.by_id.get(self.aliases.get(id)?))
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.by_id.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Builds the aliases anew and tells those that are taken: whoever was here first keeps theirs.
    fn link(&mut self, newcomers: &BTreeSet<String>) -> Vec<RowProblem> {
        let mut problems = Vec::new();
        self.aliases.clear();
        let (new, old): (Vec<&Provider>, Vec<&Provider>) =
            self.by_id.values().partition(|provider| newcomers.contains(&provider.id));
        for provider in old.into_iter().chain(new) {
            for alias in &provider.aliases {
                let taken = self.by_id.contains_key(alias).then_some(alias);
                if let Some(other) = taken.or_else(|| self.aliases.get(alias)) {
                    let message = format!("{alias:?} is taken by {other}");
                    let (id, field) = (provider.id.clone(), "aliases".to_owned());
                    problems.push(RowProblem { id, field, message });
                }
                self.aliases.insert(alias.clone(), provider.id.clone());
            }
        }
        problems
    }
}

/// The values of settings beside what the row says of them. A row that is known knows all of its settings.
fn merge_settings(
    id: &str,
    row: &mut Map<String, Value>,
    fields: &mut Map<String, Value>,
) -> Result<(), String> {
    let (Some(known), Some(own)) =
        (row.get("settings").and_then(Value::as_object), fields.get_mut("settings"))
    else {
        return Ok(());
    };
    let mut merged = known.clone();
    for (name, value) in own.as_object_mut().into_iter().flatten() {
        match (merged.get_mut(name), value.take()) {
            (Some(Value::Object(setting)), Value::String(value)) => {
                setting.insert("value".to_owned(), value.into());
            }
            (None, Value::String(_)) => {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                return Err(format!("`settings.{name}`: {id} has only {}", names.join(", ")));
            }
            (_, value) => {
                merged.insert(name.clone(), value);
            }
        }
    }
    *own = Value::Object(merged);
    Ok(())
}

/// What is said of hosts beside what the row says of them: an address is the address whatever settings are.
fn merge_hosts(row: &Map<String, Value>, fields: &mut Map<String, Value>) {
    let (Some(known), Some(own)) =
        (row.get("hosts").and_then(Value::as_object), fields.get_mut("hosts").and_then(Value::as_object_mut))
    else {
        return;
    };
    let mut merged = known.clone();
    for (name, value) in std::mem::take(own) {
        match (merged.get_mut(&name), value) {
            (Some(Value::Object(host)), Value::Object(more)) => {
                if more.contains_key("base_url") {
                    host.remove("base_urls");
                }
                host.extend(more);
            }
            (_, value) => {
                merged.insert(name, value);
            }
        }
    }
    *own = merged;
}

/// Reads a document of rows by id.
fn parse(yaml: &str) -> Result<Providers, Vec<String>> {
    let rows = serde_saphyr::from_str(yaml).map_err(|error| vec![error.to_string()])?;
    let told = |problems: Vec<RowProblem>| problems.iter().map(RowProblem::to_string).collect();
    Providers::default().with(rows).map_err(told)
}

#[cfg(test)]
mod tests;
