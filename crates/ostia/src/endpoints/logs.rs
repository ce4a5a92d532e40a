//! What was kept of requests: the list of them, one, a trace, and what they come to. For operators, and nobody else.
//!
//! The answers are made on threads that do nothing else, so that a large question holds up no request.

mod analytics;
mod caches;
mod export;
mod exports;
mod graphs;
pub mod parameters;
mod told_results;
mod tree;
mod writes;

use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue, Response, header, request};
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{
    Busy, METRICS_MEDIA_TYPE, PLAIN_METRICS_MEDIA_TYPE, ReadError, Reader, Readers, Session, plain_metrics,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::client::ClientBody;
use crate::config::settings::Settings;
use crate::core::Core;
use crate::endpoints::otel;
use crate::errors::reply;
use crate::inbound::browser;
use crate::inbound::credentials::Credentials;
use crate::inbound::route::{self, GroupPath, KeptPath};
use crate::message::body::Body;
use parameters::Parameters;

pub use parameters::{age_ms, status};
pub use writes::sender;

/// Answers one of these.
///
/// # Errors
/// 401 and 403 for whoever may not ask, 400 for a parameter that makes no sense, 404 where there is no such request, 503 where nothing
/// is kept or too many ask.
pub async fn answer(
    core: &Rc<Core>,
    parts: &request::Parts,
    credentials: &Credentials,
    path: KeptPath<'_>,
    body: ClientBody,
) -> Result<Response<Body>, Fault> {
    if let KeptPath::Insert | KeptPath::Feedback | KeptPath::FeedbackOf(_) = path {
        return writes::answer(core, parts, credentials, path, body).await;
    }
    if let KeptPath::Exports(path) = path {
        return exports::answer(core, parts, credentials, path, body).await;
    }
    if let KeptPath::Otel(path) = path {
        return Ok(otel::answer(core, parts, credentials, path, body).await);
    }
    admit(core, parts, credentials)?;
    if path == KeptPath::Metrics {
        return Ok(metrics(core, &parts.headers));
    }
    let parameters = Parameters::read(parts.uri.query().unwrap_or_default(), &path)?;
    let readers = core.readers.as_ref().ok_or_else(nothing_kept)?;
    if path == KeptPath::Export {
        return export::answer(readers, parameters).await;
    }
    let question = question(path, parameters, core.settings.clone());
    match ask(readers, |reader| question(reader).map(|told| told.map(|told| told.to_string()))).await? {
        Some(text) => Ok(reply::json(text)),
        None => Err(Fault::new(FaultKind::NotFound, "There is no such request among those that are kept.")),
    }
}

/// Has a thread that reads answer this.
///
/// # Errors
/// 503 where too many ask or what was kept cannot be read, 504 where it takes too long.
pub async fn ask<T: Send + 'static>(
    readers: &Readers,
    question: impl FnOnce(&mut Reader) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Fault> {
    let (tell, told) = oneshot::channel();
    // Whoever asked may have left.
    readers.ask(move |reader| drop(tell.send(question(reader)))).map_err(|Busy| busy())?;
    told.await.map_err(|_| busy())?.map_err(|error| match error {
        ReadError::TooSlow => Fault::new(FaultKind::Timeout, "That took too long: ask for less time."),
        // Where the file lies is nobody's business who asks from elsewhere.
        ReadError::Unreadable(why) => {
            Fault::new(FaultKind::Overloaded, "What was kept cannot be read at the moment.").with_detail(why)
        }
    })
}

/// What probes hear of a gateway that serves. That it cannot write records does not keep it from that.
pub fn ready(core: &Core) -> Response<Body> {
    let health = core.books.store.as_ref().map(|store| store.queue.health()).unwrap_or_default();
    match health.problem {
        None => reply::json(r#"{"status":"ready"}"#),
        Some(_) => {
            let told = json!({"written": false, "waiting": health.waiting, "lost": health.lost});
            reply::json(json!({"status": "ready", "records": told}).to_string())
        }
    }
}

type Question = Box<dyn FnOnce(&mut Reader) -> Result<Option<Value>, ReadError> + Send>;

/// What Prometheus asks for. It may have gaps that the file does not have: it begins anew with the gateway. Where no records are kept it
/// says how things stand, and counts of requests where the operator wants them counted.
fn metrics(core: &Core, headers: &HeaderMap) -> Response<Body> {
    let text = core.meters.text(&core.settings);
    let (text, media_type) = match wants_plain(headers) {
        true => (plain_metrics(&text), PLAIN_METRICS_MEDIA_TYPE),
        false => (text, METRICS_MEDIA_TYPE),
    };
    let mut response = reply::text(text);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Does whoever asks take Prometheus's older form, and not OpenMetrics'?
fn wants_plain(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut plain, mut open) = (false, false);
    for accepted in accepted {
        plain |= accepted.contains("text/plain");
        open |= accepted.contains("application/openmetrics-text");
    }
    plain && !open
}

/// Who may ask: whoever shows one of `auth.admin_keys`. Where there are none, this machine, if it needs no key for anything; but no
/// web page.
///
/// # Errors
/// 401 and 403 for everybody else.
pub fn admit(core: &Core, parts: &request::Parts, credentials: &Credentials) -> Result<(), Fault> {
    let settings = &core.settings;
    let Credentials { gateway, bearer, api_key } = credentials;
    let shown = [gateway, bearer, api_key].into_iter().flatten();
    if !settings.admin_keys.is_empty() {
        return match shown.into_iter().any(|shown| settings.admin_keys.find(shown.expose()).is_some()) {
            true => Ok(()),
            false => Err(no_admin(
                "This needs one of the keys under auth.admin_keys in ostia.yaml: send it in the header \
                                   x-ostia-api-key, or as `Authorization: Bearer ...`.",
                FaultKind::Authentication,
            )),
        };
    }
    if !settings.clients_are_operators() {
        let message =
            "What is kept of requests is told to operators only: set auth.admin_keys in ostia.yaml.";
        return Err(no_admin(message, FaultKind::Permission));
    }
    browser::check_own(parts)
}

fn no_admin(message: &str, kind: FaultKind) -> Fault {
    Fault::new(kind, message).with_code("admin_key_invalid")
}

/// There is no store.
pub fn nothing_kept() -> Fault {
    let message = "No records are kept: see records in ostia.yaml, and --data.";
    Fault::new(FaultKind::NotFound, message).with_code("records_off")
}

/// Nobody has time for it at the moment.
pub fn busy() -> Fault {
    Fault::new(FaultKind::Overloaded, "Too many ask for what was kept: try again in a moment.")
        .with_status(503)
}

fn question(path: KeptPath<'_>, parameters: Parameters, settings: Arc<Settings>) -> Question {
    let Parameters { filter, page, by, now_ms, steps, group_page, text, .. } = parameters;
    match path {
        KeptPath::List => Box::new(move |reader| {
            if let Some(text) = text {
                let found = reader.search(&filter, &text, page)?;
                let (data, next, searched) = (found.data, found.next, found.looked_at);
                return Ok(Some(json!({"object": "list", "data": data, "next": next, "searched": searched})));
            }
            let (data, next) = reader.list(&filter, page)?;
            Ok(Some(json!({"object": "list", "data": data, "next": next})))
        }),
        KeptPath::Sessions => Box::new(move |reader| {
            let (sessions, next) = reader.sessions(&filter, page)?;
            let data: Vec<Value> = sessions.iter().map(told_session).collect();
            Ok(Some(json!({"object": "list", "data": data, "next": next})))
        }),
        KeptPath::One(id) => {
            let id = id.to_owned();
            Box::new(move |reader| reader.one(&id))
        }
        KeptPath::Trace(id) => {
            let id = id.to_owned();
            Box::new(move |reader| {
                let requests = reader.trace(&id)?;
                // A request may be known by another name than its trace.
                let trace_id =
                    requests.first().and_then(|request| request["trace_id"].as_str()).unwrap_or(&id);
                let joined = reader.joined(trace_id)?;
                let is_some = !requests.is_empty() || !joined.spans.is_empty() || !joined.logs.is_empty();
                Ok(is_some.then(|| tree::told(&id, requests, joined)))
            })
        }
        KeptPath::Graph(graph) => Box::new(move |reader| match steps {
            Some(steps) => graphs::graph(reader, graph, &filter, &steps).map(Some),
            None => Ok(None),
        }),
        KeptPath::Group(group) => {
            let group = owned(group);
            Box::new(move |reader| graphs::groups(reader, &group, &filter, group_page).map(Some))
        }
        KeptPath::Cache => Box::new(move |reader| caches::told(reader, &filter, &settings, now_ms).map(Some)),
        KeptPath::CacheSummary => {
            Box::new(move |reader| graphs::cache_summary(reader, &filter, now_ms).map(Some))
        }
        // Not read from the file.
        KeptPath::Metrics
        | KeptPath::Export
        | KeptPath::Exports(_)
        | KeptPath::Insert
        | KeptPath::Otel(_)
        | KeptPath::Feedback
        | KeptPath::FeedbackOf(_) => Box::new(|_| Ok(None)),
        KeptPath::Summary => {
            Box::new(move |reader| analytics::summary(reader, &filter, by, now_ms).map(Some))
        }
        KeptPath::Series => Box::new(move |reader| match steps {
            Some(steps) => analytics::series(reader, &filter, by, &steps).map(Some),
            None => Ok(None),
        }),
    }
}

/// The same, to be taken along; the name of metadata without its percent-encoding.
fn owned(group: GroupPath<&str>) -> GroupPath<String> {
    match group {
        GroupPath::Users => GroupPath::Users,
        GroupPath::Models => GroupPath::Models,
        GroupPath::Provider => GroupPath::Provider,
        GroupPath::Workspaces => GroupPath::Workspaces,
        GroupPath::Metadata(name) => {
            GroupPath::Metadata(route::percent_decode(name).unwrap_or_default().into_owned())
        }
    }
}

fn told_session(session: &Session) -> Value {
    let sums = &session.sums;
    json!({
        "id": session.id,
        "first": parameters::rfc3339(session.first_ms),
        "last": parameters::rfc3339(session.last_ms),
        "requests": sums.requests,
        "failed": sums.failed,
        "tokens": {"input": sums.prompt_tokens, "output": sums.completion_tokens, "cached": sums.cached_tokens},
        "cost": sums.costs(),
        "estimated_cost": sums.estimated_costs(),
        "cost_unknown": sums.unpriced,
        "models": session.models,
    })
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
