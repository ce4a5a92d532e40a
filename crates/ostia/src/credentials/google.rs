//! Access tokens of Google's: for service accounts, users, workloads of others, and whoever may ask for a service account's.
//!
//! `google-cloud-auth` does the same over connections of its own (reqwest), which would pass by the egress guard; so the
//! exchanges are here: a few forms and documents over HTTP, as Google describes them.
//! <https://google.aip.dev/auth/4110>, <https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys>

#[cfg(feature = "aws")]
mod federated;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ostia_providers::auth::source::Giver;
use ostia_providers::auth::source::google::{
    self, AuthorizedUser, ExternalAccount, GoogleAccount, GoogleSource, SCOPE, ServiceAccount, SubjectSource,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::Failure;
use super::fetch::Fetcher;
use super::jwt::{self, Algorithm};
use super::net::{Answer, Call, Reach};
use super::slot::Fetched;
use super::token::{self, Token};

/// In place of the module of the same name in a build without AWS.
#[cfg(not(feature = "aws"))]
mod federated {
    use super::{Failure, Fetcher, SecretString};

    pub async fn question(
        _: &Fetcher,
        _: &str,
        _: &str,
        _: [Option<&str>; 2],
    ) -> Result<SecretString, Failure> {
        let words = "this gateway was built without what signs with AWS's keys";
        Err(Failure::missing(words, "Build it with its feature aws."))
    }
}

/// How long an assertion holds: the longest that Google takes.
const ASSERTION_LIFE: Duration = Duration::from_secs(3600);
/// How far our clock may be from Google's before an assertion is made by Google's.
const SKEW_MAX: Duration = Duration::from_secs(30);
const METADATA_HOST: &str = "metadata.google.internal";
const WHERE: &str = "Set GOOGLE_APPLICATION_CREDENTIALS to the file of a credential, run `gcloud auth \
                     application-default login`, give vertex_service_account_json, or run on Google Cloud.";

/// Fetches a token.
///
/// # Errors
/// Why there is none.
pub async fn fetch(fetcher: &Fetcher, source: &GoogleSource, reach: Reach) -> Result<Fetched, Failure> {
    let token = match &source.account {
        Some(account) => of_account(fetcher, account, reach).await?,
        None => of_machine(fetcher).await?,
    };
    let Some(email) = &source.impersonate else { return Ok(token.fetched()) };
    let url = format!(
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    );
    impersonate(fetcher, &token, &url, &[], Reach::Vendor).await.map(Token::fetched)
}

async fn of_account(fetcher: &Fetcher, account: &GoogleAccount, reach: Reach) -> Result<Token, Failure> {
    match account {
        GoogleAccount::Service(account) => of_service_account(fetcher, account, reach).await,
        GoogleAccount::User(user) => of_user(fetcher, user, reach).await,
        GoogleAccount::External(account) => of_external(fetcher, account, reach).await,
        GoogleAccount::Impersonated { source, url, delegates } => {
            let token = Box::pin(of_account(fetcher, source, reach)).await?;
            impersonate(fetcher, &token, url, delegates, reach).await
        }
    }
}

/// What the machine has: a file that the environment names, `gcloud`'s file, the metadata service.
async fn of_machine(fetcher: &Fetcher) -> Result<Token, Failure> {
    let machine = &fetcher.machine;
    let named = machine.variable("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
    let gcloud = machine.variable("CLOUDSDK_CONFIG").map(PathBuf::from).or(machine.settings_file("gcloud"));
    let gcloud = gcloud.map(|folder| folder.join("application_default_credentials.json"));
    match named.or(gcloud.filter(|path| path.is_file())) {
        Some(path) => {
            let json = machine.file(&path)?;
            let account = google::account(json.expose_secret(), Giver::Operator).map_err(|problem| {
                let words = problem.message.replace(problem.field, &format!("the file {}", path.display()));
                Failure::missing(words.trim_end_matches('.'), WHERE)
            })?;
            of_account(fetcher, &account, Reach::Operator).await
        }
        None => of_metadata(fetcher).await,
    }
}

async fn of_metadata(fetcher: &Fetcher) -> Result<Token, Failure> {
    let host = fetcher.machine.variable("GCE_METADATA_HOST").unwrap_or_else(|| METADATA_HOST.to_owned());
    let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
    let call = Call::of(Reach::Metadata, url).with("metadata-flavor", "Google");
    let answer = fetcher.net.send(call).await.map_err(|failure| {
        Failure::new(failure.kind, format!("no file, and no metadata service: {}", failure.words), WHERE)
    })?;
    // Whoever does not say so is another server that happens to be there.
    if answer.headers.get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
        return Err(Failure::missing(format!("{host} is no metadata service of Google's"), WHERE));
    }
    token::read(&answer, &host)
}

async fn of_service_account(
    fetcher: &Fetcher,
    account: &ServiceAccount,
    reach: Reach,
) -> Result<Token, Failure> {
    let url = &account.token_uri;
    let ours = SystemTime::now();
    let answer = fetcher.net.send(assertion(account, ours, reach)?).await?;
    // Google refuses what was signed too early or too late; its own clock stands in the answer.
    let theirs = answer.date().filter(|theirs| !answer.is_success() && skew(ours, *theirs) > SKEW_MAX);
    let Some(theirs) = theirs else { return token::read(&answer, token::host(url)) };
    let answer = fetcher.net.send(assertion(account, theirs, reach)?).await?;
    token::read(&answer, token::host(url)).map_err(|failure| {
        let words = format!(
            "{}; the clock of this machine differs from Google's by {} s",
            failure.words,
            skew(ours, theirs).as_secs()
        );
        Failure { words, ..failure }
    })
}

fn skew(ours: SystemTime, theirs: SystemTime) -> Duration {
    ours.duration_since(theirs).unwrap_or_else(|error| error.duration())
}

fn assertion(account: &ServiceAccount, now: SystemTime, reach: Reach) -> Result<Call, Failure> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut header = json!({"typ": "JWT"});
    if let Some(id) = &account.private_key_id {
        header["kid"] = id.as_str().into();
    }
    let claims = json!({
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": account.token_uri,
        "iat": now,
        "exp": now + ASSERTION_LIFE.as_secs(),
    });
    let assertion = jwt::sign(Algorithm::Rs256, header, &claims, account.private_key.expose())?;
    let fields =
        [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
    Ok(token::form(reach, &account.token_uri, &fields))
}

async fn of_user(fetcher: &Fetcher, user: &AuthorizedUser, reach: Reach) -> Result<Token, Failure> {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", user.client_id.as_str()),
        ("client_secret", user.client_secret.expose()),
        ("refresh_token", user.refresh_token.expose()),
    ];
    let answer = fetcher.net.send(token::form(reach, &user.token_uri, &fields)).await?;
    token::read(&answer, token::host(&user.token_uri))
}

/// Workload identity federation: a token of another's for one of Google's (RFC 8693).
async fn of_external(fetcher: &Fetcher, account: &ExternalAccount, reach: Reach) -> Result<Token, Failure> {
    let shown = subject(fetcher, &account.audience, &account.subject).await?;
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", account.audience.as_str()),
        ("scope", SCOPE),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", account.subject_token_type.as_str()),
        ("subject_token", shown.expose_secret()),
    ];
    let answer = fetcher.net.send(token::form(reach, &account.token_url, &fields)).await?;
    let token = token::read(&answer, token::host(&account.token_url))?;
    match &account.impersonation_url {
        Some(url) => impersonate(fetcher, &token, url, &[], reach).await,
        None => Ok(token),
    }
}

/// The token that a workload shows.
async fn subject(fetcher: &Fetcher, audience: &str, source: &SubjectSource) -> Result<SecretString, Failure> {
    let (text, field, place) = match source {
        SubjectSource::Aws { verification_url, region_url, session_url } => {
            let urls = [region_url, session_url].map(Option::as_deref);
            return federated::question(fetcher, audience, verification_url, urls).await;
        }
        SubjectSource::File { path, field } => (fetcher.machine.file(Path::new(path))?, field, path.as_str()),
        SubjectSource::Url { url, headers, field } => {
            let mut call = Call::of(Reach::Metadata, url);
            for (name, value) in headers {
                let header = (name.parse::<http::HeaderName>(), value.expose().parse::<http::HeaderValue>());
                if let (Ok(name), Ok(value)) = header {
                    call.headers.insert(name, value);
                }
            }
            let answer = fetcher.net.send(call).await?;
            if !answer.is_success() {
                return Err(token::refusal(&answer, token::host(url)));
            }
            (text_of(&answer, url)?, field, token::host(url))
        }
    };
    let Some(field) = field else { return Ok(text.expose_secret().trim().into()) };
    let value: Value = serde_json::from_str(text.expose_secret()).unwrap_or_default();
    let token = value[field].as_str().map(SecretString::from);
    token.ok_or_else(|| Failure::garbage(format!("{place} holds no JSON with `{field}`")))
}

fn text_of(answer: &Answer, url: &str) -> Result<SecretString, Failure> {
    let text = std::str::from_utf8(&answer.body);
    let garbage = |_| Failure::garbage(format!("{} answered something that is no text", token::host(url)));
    text.map(Into::into).map_err(garbage)
}

/// Asks for the token of a service account with another token.
/// <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>
async fn impersonate(
    fetcher: &Fetcher,
    token: &Token,
    url: &str,
    delegates: &[String],
    reach: Reach,
) -> Result<Token, Failure> {
    let mut body = json!({"scope": [SCOPE], "lifetime": "3600s"});
    if !delegates.is_empty() {
        body["delegates"] = json!(delegates);
    }
    let call = Call::of(reach, url)
        .post("application/json", body.to_string())
        .with("authorization", &token::bearer(&token.token));
    let answer = fetcher.net.send(call).await?;
    let host = token::host(url);
    if !answer.is_success() {
        return Err(token::refusal(&answer, host));
    }
    let value = token::json(&answer, host)?;
    let ends = value["expireTime"].as_str().and_then(|time| humantime::parse_rfc3339(time).ok());
    match (value["accessToken"].as_str(), ends) {
        (Some(token), Some(ends)) => {
            Ok(Token { token: token.into(), life: token::life_until(ends, &answer) })
        }
        _ => Err(Failure::garbage(format!("{host} answered without accessToken and expireTime"))),
    }
}
