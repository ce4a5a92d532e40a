//! Everything that no dialect covers: method, path, query and body go on as they are, streamed both ways.

use std::rc::Rc;

use http::{Response, header, request};
use http_body::Body as _;
use hyper::body::Incoming;
use ostia_dialect::Fault;

use crate::body::Body;
use crate::call::Call;
use crate::core::Core;
use crate::exchange::{self, Exchange};
use crate::inflate::Inflate;
use crate::mark::Mark;
use crate::route::family;
use crate::target;
use crate::upstream::Sent;

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
pub async fn pass(
    core: &Rc<Core>,
    call: &Call,
    parts: &request::Parts,
    body: Incoming,
    raw: bool,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let target = target::resolve(core, call, None)?;
    mark.target(&target);
    let exchange = Exchange { core, call, target: &target, parts };
    let path = path(&target, parts);
    // A body of a known length keeps it: some servers take no chunks.
    let body = if body.is_end_stream() { Sent::Full(None) } else { Sent::Passed(body) };
    let mut request = exchange.request(path, body)?;
    *request.method_mut() = parts.method.clone();
    for name in &FORWARDED {
        if let Some(value) = parts.headers.get(name) {
            request.headers_mut().insert(name.clone(), value.clone());
        }
    }
    let (mut head, body) = exchange.dispatch(request).await?.into_parts();
    if head.status.as_u16() >= 400 && !raw {
        let inflate = Inflate::of(&head.headers)?;
        return exchange::refused(head, body, inflate, family(parts.uri.path()), &target).await;
    }
    exchange::strip_hops(&mut head.headers);
    Ok(Response::from_parts(head, Body::Passed(body)))
}

/// The client's path without the gateway's part of it, behind the provider's.
fn path(target: &target::Target<'_>, parts: &request::Parts) -> String {
    let own = parts.uri.path();
    let rest = own.strip_prefix("/v1/proxy").or_else(|| own.strip_prefix("/v1")).unwrap_or(own);
    let mut path = format!("{}{}", target.site.path, target.provider.prefix);
    // `/v1/v1/...`: the base URL and the client both say the version.
    path.push_str(rest.strip_prefix("/v1").filter(|_| path.ends_with("/v1")).unwrap_or(rest));
    if let Some(query) = parts.uri.query() {
        path.push('?');
        path.push_str(query);
    }
    path
}
