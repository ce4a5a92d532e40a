//! How a request says who sends it.
//!
//! A key goes where the vendor wants it and nowhere else: header values are marked sensitive, so that no debug print
//! of the headers shows them. A key in the URL ends up in access logs on the way; `query` is only for vendors that
//! take it in no other place.
//!
//! Clouds take more than keys: [`Credential`] is what a finished request is signed with, [`source`] says which credential
//! is meant. To sign is a function of the request, the credential and the time; whoever has to fetch a credential first
//! does that elsewhere.

mod aws;
mod credential;
mod oracle;
pub mod source;

pub use aws::AwsAuth;
pub use credential::{AwsKeys, Credential, OracleKey, RsaSha256};

use crate::endpoint;
use crate::percent::percent_encode;
use http::Request;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use ostia_dialect::{Fault, FaultKind};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use std::time::SystemTime;

/// Where the key goes. In a row: `bearer`, `none`, `{scheme: Key}`, `{header: x-api-key}`, `{query: key}`, and for clouds
/// `{aws: {service: bedrock}}`, `google`, `azure`, `ibm` or `oracle`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: Bearer <key>` (RFC 6750).
    #[default]
    Bearer,
    /// Nowhere: the provider takes no key.
    None,
    /// `Authorization: <scheme> <key>` with a scheme of the vendor's own.
    Scheme(String),
    /// `<header>: <key>`.
    Header(String),
    /// `?<parameter>=<key>` in the URL.
    Query(String),
    /// AWS: a signature of the request. A key that is given as one (an Amazon Bedrock API key) goes as a bearer, or in the
    /// header that the service has for keys.
    Aws(AwsAuth),
    /// Google Cloud: an access token as a bearer.
    Google,
    /// Azure: a token of Entra's as a bearer, a key in `api-key`.
    Azure,
    /// IBM Cloud: an access token as a bearer, which is given for a key.
    Ibm,
    /// Oracle Cloud: a signature of the request with a user's key; a key of the service's own as a bearer.
    Oracle,
}

/// The header of Azure's keys.
/// <https://learn.microsoft.com/azure/ai-foundry/openai/reference#authentication>
const AZURE_KEY: &str = "api-key";

/// What a signature is made of besides the request's head and the credential.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// The region, where the cloud has such.
    pub region: Option<&'a str>,
    /// When the request is sent.
    pub time: SystemTime,
    /// What is sent.
    pub payload: Payload<'a>,
}

/// The body of a request that is signed.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// All of it.
    Bytes(&'a [u8]),
    /// It is sent as it comes, so that no signature can hold for it.
    Streamed,
}

/// Tokens that a provider takes as bearers, whatever `auth` says of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oauth {
    /// How they begin.
    pub prefix: String,
    /// Lists in headers that such a request has to have these members in.
    pub headers: HeaderMap,
}

impl Auth {
    /// The header that the key travels in, lower-case; `None` where it travels in none.
    pub fn header(&self) -> Option<&str> {
        match self {
            Auth::Bearer | Auth::Scheme(_) | Auth::Aws(_) | Auth::Google | Auth::Ibm | Auth::Oracle => {
                Some(AUTHORIZATION.as_str())
            }
            Auth::Header(name) => Some(name),
            Auth::Azure => Some(AZURE_KEY),
            Auth::None | Auth::Query(_) => None,
        }
    }

    /// Has the whole body to be there before a request can be signed with more than a key?
    pub fn signs_body(&self) -> bool {
        match self {
            Auth::Aws(aws) => aws.signs_body(),
            Auth::Oracle => true,
            Auth::Bearer
            | Auth::None
            | Auth::Scheme(_)
            | Auth::Header(_)
            | Auth::Query(_)
            | Auth::Google
            | Auth::Azure
            | Auth::Ibm => false,
        }
    }

    /// Is a key that is no pair of AWS's of no use there?
    pub fn takes_no_key(&self) -> bool {
        match self {
            Auth::Aws(aws) => aws.raw_path,
            Auth::Bearer
            | Auth::None
            | Auth::Scheme(_)
            | Auth::Header(_)
            | Auth::Query(_)
            | Auth::Google
            | Auth::Azure
            | Auth::Ibm
            | Auth::Oracle => false,
        }
    }

    /// Is a key shown to somebody else, who gives a token for it?
    pub fn exchanges_keys(&self) -> bool {
        *self == Auth::Ibm
    }
}

/// Puts the key into the headers of a request, or at the end of its query. The request is finished but for this: whoever
/// signs what is sent has it before them.
///
/// # Errors
/// A fault of kind `Authentication` where the key has characters that cannot stand in a header (a line break, most
/// often) or the header's name is none; 400 where such a key is of no use. The fault does not tell the key, and the request is as it
/// was.
pub fn sign<B>(auth: &Auth, key: &str, request: &mut Request<B>) -> Result<(), Fault> {
    let headers = request.headers_mut();
    match auth {
        Auth::None => Ok(()),
        auth if auth.takes_no_key() => Err(no_pair()),
        Auth::Aws(AwsAuth { key_header: name, .. }) | Auth::Header(name) if !name.is_empty() => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable("header name"))?;
            set(headers, name, key)
        }
        Auth::Bearer | Auth::Aws(_) | Auth::Google | Auth::Ibm | Auth::Oracle => {
            set(headers, AUTHORIZATION, &format!("Bearer {key}"))
        }
        Auth::Azure => set(headers, HeaderName::from_static(AZURE_KEY), key),
        Auth::Scheme(scheme) => set(headers, AUTHORIZATION, &format!("{scheme} {key}")),
        Auth::Header(_) => Err(unusable("header name")),
        Auth::Query(parameter) => {
            let query = format!("{parameter}={}", percent_encode(key));
            let mut parts = request.uri().clone().into_parts();
            let path = parts.path_and_query.map_or_else(|| "/".to_owned(), |path| path.to_string());
            let path = PathAndQuery::try_from(endpoint::with_query(path, &query));
            parts.path_and_query = Some(path.map_err(|_| unusable("key"))?);
            *request.uri_mut() = Uri::from_parts(parts).map_err(|_| unusable("key"))?;
            Ok(())
        }
    }
}

/// Signs a finished request with any kind of credential: [`sign`] for a key, a bearer for a token, a signature for AWS's keys and
/// Oracle's.
///
/// # Errors
/// Those of [`sign`]; 400 where there is no region and one is needed, or where AWS's keys are given for a provider that is
/// not of AWS, or for a body that its service will not take unsigned.
pub fn sign_with<B>(
    auth: &Auth,
    credential: &Credential,
    signing: Signing<'_>,
    request: &mut Request<B>,
) -> Result<(), Fault> {
    match (credential, auth) {
        (Credential::Key(key), _) => sign(auth, key.expose_secret(), request),
        (Credential::Token(_), Auth::None) => Ok(()),
        (Credential::Token(token), _) => sign(&Auth::Bearer, token.expose_secret(), request),
        (Credential::Aws(keys), Auth::Aws(aws)) => aws::sign(aws, keys, signing, request),
        (Credential::Aws(_), _) => {
            let message = "AWS's keys sign nothing at this provider: its `auth` is not `aws`.";
            Err(Fault::invalid(message).with_param("aws_access_key_id"))
        }
        (Credential::Oracle(key), Auth::Oracle) => oracle::sign(key, signing, request),
        (Credential::Oracle(_), _) => {
            let message = "Oracle's key signs nothing at this provider: its `auth` is not `oracle`.";
            Err(Fault::invalid(message).with_param("oracle_private_key"))
        }
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Fault> {
    let mut value = HeaderValue::from_str(value).map_err(|_| unusable("key"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// An object storage of AWS's is shown keys of AWS's alone.
pub fn no_pair() -> Fault {
    let message = "An object storage of AWS's takes a pair of AWS's keys, a profile or a role, and no API key: give \
                   aws_access_key_id and aws_secret_access_key (in headers, in a config, or under the provider's \
                   credentials in ostia.yaml).";
    Fault::invalid(message).with_param("aws_access_key_id").with_code("credential_unsupported")
}

fn unusable(what: &str) -> Fault {
    let message = format!("the provider's {what} has characters that cannot be sent in a header");
    Fault::new(FaultKind::Authentication, message)
}

#[cfg(test)]
mod tests;
