//! Keys of AWS by AWS's own library, over our connections: the chain of what a machine has, and roles.
//!
//! `aws-config` finds what a machine has in the order of AWS's SDKs: environment, profile files (with SSO and
//! `credential_process`), web identity, the containers' endpoint, the instance's metadata service. It is given no client of
//! its own; each of its requests goes as a [`Call`](super::net::Call) through the same guard as all others.

mod client;

use std::cell::Cell;
use std::rc::Rc;
use std::time::SystemTime;

use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use ostia_providers::auth::source::aws::{AwsRole, AwsSource};
use ostia_providers::auth::{AwsKeys, Credential};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use self::client::Client;
use super::Failure;
use super::fetch::Fetcher;
use super::net::Reach;
use super::slot::Fetched;

/// The region whose token service is asked where nobody named one.
const REGION_DEFAULT: &str = "us-east-1";
const WHERE: &str = "Give aws_access_key_id and aws_secret_access_key, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
                     AWS_PROFILE for a profile in ~/.aws, or run where AWS gives the machine a role.";

/// Fetches keys.
///
/// # Errors
/// Why there are none.
pub async fn fetch(fetcher: &Fetcher, source: &AwsSource, reach: Reach) -> Result<Fetched, Failure> {
    let region = region(source)?;
    let sts = fetcher.machine.variable("AWS_ENDPOINT_URL_STS");
    let reach = match (&source.base, &sts) {
        (None, _) => Reach::Metadata,
        (Some(_), Some(_)) => Reach::Operator,
        (Some(_), None) => reach,
    };
    let date = Rc::<Cell<_>>::default();
    let (client, work) = Client::new(fetcher.net.clone(), reach, date.clone());
    let looked = async {
        match &source.base {
            None => {
                let config = of_machine(client, source, region).await;
                keys(&config, source.role.as_ref()).await
            }
            Some(base) => {
                let config = of_keys(client, base, region, sts);
                keys(&config, source.role.as_ref()).await
            }
        }
    };
    // The library wants a client that can go from thread to thread, which ours cannot: its calls are made here, meanwhile.
    let credentials = tokio::select! {
        biased;
        credentials = looked => credentials,
        never = work => match never {},
    };
    credentials.map(|credentials| fetched(&credentials, date.get())).map_err(|error| failure(&error, source))
}

fn region(source: &AwsSource) -> Result<Option<Region>, Failure> {
    let Some(region) = &source.region else { return Ok(None) };
    // It becomes part of a host.
    let is_plain = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match is_plain && !region.is_empty() {
        true => Ok(Some(Region::new(region.clone()))),
        false => Err(Failure::missing("aws_region is no region", "It must be like us-east-1.")),
    }
}

/// The chain of what the machine has.
async fn of_machine(client: Client, source: &AwsSource, region: Option<Region>) -> SdkConfig {
    let mut loader: ConfigLoader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .sleep_impl(TokioSleep::new())
        // Without a region the library asks the environment, the profile and the metadata service for one.
        .identity_cache(aws_config::identity::IdentityCache::no_cache());
    if let Ok(name) = AppName::new("ostia") {
        loader = loader.app_name(name);
    }
    if let Some(region) = region {
        loader = loader.region(region);
    }
    if let Some(profile) = &source.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// Keys that were given, and nothing of the machine's.
fn of_keys(client: Client, keys: &AwsKeys, region: Option<Region>, sts: Option<String>) -> SdkConfig {
    let token = keys.session_token.as_ref().map(|token| token.expose_secret().to_owned());
    let secret = keys.secret_access_key.expose_secret();
    let base = Credentials::new(&keys.access_key_id, secret, token, None, "ostia");
    let mut builder = SdkConfig::builder();
    builder.set_endpoint_url(sts);
    builder
        .behavior_version(BehaviorVersion::latest())
        .http_client(client)
        .sleep_impl(TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .region(region.unwrap_or(Region::from_static(REGION_DEFAULT)))
        .credentials_provider(SharedCredentialsProvider::new(base))
        .build()
}

async fn keys(config: &SdkConfig, role: Option<&AwsRole>) -> Result<Credentials, CredentialsError> {
    let Some(role) = role else {
        let provider = config.credentials_provider();
        let none = || CredentialsError::not_loaded("there is nobody to ask");
        return provider.ok_or_else(none)?.provide_credentials().await;
    };
    let mut config = config.clone();
    if config.region().is_none() {
        config = config.into_builder().region(Region::from_static(REGION_DEFAULT)).build();
    }
    let mut builder =
        aws_config::sts::AssumeRoleProvider::builder(&role.arn).configure(&config).tags(role.tags.clone());
    if let Some(id) = &role.external_id {
        builder = builder.external_id(id);
    }
    builder = builder.session_name(role.session_name.as_deref().unwrap_or("ostia"));
    builder.build().await.provide_credentials().await
}

/// `date`: the time by the clock of whoever gave them out, and by ours. Their end is told by that clock.
fn fetched(credentials: &Credentials, date: Option<[SystemTime; 2]>) -> Fetched {
    let now = match date {
        Some([theirs, ours]) => theirs + ours.elapsed().unwrap_or_default(),
        None => SystemTime::now(),
    };
    let left = |ends: SystemTime| ends.duration_since(now).unwrap_or_default();
    let ends = credentials.expiry().map(|ends| Instant::now() + left(ends));
    let keys = AwsKeys {
        access_key_id: credentials.access_key_id().to_owned(),
        secret_access_key: credentials.secret_access_key().into(),
        session_token: credentials.session_token().map(SecretString::from),
    };
    Fetched { credential: Credential::Aws(keys), ends }
}

/// What the library says, with its causes: words about hosts, profiles and roles.
fn failure(error: &CredentialsError, source: &AwsSource) -> Failure {
    let words = causes(error);
    match error {
        CredentialsError::CredentialsNotLoaded(_) => Failure::missing(words, WHERE),
        CredentialsError::InvalidConfiguration(_) => {
            Failure::missing(words, "Check the profile files in ~/.aws and the AWS_ variables.")
        }
        CredentialsError::ProviderTimedOut(_) => Failure::unavailable(words),
        _ if is_refusal(&words) => {
            let remedy = match &source.role {
                Some(_) => "Check that the role trusts these keys, its external id, and aws_role_arn.",
                None => "Check the keys, and what they may do.",
            };
            Failure::refused(words, remedy)
        }
        _ => Failure::unavailable(words),
    }
}

/// What AWS's token service says where trying again does not help.
fn is_refusal(words: &str) -> bool {
    const CODES: [&str; 10] = [
        "AccessDenied",
        "ExpiredToken",
        "IDPRejectedClaim",
        "InvalidClientTokenId",
        "InvalidIdentityToken",
        "MalformedPolicyDocument",
        "SignatureDoesNotMatch",
        "UnauthorizedException",
        "UnrecognizedClientException",
        "ValidationError",
    ];
    CODES.iter().any(|code| words.contains(code))
}

/// The most that is repeated of it.
const WORDS_CHARS_MAX: usize = 600;

fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !words.contains(&said) {
            words.push_str(": ");
            words.push_str(&said);
        }
        cause = inner.source();
    }
    words.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect()
}
