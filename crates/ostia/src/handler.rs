//! One request, from top to bottom: what it asks for, who calls, and how a config is followed from target to target.
//!
//! Two things are decided elsewhere: whom to ask next, by the plan (`ostia-routing`), and how one target is asked, by
//! relay or by translation (`attempt.rs`).

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Response, request};
use http_body::Body as _;
use ostia_dialect::json::Document;
use ostia_dialect::{Api, Family, Fault, FaultKind};
use ostia_routing::{Leaf, Route};

use crate::boxed;
use crate::client::ClientBody;
use crate::core::Core;
use crate::endpoints::explain;
use crate::endpoints::models;
use crate::errors::family::family;
use crate::errors::miss::Miss;
use crate::errors::reply;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::asked::{self, Asked, Errand};
use crate::exchange::proxy;
use crate::exchange::view;
use crate::inbound::browser;
use crate::inbound::call::Call;
use crate::inbound::caller;
use crate::inbound::intake;
use crate::inbound::query;
use crate::inbound::route;
use crate::inbound::route::{Endpoint, Typed};
use crate::message::body::Body;
use crate::record::mark::Mark;
use crate::responses_api;
use crate::responses_api::{Keep, Recalled};
use crate::routing::{execution, routes};
use crate::target;
use crate::upstream::Sent;

/// Answers a request, whatever happens.
pub async fn handle(core: Rc<Core>, mut parts: request::Parts, body: ClientBody) -> Response<Body> {
    let family = family(parts.uri.path());
    let has_key = family == Family::Google;
    let mut mark = Mark::begin(body.client());
    // By reference: a future has room for what it matches on and for what it binds.
    let mut response = match &mut Call::read(&parts.headers) {
        Ok(call) => {
            if has_key {
                call.read_key_in(parts.uri.query());
            }
            query::withhold_credentials(&mut parts.uri, has_key, &core.settings.gateway_keys);
            mark.read(|| core.new_id(), call.portkey, call.trace_id.as_ref());
            call.trace_id = mark.trace_id_value();
            serve(&core, call, &parts, body, &mut mark).await
        }
        Err(fault) => {
            mark.read_unread(&parts.headers);
            Err(fault.clone())
        }
    }
    .unwrap_or_else(|fault| {
        mark.ensure_trace_id(|| core.new_id());
        reply::fault(family, &fault, mark.provider(), mark.trace_id())
    });
    if let Some(entry) = mark.stamp(&mut response) {
        core.ring.push(entry);
    }
    browser::allow(&core.settings, &parts.headers, &mut response);
    response
}

async fn serve(
    core: &Rc<Core>,
    call: &mut Call,
    parts: &request::Parts,
    body: ClientBody,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let settings = &core.settings;
    intake::check_head(parts, &settings.limits)?;
    route::check(parts)?;
    let endpoint = Endpoint::of(&parts.method, parts.uri.path());
    match endpoint {
        Endpoint::Root => return Ok(reply::text("Ostia is open.\n")),
        Endpoint::Health => return Ok(reply::json(r#"{"status":"ok"}"#)),
        Endpoint::Ready => return Ok(reply::json(r#"{"status":"ready"}"#)),
        Endpoint::Options
        | Endpoint::Missing
        | Endpoint::Models
        | Endpoint::Model(_)
        | Endpoint::Explain { .. }
        | Endpoint::Typed(_)
        | Endpoint::Kept
        | Endpoint::Pass { .. } => browser::check(settings, parts)?,
    }
    match endpoint {
        Endpoint::Options => return Ok(browser::options(settings, &parts.headers)),
        Endpoint::Missing => return Err(missing(&parts.method, parts.uri.path())),
        _ => {
            let credentials = std::mem::take(&mut call.credentials);
            call.caller = caller::authenticate(&settings.gateway_keys, credentials)?;
        }
    }
    let call = &*call;
    mark.owner(call.caller.owner);
    if endpoint.reads_body() && !body.is_end_stream() {
        browser::check_media(settings, &parts.headers)?;
    }
    match endpoint {
        Endpoint::Typed(typed) => {
            let body = intake::read_plain(body, &parts.headers, &settings.limits).await?;
            carry(core, call, &typed, parts, body, None, mark).await
        }
        Endpoint::Models if names_nobody(core, call) => Ok(models::list(core)),
        Endpoint::Model(name) => models::one(core, &name),
        Endpoint::Explain { trace_id: Some(trace_id) } => explain::remembered(core, call, trace_id),
        Endpoint::Explain { trace_id: None } => {
            let body = intake::read_plain(body, &parts.headers, &settings.limits).await?;
            explain::dry_run(core, call, parts, &body)
        }
        Endpoint::Kept if is_ours(core, call, parts)? => {
            let body = intake::read_plain(body, &parts.headers, &settings.limits).await?;
            responses_api::serve(&core.kept, call.caller.owner, parts, &body, &core.new_id())
        }
        Endpoint::Pass { raw } => boxed::pin(|| pass(core, call, parts, body, raw, mark)).await,
        _ => boxed::pin(|| pass(core, call, parts, body, false, mark)).await,
    }
}

/// A call whose dialect is understood.
pub async fn carry(
    core: &Rc<Core>,
    call: &Call,
    typed: &Typed<'_>,
    parts: &request::Parts,
    body: Bytes,
    keep: Option<&Rc<Keep>>,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let document = Document::of_request_to(&body, depth(core, call, typed.api))?;
    let peek = asked::peek(typed, &document)?;
    let asked = Asked { typed, body: &body, document: &document, peek: &peek, keep, continues: false };
    let route = routes::find(core, call, peek.model.as_deref())?;
    if typed.api == Api::OpenaiResponses
        && keep.is_none()
        && let Some(recalled) = background(core, call, parts, asked, route.as_deref())?
    {
        return go_on_alone(core, call, parts, asked, recalled);
    }
    let leaf = route.as_ref().map(|route| route.only_leaf());
    match (&route, leaf) {
        (Some(route), Some(None)) => {
            execution::follow(core, call, parts, Errand::Typed(asked), route, mark).await
        }
        (_, leaf) => {
            ask_once(core, call, parts, asked, leaf.flatten(), mark).await.or_else(Miss::into_answer)
        }
    }
}

/// How many levels of a body have to be known. Whoever is to decode it needs them all; of a body that is handed on only
/// the fields of the top are looked at.
fn depth(core: &Core, call: &Call, api: Api) -> usize {
    let provider = call.provider.as_deref().and_then(|id| core.settings.providers.get(id));
    let is_decoded = provider.is_none_or(|provider| !provider.offers(api));
    match is_decoded && api.dialect().is_some() {
        true => usize::MAX,
        false => 1,
    }
}

/// What a Responses request looks back on, if its answer is to be made here while nobody waits. A provider that has the
/// API does that itself; of a config's targets the first one counts.
fn background(
    core: &Rc<Core>,
    call: &Call,
    parts: &request::Parts,
    asked: Asked<'_>,
    route: Option<&Route>,
) -> Result<Option<Recalled>, Fault> {
    if asked.document.root().get("background").and_then(|node| node.as_bool()) != Some(true) {
        return Ok(None);
    }
    let leaf = route.and_then(|route| route.leaves().first());
    let target = target::resolve(core, call, leaf, asked.peek.model.as_deref())?;
    let exchange = Exchange { core, call, target: &target, parts, waited: &Cell::default() };
    if ask::is_relayed(exchange, asked) {
        return Ok(None);
    }
    responses_api::recall(&core.kept, call.caller.owner, view::view(exchange), asked.body, asked.document)
        .map(Some)
}

/// Answers at once, and goes on alone.
fn go_on_alone(
    core: &Rc<Core>,
    call: &Call,
    parts: &request::Parts,
    asked: Asked<'_>,
    recalled: Recalled,
) -> Result<Response<Body>, Fault> {
    let (core, call, parts) = (core.clone(), call.clone(), parts.clone());
    let Recalled { body, keep } = recalled;
    let body = body.unwrap_or_else(|| asked.body.clone());
    let running = keep.begin(asked.peek.stream)?;
    let first = running.clone();
    let task = tokio::task::spawn_local(async move {
        let typed = Typed::from(Api::OpenaiResponses);
        let answer = carry(&core, &call, &typed, &parts, body, Some(&keep), &mut Mark::default()).await;
        running.follow(answer).await;
    });
    Ok(first.answer(task.abort_handle()))
}

/// Is something that is kept below this path the gateway's own, and not the provider's?
fn is_ours(core: &Core, call: &Call, parts: &request::Parts) -> Result<bool, Fault> {
    if responses_api::is_known(&core.kept, call.caller.owner, parts.uri.path()) {
        return Ok(true);
    }
    // A provider that has the API remembers for itself. Of a config's targets the first one is asked.
    let route = routes::find(core, call, None)?;
    let leaf = route.as_ref().and_then(|route| route.leaves().first());
    let target = target::resolve(core, call, leaf, None);
    Ok(!target.is_ok_and(|target| target.provider.offers(Api::OpenaiResponses)))
}

/// One target, and nothing to decide.
async fn ask_once(
    core: &Rc<Core>,
    call: &Call,
    parts: &request::Parts,
    asked: Asked<'_>,
    leaf: Option<&Leaf>,
    mark: &mut Mark,
) -> Result<Response<Body>, Miss> {
    let target = target::resolve(core, call, leaf, asked.peek.model.as_deref())?;
    mark.target(&target.provider.id, target.index_path);
    let waited = mark.waited();
    let exchange = Exchange { core, call, target: &target, parts, waited: &waited };
    ask::ask(exchange, asked, mark).await
}

/// A call that is handed on unread. Its body is streamed, unless it may have to be sent more than once.
async fn pass(
    core: &Rc<Core>,
    call: &Call,
    parts: &request::Parts,
    body: ClientBody,
    raw: bool,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let route = routes::find(core, call, None)?;
    let leaf = route.as_ref().and_then(|route| route.only_leaf());
    if let Some(route) = route.as_ref().filter(|_| leaf.is_none()) {
        let body = intake::read(body, &core.settings.limits).await?;
        return execution::follow(core, call, parts, Errand::Passed { body: &body, raw }, route, mark).await;
    }
    let target = target::resolve(core, call, leaf, None)?;
    mark.target(&target.provider.id, target.index_path);
    let waited = mark.waited();
    let exchange = Exchange { core, call, target: &target, parts, waited: &waited };
    // A body of a known length keeps it: some servers take no chunks.
    let body = if body.is_end_stream() { Sent::Full(None) } else { Sent::Passed(body) };
    proxy::pass(exchange, body, raw).await.or_else(Miss::into_answer)
}

/// A request for the list of models that no provider is named for.
fn names_nobody(core: &Core, call: &Call) -> bool {
    call.provider.is_none() && call.config.is_none() && core.settings.default_provider.is_none()
}

fn missing(method: &Method, path: &str) -> Fault {
    let message = format!(
        "There is nothing at {method} {path}. The API is below /v1/, for example POST \
                           /v1/chat/completions."
    );
    Fault::new(FaultKind::NotFound, message).with_code("unknown_url")
}
