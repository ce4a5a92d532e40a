//! The Responses API's own life: answers that are made while nobody waits, and what is remembered of earlier ones.

use std::cell::Cell;

use http::Response;
use ostia_dialect::Api;
use ostia_dialect::Fault;
use ostia_routing::Route;

use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::view;
use crate::inbound::Inbound;
use crate::inbound::api_call::ApiCall;
use crate::inbound::route::Typed;
use crate::message::body::Body;
use crate::record::Record;
use crate::responses_api;
use crate::responses_api::History;
use crate::routing::{follow, routes};
use crate::target;

/// The answer to a request that wants it made in the background, here; `None` for any other.
///
/// # Errors
/// 400 and 404 for what makes no sense, 429 where too many are being made.
pub fn in_background(asked: &ApiCall<'_>, route: Option<&Route>) -> Result<Option<Response<Body>>, Fault> {
    looked_back_on(asked, route)?.map(|recalled| go_on_alone(asked, recalled)).transpose()
}

/// What a Responses request looks back on, if its answer is to be made here while nobody waits. A provider that has the
/// API does that itself; of a config's targets the first one counts.
fn looked_back_on(asked: &ApiCall<'_>, route: Option<&Route>) -> Result<Option<History>, Fault> {
    let wanted = asked.document.root().get("background").and_then(|node| node.as_bool()) == Some(true);
    if asked.typed.api != Api::OpenaiResponses || !wanted {
        return Ok(None);
    }
    let Inbound { core, caller, .. } = asked.inbound;
    let leaf = route.and_then(|route| route.leaves().first());
    let target = target::resolve(asked.inbound, leaf, asked.model())?;
    let waited = Cell::default();
    let exchange = Exchange::new(asked.inbound, &target, &waited);
    if ask::is_relayed(exchange, asked) {
        return Ok(None);
    }
    let view = view::view(exchange);
    responses_api::recall(&core.kept, caller.owner, view, asked.body, &asked.document).map(Some)
}

/// Answers at once, and goes on alone.
fn go_on_alone(asked: &ApiCall<'_>, recalled: History) -> Result<Response<Body>, Fault> {
    let Inbound { core, caller, gateway, parts } = asked.inbound;
    let (core, caller, gateway, parts) = (core.clone(), caller.clone(), gateway.clone(), parts.clone());
    let History { body, keep } = recalled;
    let body = body.unwrap_or_else(|| asked.body.clone());
    let running = keep.begin(asked.peek.stream)?;
    let first = running.clone();
    let task = tokio::task::spawn_local(async move {
        let typed = Typed::from(Api::OpenaiResponses);
        let inbound = Inbound { core: &core, caller: &caller, gateway: &gateway, parts: &parts };
        let answered = async {
            let asked = ApiCall::read(inbound, &typed, &body, usize::MAX)?;
            let route = routes::find(inbound, asked.model())?;
            follow::answer(&asked, route.as_ref(), Some(&keep), &mut Record::default()).await
        };
        running.follow(answered.await).await;
    });
    Ok(first.answer(task.abort_handle()))
}

/// Is something that is kept below this path the gateway's own, and not the provider's?
pub fn is_ours(inbound: Inbound<'_>) -> Result<bool, Fault> {
    let Inbound { core, caller, parts, .. } = inbound;
    if responses_api::is_known(&core.kept, caller.owner, parts.uri.path()) {
        return Ok(true);
    }
    // A provider that has the API remembers for itself. Of a config's targets the first one is asked.
    let route = routes::find(inbound, None)?;
    let leaf = route.as_ref().and_then(|route| route.leaves().first());
    let target = target::resolve(inbound, leaf, None);
    Ok(!target.is_ok_and(|target| target.provider.offers(Api::OpenaiResponses)))
}
