//! The Responses API's own life: answers that are made while nobody waits, and what is remembered of earlier ones.

use http::Response;
use ostia_dialect::Api;
use ostia_dialect::Fault;
use ostia_providers::prepare::{ApiCall, Way, way};

use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::render;
use crate::inbound::Inbound;
use crate::message::body::Body;
use crate::record::Record;
use crate::record::booking::Booking;
use crate::responses_api;
use crate::responses_api::History;
use crate::routing::{follow, routes};
use crate::target::{self, Asked};

/// The answer to a request that wants it made in the background, here; `None` for any other.
///
/// # Errors
/// 400 and 404 for what makes no sense, 429 where too many are being made.
pub fn in_background(inbound: Inbound<'_>, call: &ApiCall<'_>) -> Result<Option<Response<Body>>, Fault> {
    looked_back_on(inbound, call)?.map(|history| go_on_alone(inbound, call, history)).transpose()
}

/// What a Responses request looks back on, if its answer is to be made here while nobody waits. A provider that has the
/// API does that itself; of a config's targets the first one counts.
fn looked_back_on(inbound: Inbound<'_>, call: &ApiCall<'_>) -> Result<Option<History>, Fault> {
    let is_wanted = || call.document.root().get("background").and_then(|node| node.as_bool()) == Some(true);
    if call.api != Api::OpenaiResponses || !is_wanted() {
        return Ok(None);
    }
    let Inbound { core, caller, .. } = inbound;
    let route = routes::find(inbound, call.model())?;
    let leaf = route.as_ref().and_then(|route| route.leaves().first());
    let target = target::resolve(inbound, leaf, Asked::Api(call))?;
    let booking = Booking::default();
    let exchange = Exchange::new(inbound, &target, &booking);
    let way = way(call, &exchange.recipient(), ask::is_read(exchange, call));
    if way.is_ok_and(|way| way == Way::Relay) {
        return Ok(None);
    }
    responses_api::recall(&core.responses, caller.owner, render::options(exchange), call).map(Some)
}

/// Answers at once, and goes on alone.
fn go_on_alone(inbound: Inbound<'_>, call: &ApiCall<'_>, history: History) -> Result<Response<Body>, Fault> {
    let Inbound { core, caller, gateway, parts, files, .. } = inbound;
    let (core, caller, gateway, parts) = (core.clone(), caller.clone(), gateway.clone(), parts.clone());
    let files = files.clone();
    let History { body, keep } = history;
    let body = body.unwrap_or_else(|| call.body.clone());
    let running = keep.begin(call.peek.stream)?;
    let first = running.clone();
    let task = tokio::task::spawn_local(async move {
        let inbound = Inbound {
            core: &core,
            caller: &caller,
            gateway: &gateway,
            parts: &parts,
            upload: None,
            files: &files,
        };
        let trace_id = gateway.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        let trace = (trace_id, &gateway.trace);
        let metadata = gateway.metadata.as_ref();
        let mut record = Record::alone(&core.books, &parts, metadata, trace, || core.new_id());
        let account = record.account().clone();
        account.call(Some(Api::OpenaiResponses.name()));
        account.session(gateway.session.as_ref(), &parts.headers);
        let answered = async {
            let call = ApiCall::read(Api::OpenaiResponses, None, inbound.query(), &body, usize::MAX)?;
            record.account().asked(call.model(), &body);
            record.account().in_session(|| Some(keep.root().to_owned()));
            let mut answer = follow::answer(inbound, &call, Some(&keep), &mut record).await?;
            record.keep(&mut answer);
            Ok(answer)
        };
        let answered: Result<Response<Body>, Fault> = answered.await;
        if let Err(fault) = &answered {
            account.refused(fault);
        }
        // The answer holds on to what is kept of it, to its end.
        drop((record, account));
        running.follow(answered).await;
    });
    Ok(first.answer(task.abort_handle()))
}

/// Is something that is kept below this path the gateway's own, and not the provider's?
pub fn is_ours(inbound: Inbound<'_>) -> Result<bool, Fault> {
    let Inbound { core, caller, parts, .. } = inbound;
    if responses_api::is_known(&core.responses, caller.owner, parts.uri.path()) {
        return Ok(true);
    }
    // A provider that has the API remembers for itself. Of a config's targets the first one is asked.
    let route = routes::find(inbound, None)?;
    let leaf = route.as_ref().and_then(|route| route.leaves().first());
    let target = target::resolve(inbound, leaf, Asked::Unread(None));
    Ok(!target.is_ok_and(|target| target.provider.offers(Api::OpenaiResponses)))
}
