//! A call to a provider: the request with its headers and its key, and the answer's head.

use std::borrow::Cow;
use std::future::poll_fn;
use std::num::NonZeroU64;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use ostia_dialect::{Fault, FaultKind};
use ostia_providers::prepare::{self, Content, Outgoing};
use ostia_routing::config::ProviderOptions;
use tokio::time::Instant;

use crate::client::AnswerDeadline;
use crate::credentials::Wanted;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::sign;
use crate::exchange::unanswered;
use crate::inbound::Inbound;
use crate::inbound::route::has_dot_segment;
use crate::inbound::upload;
use crate::message::fields;
use crate::record::booking::Booking;
use crate::record::{results, trace};
use crate::responses_api::StoreHandle;
use crate::target::Target;
use crate::upstream::{BaseUrl, RequestBody, Switching, Timeouts, UpstreamBody};

/// Room for headers. hyper reads the answer's head into the map of the request, and the gateway's own headers are added
/// there: a map that grows on the way is hashed anew.
const HEADERS_USUAL: usize = 40;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A call in the making.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The request that it is made for.
    pub inbound: Inbound<'a>,
    /// Whom to ask.
    pub target: &'a Target<'a>,
    /// Notes what is sent and what comes.
    pub booking: &'a Booking,
    /// Who remembers the answer, where that is settled already.
    pub keep: Option<&'a Rc<StoreHandle>>,
    /// The answer may have to be gone on with: it is decoded, and written anew.
    pub continues: bool,
}

impl<'a> Exchange<'a> {
    /// A call to this target, and nothing besides.
    pub fn new(inbound: Inbound<'a>, target: &'a Target<'a>, booking: &'a Booking) -> Exchange<'a> {
        Exchange { inbound, target, booking, keep: None, continues: false }
    }
}

impl Exchange<'_> {
    /// A prepared request with its headers. `own`: the client's body, for one that goes on as it is.
    pub fn outgoing(&self, prepared: &mut Outgoing, own: &Bytes) -> Result<Box<Request<RequestBody>>, Fault> {
        let content = std::mem::replace(&mut prepared.body, Content::Own);
        let mut request = self.request_of(std::mem::take(&mut prepared.path), content, own)?;
        let headers = request.headers_mut();
        for name in prepared.without {
            headers.remove(*name);
        }
        for (name, value) in &prepared.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| Fault::invalid(format!("`{name}` has characters that a header cannot have")))?;
            fields::add_members(headers, HeaderName::from_static(name), &value);
        }
        let body = match std::mem::replace(request.body_mut(), RequestBody::Full(None)) {
            RequestBody::Full(Some(body)) => {
                let headers = request.headers_mut();
                let finished = prepare::finish(prepared, self.target.provider, body, headers)?;
                RequestBody::Full(Some(finished))
            }
            other => other,
        };
        *request.body_mut() = body;
        Ok(request)
    }

    /// A request by POST with this body. `own`: the client's, for one that goes on as it is.
    pub fn request_of(
        &self,
        path: String,
        content: Content,
        own: &Bytes,
    ) -> Result<Box<Request<RequestBody>>, Fault> {
        let (body, content_type) = self.body(content, own)?;
        let mut request = self.request(path, body)?;
        *request.method_mut() = http::Method::POST;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        // The body is plain, however the client's came.
        headers.remove(header::CONTENT_ENCODING);
        Ok(request)
    }

    /// The body of a prepared request, and what it is.
    fn body(&self, content: Content, own: &Bytes) -> Result<(RequestBody, HeaderValue), Fault> {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let Inbound { upload, parts, .. } = self.inbound;
        match (content, upload) {
            (Content::Own, None) => Ok((RequestBody::Full(Some(own.clone())), JSON)),
            (Content::Own, Some(upload)) => {
                let content_type = parts.headers.get(header::CONTENT_TYPE).cloned().unwrap_or(JSON);
                Ok((upload.as_it_came()?, content_type))
            }
            (Content::Json(body), _) => Ok((RequestBody::Full(Some(body)), JSON)),
            (Content::Pieces { content_type, pieces }, upload) => {
                let body = upload.map_or_else(|| upload::body(&pieces, &[]), |upload| upload.body(&pieces));
                let content_type = HeaderValue::try_from(content_type).map_err(|_| {
                    Fault::invalid("The file's media type has characters that a header cannot have.")
                        .with_param("file")
                })?;
                Ok((body, content_type))
            }
        }
    }

    /// A request with the right host, the listed client headers and the provider's own.
    pub fn request(&self, mut path: String, body: RequestBody) -> Result<Box<Request<RequestBody>>, Fault> {
        let target = self.target;
        let mut headers = HeaderMap::with_capacity(HEADERS_USUAL);
        self.inbound.gateway.pass_headers(&self.inbound.parts.headers, &target.forward_headers, &mut headers);
        if let Some(options) = target.options.filter(|options| !options.is_empty()) {
            set_options(options, &mut headers)?;
        }
        self.inbound.core.settings.withhold_gateway_keys(&mut headers);
        for (name, value) in target.destination.headers().into_iter().flatten() {
            if let Some(value) = target.filled(value)? {
                headers.entry(name).or_insert(value);
            }
        }
        headers.insert(header::HOST, target.destination.base_url().authority().clone());
        if let Some(parent) = &self.inbound.gateway.traceparent {
            headers.insert(&TRACEPARENT, parent.clone());
            if let Some(state) = &self.inbound.gateway.tracestate {
                headers.insert(HeaderName::from_static("tracestate"), state.clone());
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        if has_dot_segment(&path[..memchr::memchr(b'?', path.as_bytes()).unwrap_or(path.len())]) {
            let message = "The path at the provider would have a dot segment (`.`, `..`): the name of the model has one, or \
                           the custom host.";
            return Err(Fault::invalid(message).with_param("model").with_code("path_invalid"));
        }
        let mut request = Box::new(Request::new(body));
        *request.uri_mut() = path.try_into().map_err(|_| {
            Fault::invalid("The path has characters that a URL cannot have.").with_param("path")
        })?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// What the target signs in with, where that is no key that is shown as it is.
    fn credential(&self) -> Result<Option<Cow<'_, Wanted>>, Fault> {
        let Target { provider, credential, destination, .. } = self.target;
        match (credential, destination.key()) {
            (Some(wanted), _) => Ok(Some(Cow::Borrowed(wanted))),
            (None, Some(key)) if provider.auth.exchanges_keys() => {
                Ok(sign::exchanged(self.inbound, provider, key)?.map(Cow::Owned))
            }
            (None, _) => Ok(None),
        }
    }

    /// Puts the target's key on a finished request, if it has one. Waits where a credential has to be fetched first; a key is
    /// here at once.
    ///
    /// # Errors
    /// 401 for a key that cannot be sent.
    pub async fn sign(&self, request: &mut Request<RequestBody>) -> Result<(), Fault> {
        if let Some(wanted) = self.credential()? {
            return sign::sign_with(self.inbound.core, self.target, &wanted, request).await;
        }
        let key = self.target.destination.key();
        key.map_or(Ok(()), |key| sign::sign(self.target.provider, key, request))
    }

    /// Signs a finished request, and sends it.
    pub fn dispatch(
        &self,
        request: Box<Request<RequestBody>>,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, AttemptError>> {
        self.dispatch_to(self.target.destination.base_url(), request)
    }

    /// The same to this host, to which the target's key may go.
    pub async fn dispatch_to(
        &self,
        base_url: &BaseUrl,
        mut request: Box<Request<RequestBody>>,
    ) -> Result<Response<UpstreamBody>, AttemptError> {
        let timeouts = self.target.timeouts;
        let span = self.span(&mut request);
        self.hold(&mut request).await?;
        self.sign(&mut request).await?;
        let sent = Instant::now();
        self.booking.send(sent.into_std(), span, base_url);
        let mut answer = self.inbound.core.upstreams.send(base_url, request, timeouts, sent).await;
        let ended = answer.as_ref().map_or_else(|_| Instant::now(), |answer| answer.body().last());
        if self.target.provider.answer_cache
            && let Ok(answer) = &mut answer
        {
            results::read_head(answer);
        }
        self.booking.head(&answer, sent.into_std(), ended.into_std());
        self.heed(answer.as_ref().ok().map(Response::status));
        let answer = answer.map(|mut answer| {
            if timeouts.total > self.inbound.core.settings.timeouts.total {
                answer.extensions_mut().insert(AnswerDeadline(sent + timeouts.total));
            }
            answer
        });
        answer.map_err(|fault| unanswered::of_send(&fault, self.target, &self.inbound.core.settings))
    }
}

impl Exchange<'_> {
    /// Signs a finished request that wants to go over to another protocol, and sends it.
    pub async fn switch(&self, mut request: Box<Request<RequestBody>>) -> Result<Switching, AttemptError> {
        let Target { destination, timeouts, .. } = self.target;
        let span = self.span(&mut request);
        self.sign(&mut request).await?;
        let core = self.inbound.core;
        let sent = Instant::now();
        self.booking.send(sent.into_std(), span, destination.base_url());
        let answer = core.upstreams.switch(destination.base_url(), request, *timeouts, sent).await;
        let status = match &answer {
            Ok(Switching::Answered(answer)) => Some(answer.status()),
            Ok(Switching::Switched(head, _)) => Some(head.status),
            Err(_) => None,
        };
        let ended = Instant::now().into_std();
        self.booking.handshake(status.map(|status| status.as_u16()), sent.into_std(), ended);
        self.heed(status);
        answer.map_err(|fault| unanswered::of_send(&fault, self.target, &core.settings))
    }

    /// Signs a finished request of an attempt that has been sent already, and is booked, and sends it. All of the attempt is over at
    /// `end`.
    pub async fn again(
        &self,
        base_url: &BaseUrl,
        mut request: Box<Request<RequestBody>>,
        end: Instant,
    ) -> Result<Response<UpstreamBody>, AttemptError> {
        self.hold(&mut request).await?;
        self.sign(&mut request).await?;
        let sent = Instant::now();
        let timeouts = Timeouts { total: end.saturating_duration_since(sent), ..self.target.timeouts };
        let core = self.inbound.core;
        let answer = core.upstreams.send(base_url, request, timeouts, sent).await;
        answer.map_err(|fault| unanswered::of_send(&fault, self.target, &core.settings))
    }

    /// A span for the attempt, which the provider hears of where the client sent a trace. None where nobody keeps it.
    fn span(&self, request: &mut Request<RequestBody>) -> Option<NonZeroU64> {
        if !self.booking.is_open() {
            return None;
        }
        let span = self.inbound.core.new_span();
        if let Some(parent) = request.headers_mut().get_mut(&TRACEPARENT) {
            *parent = trace::at_span(parent, span.get());
        }
        Some(span)
    }

    /// Reads a body that is put together from pieces, where all of it is signed.
    async fn hold(&self, request: &mut Request<RequestBody>) -> Result<(), Fault> {
        match self.target.signs_body() {
            true => hold(request.body_mut()).await,
            false => Ok(()),
        }
    }

    /// A credential that was refused was taken back, perhaps: the next call has a new one.
    fn heed(&self, status: Option<StatusCode>) {
        let refused = status == Some(StatusCode::UNAUTHORIZED);
        if refused && let Ok(Some(wanted)) = self.credential() {
            self.inbound.core.credentials.doubt(&wanted);
        }
    }
}

/// The whole of a body that is put together from pieces. It is as long as what the client may send, in base64.
async fn hold(body: &mut RequestBody) -> Result<(), Fault> {
    let RequestBody::Pieces(pieces) = body else { return Ok(()) };
    let mut whole = BytesMut::with_capacity(usize::try_from(pieces.bytes_left()).unwrap_or_default());
    while let Some(bytes) = poll_fn(|context| pieces.poll_bytes(context)).await {
        let bytes = bytes.map_err(|error| {
            Fault::new(FaultKind::Server, "The gateway could not read the upload that it kept.")
                .with_detail(error.to_string())
        })?;
        whole.extend_from_slice(&bytes);
    }
    *body = RequestBody::Full(Some(whole.freeze()));
    Ok(())
}

/// Options of a config that providers take as headers. They go before what the client's own headers say.
const OPTION_HEADERS: [(&str, HeaderName); 5] = [
    ("anthropic_beta", HeaderName::from_static("anthropic-beta")),
    ("anthropic_version", HeaderName::from_static("anthropic-version")),
    ("openai_beta", HeaderName::from_static("openai-beta")),
    ("openai_organization", HeaderName::from_static("openai-organization")),
    ("openai_project", HeaderName::from_static("openai-project")),
];

fn set_options(options: &ProviderOptions, headers: &mut HeaderMap) -> Result<(), Fault> {
    for (option, name) in &OPTION_HEADERS {
        let Some(text) = options.text(option) else { continue };
        let value = HeaderValue::from_str(text).map_err(|_| {
            Fault::invalid(format!("Invalid `{option}`: has characters that a header cannot have"))
                .with_param(*option)
        })?;
        headers.insert(name, value);
    }
    Ok(())
}
