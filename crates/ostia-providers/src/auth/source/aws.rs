//! AWS: a Bedrock API key, keys, what the machine has; and perhaps a role that is assumed with them.

use std::fmt;

use secrecy::SecretString;

use super::{Giver, Look, Source, SourceProblem, operators_only, secret, text};
use crate::auth::{AwsKeys, Credential};

/// Most session tags (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>).
const TAGS_MAX: usize = 50;

/// Keys of AWS that have to be fetched.
#[derive(Debug, Clone, Hash)]
pub struct AwsSource {
    /// The keys to begin with; `None`: what the machine has.
    pub base: Option<AwsKeys>,
    /// The profile of the machine's files that is meant, where it is not the default.
    pub profile: Option<String>,
    /// The role that is assumed.
    pub role: Option<AwsRole>,
    /// The region whose token service is asked.
    pub region: Option<String>,
}

/// A role that is assumed.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AwsRole {
    /// Its name: `arn:aws:iam::123456789012:role/name`.
    pub arn: String,
    /// What the role's owner wants to hear.
    pub external_id: Option<String>,
    /// How the session is called in AWS's logs.
    pub session_name: Option<String>,
    /// What is told of the session.
    pub tags: Vec<(String, String)>,
}

impl fmt::Debug for AwsRole {
    /// What the tags say is the session's alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<&str> = self.tags.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("AwsRole").field("arn", &self.arn).field("tags", &tags).finish_non_exhaustive()
    }
}

impl AwsSource {
    pub(super) fn describe(&self) -> String {
        let base = match (&self.base, &self.profile) {
            (Some(_), _) => "AWS's keys".to_owned(),
            (None, Some(profile)) => format!("the AWS profile `{profile}`"),
            (None, None) => "AWS's credentials of this machine".to_owned(),
        };
        match &self.role {
            Some(role) => format!("the role {} by {base}", role.arn),
            None => base,
        }
    }
}

/// How the credential is meant to be used, where that is said.
#[derive(PartialEq, Eq)]
enum AuthType {
    AssumedRole,
    ApiKey,
}

pub(super) fn read(
    giver: Giver,
    key: Option<SecretString>,
    look: Look<'_>,
) -> Result<Option<Source>, SourceProblem> {
    let auth_type = auth_type(look)?;
    let (keys, role) = (keys(look)?, role(look)?);
    if auth_type == Some(AuthType::ApiKey) {
        return api_key(key, keys.as_ref(), role.as_ref()).map(Some);
    }
    if auth_type == Some(AuthType::AssumedRole) && role.is_none() {
        let message = "aws_auth_type is assumedRole, so aws_role_arn has to say which role.";
        return Err(SourceProblem::new("aws_role_arn", message));
    }
    let (profile, region) = (text(look, "aws_profile"), text(look, "aws_region"));
    if profile.is_some() && giver == Giver::Client {
        return Err(operators_only("aws_profile", "a profile of the gateway's machine"));
    }
    if profile.is_some() && keys.is_some() {
        let message = "aws_profile and aws_access_key_id are two credentials: leave one of them out.";
        return Err(SourceProblem::new("aws_profile", message));
    }
    match (keys, role, giver) {
        (Some(keys), None, _) => Ok(Some(Source::Given(Credential::Aws(keys)))),
        (base @ Some(_), role, _) => Ok(Some(Source::Aws(AwsSource { base, profile, role, region }))),
        // What the machine has comes last: a key that was given is meant.
        (None, None, _) if key.is_some() && profile.is_none() => {
            Ok(key.map(|key| Source::Given(Credential::Key(key))))
        }
        (None, role, Giver::Operator) => {
            Ok(Some(Source::Aws(AwsSource { base: None, profile, role, region })))
        }
        (None, Some(_), Giver::Client) => {
            let message = "aws_role_arn needs keys to assume the role with: give aws_access_key_id and \
                           aws_secret_access_key too. With the keys of the gateway's machine only the operator may do \
                           it, in ostia.yaml.";
            Err(SourceProblem::new("aws_access_key_id", message))
        }
        (None, None, Giver::Client) => Ok(None),
    }
}

fn auth_type(look: Look<'_>) -> Result<Option<AuthType>, SourceProblem> {
    match text(look, "aws_auth_type").as_deref() {
        None => Ok(None),
        Some("assumedRole" | "assumed_role") => Ok(Some(AuthType::AssumedRole)),
        Some("apiKey" | "api_key") => Ok(Some(AuthType::ApiKey)),
        Some(_) => {
            let message = "aws_auth_type must be assumedRole or apiKey.";
            Err(SourceProblem::new("aws_auth_type", message))
        }
    }
}

fn api_key(
    key: Option<SecretString>,
    keys: Option<&AwsKeys>,
    role: Option<&AwsRole>,
) -> Result<Source, SourceProblem> {
    let contradicts = keys.map(|_| "aws_access_key_id").or(role.map(|_| "aws_role_arn"));
    if let Some(field) = contradicts {
        let message = format!(
            "aws_auth_type is apiKey, and {field} is given too: leave it out, or leave aws_auth_type out."
        );
        return Err(SourceProblem::new(field, message));
    }
    let missing = || SourceProblem::new("api_key", "aws_auth_type is apiKey, so api_key has to be given.");
    key.map(|key| Source::Given(Credential::Key(key))).ok_or_else(missing)
}

fn keys(look: Look<'_>) -> Result<Option<AwsKeys>, SourceProblem> {
    let id = text(look, "aws_access_key_id");
    let [secret_key, session_token] =
        ["aws_secret_access_key", "aws_session_token"].map(|name| secret(look, name));
    let half = |missing: &'static str, given: &str| {
        Err(SourceProblem::new(missing, format!("{given} is given without {missing}: both are needed.")))
    };
    match (id, secret_key) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Ok(Some(AwsKeys { access_key_id, secret_access_key, session_token }))
        }
        (Some(_), None) => half("aws_secret_access_key", "aws_access_key_id"),
        (None, Some(_)) => half("aws_access_key_id", "aws_secret_access_key"),
        (None, None) if session_token.is_some() => half("aws_access_key_id", "aws_session_token"),
        (None, None) => Ok(None),
    }
}

fn role(look: Look<'_>) -> Result<Option<AwsRole>, SourceProblem> {
    let external_id = text(look, "aws_external_id");
    let session_name = text(look, "aws_role_session_name");
    let tags = tags(look)?;
    let Some(arn) = text(look, "aws_role_arn") else {
        let orphan = external_id
            .map(|_| "aws_external_id")
            .or(session_name.map(|_| "aws_role_session_name"))
            .or((!tags.is_empty()).then_some("aws_session_tags"));
        return match orphan {
            Some(field) => {
                let message =
                    format!("{field} is told to whoever owns a role: aws_role_arn has to say which.");
                Err(SourceProblem::new("aws_role_arn", message))
            }
            None => Ok(None),
        };
    };
    if !is_role(&arn) {
        let message = "aws_role_arn must be the name of a role, like arn:aws:iam::123456789012:role/name.";
        return Err(SourceProblem::new("aws_role_arn", message));
    }
    Ok(Some(AwsRole { arn, external_id, session_name, tags }))
}

fn is_role(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, partition, service, region) = (next(), next(), next(), next());
    let (account, resource) = (next(), next());
    arn == "arn"
        && partition.starts_with("aws")
        && (service, region) == ("iam", "")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

/// A JSON object of texts: `{"team": "search"}`.
fn tags(look: Look<'_>) -> Result<Vec<(String, String)>, SourceProblem> {
    let Some(given) = text(look, "aws_session_tags") else { return Ok(Vec::new()) };
    let wrong = || {
        let message = format!(
            "aws_session_tags must be a JSON object of at most {TAGS_MAX} texts, like {{\"team\": \"search\"}}."
        );
        SourceProblem::new("aws_session_tags", message)
    };
    let tags: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&given).map_err(|_| wrong())?;
    if tags.len() > TAGS_MAX {
        return Err(wrong());
    }
    let texts = tags.into_iter().map(|(name, value)| Some((name, value.as_str()?.to_owned())));
    texts.collect::<Option<_>>().ok_or_else(wrong)
}
