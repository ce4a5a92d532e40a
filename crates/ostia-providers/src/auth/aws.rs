//! AWS's Signature Version 4, by AWS's own library. The time is an argument, so the same request is signed alike twice.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! What is signed is what decides: host, type and the headers that AWS itself reads. What hyper adds (`content-length`) and
//! what a proxy on the way may change is left out. The path is taken as it is sent, encoded once; every service but S3
//! wants it encoded a second time for the signature.

use http::Request;
use ostia_dialect::Fault;
#[cfg(feature = "aws")]
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::{AwsKeys, Signing};

/// How a service of AWS is signed in to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsAuth {
    /// The name of the service in signatures (`bedrock`, which is also `bedrock-runtime`'s).
    pub service: String,
    /// The service wants to be told the hash of the body (`x-amz-content-sha256`).
    pub content_sha256: bool,
    /// The service keeps objects under paths of any form, as S3 does: the path counts as it is sent, and a body may stay
    /// unsigned.
    pub raw_path: bool,
    /// The header of keys that are given in place of AWS's; empty: they go as bearers.
    pub key_header: String,
    /// The service is shown a token that the keys sign, in place of a signature of each request.
    pub token: Option<AwsToken>,
}

/// A token for a service of AWS: a signed address that asks for an action, in base64. It is made here; nobody is asked for it.
///
/// <https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-openai-compatible.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsToken {
    /// The host of the address (`sagemaker.amazonaws.com`).
    pub host: String,
    /// The action (`CallWithBearerToken`).
    pub action: String,
    /// What stands before the base64 (`sagemaker-api-key-`).
    pub prefix: String,
}

impl AwsAuth {
    /// Has the whole body to be there before a request can be signed?
    pub fn signs_body(&self) -> bool {
        !self.raw_path && self.token.is_none()
    }
}

/// Signs a finished request. Whatever it had of another signature is taken away.
///
/// # Errors
/// 400 without a region, and for a body that cannot be signed; 401 for keys that no header can hold.
#[cfg(feature = "aws")]
pub fn sign<B>(
    aws: &AwsAuth,
    keys: &AwsKeys,
    signing: Signing<'_>,
    request: &mut Request<B>,
) -> Result<(), Fault> {
    match &aws.token {
        Some(token) => {
            let bearer = v4::token(aws, token, keys, signing)?;
            super::sign(&super::Auth::Bearer, bearer.expose_secret(), request)
        }
        None => v4::sign(aws, keys, signing, request),
    }
}

/// Signs nothing: this build has no library for it.
///
/// # Errors
/// 400, always.
#[cfg(not(feature = "aws"))]
pub fn sign<B>(_: &AwsAuth, _: &AwsKeys, _: Signing<'_>, _: &mut Request<B>) -> Result<(), Fault> {
    Err(Fault::invalid(
        "This gateway was built without its feature `aws`, so it cannot sign with AWS's keys.",
    ))
}

#[cfg(feature = "aws")]
mod v4;

#[cfg(all(test, feature = "aws"))]
mod tests;
