//! The one place that knows AWS's library.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign as signature,
};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Uri};
use ostia_dialect::{Fault, FaultKind};
use secrecy::{ExposeSecret as _, SecretString};

use super::{AwsAuth, AwsToken};
use crate::auth::{AwsKeys, Payload, Signing};
use crate::percent::percent_encode;

/// What a signature consists of. A client's own would stand beside ours.
const OWN: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-amz-content-sha256"),
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
];

pub fn sign<B>(
    aws: &AwsAuth,
    keys: &AwsKeys,
    signing: Signing<'_>,
    request: &mut Request<B>,
) -> Result<(), Fault> {
    let region = signing.region.filter(|region| is_plain(region)).ok_or_else(no_region)?;
    for name in &OWN {
        request.headers_mut().remove(name);
    }
    let body = match signing.payload {
        Payload::Bytes(bytes) => SignableBody::Bytes(bytes),
        Payload::Streamed if aws.raw_path => SignableBody::UnsignedPayload,
        Payload::Streamed => return Err(unsigned_body()),
    };
    let identity = credentials(keys).into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(&aws.service)
        .time(signing.time)
        .settings(settings(aws))
        .build()
        .map_err(|_| unusable())?
        .into();
    let method = request.method().as_str();
    let signable = SignableRequest::new(method, path(request.uri()), signed(request.headers()), body)
        .map_err(|_| unusable())?;
    let (instructions, _) = signature(signable, &params).map_err(|_| unusable())?.into_parts();
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| unusable())?;
        value.set_sensitive(true);
        request.headers_mut().insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// How long a token holds: it is made anew for each request.
const TOKEN_LIFE: Duration = Duration::from_secs(900);

/// A token of these keys, for a while.
pub fn token(
    aws: &AwsAuth,
    token: &AwsToken,
    keys: &AwsKeys,
    signing: Signing<'_>,
) -> Result<SecretString, Fault> {
    let region = signing.region.filter(|region| is_plain(region)).ok_or_else(no_region)?;
    let AwsToken { host, action, prefix } = token;
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(TOKEN_LIFE);
    let identity = credentials(keys).into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(&aws.service)
        .time(signing.time)
        .settings(settings)
        .build()
        .map_err(|_| unusable())?
        .into();
    let mut address = format!("{host}/?Action={action}");
    let url = format!("https://{address}");
    let headers = std::iter::once(("host", host.as_str()));
    let signable =
        SignableRequest::new("POST", url, headers, SignableBody::Bytes(b"")).map_err(|_| unusable())?;
    let (instructions, _) = signature(signable, &params).map_err(|_| unusable())?.into_parts();
    for (name, value) in instructions.into_parts().1 {
        address.push_str(&format!("&{name}={}", percent_encode(&value)));
    }
    address.push_str("&Version=1");
    Ok(format!("{prefix}{}", BASE64_STANDARD.encode(address)).into())
}

fn credentials(keys: &AwsKeys) -> Credentials {
    let token = keys.session_token.as_ref().map(|token| token.expose_secret().to_owned());
    Credentials::new(&keys.access_key_id, keys.secret_access_key.expose_secret(), token, None, "ostia")
}

fn settings(aws: &AwsAuth) -> SigningSettings {
    let mut settings = SigningSettings::default();
    // What is not to be signed is not handed over.
    settings.excluded_headers = None;
    if aws.content_sha256 || aws.raw_path {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    if aws.raw_path {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

/// What Google reads in a signed question to AWS: whom the answer is for.
/// <https://google.aip.dev/auth/4117>
const AUDIENCE: &str = "x-goog-cloud-target-resource";

/// The headers that are signed. `x-amzn-trace-id` changes on its way; everything else of AWS's decides what is done.
fn signed(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let is_signed = |name: &HeaderName| {
        *name == HOST
            || *name == CONTENT_TYPE
            || name.as_str() == AUDIENCE
            || name.as_str().starts_with("x-amz") && name.as_str() != "x-amzn-trace-id"
    };
    headers
        .iter()
        .filter(move |(name, _)| is_signed(name))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

/// The path and query; all of the URI where the host stands in it.
fn path(uri: &Uri) -> String {
    uri.to_string()
}

/// Regions are letters, digits and hyphens. Anything else would mean another host, or another scope.
fn is_plain(region: &str) -> bool {
    !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn no_region() -> Fault {
    let message = "AWS needs a region, like us-east-1: give aws_region (in the header x-ostia-aws-region, in a config, or \
                   under the provider in ostia.yaml).";
    Fault::invalid(message).with_param("aws_region")
}

fn unsigned_body() -> Fault {
    Fault::invalid(
        "This service of AWS wants its body signed, and a body that is passed on as it comes cannot be.",
    )
}

fn unusable() -> Fault {
    let message = "AWS's keys (aws_access_key_id, aws_secret_access_key, aws_session_token) have characters that cannot be \
                   sent in a header.";
    Fault::new(FaultKind::Authentication, message)
}
