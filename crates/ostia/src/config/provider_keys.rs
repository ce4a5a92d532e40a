//! The operator's keys for providers: one each, or several among which requests are spread.

use ostia_config::{ProviderKey, SecretRef};
use ostia_routing::State;
use ostia_routing::keys::Keys;
use secrecy::SecretString;

use super::keys::KeyOrigin;

/// The operator's keys for one provider.
#[derive(Debug)]
pub enum ProviderKeys {
    /// The only one.
    One(SecretString),
    /// Several.
    Several(KeyList),
}

/// Several keys for one provider.
#[derive(Debug)]
pub struct KeyList {
    secrets: Box<[SecretString]>,
    /// Their weights, and which ones rest: shared by all cores.
    pub keys: Keys,
}

impl ProviderKeys {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            ProviderKeys::One(_) => 1,
            ProviderKeys::Several(list) => list.keys.len(),
        }
    }
}

impl KeyList {
    /// The keys of a provider. What is known of one that was there before stays known.
    pub fn new(provider: &str, keys: Vec<(SecretString, u32)>, state: &State) -> KeyList {
        let weighed: Vec<(&SecretString, u32)> = keys.iter().map(|(key, weight)| (key, *weight)).collect();
        let state = Keys::new(provider, &weighed, state);
        KeyList { secrets: keys.into_iter().map(|(key, _)| key).collect(), keys: state }
    }

    /// The key at a place.
    pub fn secret(&self, place: usize) -> Option<&SecretString> {
        self.secrets.get(place)
    }
}

/// Where the keys of an entry come from; `None` where it has none.
pub fn origin(single: Option<&SecretRef>, several: &[ProviderKey]) -> Option<KeyOrigin> {
    let single = single.map(|key| KeyOrigin::of(&key.source));
    let each = || several.iter().map(|key| (KeyOrigin::of(&key.secret.source), key.weight)).collect();
    single.or_else(|| (!several.is_empty()).then(|| KeyOrigin::Several(each())))
}
