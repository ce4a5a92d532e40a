//! The headers that hold for a batch's rows, and which of them may lie on disk: none that holds a credential, or may.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ostia_dialect::Fault;
use serde_json::Value;

use super::is_own_name;
use crate::inbound::Inbound;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::routing::routes;
use crate::target;

/// The gateway's settings that may be kept, without what stands before them.
const KEPT: [&str; 18] = [
    "provider",
    "virtual-key",
    "config",
    "metadata",
    "trace-id",
    "span-id",
    "parent-span-id",
    "span-name",
    "debug",
    "request-timeout",
    "strict-open-ai-compliance",
    "lossless",
    "mistral-fim-completion",
    "openai-organization",
    "openai-project",
    "openai-beta",
    "anthropic-beta",
    "anthropic-version",
];
/// Other headers that may.
const KEPT_PLAIN: [&str; 6] = [
    "anthropic-beta",
    "anthropic-version",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "user-agent",
];
/// What belongs to the request that made the batch, and to none of its rows. One idempotency key for all of them would make them
/// one call.
const OF_THE_MAKER: [HeaderName; 14] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("x-client-request-id"),
];
/// The fields of a config that can hold no credential.
const HARMLESS: [&str; 35] = [
    "strategy",
    "mode",
    "conditions",
    "query",
    "then",
    "default",
    "on_status_codes",
    "targets",
    "name",
    "id",
    "provider",
    "virtual_key",
    "weight",
    "retry",
    "attempts",
    "use_retry_after_header",
    "use_retry_after_headers",
    "cache",
    "ttl",
    "max_age",
    "request_timeout",
    "first_token_timeout",
    "idle_timeout",
    "deadline",
    "mid_stream",
    "hedge",
    "prefill",
    "passthrough",
    "strict_open_ai_compliance",
    "lossless",
    "cb_config",
    "override_params",
    "default_params",
    "drop_params",
    "sticky",
];
/// Those whose own fields are conditions, or fields of requests: what these are called is the client's affair.
const FREE: [&str; 8] =
    ["query", "override_params", "default_params", "retry", "cache", "cb_config", "sticky", "hedge"];

/// Whoever sends the rows of a batch.
pub struct Sender {
    /// The headers of each row, credentials among them: for this run of the gateway.
    pub headers: HeaderMap,
    /// Those that are kept for the next.
    pub kept: Vec<(String, String)>,
    /// They are all that is needed then, besides a key of the gateway's own.
    pub is_whole: bool,
}

/// The sender of the rows of a batch that is made by this request, with these settings in place of its own.
///
/// # Errors
/// 400 for a setting or a config that makes no sense.
pub fn of(inbound: Inbound<'_>, options: &[(String, String)]) -> Result<Sender, Fault> {
    let mut headers = inbound.parts.headers.clone();
    for name in OF_THE_MAKER {
        headers.remove(name);
    }
    for setting in ["provider", "virtual-key"] {
        for spelled in spelled(setting)? {
            let names_gateway = |value: &HeaderValue| {
                value.to_str().is_ok_and(|name| is_own_name(inbound, name.trim().trim_start_matches('@')))
            };
            if headers.get(&spelled).is_some_and(names_gateway) {
                headers.remove(spelled);
            }
        }
    }
    for (name, value) in options {
        set(&mut headers, name, value)?;
    }
    let gateway = &GatewayHeaders::read(&headers)?;
    let mut parts = inbound.parts.clone();
    parts.headers = headers;
    let as_sent = Inbound { gateway, parts: &parts, ..inbound };
    routes::find(as_sent, None)?;
    let kept = kept_headers(as_sent);
    let is_whole = is_whole(as_sent);
    Ok(Sender { headers: parts.headers, kept, is_whole })
}

/// A setting in both spellings of its header.
fn spelled(setting: &str) -> Result<[HeaderName; 2], Fault> {
    let name = |prefix: &str| HeaderName::try_from(format!("{prefix}-{setting}"));
    match (name("x-ostia"), name("x-portkey")) {
        (Ok(own), Ok(portkey)) => Ok([own, portkey]),
        _ => Err(invalid_option(setting, "is no name of a header")),
    }
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Fault> {
    let setting = name.to_ascii_lowercase().replace('_', "-");
    let setting = setting
        .strip_prefix("x-portkey-")
        .or(setting.strip_prefix("x-ostia-"))
        .unwrap_or(&setting)
        .to_owned();
    if setting == "api-key" || setting == "authorization" {
        return Err(invalid_option(name, "is a credential: send it as a header of the request"));
    }
    let value = HeaderValue::from_str(value).map_err(|_| invalid_option(name, "must be plain text"))?;
    let [own, portkey] = spelled(&setting)?;
    headers.remove(portkey);
    headers.insert(own, value);
    Ok(())
}

fn invalid_option(name: &str, what: &str) -> Fault {
    let shown: String = name.chars().take(64).collect();
    Fault::invalid(format!("Invalid option `{shown}`: it {what}.")).with_param("portkey_options")
}

/// The headers of a request that may lie on disk.
pub fn kept_headers(inbound: Inbound<'_>) -> Vec<(String, String)> {
    let is_setting = |name: &HeaderName| {
        let providers = inbound.core.settings.providers.iter();
        providers
            .flat_map(|provider| provider.settings.values())
            .any(|setting| setting.headers.contains(name))
    };
    let may_stay = |name: &HeaderName, value: &HeaderValue| {
        let text = name.as_str();
        let setting = text.strip_prefix("x-ostia-").or_else(|| text.strip_prefix("x-portkey-"));
        match setting {
            Some("config") => is_harmless(value),
            Some(setting) => KEPT.contains(&setting) || is_setting(name),
            None => KEPT_PLAIN.contains(&text),
        }
    };
    let headers = inbound.parts.headers.iter().filter(|(name, value)| may_stay(name, value));
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.filter_map(text).collect()
}

/// Would the rows be asked alike with what is kept alone?
fn is_whole(inbound: Inbound<'_>) -> bool {
    let Inbound { caller, gateway, parts, .. } = inbound;
    caller.provider_key.is_none()
        && gateway.forward_headers.is_empty()
        && gateway.custom_host.is_none()
        && !target::brings_credential(&parts.headers)
        && gateway.config.as_ref().is_none_or(is_harmless)
}

/// The name of a config, or one that holds nothing secret.
fn is_harmless(config: &HeaderValue) -> bool {
    let Ok(text) = config.to_str() else { return false };
    !text.trim_start().starts_with('{')
        || serde_json::from_str(text).is_ok_and(|value| holds_no_secret(&value))
}

fn holds_no_secret(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(name, value)| {
            let name = snake(name);
            let is_of_others = FREE.contains(&name.as_str());
            HARMLESS.contains(&name.as_str())
                && if is_of_others { names_no_secret(value) } else { holds_no_secret(value) }
        }),
        Value::Array(items) => items.iter().all(holds_no_secret),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Parts of names of fields that hold credentials, as of a tool on a server of the client's.
const SECRET_WORDS: [&str; 6] = ["key", "secret", "token", "password", "authorization", "headers"];

/// Is no field, however deep, called as those are that hold credentials?
fn names_no_secret(value: &Value) -> bool {
    let is_secret = |name: &str| {
        let name = snake(name);
        // Tokens are counted far more often than sent.
        !name.ends_with("tokens") && SECRET_WORDS.iter().any(|word| name.contains(word))
    };
    match value {
        Value::Object(fields) => {
            fields.iter().all(|(name, value)| !is_secret(name) && names_no_secret(value))
        }
        Value::Array(items) => items.iter().all(names_no_secret),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Names of fields may be written in camel case.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(if letter == '-' { '_' } else { letter.to_ascii_lowercase() });
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configs_that_may_lie_on_disk() {
        let check = |config: &str, expected: bool| {
            let value = HeaderValue::from_str(config).unwrap_or_else(|_| HeaderValue::from_static(""));
            assert_eq!(is_harmless(&value), expected, "{config}");
        };
        check("a-name", true);
        check(
            r#"{"provider":"openai","virtualKey":"v","overrideParams":{"model":"m","max_tokens":1}}"#,
            true,
        );
        check(
            r#"{"override_params":{"tools":[{"type":"mcp","headers":{"Authorization":"Bearer s"}}]}}"#,
            false,
        );
        check(r#"{"default_params":{"tools":[{"type":"mcp","authorization_token":"s"}]}}"#, false);
        check(
            r#"{"strategy":{"mode":"conditional","default":"b","conditions":[{"query":{"metadata.x":{"$eq":"y"}},"then":"b"}]},
                "targets":[{"name":"b","provider":"p","retry":{"attempts":2,"on_status_codes":[429]}}]}"#
                .replace('\n', "")
                .as_str(),
            true,
        );
        check(r#"{"provider":"openai","api_key":"sk"}"#, false);
        check(r#"{"provider":"openai","apiKey":"sk"}"#, false);
        check(r#"{"targets":[{"provider":"bedrock","aws_secret_access_key":"s"}]}"#, false);
        check(r#"{"provider":"openai","custom_host":"https://u:p@example.com"}"#, false);
        check(r#"{"provider":"openai","forward_headers":["x-secret"]}"#, false);
        check("{", false);
    }
}
