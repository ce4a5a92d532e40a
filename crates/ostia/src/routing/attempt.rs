//! One attempt of a plan: its target, its limits, and the first words of its answer.

use ostia_dialect::Api;
use std::time::Duration;

use http::{Response, header};
use ostia_routing::Limit;
use ostia_routing::config::MidStreamPolicy;
use ostia_routing::plan::Attempt;
use tokio::time::timeout;

use crate::boxed;
use crate::client::Early;
use crate::clock;
use crate::errors::miss::Miss;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::asked::{Asked, Errand};
use crate::exchange::proxy;
use crate::exchange::receive;
use crate::exchange::receive::Wanted;
use crate::inbound::browser;
use crate::message::body::Body;
use crate::message::fields;
use crate::record::mark::Mark;
use crate::routing::course::{self, Tried};
use crate::routing::facts::Asking;
use crate::stream::opening::{self, Waiting};
use crate::target::{self, Target};
use crate::upstream::Sent;

/// One attempt of a plan: asks its target, and waits for the first words.
pub async fn attempt(asking: &Asking<'_>, attempt: Attempt, mark: &mut Mark) -> Tried {
    let Asking { core, call, parts, errand, route, .. } = *asking;
    mark.attempt(attempt.retry);
    let leaf = route.leaves().get(attempt.leaf);
    let model = errand.asked().and_then(|asked| asked.peek.model.as_deref());
    // By reference: a future has room for what it matches on and for what it binds.
    let answer = match &mut target::resolve(core, call, leaf, model) {
        Ok(target) => {
            bound(target, &attempt);
            mark.target(&target.provider.id, target.index_path);
            let waited = mark.waited();
            let exchange = Exchange { core, call, target, parts, waited: &waited };
            let continues =
                leaf.is_some_and(|leaf| leaf.settings.mid_stream == Some(MidStreamPolicy::Continue));
            let errand = match errand {
                Errand::Typed(asked) => Errand::Typed(Asked { continues, ..asked }),
                passed @ Errand::Passed { .. } => passed,
            };
            // An answer in one piece has no first token.
            let streams = errand.asked().is_some_and(|asked| asked.peek.stream);
            match attempt.limits.first_token.filter(|_| streams) {
                Some(limit) => boxed::pin(|| speak_within(limit, exchange, errand, mark)).await,
                None => speak(exchange, errand, mark).await,
            }
        }
        Err(fault) => Err(fault.clone().into()),
    };
    Tried { attempt, answer, ended: clock::now() }
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
async fn speak(exchange: Exchange<'_>, errand: Errand<'_>, mark: &mut Mark) -> Result<Response<Body>, Miss> {
    let asked = match errand {
        Errand::Typed(asked) => asked,
        Errand::Passed { body, raw } => {
            return boxed::pin(|| proxy::pass(exchange, Sent::Full(Some(body.clone())), raw)).await;
        }
    };
    let answer = ask::ask(exchange, asked, mark).await?;
    match answer.body() {
        Body::Events(_) => {
            let begin = || begin_early(exchange, asked.typed.api, mark);
            let waiting = Waiting::new(mark, &begin);
            // An array has no form for an error, and no place for signs of life before its beginning.
            let waiting = waiting.filter(|_| ask::wanted(exchange, asked) == Wanted::Events);
            boxed::pin(|| opening::first_words(answer, asked.typed.api, waiting)).await
        }
        _ => Ok(answer),
    }
}

/// How a stream begins before it is known whose it is.
fn begin_early(exchange: Exchange<'_>, api: Api, mark: &Mark) -> Early {
    let mut head = Response::new(());
    head.headers_mut().insert(header::CONTENT_TYPE, receive::EVENTS);
    fields::mark_stream(head.headers_mut());
    mark.stamp_early(&mut head);
    browser::allow(&exchange.core.settings, &exchange.parts.headers, &mut head);
    Early { head, grammar: api.grammar() }
}

/// The same, if its first token is here in time.
async fn speak_within(
    limit: Duration,
    exchange: Exchange<'_>,
    errand: Errand<'_>,
    mark: &mut Mark,
) -> Result<Response<Body>, Miss> {
    match timeout(limit, speak(exchange, errand, mark)).await {
        Ok(answer) => answer,
        Err(_) => Err(course::late(Limit::FirstToken, &exchange.target.provider.id, limit)),
    }
}
