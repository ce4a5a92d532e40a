//! One request, from top to bottom: what it asks for, who calls, and how a config is followed from target to target.
//!
//! Two things are decided elsewhere: whom to ask next, by the plan (`ostia-routing`, followed in `routing/`), and how one target
//! is asked, by relay or by translation (`exchange/`).

mod responses_socket;

use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Response, header, request};
use http_body::Body as _;
use ostia_dialect::Api;
use ostia_dialect::{Family, Fault};
use ostia_providers::prepare::ApiCall;

use crate::client::{Client, ClientBody};
use crate::core::Core;
use crate::endpoints::batches;
use crate::endpoints::console;
use crate::endpoints::explain;
use crate::endpoints::files;
use crate::endpoints::fine_tunes;
use crate::endpoints::gateway;
use crate::endpoints::handed_on;
use crate::endpoints::logs;
use crate::endpoints::message_batches;
use crate::endpoints::models;
use crate::endpoints::openapi;
use crate::endpoints::page;
use crate::endpoints::responses;
use crate::errors::family::family;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::inbound::browser;
use crate::inbound::caller;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::handshake;
use crate::inbound::intake;
use crate::inbound::query;
use crate::inbound::route::{self, ApiPath, BatchPath, Endpoint, TuningPath};
use crate::inbound::unroutable;
use crate::inbound::upload;
use crate::message::body::Body;
use crate::record::Record;
use crate::record::session;
use crate::responses_api;
use crate::routing::{follow, pass, socket, streamed};

/// Answers a request, whatever happens.
pub async fn handle(core: Rc<Core>, mut parts: request::Parts, body: ClientBody) -> Response<Body> {
    let family = family(parts.uri.path());
    let has_key = family == Family::Google;
    let mut record = Record::begin(body.client(), &core.books, &parts.method, parts.uri.path());
    // By reference: a future has room for what it matches on and for what it binds.
    let mut response = match &mut GatewayHeaders::read(&parts.headers) {
        Ok(gateway) => {
            if has_key {
                gateway.read_key_in(parts.uri.query());
            }
            if handshake::is_wanted(&parts) {
                gateway.read_key_among_protocols(&parts.headers);
            }
            query::withhold_credentials(&mut parts.uri, has_key, &core.settings.gateway_keys);
            gateway.begin(&mut record, &parts.headers, || core.new_id());
            serve(&core, gateway, &parts, body, &mut record).await
        }
        Err(fault) => {
            record.read_unread(&parts.headers);
            Err(fault.clone())
        }
    }
    .unwrap_or_else(|fault| {
        record.account().failed(&fault);
        record.ensure_trace_id(|| core.new_id());
        let mut response = reply::fault(family, &fault, record.provider(), record.trace_id());
        if fault.status == 405 {
            // RFC 9110, section 15.5.6.
            response.headers_mut().insert(header::ALLOW, unroutable::allowed(&parts));
        }
        if fault.code.as_deref() == Some(handshake::VERSION_UNKNOWN) {
            // RFC 6455, section 4.4.
            response.headers_mut().extend([handshake::spoken()]);
        }
        response
    });
    record.answer(&mut response);
    browser::allow(&core.settings, &parts.headers, &mut response);
    response
}

async fn serve(
    core: &Rc<Core>,
    gateway: &mut GatewayHeaders,
    parts: &request::Parts,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let settings = &core.settings;
    intake::check_head(parts, &settings.limits)?;
    route::check(parts)?;
    let endpoint = match handshake::is_wanted(parts) {
        true => Endpoint::of_socket(parts.uri.path()),
        false => Endpoint::of(&parts.method, parts.uri.path()),
    };
    if let Some(answer) = for_everybody(core, parts, body.client(), &endpoint) {
        return answer;
    }
    browser::check(settings, parts)?;
    match endpoint {
        Endpoint::Options => return Ok(browser::options(settings, &parts.headers)),
        Endpoint::Missing | Endpoint::Console(_) => return Err(unroutable::missing(parts)),
        Endpoint::WrongMethod(allowed) => return Err(unroutable::wrong_method(parts, allowed)),
        Endpoint::Gateway(path) => {
            return Box::pin(gateway::answer(core, parts, &gateway.credentials, path)).await;
        }
        Endpoint::Kept(path) => {
            return Box::pin(logs::answer(core, parts, &gateway.credentials, path, body)).await;
        }
        _ => {}
    }
    gateway.credentials.withhold(&settings.admin_keys, &settings.gateway_keys);
    if endpoint.is_call() {
        record.account().call(endpoint.operation());
    }
    let caller = &caller::authenticate(&settings.gateway_keys, std::mem::take(&mut gateway.credentials))?;
    let keys = &settings.gateway_keys;
    record.account().sent_by(caller.owner, caller.name(keys), caller.bodies(keys));
    let gateway = &*gateway;
    let files = &Rc::default();
    let inbound = Inbound { core, caller, gateway, parts, upload: None, files };
    if endpoint.reads_body() && !body.is_end_stream() {
        browser::check_media(settings, &parts.headers)?;
    }
    answer(inbound, endpoint, body, record).await
}

/// What whoever may connect gets, web pages of others among them: none of it tells anything of this gateway.
fn for_everybody(
    core: &Core,
    parts: &request::Parts,
    client: &Client,
    endpoint: &Endpoint<'_>,
) -> Option<Result<Response<Body>, Fault>> {
    let settings = &core.settings;
    Some(match endpoint {
        Endpoint::Root => Ok(page::answer(settings, parts, client.connection.scheme())),
        // The pages hold no data: what they show they ask for, and that is guarded.
        Endpoint::Console(path) if settings.console => console::answer(parts, path),
        Endpoint::Health => Ok(reply::json(r#"{"status":"ok"}"#)),
        Endpoint::Ready if client.is_draining() => Ok(reply::stopping()),
        Endpoint::Ready => Ok(logs::ready(core)),
        // It tells what every gateway has.
        Endpoint::OpenApi => Ok(openapi::answer()),
        _ => return None,
    })
}

/// The answer to a request of a caller who may ask it.
async fn answer(
    inbound: Inbound<'_>,
    endpoint: Endpoint<'_>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let Inbound { core, caller, gateway, parts, .. } = inbound;
    let (settings, stored_id) = (&core.settings, endpoint.stored_id());
    match endpoint {
        Endpoint::Api(api_path) => {
            if let Some(boundary) = upload::boundary(api_path.api, &parts.headers)? {
                return Box::pin(carry_form(inbound, api_path.api, &boundary, body, record)).await;
            }
            let body = intake::read_plain(body, &parts.headers, &settings.limits).await?;
            carry(inbound, &api_path, &body, record).await
        }
        Endpoint::Models if gateway.names_nobody() && models::is_known(core) => {
            Ok(Box::pin(models::list(core, parts)).await)
        }
        Endpoint::Model(name) if models::is_ours(inbound, &name) => {
            Box::pin(models::one(core, &name, parts)).await
        }
        Endpoint::Explain { trace_id: Some(trace_id) } => {
            Box::pin(explain::told(core, caller, trace_id)).await
        }
        Endpoint::Explain { trace_id: None } => {
            let body = intake::read_plain(body, &parts.headers, &settings.limits).await?;
            explain::dry_run(core, caller, gateway, parts, &body)
        }
        Endpoint::Stored if responses::is_ours(inbound)? => {
            let body = intake::read_plain(body, &parts.headers, &settings.limits).await?;
            responses_api::serve(&core.responses, caller.owner, parts, &body, &core.new_id())
        }
        Endpoint::Socket { raw } => {
            handshake::check_wish(&parts.headers, !body.is_end_stream())?;
            Box::pin(socket::open(inbound, raw, record)).await
        }
        Endpoint::ResponsesSocket => {
            handshake::check_wish(&parts.headers, !body.is_end_stream())?;
            Ok(responses_socket::open(inbound, body.client()))
        }
        Endpoint::Files(path) if files::is_ours(inbound, path)? => {
            browser::check_media(settings, &parts.headers)?;
            Box::pin(files::answer(inbound, path, body, record)).await
        }
        Endpoint::Batches(BatchPath::All) if parts.method == Method::POST => {
            Box::pin(batches::create(inbound, body, record)).await
        }
        Endpoint::Batches(path) if batches::is_ours(inbound, path)? => {
            Box::pin(batches::answer(inbound, path, record)).await
        }
        Endpoint::MessageBatches(path) => {
            Box::pin(message_batches::answer(inbound, path, body, record)).await
        }
        Endpoint::FineTunes(TuningPath::All) if parts.method == Method::POST => {
            Box::pin(fine_tunes::create(inbound, body, record)).await
        }
        Endpoint::FineTunes(path) if fine_tunes::is_ours(inbound, path)? => {
            Box::pin(fine_tunes::answer(inbound, path, record)).await
        }
        Endpoint::Files(_) | Endpoint::Batches(_) | Endpoint::FineTunes(_) => {
            Box::pin(handed_on::pass(inbound, stored_id, body, record)).await
        }
        Endpoint::Pass { raw } => {
            Box::pin(handed_on::check_path(inbound)).await?;
            Box::pin(pass::pass(inbound, body, raw, record)).await
        }
        _ => Box::pin(pass::pass(inbound, body, false, record)).await,
    }
}

/// A call whose dialect is understood.
///
/// # Errors
/// 400 for what makes no sense, and why nobody could be asked.
pub async fn carry(
    inbound: Inbound<'_>,
    api_path: &ApiPath<'_>,
    body: &Bytes,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let depth = depth(inbound, api_path.api);
    let call = ApiCall::read(api_path.api, api_path.params(), inbound.query(), body, depth)?;
    record.account().asked(call.model(), body);
    record.account().in_session(|| session::of_call(&call));
    match responses::in_background(inbound, &call)? {
        Some(answer) => Ok(answer),
        None => follow::answer(inbound, &call, None, record).await,
    }
}

/// The same with a form for its body, which is kept, or handed on while it comes.
async fn carry_form(
    inbound: Inbound<'_>,
    api: Api,
    boundary: &str,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let streamed = streamed::may_be(inbound, api, &body)?;
    let (limits, headers) = (&inbound.core.settings.limits, &inbound.parts.headers);
    let upload = &upload::read(body, headers, limits, boundary, streamed).await?;
    record.streams(upload.form.is_partial);
    let fields = Bytes::from(upload.form.to_json());
    let call = ApiCall::read_form(api, inbound.query(), &upload.form, &fields)?;
    record.account().asked(call.model(), &fields);
    follow::answer(Inbound { upload: Some(upload), ..inbound }, &call, None, record).await
}

/// How many levels of a body have to be known. Whoever is to decode it needs them all; of a body that is handed on only
/// the fields of the top are looked at.
fn depth(Inbound { core, gateway, .. }: Inbound<'_>, api: Api) -> usize {
    let provider = gateway.provider.as_deref().and_then(|id| core.settings.providers.get(id));
    let is_decoded = provider.is_none_or(|provider| !provider.offers(api));
    match is_decoded && api.dialect().is_some() {
        true => usize::MAX,
        false => 1,
    }
}
