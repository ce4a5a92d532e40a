//! One request, from top to bottom. Everything that decides about a request's life is here; what it calls are straight
//! lines.

use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Request, Response, request};
use hyper::body::Incoming;
use ostia_dialect::custom_tool::CustomTools;
use ostia_dialect::json::Document;
use ostia_dialect::relay::{self, Peek};
use ostia_dialect::{ClientDialect, Dialect, Fault, FaultKind, View, embeddings};
use ostia_providers::{Offer, Provider};

use crate::body::Body;
use crate::call::Call;
use crate::core::Core;
use crate::exchange::{self, Exchange, Translation};
use crate::kept::{self, Recalled};
use crate::mark::Mark;
use crate::route::{Endpoint, Family, Typed, family};
use crate::target;
use crate::upstream::Answer;
use crate::{count, intake, models, outgoing, proxy, reply};

/// Answers a request, whatever happens.
pub async fn handle(core: Rc<Core>, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let family = family(parts.uri.path());
    let mut mark = Mark::default();
    let mut response = match Call::read(&parts.headers) {
        Ok(mut call) => {
            if family == Family::Google {
                call.read_key_in(parts.uri.query());
            }
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
        reply::fault(family, &fault, mark.provider(), mark.trace_id())
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
        Endpoint::Models | Endpoint::Typed(_) | Endpoint::Kept | Endpoint::Pass { .. } => {
            authenticate(core, call)?
        }
    }
    match endpoint {
        Endpoint::Typed(typed) => {
            let body = intake::read(body, &core.settings.limits).await?;
            carry(core, call, &typed, parts, body, mark).await
        }
        Endpoint::Models if names_nobody(core, call) => Ok(models::list(core)),
        Endpoint::Kept if kept::is_ours(core, call, parts) => {
            let body = intake::read(body, &core.settings.limits).await?;
            kept::serve(core, call, parts, &body)
        }
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
async fn carry(
    core: &Rc<Core>,
    call: &Call,
    typed: &Typed<'_>,
    parts: &request::Parts,
    body: Bytes,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let document = Document::parse_to(&body, 1)
        .map_err(|fault| Fault::invalid(format!("The request body is {fault}.")))?;
    let peek = match typed.line() {
        Some(line) => Peek { model: Some(line.model.to_owned()), stream: line.stream },
        None => relay::peek(&document)?,
    };
    let target = target::resolve(core, call, peek.model.as_deref())?;
    mark.target(&target);
    let exchange = Exchange { core, call, target: &target, parts };
    let asked = Asked { typed, body: &body, document: &document, peek: &peek };
    match plan(exchange, asked)? {
        Plan::Relay => {
            let answer = send_as_it_is(exchange, asked, mark).await?;
            exchange::relay(answer, typed.offer, peek.stream, &target).await
        }
        // The rarer paths are boxed, so that a relayed call does not carry their state.
        Plan::Mend => Box::pin(mend(exchange, asked, mark)).await,
        Plan::Converse(ClientDialect::OpenaiResponses, upstream) => {
            Box::pin(respond(exchange, asked, upstream, mark)).await
        }
        Plan::Converse(client, upstream) => {
            Box::pin(converse(exchange, asked, client, upstream, None, mark)).await
        }
        Plan::Embed(upstream) => Box::pin(embed(exchange, asked, upstream, mark)).await,
        Plan::Count(client) => Box::pin(count::count(exchange, asked, client, mark)).await,
    }
}

/// A body and what has been seen of it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The operation.
    pub typed: &'a Typed<'a>,
    /// The client's body.
    pub body: &'a Bytes,
    /// The same, its fields recorded.
    pub document: &'a Document<'a>,
    /// Model and stream.
    pub peek: &'a Peek,
}

/// Sends a body in the client's own dialect, with its few edits.
async fn send_as_it_is(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    mark: &mut Mark,
) -> Result<Response<Answer>, Fault> {
    let Asked { typed, body, document, peek } = asked;
    let Exchange { call, target, parts, .. } = exchange;
    let line = typed.line();
    outgoing::expect_fields(typed, target, document)?;
    let edited = outgoing::edit(typed, target, document)?;
    mark.dropped(edited.dropped, target.lossless)?;
    let path = match line {
        Some(line) => outgoing::google_path(typed.offer, target, line, parts.uri.query()),
        None => {
            outgoing::path(typed.offer, call, target, peek.model.as_deref(), peek.stream, parts.uri.query())
        }
    };
    exchange.send(path, None, &[], edited.body.unwrap_or_else(|| body.clone())).await
}

/// A Chat Completions client in front of an upstream that speaks the same, but badly.
async fn mend(exchange: Exchange<'_>, asked: Asked<'_>, mark: &mut Mark) -> Result<Response<Body>, Fault> {
    let view = exchange::view_asked_for(exchange::view(exchange), asked.document);
    let answer = send_as_it_is(exchange, asked, mark).await?;
    let translation = Translation::new(ClientDialect::OpenaiChat, Dialect::OpenaiChat, view);
    exchange::translate(answer, translation, asked.peek.stream, exchange.target).await
}

/// A Responses client in front of an upstream that does not remember for it.
async fn respond(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    upstream: Dialect,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let Recalled { body, keep, background } = kept::recall(exchange, asked.document)?;
    let document = Document::parse_to(&body, 1).map_err(|fault| Fault::invalid(fault.to_string()))?;
    let asked = Asked { body: &body, document: &document, ..asked };
    if background {
        return in_background(exchange, asked, upstream, keep);
    }
    converse(exchange, asked, ClientDialect::OpenaiResponses, upstream, Some(keep), mark).await
}

/// Answers at once, and goes on alone.
fn in_background(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    upstream: Dialect,
    keep: Box<kept::Keep>,
) -> Result<Response<Body>, Fault> {
    let (core, call, parts) = (exchange.core.clone(), exchange.call.clone(), exchange.parts.clone());
    let (body, peek) = (asked.body.clone(), asked.peek.clone());
    let running = keep.begin(peek.stream);
    let first = running.clone();
    let task = tokio::task::spawn_local(async move {
        let answer = async {
            let document = Document::parse_to(&body, 1).map_err(|fault| Fault::invalid(fault.to_string()))?;
            let target = target::resolve(&core, &call, peek.model.as_deref())?;
            let exchange = Exchange { core: &core, call: &call, target: &target, parts: &parts };
            let typed = Typed::from(Offer::OpenaiResponses);
            let asked = Asked { typed: &typed, body: &body, document: &document, peek: &peek };
            let client = ClientDialect::OpenaiResponses;
            converse(exchange, asked, client, upstream, Some(keep), &mut Mark::default()).await
        };
        let answer = answer.await;
        running.follow(answer).await;
    });
    Ok(first.answer(task.abort_handle()))
}

/// A conversation in one dialect, in front of an upstream that speaks another.
async fn converse(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    client: ClientDialect,
    upstream: Dialect,
    keep: Option<Box<kept::Keep>>,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let Exchange { call, target, .. } = exchange;
    let mut request = outgoing::request(client, target, asked)?;
    let custom_tools = match upstream.has_custom_tools() {
        true => None,
        false => CustomTools::replace(&mut request),
    };
    let encoded = outgoing::encode(upstream, target, &request)?;
    mark.dropped(client.in_own_words(&request, encoded.dropped), target.lossless)?;
    let offer = Offer::of_dialect(upstream);
    let path = outgoing::path(offer, call, target, Some(&request.model), request.stream, None);
    let view =
        View { include_usage: request.include_usage, model: request.model, ..exchange::view(exchange) };
    let view = kept::view(view, client, keep.as_deref());
    let answer = exchange.send(path, Some(upstream), &encoded.headers, encoded.body.into()).await?;
    let array = client == ClientDialect::GeminiGenerate && !outgoing::asks_for_events(exchange.parts);
    let translation = Translation { array, custom_tools, keep, ..Translation::new(client, upstream, view) };
    exchange::translate(answer, translation, request.stream, target).await
}

/// A client of one form of embeddings in front of an upstream that has another.
async fn embed(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    upstream: embeddings::Dialect,
    mark: &mut Mark,
) -> Result<Response<Body>, Fault> {
    let Exchange { call, target, .. } = exchange;
    let (client, request) = outgoing::embeddings_request(target, asked)?;
    let encoded = embeddings::encode(upstream, &request)?;
    mark.dropped(encoded.dropped, target.lossless)?;
    let offer = match upstream {
        embeddings::Dialect::Openai => Offer::OpenaiEmbeddings,
        embeddings::Dialect::Cohere => Offer::CohereEmbed,
        embeddings::Dialect::Gemini if embeddings::gemini::method(&request) == "batchEmbedContents" => {
            Offer::GeminiBatchEmbed
        }
        embeddings::Dialect::Gemini => Offer::GeminiEmbed,
    };
    let path = outgoing::path(offer, call, target, Some(&request.model), false, None);
    let answer = exchange.send(path, None, &encoded.headers, encoded.body.into()).await?;
    exchange::embedded(answer, client, upstream, &request, target).await
}

/// How a call is carried to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// The provider speaks the client's dialect.
    Relay,
    /// The provider speaks Chat Completions in a way that typed clients do not understand.
    Mend,
    /// A conversation, in the client's dialect and the upstream's.
    Converse(ClientDialect, Dialect),
    /// Embeddings in this dialect.
    Embed(embeddings::Dialect),
    /// The tokens of a conversation in this dialect are to be counted, and the provider does not do it so.
    Count(ClientDialect),
}

fn plan(exchange: Exchange<'_>, asked: Asked<'_>) -> Result<Plan, Fault> {
    let (offer, provider) = (asked.typed.offer, exchange.target.provider);
    let offers = |offer| provider.offers(offer);
    match offer {
        Offer::OpenaiChat if offers(offer) && provider.quirks.repair => return Ok(Plan::Mend),
        // What the gateway remembers means nothing to the provider, though it speaks the dialect.
        Offer::OpenaiResponses if offers(offer) && kept::is_remembered(exchange, asked.document) => {
            return Ok(Plan::Converse(ClientDialect::OpenaiResponses, Dialect::OpenaiResponses));
        }
        _ if offers(offer) => return Ok(Plan::Relay),
        _ => {}
    }
    let planned = match offer {
        Offer::OpenaiChat | Offer::OpenaiResponses | Offer::AnthropicMessages | Offer::GeminiGenerate => {
            let client = offer.dialect().and_then(ClientDialect::of);
            client.zip(provider.dialects().next()).map(|(client, upstream)| Plan::Converse(client, upstream))
        }
        Offer::OpenaiInputTokens => Some(Plan::Count(ClientDialect::OpenaiResponses)),
        Offer::AnthropicCountTokens => Some(Plan::Count(ClientDialect::AnthropicMessages)),
        Offer::GeminiCountTokens => Some(Plan::Count(ClientDialect::GeminiGenerate)),
        Offer::OpenaiEmbeddings | Offer::GeminiEmbed | Offer::GeminiBatchEmbed => {
            embeddings_dialect(provider).map(Plan::Embed)
        }
        _ => None,
    };
    match planned {
        Some(plan) => Ok(plan),
        // A server that copies OpenAI's chat may have copied more than its row says: ask it.
        None if offers(Offer::OpenaiChat) => match offer {
            Offer::OpenaiCompletions | Offer::OpenaiEmbeddings => Ok(Plan::Relay),
            Offer::GeminiEmbed | Offer::GeminiBatchEmbed => Ok(Plan::Embed(embeddings::Dialect::Openai)),
            _ => Err(not_offered(offer, provider)),
        },
        None => Err(not_offered(offer, provider)),
    }
}

/// The form of embeddings that a provider has, if any.
fn embeddings_dialect(provider: &Provider) -> Option<embeddings::Dialect> {
    let forms = [
        (Offer::OpenaiEmbeddings, embeddings::Dialect::Openai),
        (Offer::GeminiEmbed, embeddings::Dialect::Gemini),
        (Offer::CohereEmbed, embeddings::Dialect::Cohere),
    ];
    forms.into_iter().find(|(offer, _)| provider.offers(*offer)).map(|(_, dialect)| dialect)
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
