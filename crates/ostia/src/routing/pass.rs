//! Calls that are handed on unread: whom they go to.

use std::ops::ControlFlow;

use bytes::Bytes;
use http::{Response, header};
use http_body::Body as _;
use ostia_dialect::Fault;
use ostia_routing::Leaf;

use crate::client::ClientBody;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::payload::Payload;
use crate::exchange::proxy;
use crate::inbound::Inbound;
use crate::inbound::intake;
use crate::message::body::Body;
use crate::message::model_name;
use crate::record::Record;
use crate::routing::{follow, routes};
use crate::target::{self, Asked, Target};
use crate::upstream::RequestBody;

/// The answer to a call that is handed on unread. Its body is streamed, unless it may have to be sent more than once.
///
/// # Errors
/// 400 for a config or a provider that makes no sense, and why nobody could be asked.
pub async fn pass(
    inbound: Inbound<'_>,
    body: ClientBody,
    raw: bool,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let route = routes::find(inbound, None)?;
    let leaf = route.as_ref().and_then(|route| route.only_leaf());
    if let Some(route) = route.as_ref().filter(|_| leaf.is_none()) {
        let body = intake::read(body, &inbound.core.settings.limits).await?;
        let payload = Payload::Unread { body: &body, raw };
        return follow::follow(inbound, payload, None, route, record).await;
    }
    if leaf.is_none() && is_read_for_its_model(inbound, &body, raw) {
        return Box::pin(pass_to_its_model(inbound, body, raw, record)).await;
    }
    pass_to(inbound, leaf, body, raw, record).await
}

/// The same for what this provider has already: of several targets of a config it is asked of the provider's own, and where a key's
/// config has none, of the provider as it is.
///
/// # Errors
/// As [`pass`].
pub async fn pass_at(
    inbound: Inbound<'_>,
    provider: &str,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    if let Some(route) = routes::find(inbound, None)? {
        let leaf = routes::leaf_at(inbound, &route, provider);
        if leaf.is_none() || route.leaves().len() > 1 {
            return pass_to(inbound, leaf, body, false, record).await;
        }
    }
    pass(inbound, body, false, record).await
}

async fn pass_to(
    inbound: Inbound<'_>,
    leaf: Option<&Leaf>,
    body: ClientBody,
    raw: bool,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let target = target::resolve(inbound, leaf, Asked::Unread(None))?;
    let body = match body.is_end_stream() {
        true => RequestBody::Full(None),
        // It is signed, or may have to be sent with another key.
        false if target.signs_body() || target.has_several_keys() && is_small(inbound) => {
            RequestBody::Full(Some(Box::pin(intake::read(body, &inbound.core.settings.limits)).await?))
        }
        // A body of a known length keeps it: some servers take no chunks.
        false => RequestBody::Passed(body),
    };
    hand_on(inbound, target, body, raw, record).await
}

/// The same for a body that has been read.
///
/// # Errors
/// As [`pass`].
pub async fn pass_read(
    inbound: Inbound<'_>,
    body: Bytes,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let route = routes::find(inbound, None)?;
    let leaf = route.as_ref().and_then(|route| route.only_leaf());
    if let Some(route) = route.as_ref().filter(|_| leaf.is_none()) {
        let payload = Payload::Unread { body: &body, raw: false };
        return follow::follow(inbound, payload, None, route, record).await;
    }
    let named = match inbound.gateway.names_nobody() && leaf.is_none() {
        true => content_type(inbound)
            .filter(|media| model_name::may_name(media))
            .and_then(|media| model_name::find(media, &body)),
        false => None,
    };
    let asked = Asked::Unread(named.as_ref().map(|named| named.name.as_ref()));
    let target = target::resolve(inbound, leaf, asked)?;
    let renamed =
        named.as_ref().zip(target.model.as_deref()).map(|(named, model)| named.replaced(&body, model));
    let body = RequestBody::Full(Some(renamed.unwrap_or_else(|| body.clone())));
    hand_on(inbound, target, body, false, record).await
}

/// A call whose body may name a provider in its model.
async fn pass_to_its_model(
    inbound: Inbound<'_>,
    body: ClientBody,
    raw: bool,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let body = intake::read(body, &inbound.core.settings.limits).await?;
    let named = model_name::find(content_type(inbound).unwrap_or_default(), &body);
    let asked = Asked::Unread(named.as_ref().map(|named| named.name.as_ref()));
    let target = target::resolve(inbound, None, asked)?;
    let renamed =
        named.as_ref().zip(target.model.as_deref()).map(|(named, model)| named.replaced(&body, model));
    let body = RequestBody::Full(Some(renamed.unwrap_or_else(|| body.clone())));
    hand_on(inbound, target, body, raw, record).await
}

async fn hand_on(
    inbound: Inbound<'_>,
    mut target: Target<'_>,
    mut body: RequestBody,
    raw: bool,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    record.target(&target.provider.id, target.index_path, target.model.as_deref());
    let booking = record.booking();
    // Once with each of several keys.
    loop {
        record.key(target.key_use());
        let again = match &body {
            RequestBody::Full(bytes) if target.has_several_keys() => Some(RequestBody::Full(bytes.clone())),
            _ => None,
        };
        let answer = proxy::pass(Exchange::new(inbound, &target, &booking), body, raw).await;
        record.settle(&booking, &answer);
        match target.settle(answer, again) {
            ControlFlow::Continue(again) => body = again,
            ControlFlow::Break(answer) => {
                record.key(target.key_use());
                return answer.or_else(AttemptError::into_answer);
            }
        }
    }
}

fn content_type(inbound: Inbound<'_>) -> Option<&str> {
    inbound.parts.headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// May the body say whom to ask? It is read where the headers do not say it, and then is not streamed. Where the operator has a
/// default provider only bodies are read that are known to be within the bound, and none for the raw proxy, which changes
/// nothing.
fn is_read_for_its_model(inbound: Inbound<'_>, body: &ClientBody, raw: bool) -> bool {
    let Inbound { core, gateway, parts, .. } = inbound;
    gateway.names_nobody()
        && (core.settings.default_provider.is_none() || !raw && is_small(inbound))
        && !body.is_end_stream()
        && !parts.headers.contains_key(header::CONTENT_ENCODING)
        && content_type(inbound).is_some_and(model_name::may_name)
}

/// Is the body known to be within the bound of those that are read?
fn is_small(inbound: Inbound<'_>) -> bool {
    let Inbound { core, parts, .. } = inbound;
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length <= core.settings.limits.body_bytes_max)
}
