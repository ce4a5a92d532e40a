//! Oracle Cloud: an API signing key of a user's, or a key of the service's own.
//!
//! <https://docs.oracle.com/iaas/Content/API/Concepts/apisigningkey.htm>

use secrecy::{ExposeSecret as _, SecretString};

use super::{Look, Secret, Source, SourceProblem, secret, text};
use crate::auth::Credential;

/// A private key that signs requests, and whose it is.
#[derive(Debug, Clone, Hash)]
pub struct OracleSource {
    /// `TENANCY/USER/FINGERPRINT`. No secret.
    pub key_id: String,
    /// The key, in PEM.
    pub private_key: Secret,
}

/// Oracle's fields, in the order in which they are missed.
const FIELDS: [&str; 4] = ["oracle_tenancy", "oracle_user", "oracle_fingerprint", "oracle_private_key"];

pub(super) fn read(key: Option<SecretString>, look: Look<'_>) -> Result<Option<Source>, SourceProblem> {
    if FIELDS.iter().all(|field| secret(look, field).is_none()) {
        return Ok(key.map(|key| Source::Given(Credential::Key(key))));
    }
    if let Some(missing) = FIELDS.into_iter().find(|field| secret(look, field).is_none()) {
        let words = format!("{missing} is missing: requests are signed with {} together.", FIELDS.join(", "));
        return Err(SourceProblem::new(missing, words));
    }
    if secret(look, PASSPHRASE).is_some() {
        let words = "oracle_key_passphrase: keys with a passphrase are not opened here. Give the key without one: \
                     openssl rsa -in key.pem -out plain.pem";
        return Err(SourceProblem::new(PASSPHRASE, words));
    }
    let part = |field: &'static str| {
        let part = text(look, field).unwrap_or_default();
        let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte));
        let words = || {
            format!("{field} has to be as the console shows it: letters, digits, dots, colons and hyphens.")
        };
        if is_plain { Ok(part) } else { Err(SourceProblem::new(field, words())) }
    };
    let [tenancy, user, fingerprint, _] = FIELDS;
    let key_id = format!("{}/{}/{}", part(tenancy)?, part(user)?, part(fingerprint)?);
    let pem = secret(look, "oracle_private_key").unwrap_or_default();
    // A header holds no line ends.
    let private_key = SecretString::from(pem.expose_secret().replace("\\n", "\n")).into();
    Ok(Some(Source::Oracle(OracleSource { key_id, private_key })))
}

const PASSPHRASE: &str = "oracle_key_passphrase";
