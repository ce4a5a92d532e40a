//! Oracle Cloud's request signatures, version 1: what identifies a request, signed with RSA and SHA-256.
//!
//! <https://docs.oracle.com/iaas/Content/API/Concepts/signingrequests.htm>
//!
//! The time is an argument, and so is who signs: the key is opened once, elsewhere.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue};
use http::{Method, Request};
use ostia_dialect::{Fault, FaultKind};
use sha2::{Digest as _, Sha256};

use super::{OracleKey, Payload, Signing};

const CONTENT_SHA256: &str = "x-content-sha256";
/// What a signature consists of, or is made of. A client's own would stand beside ours.
const OWN: [HeaderName; 5] = [
    AUTHORIZATION,
    DATE,
    CONTENT_LENGTH,
    HeaderName::from_static(CONTENT_SHA256),
    HeaderName::from_static("x-date"),
];
/// The name of the line with method and path.
const TARGET: &str = "(request-target)";

/// Signs a finished request.
///
/// # Errors
/// 400 for a body that is not there as a whole, 401 for a key that cannot sign.
pub fn sign<B>(key: &OracleKey, signing: Signing<'_>, request: &mut Request<B>) -> Result<(), Fault> {
    let Payload::Bytes(body) = signing.payload else { return Err(unsigned_body()) };
    let headers = request.headers_mut();
    for name in &OWN {
        headers.remove(name);
    }
    headers.insert(DATE, value(&httpdate::fmt_http_date(signing.time))?);
    let mut names = vec![DATE.as_str(), TARGET, HOST.as_str()];
    if has_body(request.method()) {
        let headers = request.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_SHA256, value(&BASE64_STANDARD.encode(Sha256::digest(body)))?);
        names.extend([CONTENT_LENGTH.as_str(), CONTENT_TYPE.as_str(), CONTENT_SHA256]);
    }
    let text = signing_string(&names, request)?;
    let signature = key.signer.sign(text.as_bytes()).ok_or_else(unusable)?;
    let shown = format!(
        "Signature version=\"1\",keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{}\"",
        key.key_id,
        names.join(" "),
        BASE64_STANDARD.encode(signature)
    );
    let mut shown = value(&shown)?;
    shown.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, shown);
    Ok(())
}

/// Requests of these methods have their bodies signed, empty ones too.
fn has_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// A line for each name: the name, and what the request has there.
fn signing_string<B>(names: &[&str], request: &Request<B>) -> Result<String, Fault> {
    let line = |name: &&str| {
        let value = match *name {
            TARGET => {
                let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
                format!("{} {path}", request.method().as_str().to_ascii_lowercase())
            }
            name if *name == HOST => host(request).ok_or_else(unusable)?.to_owned(),
            name => {
                let value = request.headers().get(name).and_then(|value| value.to_str().ok());
                value.ok_or_else(unusable)?.trim().to_owned()
            }
        };
        Ok(format!("{name}: {value}"))
    };
    names.iter().map(line).collect::<Result<Vec<_>, Fault>>().map(|lines| lines.join("\n"))
}

fn host<B>(request: &Request<B>) -> Option<&str> {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| request.uri().authority().map(|authority| authority.as_str()))
}

fn value(text: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(text).map_err(|_| unusable())
}

fn unusable() -> Fault {
    Fault::new(FaultKind::Authentication, "Oracle's key cannot sign this request.")
}

fn unsigned_body() -> Fault {
    Fault::invalid(
        "The body of a request that Oracle's key signs has to be there as a whole: send it with its length.",
    )
}

#[cfg(test)]
mod tests;
