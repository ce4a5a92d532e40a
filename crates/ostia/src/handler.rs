//! One request, from top to bottom. Everything that decides about a request's life is here; what it calls are straight
//! lines.

use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Request, Response, request};
use hyper::body::Incoming;
use ostia_dialect::json::Document;
use ostia_dialect::relay::{self, Peek};
use ostia_dialect::{Dialect, Fault, FaultKind, View, embeddings};
use ostia_providers::{Offer, Provider};

use crate::body::Body;
use crate::call::Call;
use crate::core::Core;
use crate::exchange::{self, Exchange};
use crate::intake;
use crate::mark::Mark;
use crate::models;
use crate::route::{Endpoint, family};
use crate::target;
use crate::upstream::Answer;
use crate::{outgoing, proxy, reply};

/// Answers a request, whatever happens.
pub async fn handle(core: Rc<Core>, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut mark = Mark::default();
    let mut response = match Call::read(&parts.headers) {
        Ok(call) => {
            mark.read(&core, &call);
            serve(&core, &call, &parts, body, &mut mark).await
        }
        Err(fault) => {
            mark.read_unread(&parts.headers);
            Err(fault)
        }
    }
    .unwrap_or_else(|fault| {
        mark.ensure_trace_id(&core);
        reply::fault(family(parts.uri.path()), &fault, mark.provider(), mark.trace_id())
    });
    mark.stamp(response.headers_mut());
    response
}

async fn serve(
    core: &Rc<Core>,
    call: &Call,
    parts: &request::Parts,
    body: Incoming,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    intake::check_head(parts, &core.settings.limits)?;
    let endpoint = Endpoint::of(&parts.method, parts.uri.path());
    match endpoint {
        Endpoint::Root => return Ok(reply::text("Ostia is open.\n")),
        Endpoint::Health => return Ok(reply::json(r#"{"status":"ok"}"#)),
        Endpoint::Ready => return Ok(reply::json(r#"{"status":"ready"}"#)),
        Endpoint::Missing => return Err(missing(&parts.method, parts.uri.path())),
        Endpoint::Models | Endpoint::Typed(_) | Endpoint::Pass { .. } => authenticate(core, call)?,
    }
    match endpoint {
        Endpoint::Typed(offer) => typed(core, call, offer, parts, body, mark).await,
        Endpoint::Models if names_nobody(core, call) => Ok(models::list(core)),
        Endpoint::Pass { raw: true } => Box::pin(proxy::pass(core, call, parts, body, true, mark)).await,
        _ => Box::pin(proxy::pass(core, call, parts, body, false, mark)).await,
    }
}

/// Lets in who shows a key, where keys are configured.
fn authenticate(core: &Core, call: &Call) -> Result<(), Fault> {
    let settings = &core.settings;
    if settings.gateway_keys.is_empty()
        || call.credentials.iter().any(|key| settings.is_gateway_key(key.expose()))
    {
        return Ok(());
    }
    let message = "This gateway needs a key of its own: send one of those under auth.keys in ostia.yaml in the header \
                   x-ostia-api-key (or x-portkey-api-key), or as `Authorization: Bearer ...`.";
    Err(Fault::new(FaultKind::Authentication, message).with_code("gateway_key_invalid"))
}

/// A call whose dialect is understood.
async fn typed(
    core: &Rc<Core>,
    call: &Call,
    offer: Offer,
    parts: &request::Parts,
    body: Incoming,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let body = intake::read(body, &core.settings.limits).await?;
    let document = Document::parse_to(&body, 1)
        .map_err(|fault| Fault::invalid(format!("The request body is {fault}.")))?;
    let peek = relay::peek(&document)?;
    let target = target::resolve(core, call, peek.model.as_deref())?;
    mark.target(&target);
    let exchange = Exchange { core, call, target: &target, parts };
    let asked = Asked { offer, body: &body, document: &document, peek: &peek };
    match plan(offer, target.provider)? {
        Plan::Relay => {
            let answer = send_as_it_is(exchange, asked, mark).await?;
            exchange::relay(answer, offer, peek.stream, &target).await
        }
        // The rarer paths are boxed, so that a relayed call does not carry their state.
        Plan::Mend => Box::pin(mend(exchange, asked, mark)).await,
        Plan::Chat(dialect) => Box::pin(chat(exchange, asked, dialect, mark)).await,
        Plan::Embed(dialect) => Box::pin(embed(exchange, asked, dialect, mark)).await,
    }
}

/// A body and what has been seen of it.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    offer: Offer,
    body: &'a Bytes,
    document: &'a Document<'a>,
    peek: &'a Peek,
}

/// Sends a body in the client's own dialect, with its few edits.
async fn send_as_it_is(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    mark: &mut Mark,
) -> Result<Response<Answer>, Fault> {
    let Asked { offer, body, document, peek } = asked;
    let Exchange { call, target, parts, .. } = exchange;
    outgoing::expect_fields(offer, target, document)?;
    let edited = outgoing::edit(offer, target, document)?;
    mark.dropped(edited.dropped, target.lossless)?;
    let path = outgoing::path(offer, call, target, peek.model.as_deref(), peek.stream, parts.uri.query());
    exchange.send(path, &[], edited.body.unwrap_or_else(|| body.clone())).await
}

/// A Chat Completions client in front of an upstream that speaks the same, but badly.
async fn mend(exchange: Exchange<'_>, asked: Asked<'_>, mark: &mut Mark) -> Result<Response<Body>, Fault> {
    let view = exchange::view_asked_for(exchange::view(exchange), asked.document);
    let answer = send_as_it_is(exchange, asked, mark).await?;
    exchange::translate(answer, Dialect::OpenaiChat, asked.peek.stream, exchange.target, view).await
}

/// A Chat Completions client in front of an upstream that speaks something else.
async fn chat(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    dialect: Dialect,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let Exchange { call, target, .. } = exchange;
    let request = outgoing::chat_request(target, asked.body, asked.document)?;
    let encoded = dialect.encode(&request)?;
    mark.dropped(encoded.dropped, target.lossless)?;
    let offer = Offer::of_dialect(dialect);
    let path = outgoing::path(offer, call, target, Some(&request.model), request.stream, None);
    let view =
        View { include_usage: request.include_usage, model: request.model, ..exchange::view(exchange) };
    let answer = exchange.send(path, &encoded.headers, encoded.body.into()).await?;
    exchange::translate(answer, dialect, request.stream, target, view).await
}

/// An OpenAI embeddings client in front of an upstream that has its own form for them.
async fn embed(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    dialect: embeddings::Dialect,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let Exchange { call, target, .. } = exchange;
    let body = outgoing::params(target, asked.body, asked.document)?;
    let mut request = embeddings::openai::decode_request(&body)?;
    if let Some(model) = &target.model {
        request.model.clone_from(model);
    }
    let encoded = embeddings::encode(dialect, &request)?;
    mark.dropped(encoded.dropped, target.lossless)?;
    let offer = match dialect {
        embeddings::Dialect::Openai => Offer::OpenaiEmbeddings,
        embeddings::Dialect::Cohere => Offer::CohereEmbed,
        embeddings::Dialect::Gemini if embeddings::gemini::method(&request) == "batchEmbedContents" => {
            Offer::GeminiBatchEmbed
        }
        embeddings::Dialect::Gemini => Offer::GeminiEmbed,
    };
    let path = outgoing::path(offer, call, target, Some(&request.model), false, None);
    let answer = exchange.send(path, &encoded.headers, encoded.body.into()).await?;
    exchange::embedded(answer, dialect, &request, target).await
}

/// How a call is carried to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// The provider speaks the client's dialect.
    Relay,
    /// The provider speaks Chat Completions in a way that typed clients do not understand.
    Mend,
    /// A conversation in this dialect.
    Chat(Dialect),
    /// Embeddings in this dialect.
    Embed(embeddings::Dialect),
}

fn plan(offer: Offer, provider: &Provider) -> Result<Plan, Fault> {
    let speaks_openai = provider.offers(Offer::OpenaiChat);
    match offer {
        Offer::OpenaiChat if speaks_openai && provider.quirks.repair => Ok(Plan::Mend),
        Offer::OpenaiChat if speaks_openai => Ok(Plan::Relay),
        Offer::OpenaiChat => {
            // Responses upstreams are relayed to; nothing is translated for them yet.
            let translated = provider.dialects().find(|&dialect| dialect != Dialect::OpenaiResponses);
            translated.map(Plan::Chat).ok_or_else(|| not_offered(offer, provider))
        }
        Offer::OpenaiEmbeddings if provider.offers(offer) => Ok(Plan::Relay),
        Offer::OpenaiEmbeddings if provider.offers(Offer::GeminiEmbed) => {
            Ok(Plan::Embed(embeddings::Dialect::Gemini))
        }
        Offer::OpenaiEmbeddings if provider.offers(Offer::CohereEmbed) => {
            Ok(Plan::Embed(embeddings::Dialect::Cohere))
        }
        _ if provider.offers(offer) => Ok(Plan::Relay),
        // A server that copies OpenAI's chat may have copied more than its row says: ask it.
        Offer::OpenaiCompletions | Offer::OpenaiEmbeddings | Offer::OpenaiResponses if speaks_openai => {
            Ok(Plan::Relay)
        }
        _ => Err(not_offered(offer, provider)),
    }
}

fn not_offered(offer: Offer, provider: &Provider) -> Fault {
    let has: Vec<&str> = provider.offers.iter().map(|offer| offer.name()).collect();
    let has = if has.is_empty() { "only the raw proxy under /v1/proxy/".to_owned() } else { has.join(", ") };
    let message =
        format!("{} is not supported by provider `{}`, which has {has}.", offer.name(), provider.id);
    Fault::invalid(message).with_code("unsupported_operation")
}

fn names_nobody(core: &Core, call: &Call) -> bool {
    call.provider.is_none()
        && call
            .config
            .as_ref()
            .is_none_or(|config| config.root.provider.is_none() && config.root.targets.is_empty())
        && core.settings.default_provider.is_none()
}

fn missing(method: &Method, path: &str) -> Fault {
    let message = format!(
        "There is nothing at {method} {path}. The API is below /v1/, for example POST \
                           /v1/chat/completions."
    );
    Fault::new(FaultKind::NotFound, message).with_code("unknown_url")
}
