//! IBM Cloud: a key, for which its IAM gives access tokens, or such a token.
//!
//! <https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey>

use secrecy::{ExposeSecret as _, SecretString};

use super::{Secret, Source};
use crate::auth::Credential;

/// An access token that is given for a key.
#[derive(Debug, Clone, Hash)]
pub struct IbmSource {
    /// The key.
    pub api_key: Secret,
}

pub(super) fn read(key: SecretString) -> Source {
    match is_token(key.expose_secret()) {
        true => Source::Given(Credential::Token(key)),
        false => Source::Ibm(IbmSource { api_key: key.into() }),
    }
}

/// Tokens are JSON Web Tokens: three parts, of which the first is an object in base64. Keys have no dots.
fn is_token(key: &str) -> bool {
    key.starts_with("eyJ") && key.split('.').count() == 3
}
