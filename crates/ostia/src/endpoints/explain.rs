//! Telling how it is decided whom to ask: beside an answer, afterwards, or without asking anybody.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Response, Uri, request};
use ostia_dialect::json::{Document, Node};
use ostia_dialect::{Fault, FaultKind, Files};
use ostia_providers::prepare::{ApiCall, Prepared, Recipient, Way, prepare, way};
use ostia_routing::{Leaf, Plan, Route};
use ostia_store::Readers;
use serde_json::{Value, json};

use crate::clock::now;
use crate::core::Core;
use crate::endpoints::logs;
use crate::errors::reply;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::payload::Payload;
use crate::inbound::Inbound;
use crate::inbound::caller::Caller;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::route::Endpoint;
use crate::log;
use crate::message::body::Body;
use crate::record::booking::Booking;
use crate::record::explained::{self, add_key, ascii};
use crate::routing::facts::RequestFacts;
use crate::routing::routes;
use crate::target::{self, Asked};

/// Largest body of a dry run, in bytes.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Most targets whose translation is tried out in a dry run.
const TARGETS_MAX: usize = 20;
/// Most bytes of requests that are translated in a dry run, all targets together. One target is always tried out.
const TRANSLATED_BYTES_MAX: usize = 8 << 20;
/// Where a request goes that does not say.
const PATH_USUAL: &str = "/v1/chat/completions";

/// `GET /v1/explain/{trace id}`: what was decided for a request, as its core remembers it, or else as it was kept.
///
/// # Errors
/// 404 where there is none of that name.
pub async fn told(core: &Core, caller: &Caller, trace_id: &str) -> Result<Response<Body>, Fault> {
    let settings = &core.settings;
    // On a machine of one's own, without keys, the operator looks at what programs with other credentials asked for.
    let is_private = settings.loopback && settings.gateway_keys.is_empty();
    let owner = Some(caller.owner).filter(|_| !is_private);
    if let Some(told) = core.records.find(trace_id, owner) {
        return Ok(reply::json(told.to_string()));
    }
    // A record says by which key it was, by name. A key without one has a place, where another one may stand by now.
    let key = caller.name(&settings.gateway_keys).and_then(|(name, _)| Some(log::name(name?)));
    let kept = match &core.readers {
        Some(readers) if is_private || key.is_some() => {
            kept(readers, key.filter(|_| !is_private), trace_id).await
        }
        _ => None,
    };
    let Some(record) = kept else {
        let message = format!(
            "There is no request with the trace id `{trace_id}`: it named nobody, is too long ago, or belongs to another key."
        );
        return Err(Fault::new(FaultKind::NotFound, message).with_code("not_found"));
    };
    Ok(reply::json(explained::of_kept(&record).to_string()))
}

/// The newest record of this trace that is this key's; `None` for anybody's. What cannot be read at the moment is not found: it is the
/// ring that explain promises.
async fn kept(readers: &Readers, key: Option<Box<str>>, trace_id: &str) -> Option<Value> {
    let trace_id = trace_id.to_owned();
    let requests = logs::ask(readers, move |reader| reader.trace(&trace_id)).await.ok()?;
    let is_theirs = |record: &Value| key.as_deref().is_none_or(|key| record["key"] == key);
    requests.into_iter().rev().find(is_theirs)
}

/// `POST /v1/explain`: whom a request would go to, and what would become of it there. Nobody is asked.
///
/// The body is `{"request": {...}, "config": {...} or "name", "path": "/v1/messages", "metadata": {...}}`; all but the
/// request may be left out, and headers mean what they mean elsewhere.
///
/// # Errors
/// 400 for a request or a config that makes no sense, 413 for a body beyond [`BODY_BYTES_MAX`].
pub fn dry_run(
    core: &Rc<Core>,
    caller: &Caller,
    gateway: &GatewayHeaders,
    parts: &request::Parts,
    body: &[u8],
) -> Result<Response<Body>, Fault> {
    if body.len() > BODY_BYTES_MAX {
        return Err(too_large());
    }
    let given = Document::of_request(body)?;
    let given = given.root();
    let path = given.str("path").unwrap_or(PATH_USUAL.into());
    let gateway = &with(core, gateway.clone(), given)?;
    let mut parts = parts.clone();
    parts.method = Method::POST;
    parts.uri = Uri::from(
        path.parse::<PathAndQuery>().map_err(|_| invalid("path", "must be a path, like /v1/messages"))?,
    );
    let Endpoint::Api(api_path) = Endpoint::of(&parts.method, parts.uri.path()) else {
        return Err(invalid("path", "names no call that is understood; try /v1/chat/completions"));
    };
    let Some(request) = given.get("request").filter(Node::is_object) else {
        return Err(invalid("request", "must be the body of the request, an object"));
    };
    let body = Bytes::copy_from_slice(request.text().as_bytes());
    let files = &Rc::default();
    let inbound = Inbound { core, caller, gateway, parts: &parts, upload: None, files };
    let call = &ApiCall::read(api_path.api, api_path.params(), "", &body, usize::MAX)?;
    let route = routes::find(inbound, call.model())?;
    let mut told = match &route {
        Some(route) => decide(inbound, call, route),
        None => json!({"result": "answered", "answered_by": "config"}),
    };
    let leaves: Vec<Option<&Leaf>> = match &route {
        Some(route) => route.leaves().iter().take(tried_out(body.len())).map(Some).collect(),
        None => vec![None],
    };
    told["calls"] = leaves.into_iter().map(|leaf| try_out(inbound, call, leaf)).collect();
    if let Some(route) = &route {
        let further = route.warnings().iter().map(ToString::to_string);
        told["warnings"] = routes::warnings(gateway).into_iter().chain(further).collect();
    }
    Ok(reply::json(told.to_string()))
}

/// Of how many targets the translation of a request of so many bytes is tried out.
fn tried_out(request_bytes: usize) -> usize {
    (TRANSLATED_BYTES_MAX / request_bytes.max(1)).clamp(1, TARGETS_MAX)
}

fn too_large() -> Fault {
    let message = format!(
        "A dry run takes a body of at most {} MiB; leave out parts of long messages, which decide nothing.",
        BODY_BYTES_MAX >> 20
    );
    Fault::new(FaultKind::TooLarge, message).with_code("body_too_large")
}

fn invalid(field: &str, what: &str) -> Fault {
    Fault::invalid(format!("Invalid `{field}`: {what}")).with_param(field)
}

/// The call as if these fields had been its headers.
fn with(core: &Core, mut gateway: GatewayHeaders, given: Node<'_>) -> Result<GatewayHeaders, Fault> {
    let header = |field: &str, text: String| {
        HeaderValue::try_from(text).map_err(|_| invalid(field, "has characters that no header can hold"))
    };
    if let Some(config) = given.some("config") {
        let text = config.as_str().map_or_else(|| ascii(config.text()), Cow::into_owned);
        gateway.config = Some(header("config", text)?);
    }
    if let Some(metadata) = given.get("metadata").filter(Node::is_object) {
        let text = ascii(metadata.text());
        if text.len() > core.settings.limits.header_bytes_max {
            return Err(invalid("metadata", "is longer than the head of a request may be"));
        }
        gateway.metadata = Some(header("metadata", text)?);
    }
    Ok(gateway)
}

fn decide(inbound: Inbound<'_>, call: &ApiCall<'_>, route: &Arc<Route>) -> Value {
    let facts = RequestFacts::new(inbound, Payload::Api(call), route, None);
    let record = Plan::explain(route.clone(), &facts, fastrand::u64(..), now());
    serde_json::to_value(record).unwrap_or_default()
}

/// What would be sent to one target, and what of the request would not.
fn try_out(inbound: Inbound<'_>, call: &ApiCall<'_>, leaf: Option<&Leaf>) -> Value {
    let path = leaf.map_or("config", |leaf| &leaf.index_path);
    let tried = target::resolve(inbound, leaf, Asked::Api(call)).and_then(|target| {
        let booking = Booking::default();
        let exchange = Exchange::new(inbound, &target, &booking);
        let way = way(call, &exchange.recipient(), ask::is_read(exchange, call))?;
        let (prepared, fetches) = prepare_dry(way, call, &exchange.recipient_of(call, way))?;
        let dropped = match prepared {
            Prepared::Request(request) => request.dropped,
            Prepared::Estimate { .. } | Prepared::Fetch(_) => Vec::new(),
        };
        let model = target.model.as_deref().or(call.model());
        let mut told = json!({"target": path, "provider": target.provider.id, "model": model, "way": way.name(), "dropped": dropped});
        add_key(target.key_use().as_ref(), &mut told);
        if !fetches.is_empty() {
            told["fetches"] = fetches.into();
        }
        Ok(told)
    });
    tried.unwrap_or_else(|fault| json!({"target": path, "error": fault.message}))
}

/// The request as it would be, and the addresses of the files that would be fetched for it: others stand in their place.
fn prepare_dry(
    way: Way,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
) -> Result<(Prepared, Vec<String>), Fault> {
    let remotes = match prepare(way, call, recipient, None, &Files::new())? {
        Prepared::Fetch(remotes) => remotes,
        prepared => return Ok((prepared, Vec::new())),
    };
    let stand_ins = remotes.iter().map(|remote| (remote.url.clone(), Ok(Arc::new(remote.stand_in()))));
    let prepared = prepare(way, call, recipient, None, &stand_ins.collect())?;
    Ok((prepared, remotes.into_iter().map(|remote| remote.url).collect()))
}
