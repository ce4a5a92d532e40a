//! Credentials as they stand in headers.

use http::HeaderValue;

use crate::config::keys::GatewayKeys;

/// Keys that SDKs send when they were given none.
const PLACEHOLDER_KEYS: [&str; 4] = ["OPENAI_API_KEY", "DUMMY-KEY", "dummy", ""];

/// Credentials in a request, before it is known whose they are.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// `x-ostia-api-key` or `x-portkey-api-key`: always for the gateway.
    pub gateway: Option<Credential>,
    /// `Authorization: Bearer`: for the provider, unless it is one of the gateway's own.
    pub bearer: Option<Credential>,
    /// The same in a header of its own ([`KEY_HEADERS`]).
    pub api_key: Option<Credential>,
}

/// Headers in which vendors' SDKs send a key: Anthropic's and Cartesia's, Google's, ElevenLabs'
/// (<https://elevenlabs.io/docs/api-reference/authentication>) and Azure's
/// (<https://learn.microsoft.com/azure/ai-foundry/openai/reference>, Authentication).
pub const KEY_HEADERS: [&str; 4] = ["x-api-key", "x-goog-api-key", "xi-api-key", "api-key"];

impl Credentials {
    /// Takes out those that are keys for what only operators may see, and for nothing else: they are nobody's key for a provider.
    pub fn withhold(&mut self, admin_keys: &GatewayKeys, gateway_keys: &GatewayKeys) {
        let is_withheld =
            |shown: &str| admin_keys.find(shown).is_some() && gateway_keys.find(shown).is_none();
        for shown in [&mut self.gateway, &mut self.bearer, &mut self.api_key] {
            shown.take_if(|shown| is_withheld(shown.expose()));
        }
    }
}

/// A credential as it stands in a header. Not printed.
#[derive(Clone)]
pub struct Credential {
    header: HeaderValue,
    /// Where in the header the credential begins.
    start: usize,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Credential {
    /// What stands in a header from this byte on; `None` where that is nothing.
    pub fn new(header: &HeaderValue, start: usize) -> Option<Credential> {
        let mut header = header.clone();
        header.set_sensitive(true);
        Some(Credential { header, start }).filter(|credential| !credential.expose().is_empty())
    }

    /// The credential itself.
    pub fn expose(&self) -> &str {
        self.header.to_str().unwrap_or_default()[self.start..].trim()
    }

    /// The header as the client sent it, if it is `Bearer` and the credential.
    pub fn as_bearer(&self) -> Option<&HeaderValue> {
        (self.start == BEARER.len() && self.header.as_bytes().starts_with(BEARER)).then_some(&self.header)
    }
}

const BEARER: &[u8] = b"Bearer ";
/// What stands before a key in `Authorization`: everybody's word, Deepgram's (<https://developers.deepgram.com/reference/authentication>)
/// and fal's (<https://docs.fal.ai/model-apis/authentication>).
const SCHEMES: [&str; 3] = ["bearer", "token", "key"];

impl Credentials {
    /// A bearer that only repeats the gateway's key, or fills a gap, is no provider's key.
    pub fn settle(&mut self) {
        let repeats =
            |key: &Credential| self.gateway.as_ref().is_some_and(|own| own.expose() == key.expose());
        let meant = |key: &Credential| !PLACEHOLDER_KEYS.contains(&key.expose()) && !repeats(key);
        let (bearer, api_key) = (self.bearer.take().filter(meant), self.api_key.take().filter(meant));
        (self.bearer, self.api_key) = (bearer, api_key);
    }
}

/// The credential in an `Authorization` header.
pub fn bearer(value: &HeaderValue) -> Option<Credential> {
    let text = value.to_str().ok()?;
    let is_scheme = |word: &str| SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
    if is_scheme(text.trim()) {
        // The scheme alone: the SDK was given no key.
        return None;
    }
    let start = match text.split_once(' ') {
        Some((scheme, _)) if is_scheme(scheme) => scheme.len() + 1,
        // Portkey takes the header as the key where it has no scheme.
        _ => 0,
    };
    Credential::new(value, start)
}
