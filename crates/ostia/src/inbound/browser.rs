//! Requests that a browser sends for a page of somebody else's.
//!
//! Without `auth.keys` the gateway lets in whoever can connect, and every web page can have the browser on the operator's
//! machine connect: by a request that needs no permission, or under a name that points there (DNS rebinding). So the name
//! that was called, the page that calls, and the type of what it sends are looked at. Pages that the operator lists
//! (`cors.origins`) may call, and read the answers (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, request};
use ostia_dialect::{Fault, FaultKind};

use crate::config::settings::Settings;
use crate::message::body::Body;
use crate::message::media::{is_json, media_type};

/// The methods that are not for proxies and their testers.
pub const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const ASKS_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
/// How long a browser may remember a permission, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Is the request meant for this gateway, and not sent for a page that may not use it? A page cannot know a key, so this
/// is asked only where there are none.
///
/// # Errors
/// 403 where it is not.
pub fn check(settings: &Settings, parts: &request::Parts) -> Result<(), Fault> {
    if !settings.gateway_keys.is_empty() {
        return Ok(());
    }
    let host = called(parts);
    if let Some(host) = host.filter(|host| !is_own(settings, host)) {
        return Err(refused(
            "host_not_allowed",
            format!(
                "This gateway is not called `{host}`: use its address, or add the name under hosts in ostia.yaml."
            ),
        ));
    }
    let text = |name: &HeaderName| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(&header::ORIGIN), text(&FETCH_SITE)) {
        (Some(origin), _) if allows(settings, origin) || is_same(origin, host) => Ok(()),
        (Some(origin), _) => Err(refused(
            "origin_not_allowed",
            format!(
                "Pages of `{origin}` may not use this gateway: add it under cors.origins in ostia.yaml, or set auth.keys."
            ),
        )),
        (None, Some("cross-site" | "same-site")) => Err(refused(
            "origin_not_allowed",
            "Pages of other sites may not use this gateway: list them under cors.origins in ostia.yaml."
                .into(),
        )),
        (None, _) => Ok(()),
    }
}

/// What only operators may see is not even for pages that may call.
///
/// # Errors
/// 403 for a page that is not the gateway's own.
pub fn check_own(parts: &request::Parts) -> Result<(), Fault> {
    let origin = parts.headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    match origin {
        Some(origin) if !is_same(origin, called(parts)) => Err(refused(
            "origin_not_allowed",
            format!("Pages of `{origin}` may not see this: use it from a program, or set auth.admin_keys."),
        )),
        Some(_) | None => Ok(()),
    }
}

fn refused(code: &'static str, message: String) -> Fault {
    Fault::new(FaultKind::Permission, message).with_code(code)
}

/// Is the body of a type that no page can send without permission? `text/plain` and forms need none. A body without a type
/// comes from a program, or from a script, which browsers name in `Origin`.
///
/// # Errors
/// 415 where it is not.
pub fn check_media(settings: &Settings, headers: &HeaderMap) -> Result<(), Fault> {
    let media = media_type(headers);
    let is_known = media.is_empty() || is_json(media) || media.eq_ignore_ascii_case("multipart/form-data");
    if is_known || !settings.gateway_keys.is_empty() {
        return Ok(());
    }
    let message = "Send `content-type: application/json` (or multipart/form-data) with the body.";
    Err(Fault::invalid(message)
        .with_status(415)
        .with_param("content-type")
        .with_code("content_type_unsupported"))
}

/// The answer to OPTIONS: what a page may do, if it may do anything.
pub fn options(settings: &Settings, headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::Full(None));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let out = response.headers_mut();
    out.insert(header::ALLOW, METHODS);
    if page(settings, headers).is_some() {
        out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        out.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        // Some browsers ask whether a page of the internet may call a machine of a private network, such as this one
        // (<https://wicg.github.io/private-network-access/>).
        if headers.contains_key(ASKS_PRIVATE_NETWORK) {
            out.insert(ALLOWS_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
    }
    response
}

/// Lets a listed page read the answer.
pub fn allow<T>(settings: &Settings, headers: &HeaderMap, response: &mut Response<T>) {
    if settings.origins.is_empty() {
        return;
    }
    let out = response.headers_mut();
    out.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = page(settings, headers) {
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        out.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    }
}

/// The listed page that a request comes from.
fn page<'h>(settings: &Settings, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
    headers.get(header::ORIGIN).filter(|origin| origin.to_str().is_ok_and(|origin| allows(settings, origin)))
}

fn allows(settings: &Settings, origin: &str) -> bool {
    settings.origins.iter().any(|own| own.allows(origin))
}

/// The host, and maybe port, that was called.
fn called(parts: &request::Parts) -> Option<&str> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => parts.headers.get(header::HOST).map(|host| host.to_str().unwrap_or("?")),
    }
}

/// A page of the gateway's own.
fn is_same(origin: &str, host: Option<&str>) -> bool {
    let own = origin.split_once("://").map(|(_, own)| own);
    host.is_some_and(|host| own.is_some_and(|own| own.eq_ignore_ascii_case(host)))
}

fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Is this a name or an address of the gateway? A page can have a name of its own point here, but not an address.
fn is_own(settings: &Settings, host: &str) -> bool {
    // Nearly all are one of these.
    let plain = host.strip_prefix("127.0.0.1").or_else(|| host.strip_prefix("localhost"));
    if plain.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port)) {
        return true;
    }
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    if let Ok(ip) = name.parse::<IpAddr>() {
        return !settings.loopback || ip.to_canonical().is_loopback();
    }
    let is_local = name == "localhost" || name.ends_with(".localhost");
    is_local || settings.hosts.iter().any(|pattern| pattern.matches(&name))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn pages_of_our_own() {
        assert!(is_same("http://localhost:8787", Some("localhost:8787")));
        assert!(is_same("http://127.0.0.1:8787", Some("127.0.0.1:8787")));
        for (origin, host) in [
            ("http://localhost:3000", Some("localhost:8787")),
            ("http://localhost", Some("localhost:8787")),
            ("null", Some("null")),
            ("http://localhost:8787", None),
        ] {
            assert!(!is_same(origin, host), "{origin} {host:?}");
        }
    }
}
