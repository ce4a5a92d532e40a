//! Access tokens as OAuth's token endpoints give them (RFC 6749), and as clouds' metadata services do in the same form.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ostia_providers::auth::Credential;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::Instant;

use super::Failure;
use super::net::{Answer, Call, Reach};
use super::slot::Fetched;

/// How long a token holds where nobody says.
const LIFE_DEFAULT: Duration = Duration::from_secs(600);
/// The longest that is believed.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// The latest end that is believed, in seconds since 1970: beyond it there is no time to count with.
const ENDS_MAX: u64 = 1 << 40;
/// The most that is repeated of what a token endpoint says about an error.
const ERROR_CHARS_MAX: usize = 200;

/// A token and for how long it holds.
#[derive(Debug)]
pub struct Token {
    pub token: SecretString,
    pub life: Duration,
}

impl Token {
    /// The token as a credential from now on.
    pub fn fetched(self) -> Fetched {
        Fetched { credential: Credential::Token(self.token), ends: Some(Instant::now() + self.life) }
    }
}

/// A form that is sent to a token endpoint.
pub fn form(reach: Reach, url: &str, fields: &[(&str, &str)]) -> Call {
    let encoded: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            format!("{name}={value}")
        })
        .collect();
    Call::of(reach, url).post("application/x-www-form-urlencoded", encoded.join("&"))
}

/// The token in an answer: `{"access_token": "...", "expires_in": 3599}`; Azure's metadata service writes numbers as texts.
///
/// # Errors
/// What the endpoint says in place of one.
pub fn read(answer: &Answer, host: &str) -> Result<Token, Failure> {
    if !answer.is_success() {
        return Err(refusal(answer, host));
    }
    let value = json(answer, host)?;
    let token = value["access_token"].as_str().filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Failure::garbage(format!("{host} answered without an access_token")))?;
    let life = match (seconds(&value["expires_in"]), seconds(&value["expires_on"])) {
        (Some(life), _) => Duration::from_secs(life).min(LIFE_MAX),
        // App Service tells the end alone, in seconds since 1970.
        (None, Some(ends)) => life_until(UNIX_EPOCH + Duration::from_secs(ends.min(ENDS_MAX)), answer),
        (None, None) => LIFE_DEFAULT,
    };
    Ok(Token { token: token.into(), life })
}

/// The JSON of an answer.
///
/// # Errors
/// It is none.
pub fn json(answer: &Answer, host: &str) -> Result<Value, Failure> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| Failure::garbage(format!("{host} answered something that is not JSON")))
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).or_else(|| {
        let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0)?;
        Some(seconds as u64)
    })
}

/// For how long something holds that ends at this time, by the clock of whoever said so: ours may be wrong.
pub fn life_until(ends: SystemTime, answer: &Answer) -> Duration {
    let now = answer.date().unwrap_or_else(SystemTime::now);
    ends.duration_since(now).unwrap_or_default().min(LIFE_MAX)
}

/// What an answer says that is none: OAuth's `error` and `error_description`, Google's `error.message`, or IBM's
/// `errorMessage`. They are words
/// about the request, and hold nothing of it that is secret.
pub fn refusal(answer: &Answer, host: &str) -> Failure {
    let status = answer.status;
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let error = &value["error"];
    let kind = error.as_str().or(error["status"].as_str()).or(value["errorCode"].as_str());
    let told = value["error_description"].as_str().or(error["message"].as_str());
    let told = told.or(value["errorMessage"].as_str());
    let said: Vec<&str> = kind.into_iter().chain(told).collect();
    let said: String = said.join(": ").chars().filter(|c| !c.is_control()).take(ERROR_CHARS_MAX).collect();
    let words = match said.is_empty() {
        true => format!("{host} answered with status {status}"),
        false => format!("{host} answered with status {status}: {said}"),
    };
    match status {
        429 | 500..=599 => Failure::unavailable(words),
        _ => Failure::refused(words, "Check that what is shown there still holds, and what it may do."),
    }
}

/// The host of a URL, for words about it.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// `Bearer` and the token.
pub fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}
