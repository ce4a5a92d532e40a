//! The gateway's own keys, found by what a client shows.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

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
        let key = |secret: &str| GatewayKey { secret: secret.into(), name: None, config: None };
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
