//! An answer that comes later: the submit is answered with a job, which is asked for until it is done.
//!
//! One loop for all vendors: what an answer means, and where the job is asked for, is decided by the row of the API
//! (`ostia_dialect::api::job`). All asks belong to the one attempt that the submit began, and to its time. When the client leaves, or the
//! time is over, the job is given up, where the vendor has a way to do that.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use ostia_dialect::api::job::{self, Address, Begun, Host, Job, Place, Progress};
use ostia_dialect::{Api, Event, Fault, FaultKind, Response as Conversation};
use ostia_routing::{Limit, Verdict};
use tokio::time::{Instant, sleep_until};

use crate::core::Core;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::receive;
use crate::exchange::usable;
use crate::stream::stage::Stage;
use crate::upstream::egress::Origin;
use crate::upstream::{BaseUrl, RequestBody, Timeouts, UpstreamBody};

/// As many asks may fail one after the other for a reason that may pass.
const FAILURES_MAX: u32 = 3;
/// A vendor has so long to hear that a job is given up.
const CANCEL_TIME: Duration = Duration::from_secs(10);

/// The path that a job was submitted to, on its way in the answer to that, where more of the job stands behind it.
#[derive(Debug, Clone)]
pub struct SubmittedAt(String);

impl SubmittedAt {
    /// The path of this request, if the API needs it to ask for its jobs.
    pub fn of<T>(api: Api, request: &Request<T>) -> Option<SubmittedAt> {
        let is_needed = api.job().is_some_and(|job| matches!(job.status, Place::Posted { .. }));
        is_needed.then(|| SubmittedAt(request.uri().path().to_owned()))
    }
}

/// The answer that a job comes to. `client` and `api`: what the client speaks, and what was asked.
///
/// # Errors
/// What became of the job in place of an answer, or why it could not be asked for.
pub async fn wait(
    exchange: Exchange<'_>,
    job: &Job,
    (client, api): (Api, Api),
    submitted: Response<UpstreamBody>,
) -> Result<Response<Bytes>, AttemptError> {
    let end = submitted.body().end();
    let (before, began) = (exchange.booking.waited(), Instant::now());
    let submitted_at = submitted.extensions().get::<SubmittedAt>().cloned();
    let first = receive::submitted(submitted, client, exchange.target).await?;
    let answer = finished(exchange, job, client, (first, submitted_at), end).await?;
    exchange.booking.set_waited(before + began.elapsed());
    let (mut head, bytes) = answer.into_parts();
    // What was made for the client is not here: the vendor's 201 is about its job.
    head.status = StatusCode::OK;
    usable::check(api, &head, &bytes, exchange.target)?;
    Ok(Response::from_parts(head, bytes))
}

/// The answer to a submit that asked for a stream: what comes at the address that the job names. What is given besides gives the
/// job up, when it is dropped before the stream was whole.
///
/// # Errors
/// What became of the job in place of an answer, a model that does not stream, or why it could not be asked for.
pub async fn stream(
    exchange: Exchange<'_>,
    job: &Job,
    client: Api,
    submitted: Response<UpstreamBody>,
) -> Result<(Response<UpstreamBody>, GivenUp), AttemptError> {
    let end = submitted.body().end();
    let answer = receive::submitted(submitted, client, exchange.target).await?;
    job.progress(answer.body()).map_err(usable::unread)?;
    let begun = begun(job, &answer)?;
    let given_up = GivenUp::new(exchange, begun.cancel).await?;
    let Some(address) = &begun.stream else {
        let message =
            "The provider has no stream of this model's answers. Ask without `stream`, or another model.";
        return Err(Fault::invalid(message).with_param("stream").with_code("unsupported_operation").into());
    };
    let (base_url, mut request) = request(exchange, Method::GET, (address, None))?;
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    Ok((exchange.again(&base_url, request, end).await?, given_up))
}

fn begun(job: &Job, answer: &Response<Bytes>) -> Result<Begun, AttemptError> {
    let header = |name: &str| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
    job.begun(answer.body(), header).map_err(usable::unread)
}

async fn finished(
    exchange: Exchange<'_>,
    job: &Job,
    client: Api,
    (mut answer, submitted_at): (Response<Bytes>, Option<SubmittedAt>),
    end: Instant,
) -> Result<Response<Bytes>, AttemptError> {
    let mut progress = job.progress(answer.body()).map_err(usable::unread)?;
    if progress == Progress::Done && job.result.is_none() {
        return Ok(answer);
    }
    let begun = begun(job, &answer)?;
    let submitted = answer.body().clone();
    let mut given_up = GivenUp::new(exchange, begun.cancel).await?;
    let (mut asks, mut failures) = (0, 0);
    while progress == Progress::Open {
        pause(job.pause_ms(asks), end).await?;
        asks += 1;
        match ask(exchange, &begun.status, submitted_at.as_ref(), (client, end)).await {
            Ok(next) => {
                (answer, failures) = (next, 0);
                let told = job.progress(answer.body());
                if told.is_err() {
                    // The vendor itself ended it.
                    given_up.request = None;
                }
                progress = told.map_err(usable::unread)?;
            }
            Err(error) if may_pass(&error.fault) && failures < FAILURES_MAX => failures += 1,
            Err(error) => return Err(error),
        }
    }
    given_up.request = None;
    if let Some(place) = &begun.result {
        answer = ask(exchange, place, submitted_at.as_ref(), (client, end)).await?;
    }
    if let Some(body) = job.with_submitted(&submitted, answer.body()) {
        *answer.body_mut() = body.into();
    }
    Ok(answer)
}

/// Waits until the job may be asked for again.
async fn pause(time_ms: u64, end: Instant) -> Result<(), AttemptError> {
    let next = Instant::now() + Duration::from_millis(time_ms);
    if next < end {
        sleep_until(next).await;
        return Ok(());
    }
    sleep_until(end).await;
    let fault = Fault::new(
        FaultKind::Timeout,
        "The provider's job was not done before the time of the call was over.",
    );
    Err(AttemptError::without_answer(fault, Verdict::Late(Limit::Deadline)))
}

/// Is it about the ask alone, and not about the job?
fn may_pass(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::RateLimit
        | FaultKind::Overloaded
        | FaultKind::Timeout
        | FaultKind::Upstream
        | FaultKind::Server => true,
        FaultKind::InvalidRequest
        | FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::Authentication
        | FaultKind::Permission
        | FaultKind::NotFound
        | FaultKind::TooLarge
        | FaultKind::Quota => false,
    }
}

async fn ask(
    exchange: Exchange<'_>,
    address: &Address,
    submitted_at: Option<&SubmittedAt>,
    (client, end): (Api, Instant),
) -> Result<Response<Bytes>, AttemptError> {
    let (base_url, request) = request(exchange, Method::GET, (address, submitted_at))?;
    let answer = exchange.again(&base_url, request, end).await?;
    receive::json_of(answer, client, exchange.target).await
}

/// A request about a job. It gets the target's key, and so goes to the vendor's own hosts only.
fn request(
    exchange: Exchange<'_>,
    method: Method,
    (address, submitted_at): (&Address, Option<&SubmittedAt>),
) -> Result<(Rc<BaseUrl>, Box<Request<RequestBody>>), Fault> {
    let destination = &exchange.target.destination;
    let own = destination.base_url();
    let hosts: &[String] = if destination.is_clients() { &[] } else { &exchange.target.provider.poll_hosts };
    let (base_url, path) = match address {
        Address::Path(path) => (own.clone(), format!("{}{path}", own.path)),
        Address::Url(url) => match job::host_of(url, &own.origin(), hosts)? {
            Host::Same(path) => (own.clone(), path.to_owned()),
            Host::Other(origin, path) => (other_host(exchange, origin)?, path.to_owned()),
        },
        Address::Posted { behind, .. } => {
            let SubmittedAt(path) = submitted_at
                .ok_or_else(|| Fault::upstream("It is not known where the job was submitted."))?;
            (own.clone(), format!("{path}{behind}"))
        }
    };
    let (method, body) = match address {
        Address::Posted { body, .. } => (Method::POST, Some(Bytes::copy_from_slice(body.as_bytes()))),
        Address::Url(_) | Address::Path(_) => (method, None),
    };
    let is_posted = body.is_some();
    let mut request = exchange.request(path, RequestBody::Full(body))?;
    *request.method_mut() = method;
    let headers = request.headers_mut();
    headers.insert(header::HOST, base_url.authority().clone());
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.remove(header::CONTENT_TYPE);
    if is_posted {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok((base_url, request))
}

/// Another host of the vendor's, which its row names.
fn other_host(exchange: Exchange<'_>, origin: &str) -> Result<Rc<BaseUrl>, Fault> {
    let Core { settings, upstreams, .. } = &**exchange.inbound.core;
    let transport = settings.transports.of(&exchange.target.provider.id);
    let base_url = upstreams.base_url(origin, Origin::BuiltIn, transport, || Ok((origin, "")));
    base_url.map_err(|why| Fault::upstream(format!("The provider answered with a job at a host that {why}.")))
}

/// Gives a job up when it is dropped: nobody is there any more to wait for that.
pub struct GivenUp {
    core: Rc<Core>,
    request: Option<(Rc<BaseUrl>, Box<Request<RequestBody>>)>,
}

impl GivenUp {
    async fn new(exchange: Exchange<'_>, cancel: Option<(job::Method, Address)>) -> Result<GivenUp, Fault> {
        let core = exchange.inbound.core.clone();
        let Some((method, address)) = cancel else { return Ok(GivenUp { core, request: None }) };
        let method = match method {
            job::Method::Post => Method::POST,
            job::Method::Put => Method::PUT,
        };
        // An address to which the key may not go is left alone.
        let Ok((base_url, mut request)) = request(exchange, method, (&address, None)) else {
            return Ok(GivenUp { core, request: None });
        };
        exchange.sign(&mut request).await?;
        Ok(GivenUp { core, request: Some((base_url, request)) })
    }
}

impl GivenUp {
    /// Leaves the job alone, whatever becomes of it.
    pub fn forget(mut self) {
        self.request = None;
    }
}

impl fmt::Debug for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenUp")
    }
}

/// On a stream's way to the client it goes when the stream does.
impl Stage for GivenUp {
    fn events(&mut self, events: &mut Vec<Event>) {
        if events.contains(&Event::Finish) {
            self.request = None;
        }
    }

    fn response(&mut self, _: &mut Conversation) {
        self.request = None;
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        let Some((base_url, request)) = self.request.take() else { return };
        let core = self.core.clone();
        let time = CANCEL_TIME;
        tokio::task::spawn_local(async move {
            let timeouts = Timeouts { connect: time, first_byte: time, idle: time, total: time };
            // At best: the vendor ends the job by itself, later.
            drop(core.upstreams.send(&base_url, request, timeouts, Instant::now()).await);
        });
    }
}
