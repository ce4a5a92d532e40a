//! A WebSocket that a provider is asked for: its handshake, and what the client gets of it.

use http::{Response, response};
use ostia_dialect::observe::Subject;
use ostia_dialect::{Fault, Observed};
use ostia_providers::endpoint;
use ostia_routing::Verdict;

use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::proxy;
use crate::inbound::Inbound;
use crate::inbound::handshake;
use crate::inbound::query;
use crate::message::body::Body;
use crate::message::fields;
use crate::upstream::{RequestBody, Switched, Switching};
use crate::websocket;

/// Opens a WebSocket at the target. `asked`: the model that the request line names; `raw` keeps an error answer in the provider's
/// own words.
///
/// # Errors
/// The provider could not be asked, refused, or answered with something else.
pub async fn open(
    exchange: Exchange<'_>,
    asked: Option<&str>,
    raw: bool,
) -> Result<Response<Body>, AttemptError> {
    let mut request = exchange.request(path(exchange, asked), RequestBody::Full(None))?;
    let Inbound { core, parts, .. } = exchange.inbound;
    let key = handshake::ask(&parts.headers, &core.settings.gateway_keys, request.headers_mut())?;
    match exchange.switch(request).await? {
        Switching::Switched(head, connection) => agreed(exchange, *head, connection, &key),
        Switching::Answered(answer) if answer.status().as_u16() >= 400 => {
            Err(Box::pin(proxy::refused(exchange, *answer, raw)).await)
        }
        Switching::Answered(answer) => {
            Err(no_websocket(exchange, &format!("status {}", answer.status().as_u16())))
        }
    }
}

/// The provider's agreement, as the client's.
fn agreed(
    exchange: Exchange<'_>,
    mut head: response::Parts,
    connection: Switched,
    key: &str,
) -> Result<Response<Body>, AttemptError> {
    let headers = &exchange.inbound.parts.headers;
    let protocol =
        handshake::check(headers, &head.headers, key).map_err(|why| no_websocket(exchange, why))?;
    fields::strip_hops(&mut head.headers);
    handshake::agree(headers, protocol.as_ref(), &mut head.headers);
    let limits = exchange.inbound.core.settings.websockets;
    let relay = websocket::relay(connection, limits, &exchange.target.provider.id);
    let body = exchange.booking.follow(Body::events(relay), Subject::UNREAD, &Observed::default());
    Ok(Response::from_parts(head, body))
}

fn no_websocket(exchange: Exchange<'_>, what: &str) -> AttemptError {
    let provider = &exchange.target.provider.id;
    let message = format!("Provider `{provider}` answered the handshake of a WebSocket with {what}.");
    let fault = Fault::upstream(message).with_code("websocket_refused");
    AttemptError::without_answer(fault, Verdict::BadAnswer)
}

/// Path and query at the provider. The model stands in the query, unless the provider has another place for it.
fn path(exchange: Exchange<'_>, asked: Option<&str>) -> String {
    let (target, parts) = (exchange.target, exchange.inbound.parts);
    let query = parts.uri.query().unwrap_or_default();
    let model = target.model.as_deref().or(asked);
    let passed = endpoint::path_of_passed(target.provider, &target.values, parts.uri.path(), model);
    let query = query::with_model(query, model.filter(|_| !passed.names_model));
    proxy::path_of(target, &passed, &query)
}
