//! One call to an upstream and what becomes of its answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, request};
use ostia_dialect::json::Document;
use ostia_dialect::relay::Grammar;
use ostia_dialect::{
    ClientDialect, Decoder, Dialect, Encoder, Fault, RenderOptions, Undo, embeddings, fault,
};
use ostia_providers::{Auth, Offer, Provider, auth, endpoint};
use ostia_routing::config::ProviderOptions;
use ostia_routing::{Class, Verdict};
use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use crate::answer::{Relayed, Translated};
use crate::body::Body;
use crate::boxed;
use crate::call::Call;
use crate::client::Due;
use crate::core::Core;
use crate::failure;
use crate::fields;
use crate::inflate::Inflate;
use crate::kept::Keep;
use crate::miss::Miss;
use crate::reply;
use crate::route::{Family, family_of, has_dot_segment};
use crate::target::{ClientKey, Key, Target};
use crate::upstream::{Answer, Sent};
use crate::usable::{self, is_events, is_json, media_type};

/// Largest answer that is read whole to be translated, in bytes.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Largest answer that is looked at before it is handed on, in bytes. Larger ones go on as they come.
const PEEK_BYTES_MAX: u64 = 64 << 10;
/// Room for headers. hyper reads the answer's head into the map of the request, and the gateway's own headers are added
/// there: a map that grows on the way is hashed anew.
const HEADERS_USUAL: usize = 40;
/// Most of the body of an error, or of whatever came in place of an answer, that is read, in bytes.
const ERROR_BYTES_MAX: usize = 1 << 20;

/// The type of a stream of events.
pub const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");

/// A call in the making.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// This core.
    pub core: &'a Rc<Core>,
    /// What the client's headers say.
    pub call: &'a Call,
    /// Whom to ask.
    pub target: &'a Target<'a>,
    /// The client's request line and headers.
    pub parts: &'a request::Parts,
    /// Adds up how long providers were waited for.
    pub waited: &'a Cell<Duration>,
}

impl Exchange<'_> {
    /// Sends a JSON body in this dialect and gives the answer, whatever its status.
    pub async fn send(
        &self,
        path: String,
        dialect: Option<Dialect>,
        further: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Response<Answer>, Miss> {
        let mut request = self.request(path, Sent::Full(Some(body)))?;
        *request.method_mut() = http::Method::POST;
        let headers = request.headers_mut();
        if dialect.is_some_and(|dialect| dialect != Dialect::AnthropicMessages) {
            // A Messages client's version and betas mean nothing to others.
            headers.remove("anthropic-version");
            headers.remove("anthropic-beta");
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        // The body is plain, however the client's came.
        headers.remove(header::CONTENT_ENCODING);
        for (name, value) in further {
            let value = HeaderValue::from_str(value)
                .map_err(|_| Fault::invalid(format!("`{name}` has characters that a header cannot have")))?;
            fields::add_members(headers, HeaderName::from_static(name), &value);
        }
        self.dispatch(request).await
    }

    /// A request with the right host, the listed client headers, the provider's own and its key.
    pub fn request(&self, mut path: String, body: Sent) -> Result<Box<Request<Sent>>, Fault> {
        let target = self.target;
        let mut headers = HeaderMap::with_capacity(HEADERS_USUAL);
        self.call.pass_headers(&self.parts.headers, &target.forward_headers, &mut headers);
        if let Some(options) = target.options.filter(|options| !options.is_empty()) {
            set_options(options, &mut headers)?;
        }
        self.core.settings.withhold_gateway_keys(&mut headers);
        for (name, value) in target.destination.headers().into_iter().flatten() {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if let Some(key) = target.destination.key() {
            sign_in(target.provider, key, &mut headers, &mut path)?;
        }
        headers.insert(header::HOST, target.destination.site().authority().clone());
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

    /// Sends a finished request.
    pub async fn dispatch(&self, request: Box<Request<Sent>>) -> Result<Response<Answer>, Miss> {
        let Target { destination, timeouts, .. } = self.target;
        let site = destination.site();
        let sent = Instant::now();
        let answer = self.core.upstreams.send(site, request, *timeouts, sent).await;
        let ended = answer.as_ref().map_or_else(|_| Instant::now(), |answer| answer.body().last());
        self.waited.set(self.waited.get() + (ended - sent));
        let answer = answer.map(|mut answer| {
            if timeouts.total > self.core.settings.timeouts.total {
                answer.extensions_mut().insert(Due(sent + timeouts.total));
            }
            answer
        });
        answer.map_err(|fault| failure::of_send(&fault, self.target, &self.core.settings))
    }
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

/// Puts the key where the provider wants it.
fn sign_in(
    provider: &Provider,
    key: Key<'_>,
    headers: &mut HeaderMap,
    path: &mut String,
) -> Result<(), Fault> {
    let (secret, bearer) = match key {
        Key::Client(ClientKey::Header(credential)) => (credential.expose(), credential.as_bearer()),
        Key::Client(ClientKey::Config(secret)) | Key::Operator(secret) => (secret.expose_secret(), None),
    };
    let auth = match provider.oauth_of(secret) {
        Some(oauth) => {
            for (name, value) in &oauth.headers {
                fields::add_members(headers, name.clone(), value);
            }
            &Auth::Bearer
        }
        None => &provider.auth,
    };
    if let Some(header) = bearer.filter(|_| *auth == Auth::Bearer) {
        headers.insert(header::AUTHORIZATION, header.clone());
        return Ok(());
    }
    let mut query = String::new();
    auth::apply(auth, secret, headers, &mut query)?;
    *path = endpoint::with_query(std::mem::take(path), &query);
    Ok(())
}

/// How an answer becomes the client's.
#[derive(Debug)]
pub struct Translation {
    /// What the client speaks.
    pub client: ClientDialect,
    /// What the upstream speaks.
    pub upstream: Dialect,
    /// What the client is to see.
    pub view: RenderOptions,
    /// Google's framing without `alt=sse`.
    pub array: bool,
    /// What has to be undone in the answer.
    pub undo: Undo,
    /// Who remembers the answer.
    pub keep: Option<Rc<Keep>>,
    /// The request, where the answer may have to be gone on with.
    pub continues: Option<Bytes>,
}

impl Translation {
    /// From one dialect to another, and nothing besides.
    pub fn new(client: ClientDialect, upstream: Dialect, view: RenderOptions) -> Translation {
        Translation {
            client,
            upstream,
            view,
            array: false,
            undo: Undo::default(),
            keep: None,
            continues: None,
        }
    }
}

/// What the client of a translated answer is to see.
pub fn view(exchange: Exchange<'_>) -> RenderOptions {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let target = exchange.target;
    RenderOptions {
        strict: target.strict,
        include_usage: false,
        id_suffix: exchange.core.new_id(),
        model: target.model.clone().unwrap_or_default(),
        created: now.as_secs(),
        provider: target.provider.id.clone(),
        echo: Vec::new(),
    }
}

/// The view with what a body that is not decoded asks for.
pub fn view_asked_for(view: RenderOptions, document: &Document<'_>) -> RenderOptions {
    let root = document.root();
    let include_usage = root.some("stream_options").is_some_and(|options| {
        Document::parse(options.text().as_bytes()).is_ok_and(|options| {
            options.root().get("include_usage").and_then(|node| node.as_bool()) == Some(true)
        })
    });
    let model =
        if view.model.is_empty() { root.str("model").unwrap_or_default().into_owned() } else { view.model };
    RenderOptions { include_usage, model, ..view }
}

/// An answer that is no error.
struct Accepted {
    head: http::response::Parts,
    body: Answer,
    inflate: Option<Inflate>,
}

async fn accepted(answer: Response<Answer>, family: Family, target: &Target<'_>) -> Result<Accepted, Miss> {
    let (head, body) = answer.into_parts();
    match head.status.as_u16() {
        400.. => Err(boxed::pin(|| refused(head, body, family, target)).await),
        status @ 300..=399 => Err(redirected(status, target)),
        _ => Ok(Accepted { inflate: Inflate::of(&head.headers).map_err(Fault::from)?, head, body }),
    }
}

/// How the client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// In one piece.
    Whole,
    /// As a stream of events.
    Events,
    /// As one JSON array that grows: Google's framing without `alt=sse`.
    Array,
}

/// An answer in the client's own dialect: handed on as it came.
pub async fn relay(
    answer: Response<Answer>,
    offer: Offer,
    wanted: Wanted,
    target: &Target<'_>,
) -> Result<Response<Body>, Miss> {
    let Accepted { head, mut body, inflate } = accepted(answer, family_of(offer), target).await?;
    if !head.status.is_success() {
        return Ok(passed(head, body));
    }
    let media = media_type(&head.headers);
    match wanted {
        Wanted::Events if is_stream(&head, &mut body).await => {
            Ok(events_of(head, body, inflate, offer, target))
        }
        // Nobody asked for events. Another target may do better; if there is none, the client may know what to do with them.
        Wanted::Whole if is_events(media) => {
            let answer = events_of(head, body, inflate, offer, target);
            Err(Miss::refused(usable::not_in_one_piece(target), answer))
        }
        Wanted::Whole => whole(head, body, inflate, offer, target).await,
        Wanted::Array if is_json(media) || body.beginning().await.trim_ascii_start().starts_with(b"[") => {
            array(head, body, inflate, target).await
        }
        Wanted::Events | Wanted::Array => Err(no_stream(head, body, inflate, target).await),
    }
}

/// Is it the stream of events that was asked for? Some servers give it another name.
async fn is_stream(head: &http::response::Parts, body: &mut Answer) -> bool {
    if is_events(media_type(&head.headers)) {
        return true;
    }
    let beginning = body.beginning().await;
    match Inflate::of(&head.headers) {
        // Only to look at it: the body is unpacked from its start once more.
        Ok(Some(mut inflate)) => {
            inflate.push(beginning).is_ok_and(|beginning| usable::may_begin_events(&beginning))
        }
        _ => usable::may_begin_events(beginning),
    }
}

/// Events in the client's own dialect.
fn events_of(
    mut head: http::response::Parts,
    body: Answer,
    inflate: Option<Inflate>,
    offer: Offer,
    target: &Target<'_>,
) -> Response<Body> {
    fields::strip(&mut head.headers);
    fields::mark_stream(&mut head.headers);
    if media_type(&head.headers).is_empty() {
        head.headers.insert(header::CONTENT_TYPE, EVENTS);
    }
    let relayed = Relayed::new(body, inflate, grammar(offer), &target.provider.id);
    Response::from_parts(head, Body::events(relayed))
}

/// An answer whose bytes are not looked at.
fn passed(mut head: http::response::Parts, body: Answer) -> Response<Body> {
    fields::strip_hops(&mut head.headers);
    Response::from_parts(head, Body::Passed(body))
}

/// A whole answer in the client's own dialect. A small one is checked.
async fn whole(
    mut head: http::response::Parts,
    body: Answer,
    inflate: Option<Inflate>,
    offer: Offer,
    target: &Target<'_>,
) -> Result<Response<Body>, Miss> {
    let media = media_type(&head.headers);
    let is_wrong = !media.is_empty() && !is_json(media);
    let small = body.size_hint().exact().is_none_or(|bytes| bytes <= PEEK_BYTES_MAX);
    if !small && !is_wrong && inflate.is_none() {
        return Ok(passed(head, body));
    }
    let bytes = collect(body, inflate, if is_wrong { ERROR_BYTES_MAX } else { ANSWER_BYTES_MAX }).await?;
    let checked = usable::check(offer, &head, &bytes, target);
    fields::strip(&mut head.headers);
    match checked {
        Ok(()) => Ok(Response::from_parts(head, Body::from(bytes))),
        Err(miss) if usable::tells_failure(offer, &bytes) => {
            Err(Miss::refused(miss.fault, Response::from_parts(head, Body::from(bytes))))
        }
        Err(miss) => Err(miss),
    }
}

/// A stream as one JSON array. What is here at once is checked; the rest goes on as it grows.
async fn array(
    mut head: http::response::Parts,
    body: Answer,
    inflate: Option<Inflate>,
    target: &Target<'_>,
) -> Result<Response<Body>, Miss> {
    if !is_json(media_type(&head.headers)) {
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let is_large = body.size_hint().exact().is_none_or(|bytes| bytes > PEEK_BYTES_MAX);
    // The client did not say that it can unpack it.
    if is_large && inflate.is_none() {
        let mut passed = passed(head, body);
        fields::mark_stream(passed.headers_mut());
        return Ok(passed);
    }
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    usable::check_array(&head, &bytes, target)?;
    fields::strip(&mut head.headers);
    Ok(Response::from_parts(head, Body::from(bytes)))
}

/// Why there is no stream: what came in its place.
async fn no_stream(
    head: http::response::Parts,
    body: Answer,
    inflate: Option<Inflate>,
    target: &Target<'_>,
) -> Miss {
    match collect(body, inflate, ERROR_BYTES_MAX).await {
        Ok(bytes) => usable::no_stream(&head, &bytes, target),
        Err(fault) => fault.into(),
    }
}

/// An answer in another dialect, or one that has to be mended.
pub async fn translate(
    answer: Response<Answer>,
    translation: Translation,
    stream: bool,
    target: &Target<'_>,
) -> Result<Response<Body>, Miss> {
    let family = family_of(Offer::of_dialect(translation.client.dialect()));
    let Accepted { head, mut body, inflate } = accepted(answer, family, target).await?;
    let upstream = translation.upstream;
    if stream {
        return match is_stream(&head, &mut body).await {
            true => Ok(translated(head, body, inflate, translation)),
            false => Err(no_stream(head, body, inflate, target).await),
        };
    }
    if is_events(media_type(&head.headers)) {
        return Err(usable::not_in_one_piece(target).into());
    }
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    usable::check(Offer::of_dialect(upstream), &head, &bytes, target)?;
    let mut response = upstream.decode(&bytes).map_err(usable::unread)?;
    translation.undo.response(&mut response);
    let body = Bytes::from(translation.client.encode(&response, &translation.view));
    if let Some(keep) = translation.keep {
        keep.put(&body);
    }
    Ok(answered(head, body))
}

/// A stream in another dialect.
fn translated(
    mut head: http::response::Parts,
    body: Answer,
    inflate: Option<Inflate>,
    translation: Translation,
) -> Response<Body> {
    fields::strip(&mut head.headers);
    fields::mark_stream(&mut head.headers);
    let Translation { client, upstream, view, array, undo, keep, continues } = translation;
    let media = if array { HeaderValue::from_static("application/json") } else { EVENTS };
    head.headers.insert(header::CONTENT_TYPE, media);
    let encoder = Encoder::new(client, view, array);
    let translated = Translated::new(body, inflate, Decoder::new(upstream), encoder);
    Response::from_parts(head, Body::events(translated.with(undo, keep, continues)))
}

/// The events of an answer that goes on with another one.
///
/// # Errors
/// The provider answered with an error, or not with events.
pub async fn events(
    answer: Response<Answer>,
    offer: Offer,
    target: &Target<'_>,
) -> Result<(Answer, Option<Inflate>), Miss> {
    let Accepted { head, mut body, inflate } = accepted(answer, family_of(offer), target).await?;
    if is_stream(&head, &mut body).await {
        return Ok((body, inflate));
    }
    Err(no_stream(head, body, inflate, target).await)
}

/// Embeddings in the client's form.
pub async fn embedded(
    answer: Response<Answer>,
    client: embeddings::Client,
    upstream: embeddings::Dialect,
    request: &embeddings::Request,
    target: &Target<'_>,
) -> Result<Response<Body>, Miss> {
    let family = if client == embeddings::Client::Openai { Family::Openai } else { Family::Google };
    let Accepted { head, body, inflate } = accepted(answer, family, target).await?;
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    let offer = match upstream {
        embeddings::Dialect::Openai => Offer::OpenaiEmbeddings,
        embeddings::Dialect::Gemini => Offer::GeminiEmbed,
        embeddings::Dialect::Cohere => Offer::CohereEmbed,
    };
    usable::check(offer, &head, &bytes, target)?;
    let response = embeddings::decode(upstream, &bytes)?;
    Ok(answered(head, client.encode(request, &response)?.into()))
}

/// The tokens that a provider counted.
pub async fn counted(
    answer: Response<Answer>,
    client: ClientDialect,
    (offer, upstream): (Offer, Dialect),
    target: &Target<'_>,
) -> Result<Response<Body>, Miss> {
    let family = family_of(Offer::of_dialect(client.dialect()));
    let Accepted { head, body, inflate } = accepted(answer, family, target).await?;
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    usable::check(offer, &head, &bytes, target)?;
    let tokens = upstream
        .decode_count(&bytes)
        .ok_or_else(|| Fault::upstream("The provider's count of tokens is not a whole number."))?;
    Ok(answered(head, client.encode_count(tokens).into()))
}

fn answered(mut head: http::response::Parts, body: Bytes) -> Response<Body> {
    fields::strip(&mut head.headers);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(head, Body::from(body))
}

/// An error answer, as a miss: its status, and its words in the client's envelope.
pub async fn refused(
    mut head: http::response::Parts,
    body: Answer,
    family: Family,
    target: &Target<'_>,
) -> Miss {
    let bytes = match Inflate::of(&head.headers) {
        Ok(inflate) => collect(body, inflate, ERROR_BYTES_MAX).await,
        Err(error) => Err(error.into()),
    };
    // Words that do not come, or cannot be unpacked, are missing: the status and the headers still say what is wrong.
    let bytes = bytes.unwrap_or_default();
    let json = is_json(media_type(&head.headers));
    fields::strip(&mut head.headers);
    let fault = fault::from_answer(head.status.as_u16(), &bytes);
    reply::hint(&mut head.headers, &fault);
    let told = match json && is_envelope(&bytes, family) && reply::is_understood(family, &fault) {
        true => Body::from(bytes),
        false => {
            head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let told = reply::fault(family, &fault, Some(&target.provider.id), target.trace_id);
            head.status = told.status();
            told.into_body()
        }
    };
    Miss::refused(fault, Response::from_parts(head, told))
}

/// A redirect is no answer. To follow it would take the request, and maybe its key, to a host that nobody named; so would
/// the client's own software, if it were handed on.
fn redirected(status: u16, target: &Target<'_>) -> Miss {
    let message = format!(
        "Provider `{}` answered with a redirect (status {status}), which is not followed. Check its base URL.",
        target.provider.id
    );
    Miss::without_answer(Fault::upstream(message), Verdict::Refused { status, class: Class::BadAnswer })
}

/// Are these already the client's own words, so that they can go on as they are?
fn is_envelope(bytes: &[u8], family: Family) -> bool {
    let Ok(document) = Document::parse_to(bytes, 2) else { return false };
    let root = document.root();
    let Some(error) = root.some("error").filter(|error| error.is_object()) else { return false };
    let said = error.str("message").is_some_and(|message| !message.is_empty());
    let text_or_none = |name: &str| error.some(name).is_none_or(|node| node.is_string());
    match family {
        Family::Openai => said && text_or_none("type") && text_or_none("code") && text_or_none("param"),
        Family::Anthropic => {
            said && error.str("type").is_some() && root.str("type").as_deref() == Some("error")
        }
        Family::Google => said && error.u64("code").is_some() && error.str("status").is_some(),
    }
}

/// All of an answer, in one piece.
async fn collect(mut body: Answer, mut inflate: Option<Inflate>, bytes_max: usize) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    let mut came = false;
    while let Some(piece) = body.bytes().await {
        let piece = piece.map_err(|fault| failure::of_body(&fault))?;
        came |= !piece.is_empty();
        let piece = match &mut inflate {
            Some(inflate) => inflate.push(&piece)?,
            None => piece,
        };
        if rest.as_ref().map_or(first.len(), BytesMut::len) + piece.len() > bytes_max {
            return Err(Fault::upstream(format!("The provider's answer is larger than {bytes_max} bytes.")));
        }
        match &mut rest {
            Some(rest) => rest.extend_from_slice(&piece),
            None if first.is_empty() => first = piece,
            None => {
                let expected = usize::try_from(body.size_hint().lower()).unwrap_or_default().min(bytes_max);
                let mut all = BytesMut::with_capacity(first.len() + piece.len() + expected);
                all.extend_from_slice(&first);
                all.extend_from_slice(&piece);
                rest = Some(all);
            }
        }
    }
    let bytes = rest.map_or(first, BytesMut::freeze);
    match &mut inflate {
        Some(inflate) if came => inflate.finish()?,
        Some(_) | None => {}
    }
    Ok(bytes)
}

/// How a stream of this offer's says that it is whole.
pub fn grammar(offer: Offer) -> Grammar {
    match offer {
        Offer::AnthropicMessages => Grammar::AnthropicMessages,
        Offer::OpenaiResponses => Grammar::OpenaiResponses,
        Offer::GeminiGenerate => Grammar::GeminiGenerate,
        Offer::OpenaiChat => Grammar::OpenaiChat,
        Offer::OpenaiCompletions => Grammar::OpenaiCompletions,
        // Speech, transcripts, images in pieces: each vendor's have ends of their own.
        _ => Grammar::Unknown,
    }
}
