//! How a request says who sends it.
//!
//! A key goes where the vendor wants it and nowhere else: header values are marked sensitive, so that no debug print
//! of the headers shows them. A key in the URL ends up in access logs on the way; `query` is only for vendors that
//! take it in no other place.

use crate::endpoint;
use http::Request;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use ostia_dialect::{Fault, FaultKind};
use serde::Deserialize;

/// Where the key goes. In a row: `bearer`, `none`, `{scheme: Key}`, `{header: x-api-key}` or `{query: key}`.
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
            Auth::Bearer | Auth::Scheme(_) => Some(AUTHORIZATION.as_str()),
            Auth::Header(name) => Some(name),
            Auth::None | Auth::Query(_) => None,
        }
    }
}

/// Puts the key into the headers of a request, or at the end of its query. The request is finished but for this: whoever
/// signs what is sent has it before them.
///
/// # Errors
/// A fault of kind `Authentication` where the key has characters that cannot stand in a header (a line break, most
/// often) or the header's name is none. The fault does not tell the key, and the request is as it was.
pub fn sign<B>(auth: &Auth, key: &str, request: &mut Request<B>) -> Result<(), Fault> {
    let headers = request.headers_mut();
    match auth {
        Auth::None => Ok(()),
        Auth::Bearer => set(headers, AUTHORIZATION, &format!("Bearer {key}")),
        Auth::Scheme(scheme) => set(headers, AUTHORIZATION, &format!("{scheme} {key}")),
        Auth::Header(name) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable("header name"))?;
            set(headers, name, key)
        }
        Auth::Query(parameter) => {
            let query = format!("{parameter}={}", endpoint::percent_encode(key));
            let mut parts = request.uri().clone().into_parts();
            let path = parts.path_and_query.map_or_else(|| "/".to_owned(), |path| path.to_string());
            let path = PathAndQuery::try_from(endpoint::with_query(path, &query));
            parts.path_and_query = Some(path.map_err(|_| unusable("key"))?);
            *request.uri_mut() = Uri::from_parts(parts).map_err(|_| unusable("key"))?;
            Ok(())
        }
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Fault> {
    let mut value = HeaderValue::from_str(value).map_err(|_| unusable("key"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn unusable(what: &str) -> Fault {
    let message = format!("the provider's {what} has characters that cannot be sent in a header");
    Fault::new(FaultKind::Authentication, message)
}

#[cfg(test)]
mod tests;
