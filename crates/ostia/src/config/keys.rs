//! The gateway's own keys, found by what a client shows, and where the keys for providers come from.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;

use ostia_config::{BodiesKept, SecretSource};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// A key of the gateway's own.
#[derive(Debug)]
pub struct GatewayKey {
    /// The key.
    pub secret: SecretString,
    /// What conditions and records call it.
    pub name: Option<String>,
    /// The name of the config for requests that bring none.
    pub config: Option<String>,
    /// Of which of its requests bodies are kept; `None`: as of all.
    pub bodies: Option<BodiesKept>,
}

/// Where the operator's key for a provider comes from. Never the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    /// It stands in the configuration file itself.
    File,
    /// The file names an environment variable.
    Variable(String),
    /// The file puts it together from environment variables.
    Template,
    /// The file names another one that holds it.
    SecretFile(PathBuf),
    /// The environment has it where the provider's own software looks for it.
    Environment(String),
    /// The file has several, each with its weight.
    Several(Vec<(KeyOrigin, u32)>),
}

impl KeyOrigin {
    /// Of a reference in the file.
    pub fn of(source: &SecretSource) -> KeyOrigin {
        match source {
            SecretSource::Literal(_) => KeyOrigin::File,
            SecretSource::Env { name } => KeyOrigin::Variable(name.clone()),
            SecretSource::Template(_) => KeyOrigin::Template,
            SecretSource::File { path } => KeyOrigin::SecretFile(path.clone()),
        }
    }
}

impl fmt::Display for KeyOrigin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyOrigin::File => out.write_str("in the file itself"),
            KeyOrigin::Variable(name) => write!(out, "the file's ${{{name}}}"),
            KeyOrigin::Template => out.write_str("the file, put together"),
            KeyOrigin::SecretFile(path) => write!(out, "the file's file:{}", path.display()),
            KeyOrigin::Environment(name) => write!(out, "the environment's {name}"),
            KeyOrigin::Several(keys) => {
                write!(out, "{} keys", keys.len())?;
                for (place, (origin, weight)) in keys.iter().enumerate() {
                    write!(out, "{} {origin}", if place == 0 { ":" } else { "," })?;
                    if *weight != 1 {
                        write!(out, " (weight {weight})")?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// All of them. A look-up goes by a hash whose own key nobody knows, and compares in constant time: how long it takes tells
/// nothing of the keys.
#[derive(Debug, Default)]
pub struct GatewayKeys {
    keys: Vec<GatewayKey>,
    hasher: RandomState,
    /// The place of a key, by its hash.
    places: HashMap<u64, usize>,
}

impl GatewayKeys {
    /// These keys. Of two that are the same the last one counts.
    pub fn new(keys: Vec<GatewayKey>) -> GatewayKeys {
        loop {
            let hasher = RandomState::new();
            let mut places: HashMap<u64, usize> = HashMap::new();
            let secret = |place: usize| keys[place].secret.expose_secret();
            let clashes = (0..keys.len()).any(|place| {
                let before = places.insert(hasher.hash_one(secret(place)), place);
                before.is_some_and(|before| secret(before) != secret(place))
            });
            if !clashes {
                return GatewayKeys { keys, hasher, places };
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Are there none, so that everybody may call?
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The place of the key that this is.
    pub fn find(&self, shown: &str) -> Option<usize> {
        if self.keys.is_empty() {
            return None;
        }
        let place = *self.places.get(&self.hasher.hash_one(shown))?;
        let own = self.keys[place].secret.expose_secret();
        bool::from(own.as_bytes().ct_eq(shown.as_bytes())).then_some(place)
    }

    /// The key at a place.
    pub fn get(&self, place: usize) -> Option<&GatewayKey> {
        self.keys.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_their_whole_text() {
        let key = |secret: &str| GatewayKey { secret: secret.into(), name: None, config: None, bodies: None };
        let keys = GatewayKeys::new(["pk-1", "pk-2", "pk-1"].map(key).into());
        for (shown, place) in
            [("pk-1", Some(2)), ("pk-2", Some(1)), ("pk-", None), ("pk-22", None), ("PK-1", None), ("", None)]
        {
            assert_eq!(keys.find(shown), place, "{shown}");
        }
        assert_eq!(GatewayKeys::default().find(""), None);
        assert!(!format!("{keys:?}").contains("pk-"));
    }
}
