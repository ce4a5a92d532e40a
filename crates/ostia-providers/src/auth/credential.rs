//! What a finished request is signed with.

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
