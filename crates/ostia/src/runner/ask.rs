//! A row as a call.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header, request};
use http_body_util::BodyExt as _;
use ostia_dialect::{Fault, FaultKind};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Course;
use crate::core::Core;
use crate::errors::family::family;
use crate::errors::{failure, reply};
use crate::fetch::Fetched;
use crate::handler;
use crate::inbound::caller;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::route::{self, ApiPath, Endpoint};
use crate::inbound::{Inbound, caller::Caller};
use crate::message::body::Body;
use crate::record::Record;
use crate::record::trace;

/// Times that a row is asked, if it fails for reasons that may pass. A config may try it again each time by itself.
const TRIES_MAX: u32 = 3;
/// How long to wait before it is tried again: twice as long each time, unless the provider says how long.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Largest answer to one row, in bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// A row, as it is asked.
#[derive(Debug, Clone)]
pub struct Call {
    /// The path.
    pub url: String,
    /// What the client calls the row.
    pub custom_id: String,
    /// The body.
    pub body: Bytes,
}

/// What a provider, or the gateway in its place, answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// By which it is found in the records.
    pub request_id: String,
    /// The body.
    pub body: Bytes,
    /// It may be otherwise the next time, after so long.
    again: Option<Duration>,
}

/// Asks a row until there is an answer that stays. `None`: the gateway stops while it waits to try again.
pub async fn ask(
    core: impl Fn() -> Rc<Core>,
    headers: &HeaderMap,
    batch: &str,
    call: &Call,
    course: &mut watch::Receiver<Course>,
) -> Option<Answer> {
    let mut tries = 1;
    loop {
        let answer = ask_once(&core(), headers, batch, call).await;
        let Some(told) = answer.again.filter(|_| tries < TRIES_MAX) else { return Some(answer) };
        let wait = told.max(WAIT_FIRST * 2u32.pow(tries - 1)).min(WAIT_MAX);
        tries += 1;
        let turned = course.wait_for(|course| *course != Course::On);
        tokio::select! {
            () = sleep(wait + wait.mul_f64(fastrand::f64() / 4.0)) => {}
            turned = turned => match turned.map(|course| *course) {
                Ok(Course::Stopping) => return None,
                Ok(Course::Cancelled | Course::On) | Err(_) => return Some(answer),
            }
        }
    }
}

/// One call, from its head to the end of its answer, whatever happens.
async fn ask_once(core: &Rc<Core>, headers: &HeaderMap, batch: &str, call: &Call) -> Answer {
    let id = core.new_id();
    let family = family(&call.url);
    let (parts, body) = match carry(core, headers, batch, call, &id).await {
        Ok(whole) => whole,
        Err(fault) => {
            let (parts, mut body) = reply::fault(family, &fault, None, &id).into_parts();
            let body = match body.frame().await {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                _ => Bytes::new(),
            };
            (parts, body)
        }
    };
    let status = parts.status.as_u16();
    Answer { status, request_id: id, body, again: again(status, &parts.headers) }
}

/// May the same call succeed later, and when?
fn again(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let may_pass = match text("x-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(status, 408 | 409 | 429 | 500 | 502..=504 | 529),
    };
    let seconds = || text("retry-after").and_then(|seconds| seconds.trim().parse().ok());
    (status >= 400 && may_pass).then(|| Duration::from_secs(seconds().unwrap_or_default()))
}

/// Sends a call as if a client had sent it, and reads the answer.
async fn carry(
    core: &Rc<Core>,
    headers: &HeaderMap,
    batch: &str,
    call: &Call,
    id: &str,
) -> Result<(http::response::Parts, Bytes), Fault> {
    let mut sent = Sent::of(core, headers, batch, &call.url)?;
    let name = HeaderValue::from_str(&call.custom_id).ok();
    let trace = &mut sent.gateway.trace;
    trace.span_name = trace.span_name.take().or(name.as_ref().and_then(trace::kept));
    let mut record = sent.record(core, id);
    let Endpoint::Api(api_path) = Endpoint::of(&Method::POST, &call.url) else {
        return Err(Fault::invalid("The row calls nothing that the gateway runs in batches."));
    };
    let account = record.account().clone();
    account.call(Some(api_path.api.name()));
    let files = Rc::default();
    let inbound = sent.inbound(core, &files);
    let requested = Duration::from_millis(sent.gateway.request_timeout_ms.unwrap_or_default());
    let longest = core.settings.timeouts.total.max(requested);
    let answered = timeout(longest, answer(inbound, &api_path, call, &mut record)).await;
    let answered = answered.unwrap_or_else(|_| {
        let message = format!("The row had no answer within {longest:?} (timeouts.total).");
        Err(Fault::new(FaultKind::Timeout, message))
    });
    if let Err(fault) = &answered {
        account.refused(fault);
    }
    answered
}

async fn answer(
    inbound: Inbound<'_>,
    api_path: &ApiPath<'_>,
    call: &Call,
    record: &mut Record,
) -> Result<(http::response::Parts, Bytes), Fault> {
    let mut response = Box::pin(handler::carry(inbound, api_path, &call.body, record)).await?;
    record.keep(&mut response);
    read(response).await
}

/// What stands for a request that a client had sent.
pub struct Sent {
    parts: request::Parts,
    gateway: GatewayHeaders,
    caller: Caller,
}

impl Sent {
    /// A request with these headers, for a batch.
    ///
    /// # Errors
    /// 400 for headers that make no sense, 401 where their sender may not call any more.
    pub fn of(core: &Core, headers: &HeaderMap, batch: &str, url: &str) -> Result<Sent, Fault> {
        let parts = parts(headers, url)?;
        route::check(&parts)?;
        let mut gateway = GatewayHeaders::read(&parts.headers)?;
        let settings = &core.settings;
        gateway.credentials.withhold(&settings.admin_keys, &settings.gateway_keys);
        // Anew for each row: the operator may have taken the key away meanwhile.
        let caller = caller::authenticate(&settings.gateway_keys, std::mem::take(&mut gateway.credentials))?;
        if gateway.trace_id.is_none() {
            gateway.trace_id = HeaderValue::from_str(batch).ok();
        }
        Ok(Sent { parts, gateway, caller })
    }

    /// Its record, under this id.
    pub fn record(&self, core: &Core, id: &str) -> Record {
        let Sent { parts, gateway, caller } = self;
        let trace_id = gateway.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        let trace = (trace_id, &gateway.trace);
        let new_id = || id.to_owned();
        let record = Record::alone(&core.books, parts, gateway.metadata.as_ref(), trace, new_id);
        if gateway.without_bodies {
            record.account().without_bodies();
        }
        let keys = &core.settings.gateway_keys;
        record.account().sent_by(caller.owner, caller.name(keys), caller.bodies(keys));
        record
    }

    /// The same as all that is known of it.
    pub fn inbound<'a>(&'a self, core: &'a Rc<Core>, files: &'a Rc<Fetched>) -> Inbound<'a> {
        let Sent { parts, gateway, caller } = self;
        Inbound { core, caller, gateway, parts, upload: None, files }
    }
}

/// The head of a row's call.
fn parts(headers: &HeaderMap, url: &str) -> Result<request::Parts, Fault> {
    let request = Request::builder().method(Method::POST).uri(url).body(());
    let request = request.map_err(|_| Fault::invalid("The row has a `url` that is none."))?;
    let (mut parts, ()) = request.into_parts();
    parts.headers = headers.clone();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(parts)
}

async fn read(response: Response<Body>) -> Result<(http::response::Parts, Bytes), Fault> {
    let (parts, mut body) = response.into_parts();
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|fault| failure::of_body(&fault))?;
        let Ok(bytes) = frame.into_data() else { continue };
        if whole.len() + bytes.len() > ANSWER_BYTES_MAX {
            let message =
                format!("The answer is larger than the {ANSWER_BYTES_MAX} bytes that a row's may have.");
            return Err(Fault::upstream(message));
        }
        whole.extend_from_slice(&bytes);
    }
    Ok((parts, whole.into()))
}
