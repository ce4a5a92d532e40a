//! What a finished request is signed with.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

/// What a finished request is signed with. Whoever prints it sees no secret.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A key, which goes where the vendor wants its keys.
    Key(SecretString),
    /// An access token, which is always a bearer (RFC 6750).
    Token(SecretString),
    /// A pair of keys of AWS.
    Aws(AwsKeys),
    /// A signing key of Oracle Cloud's.
    Oracle(OracleKey),
}

/// A signing key of a user's at Oracle Cloud.
#[derive(Debug, Clone)]
pub struct OracleKey {
    /// `TENANCY/USER/FINGERPRINT`: names the key. No secret.
    pub key_id: String,
    /// The private key, as what it does.
    pub signer: RsaSha256,
}

/// Signs with a private key: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2).
#[derive(Clone)]
pub struct RsaSha256(Arc<Sign>);

/// The signature of a text, if the key can give one.
type Sign = dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync;

impl RsaSha256 {
    /// What signs.
    pub fn new(sign: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static) -> RsaSha256 {
        RsaSha256(Arc::new(sign))
    }

    /// The signature of a text, if the key can give one.
    pub fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        (self.0)(text)
    }
}

impl fmt::Debug for RsaSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaSha256")
    }
}

/// A pair of keys of AWS, which never travels itself.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>
#[derive(Debug, Clone)]
pub struct AwsKeys {
    /// Names the pair. No secret.
    pub access_key_id: String,
    /// What is signed with.
    pub secret_access_key: SecretString,
    /// Goes along with keys that hold for a while only.
    pub session_token: Option<SecretString>,
}
