//! Google Cloud: an access token, the JSON of a credential, or what the machine has.
//!
//! The JSON is what `gcloud` and the console write: <https://google.aip.dev/auth/4112> for service accounts,
//! <https://google.aip.dev/auth/4113> for users, <https://google.aip.dev/auth/4117> for workload identity federation.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Giver, Look, Secret, Source, SourceProblem, operators_only, secret, text};
use crate::auth::Credential;

/// What tokens are for.
pub const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Where service accounts and users get their tokens.
pub const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// Other addresses of the same, in older files.
const TOKEN_URIS: [&str; 4] = [
    TOKEN_URI,
    "https://accounts.google.com/o/oauth2/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://www.googleapis.com/oauth2/v3/token",
];
/// How deep impersonated accounts may stand in one another.
const NESTING_MAX: usize = 4;

/// An access token of Google's.
#[derive(Debug, Clone, Hash)]
pub struct GoogleSource {
    /// Who asks for it; `None`: whoever the machine's files or its metadata service say.
    pub account: Option<GoogleAccount>,
    /// A service account whose token is wanted in the end, by its address.
    pub impersonate: Option<String>,
}

/// Whom Google gives a token to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GoogleAccount {
    /// A service account, by its key.
    Service(ServiceAccount),
    /// A user who signed in (`gcloud auth application-default login`).
    User(AuthorizedUser),
    /// A workload that shows a token of another identity provider's.
    External(Box<ExternalAccount>),
    /// A service account whose token another account may ask for.
    Impersonated {
        /// Who asks.
        source: Box<GoogleAccount>,
        /// Where: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/...:generateAccessToken`.
        url: String,
        /// Accounts in between.
        delegates: Vec<String>,
    },
}

/// The key of a service account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceAccount {
    /// The account.
    pub client_email: String,
    /// Names the key.
    pub private_key_id: Option<String>,
    /// The key, in PEM.
    pub private_key: Secret,
    /// Where tokens are asked for.
    pub token_uri: String,
    /// The project that it belongs to.
    pub project_id: Option<String>,
}

/// A user who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthorizedUser {
    /// The application that the user signed in to.
    pub client_id: String,
    /// The application's secret, which is none for installed ones.
    pub client_secret: Secret,
    /// What stands for the user.
    pub refresh_token: Secret,
    /// Where tokens are asked for.
    pub token_uri: String,
}

/// A workload of another cloud's, or of anybody who is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExternalAccount {
    /// The provider in Google's pool.
    pub audience: String,
    /// What kind of token is shown (RFC 8693).
    pub subject_token_type: String,
    /// Where it is exchanged.
    pub token_url: String,
    /// Where the token of a service account is asked for with what came of the exchange.
    pub impersonation_url: Option<String>,
    /// Where the token that is shown comes from.
    pub subject: SubjectSource,
}

/// Where the token that a workload shows comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SubjectSource {
    /// A file that somebody keeps fresh.
    File {
        /// Its path.
        path: String,
        /// The field of its JSON that holds the token; `None`: the file is the token.
        field: Option<String>,
    },
    /// A server nearby.
    Url {
        /// Its address.
        url: String,
        /// Headers that it wants to see.
        headers: Vec<(String, Secret)>,
        /// The field of its JSON answer that holds the token; `None`: the answer is the token.
        field: Option<String>,
    },
    /// AWS: a question to its token service, signed with what the machine has of AWS's.
    Aws {
        /// Where the question goes, with `{region}` for the region.
        verification_url: String,
        /// Where the region is told, if no variable says it.
        region_url: Option<String>,
        /// Where a session of the metadata service begins.
        session_url: Option<String>,
    },
}

impl GoogleAccount {
    /// Does it read what the machine has?
    pub fn uses_machine(&self) -> bool {
        match self {
            GoogleAccount::Service(_) | GoogleAccount::User(_) => false,
            GoogleAccount::External(_) => true,
            GoogleAccount::Impersonated { source, .. } => source.uses_machine(),
        }
    }
}

impl GoogleSource {
    /// The project that the credential belongs to, where it says so.
    pub fn project_id(&self) -> Option<&str> {
        match self.account.as_ref()? {
            GoogleAccount::Service(account) => account.project_id.as_deref(),
            GoogleAccount::User(_) | GoogleAccount::External(_) | GoogleAccount::Impersonated { .. } => None,
        }
    }

    pub(super) fn describe(&self) -> String {
        let account = match &self.account {
            None => "Google's credentials of this machine".to_owned(),
            Some(GoogleAccount::Service(account)) => format!("the service account {}", account.client_email),
            Some(GoogleAccount::User(_)) => "a user who signed in to Google".to_owned(),
            Some(GoogleAccount::External(_)) => "Google's workload identity federation".to_owned(),
            Some(GoogleAccount::Impersonated { .. }) => "an impersonated service account".to_owned(),
        };
        match &self.impersonate {
            Some(email) => format!("the service account {email} by {account}"),
            None => account,
        }
    }
}

const JSON: &str = "vertex_service_account_json";
const IMPERSONATE: &str = "vertex_impersonate_service_account";

pub(super) fn read(
    giver: Giver,
    key: Option<SecretString>,
    look: Look<'_>,
) -> Result<Option<Source>, SourceProblem> {
    let impersonate = text(look, IMPERSONATE);
    if impersonate.as_deref().is_some_and(|email| !is_account(email)) {
        let message =
            format!("{IMPERSONATE} must be a service account, like name@project.iam.gserviceaccount.com.");
        return Err(SourceProblem::new(IMPERSONATE, message));
    }
    let account = match secret(look, JSON) {
        Some(json) => Some(account(json.expose_secret(), giver)?),
        None => None,
    };
    match (account, key, giver) {
        (account @ Some(_), ..) => Ok(Some(Source::Google(GoogleSource { account, impersonate }))),
        (None, Some(_), _) if impersonate.is_some() => {
            let message =
                format!("{IMPERSONATE} goes with {JSON}, and not with a token that is given as it is.");
            Err(SourceProblem::new(JSON, message))
        }
        (None, Some(token), _) => Ok(Some(Source::Given(Credential::Token(token)))),
        (None, None, Giver::Operator) => {
            Ok(Some(Source::Google(GoogleSource { account: None, impersonate })))
        }
        (None, None, Giver::Client) if impersonate.is_some() => {
            Err(operators_only(IMPERSONATE, "the account of the gateway's machine"))
        }
        (None, None, Giver::Client) => Ok(None),
    }
}

/// The address of a service account, which stands in a path.
pub fn is_account(email: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._@:".contains(&byte);
    email.bytes().filter(|byte| *byte == b'@').count() == 1 && email.bytes().all(is_plain)
}

/// An account from its JSON.
///
/// # Errors
/// What is missing in it, or what a client may not have in it. The JSON itself is not told.
pub fn account(json: &str, giver: Giver) -> Result<GoogleAccount, SourceProblem> {
    let value: Value = serde_json::from_str(json).map_err(|_| problem("is not valid JSON"))?;
    account_of(&value, giver, 0)
}

fn account_of(value: &Value, giver: Giver, depth: usize) -> Result<GoogleAccount, SourceProblem> {
    if depth > NESTING_MAX {
        return Err(problem("has accounts that stand in one another too deep"));
    }
    match (field(value, "type")?, giver) {
        ("service_account", _) => Ok(GoogleAccount::Service(service_account(value, giver)?)),
        ("authorized_user", _) => Ok(GoogleAccount::User(AuthorizedUser {
            client_id: field(value, "client_id")?.to_owned(),
            client_secret: field(value, "client_secret")?.into(),
            refresh_token: field(value, "refresh_token")?.into(),
            token_uri: token_uri(value, giver)?,
        })),
        ("external_account" | "impersonated_service_account", Giver::Client) => {
            Err(operators_only(JSON, "a credential that names files or hosts"))
        }
        ("external_account", Giver::Operator) => external(value),
        ("impersonated_service_account", Giver::Operator) => Ok(GoogleAccount::Impersonated {
            source: Box::new(account_of(&value["source_credentials"], giver, depth + 1)?),
            url: field(value, "service_account_impersonation_url")?.to_owned(),
            delegates: texts(&value["delegates"]),
        }),
        (_, _) => Err(problem(
            "has a `type` that is none of service_account, authorized_user, external_account and \
             impersonated_service_account",
        )),
    }
}

fn service_account(value: &Value, giver: Giver) -> Result<ServiceAccount, SourceProblem> {
    let optional = |name: &str| value[name].as_str().map(str::to_owned);
    let private_key = field(value, "private_key")?;
    if !private_key.contains("PRIVATE KEY-----") {
        return Err(problem("has a private_key that is not PEM: it must be the file as Google gave it out"));
    }
    Ok(ServiceAccount {
        client_email: field(value, "client_email")?.to_owned(),
        private_key_id: optional("private_key_id"),
        private_key: private_key.into(),
        token_uri: token_uri(value, giver)?,
        project_id: optional("project_id"),
    })
}

/// Where tokens are asked for. A client's file must not make the gateway call any host.
fn token_uri(value: &Value, giver: Giver) -> Result<String, SourceProblem> {
    let given = value["token_uri"].as_str().unwrap_or(TOKEN_URI);
    match giver == Giver::Operator || TOKEN_URIS.contains(&given) {
        true => Ok(given.to_owned()),
        false => Err(problem(&format!("has a token_uri that is not Google's ({TOKEN_URI})"))),
    }
}

fn external(value: &Value) -> Result<GoogleAccount, SourceProblem> {
    let source = &value["credential_source"];
    let format = &source["format"];
    let token_field = match format["type"].as_str() {
        Some("json") => Some(field(format, "subject_token_field_name")?.to_owned()),
        _ => None,
    };
    let text = |name: &str| source[name].as_str().map(str::to_owned);
    let environment = source["environment_id"].as_str();
    if source["executable"].is_object() || environment.is_some_and(|id| id != "aws1") {
        let what = "has a credential_source that is not read: it must be file, url or the environment aws1";
        return Err(problem(what));
    }
    let subject = match (source["file"].as_str(), source["url"].as_str()) {
        _ if environment.is_some() => SubjectSource::Aws {
            verification_url: field(source, "regional_cred_verification_url")?.to_owned(),
            region_url: text("region_url"),
            session_url: text("imdsv2_session_token_url"),
        },
        (Some(path), _) => SubjectSource::File { path: path.to_owned(), field: token_field },
        (None, Some(url)) => SubjectSource::Url {
            url: url.to_owned(),
            headers: headers(&source["headers"]),
            field: token_field,
        },
        (None, None) => {
            return Err(problem("has a credential_source with neither file, url nor environment_id"));
        }
    };
    Ok(GoogleAccount::External(Box::new(ExternalAccount {
        audience: field(value, "audience")?.to_owned(),
        subject_token_type: field(value, "subject_token_type")?.to_owned(),
        token_url: field(value, "token_url")?.to_owned(),
        impersonation_url: value["service_account_impersonation_url"].as_str().map(str::to_owned),
        subject,
    })))
}

fn headers(value: &Value) -> Vec<(String, Secret)> {
    let fields = value.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.into()))).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn field<'v>(value: &'v Value, name: &str) -> Result<&'v str, SourceProblem> {
    value[name]
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| problem(&format!("has no `{name}`: it must be the file as Google gave it out")))
}

fn problem(what: &str) -> SourceProblem {
    SourceProblem::new(JSON, format!("{JSON} {what}."))
}
