//! `api_key:` of a provider: one credential, or a list of them with weights.

use ostia_routing::keys::KEYS_MAX;
use secrecy::{ExposeSecret as _, SecretString};

use super::ProviderEntry;
use crate::reader::{Item, Reader};
use crate::{Code, Problem, SecretRef};

/// Largest weight of a key.
pub(crate) const WEIGHT_MAX: u64 = 1000;

/// One of several credentials for a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderKey {
    /// The credential.
    pub secret: SecretRef,
    /// Its share of the requests, in comparison with the others.
    pub weight: u32,
}

/// Reads the field into its entry. A list of one is the one.
pub(super) fn read(item: &Item<'_>, entry: &mut ProviderEntry, reader: &mut Reader<'_>) {
    if !item.is_list() {
        entry.api_key = reader.secret(item);
        return;
    }
    let items = reader.items(item);
    if items.is_empty() {
        let hint = "list keys, or take the field out".to_owned();
        return reader.problem(item, Code::Empty, "is an empty list", Some(hint));
    }
    if items.len() > KEYS_MAX {
        let message = format!("has more than {KEYS_MAX} keys");
        let hint = "give further ones to a provider of your own with the same base_url".to_owned();
        return reader.problem(item, Code::TooLarge, message, Some(hint));
    }
    let mut keys: Vec<ProviderKey> = Vec::new();
    for item in &items {
        let Some(key) = read_key(item, reader) else { continue };
        if let Some(first) = keys.iter().find(|known| known.secret.source == key.secret.source) {
            let first = first.secret.place.path.clone();
            reader.problem(
                item,
                Code::Duplicate,
                format!("is the same key as {first}"),
                Some(SAME.to_owned()),
            );
        }
        keys.push(key);
    }
    match <[ProviderKey; 1]>::try_from(keys) {
        Ok([only]) => entry.api_key = Some(only.secret),
        Err(keys) => entry.api_keys = keys,
    }
}

const SAME: &str = "take one of them out; a larger share is a weight: {key: ..., weight: 2}";

/// Keys of one provider that come out the same although they are written differently. Those that are written alike were told.
pub fn equal_keys<'k>(keys: impl Iterator<Item = (&'k ProviderKey, &'k SecretString)>) -> Vec<Problem> {
    let mut known: Vec<(&ProviderKey, &SecretString)> = Vec::new();
    let mut problems = Vec::new();
    for (key, value) in keys {
        let same = known.iter().find(|(_, other)| other.expose_secret() == value.expose_secret());
        match same {
            Some((first, _)) if first.secret.source == key.secret.source => {}
            Some((first, _)) => problems.push(Problem {
                place: key.secret.place.clone(),
                code: Code::Duplicate,
                message: format!("comes out as the same key as {}", first.secret.place.path),
                hint: Some(SAME.to_owned()),
            }),
            None => known.push((key, value)),
        }
    }
    problems
}

/// A credential, or `{key: credential, weight: number}`. A map without `key` may be a credential that YAML took for one, so
/// nothing of it is repeated.
fn read_key(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<ProviderKey> {
    if !item.is_map() {
        return reader.secret(item).map(|secret| ProviderKey { secret, weight: 1 });
    }
    if !item.has("key") {
        let hint = "write {key: \"${NAME}\", weight: 3}".to_owned();
        reader.problem(item, Code::Missing, "has no `key`", Some(hint));
        return None;
    }
    let (mut secret, mut weight) = (None, Some(1));
    for (name, field) in reader.fields(item) {
        match name {
            "key" => secret = reader.secret(&field),
            _ => weight = reader.integer(&field).and_then(|weight| u32::try_from(weight).ok()),
        }
    }
    Some(ProviderKey { secret: secret?, weight: weight? })
}
