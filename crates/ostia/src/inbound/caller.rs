//! Who calls: found out once for a request, and the owner of whatever is kept for it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use ostia_dialect::{Fault, FaultKind};

use crate::config::settings::{GatewayKey, Settings};
use crate::inbound::credentials::Credentials;

/// Who authenticated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller {
    /// Whom things that are kept belong to.
    pub owner: Owner,
}

/// The owner of what is kept: nobody else can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    /// Callers without any credential, on a gateway that asks for none.
    #[default]
    Nobody,
    /// Whoever shows this key under `auth.keys`, by its place there.
    Key(usize),
    /// Whoever shows this key of a provider, on a gateway that asks for none of its own: a keyed hash.
    Credential(u64),
}

/// Lets in who shows a key, where keys are configured.
///
/// # Errors
/// 401 without one of them.
pub fn authenticate(settings: &Settings, credentials: &Credentials) -> Result<Caller, Fault> {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    if settings.gateway_keys.is_empty() {
        let shown = credentials.bearer.as_ref().or(credentials.api_key.as_ref());
        let owner = shown.map_or(Owner::Nobody, |shown| Owner::Credential(HASHER.hash_one(shown.expose())));
        return Ok(Caller { owner });
    }
    let place = credentials.iter().find_map(|shown| settings.gateway_key(shown.expose()));
    place.map(|place| Caller { owner: Owner::Key(place) }).ok_or_else(|| {
        let message = "This gateway needs a key of its own: send one of those under auth.keys in ostia.yaml in the \
                       header x-ostia-api-key (or x-portkey-api-key), or as `Authorization: Bearer ...`.";
        Fault::new(FaultKind::Authentication, message).with_code("gateway_key_invalid")
    })
}

impl Caller {
    /// The gateway's key that was shown.
    pub fn key(self, settings: &Settings) -> Option<&GatewayKey> {
        match self.owner {
            Owner::Key(place) => settings.gateway_keys.get(place),
            Owner::Nobody | Owner::Credential(_) => None,
        }
    }
}
