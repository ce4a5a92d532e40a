//! One attempt of a plan: its target, its limits, and the first words of its answer.

use std::ops::ControlFlow;
use std::time::Duration;

use http::{Response, header};
use ostia_dialect::Api;
use ostia_providers::prepare::Wanted;
use ostia_routing::Limit;
use ostia_routing::config::MidStreamPolicy;
use ostia_routing::plan::Attempt;
use tokio::time::timeout;

use crate::client::Early;
use crate::clock;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::payload::Payload;
use crate::exchange::proxy;
use crate::exchange::receive;
use crate::exchange::socket;
use crate::inbound::browser;
use crate::message::body::Body;
use crate::message::fields;
use crate::record::Record;
use crate::routing::execution::{self, AttemptResult};
use crate::routing::facts::RequestFacts;
use crate::stream::first_token::{self, Waiting};
use crate::target::{self, Target};
use crate::upstream::RequestBody;

/// One attempt of a plan: asks its target, and waits for the first words.
pub async fn attempt(facts: &RequestFacts<'_, '_>, attempt: Attempt, record: &mut Record) -> AttemptResult {
    let RequestFacts { inbound, payload, route, .. } = *facts;
    record.attempt(attempt.retry);
    let leaf = route.leaves().get(attempt.leaf);
    let model = payload.asked().model();
    // By reference: a future has room for what it matches on and for what it binds.
    let answer = match &mut target::resolve(inbound, leaf, payload.asked()) {
        Ok(target) => {
            bound(target, &attempt);
            record.target(&target.provider.id, target.index_path, target.model.as_deref().or(model));
            let booking = record.booking();
            let continues =
                leaf.is_some_and(|leaf| leaf.settings.mid_stream == Some(MidStreamPolicy::Continue));
            // An answer in one piece has no first token.
            let streams = payload.api().is_some_and(|call| call.peek.stream);
            // Once with each of several keys.
            loop {
                record.key(target.key_use());
                let exchange =
                    Exchange { keep: facts.keep, continues, ..Exchange::new(inbound, target, &booking) };
                let answer = match attempt.limits.first_token.filter(|_| streams) {
                    Some(limit) => Box::pin(speak_within(limit, exchange, payload, record)).await,
                    None => speak(exchange, payload, record).await,
                };
                record.settle(&booking, &answer);
                if let ControlFlow::Break(answer) = target.settle(answer, Some(())) {
                    record.key(target.key_use());
                    break answer;
                }
            }
        }
        Err(fault) => Err(fault.clone().into()),
    };
    AttemptResult { attempt, answer, ended: clock::now() }
}

/// The limits of an attempt that is to be made now, as the bounds of its call.
pub fn bound(target: &mut Target<'_>, Attempt { limits, began, .. }: &Attempt) {
    let timeouts = &mut target.timeouts;
    timeouts.first_byte =
        limits.first_byte.map_or(timeouts.first_byte, |limit| limit.min(timeouts.first_byte));
    timeouts.idle = limits.idle.unwrap_or(timeouts.idle);
    if let Some(until) = limits.until.map(|until| until.since(*began)) {
        timeouts.first_byte = timeouts.first_byte.min(until);
        timeouts.total = timeouts.total.min(until);
    }
}

/// An answer that has said something.
async fn speak(
    exchange: Exchange<'_>,
    payload: Payload<'_, '_>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let call = match payload {
        Payload::Api(call) => call,
        Payload::Unread { body, raw } => {
            return Box::pin(proxy::pass(exchange, RequestBody::Full(Some(body.clone())), raw)).await;
        }
        Payload::Socket { model, raw } => return Box::pin(socket::open(exchange, model, raw)).await,
    };
    let answer = ask::ask(exchange, call, record).await?;
    match answer.body() {
        Body::Events(_) => {
            let begin = || begin_early(exchange, call.api, record);
            let waiting = Waiting::new(record, &begin);
            // An array has no form for an error, and no place for signs of life before its beginning.
            let waiting = waiting.filter(|_| call.wanted() == Wanted::Events);
            Box::pin(first_token::wait(answer, waiting)).await
        }
        _ => Ok(answer),
    }
}

/// How a stream begins before it is known whose it is.
fn begin_early(exchange: Exchange<'_>, api: Api, record: &Record) -> Early {
    let mut head = Response::new(());
    head.headers_mut().insert(header::CONTENT_TYPE, receive::EVENTS);
    fields::mark_stream(head.headers_mut());
    record.stamp_early(&mut head);
    browser::allow(&exchange.inbound.core.settings, &exchange.inbound.parts.headers, &mut head);
    Early { head, grammar: api.grammar() }
}

/// The same, if its first token is here in time.
async fn speak_within(
    limit: Duration,
    exchange: Exchange<'_>,
    payload: Payload<'_, '_>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    match timeout(limit, speak(exchange, payload, record)).await {
        Ok(answer) => answer,
        Err(_) => Err(execution::late(Limit::FirstToken, &exchange.target.provider.id, limit)),
    }
}
