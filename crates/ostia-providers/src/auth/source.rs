//! Which credential is meant, and where it comes from: read from named settings, before anything is fetched.
//!
//! Settings are named as the reference gateway names its options (`aws_access_key_id`, `vertex_service_account_json`,
//! `azure_ad_token`). Pairs that are given by halves and settings that contradict one another are refused here, with words
//! that name the fields. Their values are not repeated: a secret may stand in the wrong one.
//!
//! Who gave the settings counts. What a client gives has to be complete in itself: keys, secrets, tokens. Only the operator
//! may mean what the machine has: its environment, its files, its cloud's metadata service. And only the operator's files
//! may name a host to ask for tokens that is not one of the vendor's own.

pub mod aws;
pub mod azure;
pub mod google;
pub mod ibm;
pub mod oracle;

use std::hash::{Hash, Hasher};

use ostia_dialect::Fault;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Auth, AwsKeys, Credential};
use aws::AwsSource;
use azure::AzureSource;
use google::GoogleSource;
use ibm::IbmSource;
use oracle::OracleSource;

/// The names of the settings that mean a credential of AWS's.
const AWS: [&str; 9] = [
    "aws_access_key_id",
    "aws_auth_type",
    "aws_external_id",
    "aws_profile",
    "aws_role_arn",
    "aws_role_session_name",
    "aws_secret_access_key",
    "aws_session_tags",
    "aws_session_token",
];
/// The same of Azure's.
const AZURE: [&str; 9] = [
    "azure_ad_token",
    "azure_auth_mode",
    "azure_entra_client_certificate",
    "azure_entra_client_id",
    "azure_entra_client_secret",
    "azure_entra_scope",
    "azure_entra_tenant_id",
    "azure_managed_client_id",
    "azure_workload_client_id",
];
/// The same of Google's.
const GOOGLE: [&str; 2] = ["vertex_impersonate_service_account", "vertex_service_account_json"];

/// The same of Oracle's.
const ORACLE: [&str; 5] =
    ["oracle_fingerprint", "oracle_key_passphrase", "oracle_private_key", "oracle_tenancy", "oracle_user"];

/// The names of the settings that mean a credential at a provider with this `auth`; none where a key is all that it takes.
pub fn names(auth: &Auth) -> &'static [&'static str] {
    match auth {
        Auth::Aws(_) => &AWS,
        Auth::Azure => &AZURE,
        Auth::Google => &GOOGLE,
        Auth::Oracle => &ORACLE,
        Auth::Bearer | Auth::None | Auth::Scheme(_) | Auth::Header(_) | Auth::Query(_) | Auth::Ibm => &[],
    }
}

/// Looks up a setting by its name.
pub type Look<'a> = &'a dyn Fn(&str) -> Option<SecretString>;

/// Who gave the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Giver {
    /// The operator, who may mean what the machine has.
    Operator,
    /// A client, who has to bring all of it.
    Client,
}

/// Where a credential comes from. Two that hash alike under a secret key are the same.
#[derive(Debug, Clone, Hash)]
pub enum Source {
    /// It was given as it is.
    Given(Credential),
    /// Keys of AWS that hold for a while.
    Aws(AwsSource),
    /// An access token of Google's.
    Google(GoogleSource),
    /// An access token of Entra's.
    Azure(AzureSource),
    /// An access token of IBM Cloud's.
    Ibm(IbmSource),
    /// A signing key of Oracle Cloud's.
    Oracle(OracleSource),
}

impl Source {
    /// Does it read what the machine has: environment, files, a metadata service?
    pub fn uses_machine(&self) -> bool {
        match self {
            Source::Given(_) | Source::Ibm(_) | Source::Oracle(_) => false,
            Source::Aws(source) => source.base.is_none(),
            Source::Google(source) => source.account.as_ref().is_none_or(|account| account.uses_machine()),
            Source::Azure(source) => source.uses_machine(),
        }
    }

    /// Its kind in words, without a secret.
    pub fn describe(&self) -> String {
        match self {
            Source::Given(_) => "a key".to_owned(),
            Source::Aws(source) => source.describe(),
            Source::Google(source) => source.describe(),
            Source::Azure(source) => source.describe(),
            Source::Ibm(_) => "IBM Cloud by a key".to_owned(),
            Source::Oracle(_) => "a signing key of Oracle's".to_owned(),
        }
    }
}

/// Why settings mean no credential: what is wrong and what to do, with the names of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// The field that is to blame first.
    pub field: &'static str,
    /// The whole of it in words.
    pub message: String,
}

impl SourceProblem {
    fn new(field: &'static str, message: impl Into<String>) -> SourceProblem {
        SourceProblem { field, message: message.into() }
    }
}

impl From<SourceProblem> for Fault {
    fn from(problem: SourceProblem) -> Fault {
        Fault::invalid(problem.message).with_param(problem.field)
    }
}

/// The source that is meant at a provider with this `auth`: by `key` (`api_key`, or the client's bearer) and by the settings
/// that `look` finds. `None` where there is nothing to sign in with.
///
/// # Errors
/// Why the settings cannot be meant so.
pub fn read(
    auth: &Auth,
    giver: Giver,
    key: Option<SecretString>,
    look: Look<'_>,
) -> Result<Option<Source>, SourceProblem> {
    match auth {
        Auth::Aws(_) => aws::read(giver, key, look),
        Auth::Google => google::read(giver, key, look),
        Auth::Azure => azure::read(giver, key, look),
        Auth::Ibm => Ok(key.map(ibm::read)),
        Auth::Oracle => oracle::read(key, look),
        Auth::Bearer | Auth::None | Auth::Scheme(_) | Auth::Header(_) | Auth::Query(_) => {
            Ok(key.map(|key| Source::Given(Credential::Key(key))))
        }
    }
}

/// A secret that can be compared and hashed: sources with the same secret share what was fetched. It cannot be printed.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The same as the type that credentials have.
    pub fn to_secret_string(&self) -> SecretString {
        self.0.clone()
    }
}

impl From<SecretString> for Secret {
    fn from(secret: SecretString) -> Secret {
        Secret(secret)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Secret {
        Secret(secret.into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl Hash for Credential {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Credential::Key(secret) => (0_u8, secret.expose_secret()).hash(state),
            Credential::Token(secret) => (1_u8, secret.expose_secret()).hash(state),
            Credential::Aws(keys) => (2_u8, keys).hash(state),
            // Made of a source, and never one itself.
            Credential::Oracle(key) => (3_u8, &key.key_id).hash(state),
        }
    }
}

impl Hash for AwsKeys {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let token = self.session_token.as_ref().map(|token| token.expose_secret());
        (&self.access_key_id, self.secret_access_key.expose_secret(), token).hash(state);
    }
}

/// A setting as text; an empty one was not given.
fn text(look: Look<'_>, name: &str) -> Option<String> {
    secret(look, name).map(|secret| secret.expose_secret().trim().to_owned())
}

fn secret(look: Look<'_>, name: &str) -> Option<SecretString> {
    look(name).filter(|secret| !secret.expose_secret().trim().is_empty())
}

/// What a client may not mean.
fn operators_only(field: &'static str, what: &str) -> SourceProblem {
    let message = format!(
        "{field}: {what} is the operator's to choose, in ostia.yaml: a request has to bring a credential of its own."
    );
    SourceProblem::new(field, message)
}

#[cfg(test)]
mod tests;
