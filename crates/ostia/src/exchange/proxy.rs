//! Everything that no dialect covers: method, path, query and body go on as they are, streamed both ways.

use http::{Response, header, request};
use ostia_dialect::observe::Subject;
use ostia_dialect::{Observed, fault};
use ostia_providers::endpoint::{self, Passed};

use crate::errors::attempt_error::AttemptError;
use crate::errors::family::family;
use crate::exchange::Exchange;
use crate::exchange::addresses;
use crate::exchange::receive;
use crate::message::body::Body;
use crate::message::fields;
use crate::message::media::{is_events, media_type};
use crate::target;
use crate::upstream::{RequestBody, UpstreamBody};

/// Client headers that go on besides the usual ones.
const FORWARDED: [header::HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_ENCODING,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::PRAGMA,
    header::RANGE,
    header::HeaderName::from_static("prefer"),
];

/// Hands a request on. `raw` keeps error answers in the provider's own words.
///
/// # Errors
/// The provider could not be asked, or answered with an error.
pub async fn pass(
    exchange: Exchange<'_>,
    body: RequestBody,
    raw: bool,
) -> Result<Response<Body>, AttemptError> {
    let (target, parts) = (exchange.target, exchange.inbound.parts);
    let elsewhere = addresses::asked_host(exchange)?;
    let (base_url, path) = match &elsewhere {
        Some((base_url, path)) => (base_url, path.clone()),
        None => (target.destination.base_url(), path(target, parts)),
    };
    let mut request = exchange.request(path, body)?;
    if elsewhere.is_some() {
        request.headers_mut().insert(header::HOST, base_url.authority().clone());
    }
    *request.method_mut() = parts.method.clone();
    let hops = fields::named_in_connection(&parts.headers);
    for name in FORWARDED.iter().filter(|name| !hops.contains(name)) {
        request.headers_mut().remove(name);
        for line in parts.headers.get_all(name) {
            request.headers_mut().append(name.clone(), line.clone());
        }
    }
    let mut answer = exchange.dispatch_to(base_url, request).await?;
    if answer.status().as_u16() >= 400 {
        return Err(Box::pin(refused(exchange, answer, raw)).await);
    }
    if addresses::may_stand_in(&answer, target.provider) {
        Box::pin(addresses::tell_here(exchange, elsewhere.is_none(), &mut answer)).await;
    }
    Ok(passed(exchange, answer))
}

/// An answer that says why there is none. `raw` keeps it in the provider's own words.
pub async fn refused(exchange: Exchange<'_>, answer: Response<UpstreamBody>, raw: bool) -> AttemptError {
    let (target, parts) = (exchange.target, exchange.inbound.parts);
    if !raw {
        let (head, body) = answer.into_parts();
        return receive::refused(head, body, family(parts.uri.path()), target).await;
    }
    // What it says is not read, so that only the status decides whether another target is asked.
    let status = answer.status().as_u16();
    AttemptError::refused(fault::from_answer(status, b""), passed(exchange, answer))
}

fn passed(exchange: Exchange<'_>, answer: Response<UpstreamBody>) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    fields::strip_hops(&mut head.headers);
    if is_events(media_type(&head.headers)) {
        fields::mark_stream(&mut head.headers);
    }
    let body = exchange.booking.follow(Body::Passed(body), Subject::UNREAD, &Observed::default());
    Response::from_parts(head, body)
}

/// Path and query at the provider.
pub fn path(target: &target::Target<'_>, parts: &request::Parts) -> String {
    let passed = endpoint::path_of_passed(target.provider, &target.values, parts.uri.path(), None);
    path_of(target, &passed, parts.uri.query().unwrap_or_default())
}

/// The same with this path and query.
pub fn path_of(target: &target::Target<'_>, passed: &Passed<'_>, query: &str) -> String {
    endpoint::url_path(&target.destination.base_url().path, passed, query)
}
