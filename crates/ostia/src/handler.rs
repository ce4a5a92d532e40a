//! One request, from top to bottom. Everything that decides about a request's life is here; what it calls are straight
//! lines.

use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Request, Response, request};
use hyper::body::Incoming;
use ostia_dialect::json::Document;
use ostia_dialect::{Dialect, Fault, FaultKind, embeddings, relay};
use ostia_providers::{Offer, Provider};

use crate::body::Body;
use crate::call::Call;
use crate::core::Core;
use crate::exchange::{self, Exchange};
use crate::intake;
use crate::mark::Mark;
use crate::models;
use crate::route::{Endpoint, family};
use crate::target::{self, Target};
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
    match plan(offer, target.provider)? {
        Plan::Relay => {
            outgoing::expect_fields(offer, &target, &document)?;
            let edited = outgoing::edit(offer, &target, &document)?;
            mark.dropped(edited.dropped, target.lossless)?;
            let bytes = edited.body.unwrap_or_else(|| body.clone());
            let exchange = Exchange { core, call, target: &target, parts };
            let path =
                outgoing::path(offer, call, &target, peek.model.as_deref(), peek.stream, parts.uri.query());
            let answer = exchange.send(path, &[], bytes).await?;
            exchange::relay(answer, offer, peek.stream, &target).await
        }
        // The rarer paths are boxed, so that a relayed call does not carry their state.
        Plan::Chat(dialect) => {
            Box::pin(chat(core, call, dialect, &target, parts, &body, &document, mark)).await
        }
        Plan::Embed(dialect) => {
            Box::pin(embed(core, call, dialect, &target, parts, &body, &document, mark)).await
        }
    }
}

/// A Chat Completions client in front of an upstream that speaks something else, or speaks it badly.
#[allow(clippy::too_many_arguments)] // one straight line of the request's life
async fn chat(
    core: &Rc<Core>,
    call: &Call,
    dialect: Dialect,
    target: &Target<'_>,
    parts: &request::Parts,
    body: &Bytes,
    document: &Document<'_>,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let exchange = Exchange { core, call, target, parts };
    let view = exchange::view(core, mark, target);
    if dialect == Dialect::OpenaiChat {
        outgoing::expect_fields(Offer::OpenaiChat, target, document)?;
        let edited = outgoing::edit(Offer::OpenaiChat, target, document)?;
        mark.dropped(edited.dropped, target.lossless)?;
        let peek = relay::peek(document)?;
        let path = outgoing::path(Offer::OpenaiChat, call, target, peek.model.as_deref(), peek.stream, None);
        let view = exchange::asked(view, document);
        let answer = exchange.send(path, &[], edited.body.unwrap_or_else(|| body.clone())).await?;
        return exchange::translate(answer, dialect, peek.stream, target, view).await;
    }
    let request = outgoing::chat_request(target, body, document)?;
    let encoded = dialect.encode(&request)?;
    mark.dropped(encoded.dropped, target.lossless)?;
    let offer = Offer::of_dialect(dialect);
    let path = outgoing::path(offer, call, target, Some(&request.model), request.stream, None);
    let view = exchange::View { include_usage: request.include_usage, model: request.model, ..view };
    let answer = exchange.send(path, &encoded.headers, encoded.body.into()).await?;
    exchange::translate(answer, dialect, request.stream, target, view).await
}

/// An OpenAI embeddings client in front of an upstream that has its own form for them.
#[allow(clippy::too_many_arguments)] // one straight line of the request's life
async fn embed(
    core: &Rc<Core>,
    call: &Call,
    dialect: embeddings::Dialect,
    target: &Target<'_>,
    parts: &request::Parts,
    body: &Bytes,
    document: &Document<'_>,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let mut request = embeddings::openai::decode_request(&outgoing::params(target, body, document)?)?;
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
    let exchange = Exchange { core, call, target, parts };
    let path = outgoing::path(offer, call, target, Some(&request.model), false, None);
    let answer = exchange.send(path, &encoded.headers, encoded.body.into()).await?;
    exchange::embedded(answer, dialect, &request, target).await
}

/// How a call is carried to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// The provider speaks the client's dialect.
    Relay,
    /// A conversation in this dialect.
    Chat(Dialect),
    /// Embeddings in this dialect.
    Embed(embeddings::Dialect),
}

fn plan(offer: Offer, provider: &Provider) -> Result<Plan, Fault> {
    let speaks_openai = provider.offers(Offer::OpenaiChat);
    match offer {
        Offer::OpenaiChat if speaks_openai && provider.quirks.repair => Ok(Plan::Chat(Dialect::OpenaiChat)),
        Offer::OpenaiChat if speaks_openai => Ok(Plan::Relay),
        Offer::OpenaiChat => {
            match provider.chat_dialect().filter(|&dialect| dialect != Dialect::OpenaiResponses) {
                Some(dialect) => Ok(Plan::Chat(dialect)),
                None => Err(not_offered(offer, provider)),
            }
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
