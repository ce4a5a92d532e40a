//! WebSockets: whom they are opened at. It is decided before the first frame, by the request line and the headers.

use std::ops::ControlFlow;

use http::Response;
use ostia_dialect::Fault;

use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::payload::Payload;
use crate::exchange::socket;
use crate::inbound::Inbound;
use crate::inbound::query;
use crate::message::body::Body;
use crate::record::Record;
use crate::routing::{follow, routes};
use crate::target::{self, Asked};

/// The answer to a request for a WebSocket: the agreement of one target, or of a config's.
///
/// # Errors
/// 400 for a config or a provider that makes no sense, and why nobody could be asked.
pub async fn open(inbound: Inbound<'_>, raw: bool, record: &mut Record) -> Result<Response<Body>, Fault> {
    let model = query::model(inbound.query());
    let model = model.as_deref();
    let route = routes::find(inbound, model)?;
    let leaf = route.as_ref().and_then(|route| route.only_leaf());
    if let Some(route) = route.as_ref().filter(|_| leaf.is_none()) {
        return follow::follow(inbound, Payload::Socket { model, raw }, None, route, record).await;
    }
    let mut target = target::resolve(inbound, leaf, Asked::Unread(model))?;
    record.target(&target.provider.id, target.index_path, target.model.as_deref().or(model));
    let booking = record.booking();
    // Once with each of several keys.
    loop {
        record.key(target.key_use());
        let answer = socket::open(Exchange::new(inbound, &target, &booking), model, raw).await;
        record.settle(&booking, &answer);
        if let ControlFlow::Break(answer) = target.settle(answer, Some(())) {
            record.key(target.key_use());
            return answer.or_else(AttemptError::into_answer);
        }
    }
}
