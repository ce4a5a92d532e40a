//! A step of a batch or of a job that trains a model, asked of its provider: once with each of its keys, where the operator has several.

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use ostia_dialect::batches::Source;
use ostia_dialect::form::Piece;
use ostia_dialect::step::{self, Content, Place, Step};
use ostia_dialect::{Api, Fault, Observed};
use ostia_providers::endpoint;
use ostia_routing::{Leaf, Route};

use super::fetched;
use crate::client::AnswerDeadline;
use crate::core::Core;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::{Exchange, receive};
use crate::inbound::Inbound;
use crate::message::fields;
use crate::message::inflate::Inflate;
use crate::record::Record;
use crate::record::booking::Booking;
use crate::routing::routes;
use crate::target::{self, Asked, Target};
use crate::upstream::pieces::{Pieces, Stored};
use crate::upstream::{RequestBody, UpstreamBody};

/// How long rows and results may take on their way, where calls may take less.
const TRANSFER_TIME: Duration = Duration::from_secs(3600);

/// Answers, results and errors are for clients of this API.
pub const CLIENT: Api = Api::OpenaiBatches;

/// What is sent with a step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent<'a> {
    /// The rows, for a step that sends them.
    pub rows: Option<&'a Stored>,
    /// The model that a path may name.
    pub model: &'a str,
    /// Headers that rows ask for.
    pub headers: &'a [(String, String)],
    /// It takes as long as what passes is large.
    pub is_long: bool,
}

/// Results that are coming.
#[derive(Debug)]
pub struct Coming {
    /// The rest of the answer.
    pub body: UpstreamBody,
    /// How it is unpacked.
    pub inflate: Option<Inflate>,
    /// How long it may take, where that is longer than others.
    pub deadline: Option<AnswerDeadline>,
}

/// The JSON that a step is answered with.
///
/// # Errors
/// The provider could not be asked, or refused.
pub async fn ask(
    inbound: Inbound<'_>,
    provider: &str,
    step: &Step,
    sent: Sent<'_>,
    record: &mut Record,
) -> Result<Bytes, AttemptError> {
    // An object storage says nothing of what it has taken, and not every vendor something of what it is to end
    // (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_StopModelCustomizationJob.html).
    let says_nothing = match step.method {
        step::Method::Put => true,
        step::Method::Post => matches!(step.content, Content::Nothing),
        step::Method::Get | step::Method::Delete => false,
    };
    let read = async |answer, target: &Target<'_>| {
        let read = match says_nothing {
            true => receive::anything_of(answer, CLIENT, target).await,
            false => receive::json_of(answer, CLIENT, target).await,
        };
        read.map(Response::into_body)
    };
    carry_out(inbound, provider, (step, sent), read, record).await
}

/// The results that are to be had from a source, while they come.
///
/// # Errors
/// As [`ask`].
pub async fn open(
    inbound: Inbound<'_>,
    provider: &str,
    source: &Source,
    record: &mut Record,
) -> Result<Coming, AttemptError> {
    let Source::Step(step) = source else { return open_further(inbound, provider, source).await };
    let read = async |answer, target: &Target<'_>| coming(inbound, answer, target).await;
    carry_out(inbound, provider, (step, Sent { is_long: true, ..Sent::default() }), read, record).await
}

/// The same of a source behind others, which belongs to the attempt that asked for the first: it is asked for once, with the key whose
/// turn it is.
///
/// # Errors
/// As [`ask`].
pub async fn open_further(
    inbound: Inbound<'_>,
    provider: &str,
    source: &Source,
) -> Result<Coming, AttemptError> {
    let route = routes::find(inbound, None)?;
    let leaf = route.as_deref().map(|route| leaf_for(inbound, route, provider)).transpose()?;
    let mut target = target_of(inbound, leaf.flatten(), provider, source.api())?;
    target.timeouts.total = target.timeouts.total.max(TRANSFER_TIME);
    match source {
        Source::Step(step) => {
            let booking = Booking::default();
            let answer = send(Exchange::new(inbound, &target, &booking), step, Sent::default()).await?;
            coming(inbound, answer, &target).await
        }
        Source::Address(address) => Ok(fetched::open(inbound.core, &target, address).await?),
    }
}

async fn carry_out<T>(
    inbound: Inbound<'_>,
    provider: &str,
    (step, sent): (&Step, Sent<'_>),
    read: impl AsyncFn(Response<UpstreamBody>, &Target<'_>) -> Result<T, AttemptError>,
    record: &mut Record,
) -> Result<T, AttemptError> {
    let route = routes::find(inbound, None)?;
    let leaf = route.as_deref().map(|route| leaf_for(inbound, route, provider)).transpose()?;
    let mut target = target_of(inbound, leaf.flatten(), provider, step.place.api())?;
    if sent.is_long {
        target.timeouts.total = target.timeouts.total.max(TRANSFER_TIME);
    }
    if sent.rows.is_some() {
        target.timeouts.first_byte = target.timeouts.first_byte.max(TRANSFER_TIME);
    }
    record.target(&target.provider.id, target.index_path, None);
    let booking = record.booking();
    loop {
        record.key(target.key_use());
        let answer = match send(Exchange::new(inbound, &target, &booking), step, sent).await {
            Ok(answer) => read(answer, &target).await,
            Err(error) => Err(error),
        };
        if answer.is_ok() {
            booking.answered(&Observed::default());
        }
        booking.settle(&answer, &[]);
        if let ControlFlow::Break(answer) = target.settle(answer, Some(())) {
            record.key(target.key_use());
            return answer;
        }
    }
}

/// What is known of whoever is asked for a batch at the host of this API.
///
/// # Errors
/// What `read` says, and as for every step.
pub fn at<T>(
    inbound: Inbound<'_>,
    provider: &str,
    api: Option<Api>,
    read: impl FnOnce(&Target<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let route = routes::find(inbound, None)?;
    let leaf = route.as_deref().map(|route| leaf_for(inbound, route, provider)).transpose()?;
    read(&target_of(inbound, leaf.flatten(), provider, api)?)
}

async fn coming(
    inbound: Inbound<'_>,
    answer: Response<UpstreamBody>,
    target: &Target<'_>,
) -> Result<Coming, AttemptError> {
    let deadline = answer.extensions().get::<AnswerDeadline>().copied();
    // Where files are kept elsewhere their path leads there.
    if let Some(address) = fetched::moved(&answer, &target.destination.base_url().origin()) {
        let coming = fetched::open(inbound.core, target, &address).await?;
        return Ok(Coming { deadline, ..coming });
    }
    let (body, inflate) = receive::rows_of(answer, CLIENT, target).await?;
    Ok(Coming { body, inflate, deadline })
}

/// The one target of a config, or the one of the provider that the request names: a batch or a job is at one provider, and stays there.
///
/// # Errors
/// 400 for a config that has several, where none of them is named.
pub fn leaf_of<'r>(inbound: Inbound<'_>, route: &'r Route) -> Result<&'r Leaf, Fault> {
    let named = || {
        let id = inbound.gateway.provider.as_deref()?.trim_start_matches('@');
        routes::leaf_at(inbound, route, &inbound.core.settings.providers.get(id)?.id)
    };
    route.only_leaf().or_else(named).ok_or_else(|| {
        let message = "A provider's batches and jobs are made at one provider, and the config has several targets: name one of them \
                       in x-ostia-provider. Rows of a batch can be run by the gateway, too (`completion_window: \"immediate\"`).";
        Fault::invalid(message).with_param("config").with_code("config_unsupported")
    })
}

/// The target of a config that what is at this provider is asked for at. Where a key's config has none the provider is asked as it is.
///
/// # Errors
/// 400 for a config of the request's that has several, and none of this provider.
fn leaf_for<'r>(inbound: Inbound<'_>, route: &'r Route, provider: &str) -> Result<Option<&'r Leaf>, Fault> {
    match (routes::leaf_at(inbound, route, provider), &inbound.gateway.config) {
        (None, Some(_)) => leaf_of(inbound, route).map(Some),
        (leaf, _) => Ok(leaf),
    }
}

/// A batch or a job is asked for later by its id alone, and a host that a client named is not kept: it would be asked for elsewhere. What it says
/// of the provider's own host, as a region, is kept.
///
/// # Errors
/// 400 for a host that a client named.
pub fn refuse_clients_host(
    inbound: Inbound<'_>,
    leaf: Option<&Leaf>,
    target: &Target<'_>,
) -> Result<(), Fault> {
    if !target.destination.is_clients() || !target::client_names_host(inbound, leaf) {
        return Ok(());
    }
    let message = "A provider's batches and jobs that the gateway translates are made at the provider's own host: leave out \
                   x-ostia-custom-host, or have the operator name the host under providers in ostia.yaml. Rows of a batch can be run \
                   by the gateway, too (`completion_window: \"immediate\"`).";
    Err(Fault::invalid(message).with_param("custom_host").with_code("custom_host_refused"))
}

/// Whom it was made at. Whoever asks for it with a config or a provider of its own may change the key, and not the provider.
fn target_of<'a>(
    inbound: Inbound<'a>,
    leaf: Option<&'a Leaf>,
    provider: &str,
    api: Option<Api>,
) -> Result<Target<'a>, Fault> {
    let target = target::resolve(inbound, leaf, Asked::Step(api))?;
    refuse_clients_host(inbound, leaf, &target)?;
    if target.provider.id != provider {
        let message = format!(
            "This is at provider `{provider}`, and the request names `{}`: leave it open, or name the first.",
            target.provider.id
        );
        return Err(Fault::invalid(message).with_param("provider").with_code("batch_of_another_provider"));
    }
    Ok(target)
}

async fn send(
    exchange: Exchange<'_>,
    step: &Step,
    sent: Sent<'_>,
) -> Result<Response<UpstreamBody>, AttemptError> {
    let request = request(exchange, step, sent)?;
    exchange.dispatch(request).await
}

fn request(exchange: Exchange<'_>, step: &Step, sent: Sent<'_>) -> Result<Box<Request<RequestBody>>, Fault> {
    let (body, content_type) = body(&step.content, sent.rows)?;
    let mut request = exchange.request(path(exchange, &step.place, sent.model)?, body)?;
    *request.method_mut() = match step.method {
        step::Method::Get => Method::GET,
        step::Method::Post => Method::POST,
        step::Method::Put => Method::PUT,
        step::Method::Delete => Method::DELETE,
    };
    let headers = request.headers_mut();
    if step.is_bare {
        *headers = bare_headers(exchange.target)?;
    }
    // They are about the client's own request.
    for name in [header::ACCEPT, header::CONTENT_TYPE, HeaderName::from_static("idempotency-key")] {
        headers.remove(name);
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    for (name, value) in &step.headers {
        let value = HeaderValue::try_from(value)
            .map_err(|_| Fault::invalid(format!("`{name}` has characters that a header cannot have.")))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    for (name, value) in sent.headers.iter().filter(|_| !step.is_bare) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            fields::add_members(headers, name, &value);
        }
    }
    Ok(request)
}

/// The host, and what the provider's row says: a header of a client's could mean something else to do, or with whom to share it.
fn bare_headers(target: &Target<'_>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (name, value) in target.destination.headers().into_iter().flatten() {
        if let Some(value) = target.filled(value)? {
            headers.insert(name, value);
        }
    }
    headers.insert(header::HOST, target.destination.base_url().authority().clone());
    Ok(headers)
}

fn path(exchange: Exchange<'_>, place: &Place, model: &str) -> Result<String, Fault> {
    let target = exchange.target;
    let base = target.destination.base_url().path.as_str();
    let (base, api, inner) = match place {
        Place::Path(path) => return Ok(format!("{base}{path}")),
        Place::Behind(api, inner) => (base, *api, inner),
        Place::Beside(api, end, inner) => (base.strip_suffix(end).unwrap_or(base), *api, inner),
    };
    check_settings(exchange.inbound.core, target, api)?;
    let own = endpoint::path_of(target.provider, &target.values, api, model, false);
    let (path, query) = own.split_once('?').unwrap_or((&own, ""));
    Ok(endpoint::with_query(format!("{base}{path}{inner}"), query))
}

/// Does the target say everything that the paths of its batches or jobs need?
///
/// # Errors
/// 400 that names what is missing, and where it is said.
pub fn check_settings(core: &Core, target: &Target<'_>, api: Api) -> Result<(), Fault> {
    let provider = target.provider;
    let name = endpoint::missing_setting(provider, &target.values, api);
    let missing = name.and_then(|name| provider.settings.get_key_value(name));
    missing.map_or(Ok(()), |(name, setting)| {
        Err(target::missing_setting(core, provider, (name.as_str(), setting)))
    })
}

fn body(content: &Content, rows: Option<&Stored>) -> Result<(RequestBody, Option<HeaderValue>), Fault> {
    match (content, rows) {
        (Content::Nothing, _) => Ok((RequestBody::Full(None), None)),
        (Content::Json(json), _) => {
            let json = RequestBody::Full(Some(Bytes::copy_from_slice(json)));
            Ok((json, Some(HeaderValue::from_static("application/json"))))
        }
        (Content::Rows { content_type, before, after }, Some(rows)) => {
            let pieces = [Piece::Bytes(before.clone()), Piece::File(0), Piece::Bytes(after.clone())];
            let content_type = HeaderValue::try_from(content_type.as_str())
                .map_err(|_| Fault::upstream("The rows have no media type that a header can have."))?;
            let pieces = Pieces::new(&pieces, std::slice::from_ref(rows));
            Ok((RequestBody::Pieces(Box::new(pieces)), Some(content_type)))
        }
        (Content::Rows { .. }, None) => Err(Fault::upstream("The rows of the batch are missing.")),
    }
}
