//! Who calls: found out once for a request, and the owner of whatever is kept for it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use ostia_config::BodiesKept;
use ostia_dialect::{Fault, FaultKind};
use secrecy::ExposeSecret as _;

use crate::config::keys::{GatewayKey, GatewayKeys};
use crate::inbound::credentials::{Credential, Credentials};
use crate::owner::Owner;

/// Who authenticated.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Whom things that are kept belong to.
    pub owner: Owner,
    /// The place of the gateway's key that was shown, among those in force when the request came.
    place: Option<usize>,
    /// The caller's own key for a provider: what was shown and is none of the gateway's.
    pub provider_key: Option<Credential>,
}

/// Lets in who shows a key, where keys are configured. Each credential is looked up once: the first that is the gateway's says
/// who it is, the first that is not, and may be a provider's, is the key for providers.
///
/// # Errors
/// 401 without one of them.
pub fn authenticate(keys: &GatewayKeys, credentials: Credentials) -> Result<Caller, Fault> {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let Credentials { gateway, bearer, api_key } = credentials;
    let mut place = gateway.and_then(|shown| keys.find(shown.expose()));
    let mut provider_key = None;
    for shown in [bearer, api_key].into_iter().flatten() {
        match keys.find(shown.expose()) {
            Some(own) => place = place.or(Some(own)),
            None => provider_key = provider_key.or(Some(shown)),
        }
    }
    let owner = match (place.and_then(|place| keys.get(place)), &provider_key) {
        (Some(key), _) => Owner::Key(HASHER.hash_one(key.secret.expose_secret())),
        (None, _) if !keys.is_empty() => return Err(no_key()),
        (None, Some(shown)) => Owner::Credential(HASHER.hash_one(shown.expose())),
        (None, None) => Owner::Nobody,
    };
    Ok(Caller { owner, place, provider_key })
}

fn no_key() -> Fault {
    let message = "This gateway needs a key of its own: send one of those under auth.keys in ostia.yaml in the \
                   header x-ostia-api-key (or x-portkey-api-key), or as `Authorization: Bearer ...`.";
    Fault::new(FaultKind::Authentication, message).with_code("gateway_key_invalid")
}

impl Caller {
    /// The name of the gateway's key that was shown, if it has one, and its place.
    pub fn name<'k>(&self, keys: &'k GatewayKeys) -> Option<(Option<&'k str>, usize)> {
        let place = self.place?;
        Some((keys.get(place)?.name.as_deref(), place))
    }

    /// Of which requests with it bodies are kept, where its key says that.
    pub fn bodies(&self, keys: &GatewayKeys) -> Option<BodiesKept> {
        self.key(keys)?.bodies
    }

    /// The gateway's key that was shown.
    pub fn key<'k>(&self, keys: &'k GatewayKeys) -> Option<&'k GatewayKey> {
        keys.get(self.place?)
    }
}
