//! One target, asked once: how the call is carried there, and the straight line of each way.

use std::time::Duration;

use http::{Response, header};
use ostia_dialect::json::Document;
use ostia_dialect::{
    ClientDialect, Dialect, Fault, RenderOptions, Request, Undo, continuation, embeddings, rules, tools,
};
use ostia_providers::{Offer, Provider};
use ostia_routing::Limit;
use ostia_routing::config::MidStreamPolicy;
use ostia_routing::plan::Attempt;
use tokio::time::timeout;

use crate::asked::{Asked, Errand};
use crate::body::Body;
use crate::client::Early;
use crate::clock;
use crate::course::{self, Tried};
use crate::exchange::{self, Exchange, Translation, Wanted};
use crate::facts::Asking;
use crate::kept::{self, Recalled};
use crate::mark::Mark;
use crate::miss::Miss;
use crate::opening::{self, Waiting};
use crate::target::{self, Target};
use crate::upstream::{Answer, Sent};
use crate::{boxed, browser, count, fields, outgoing, proxy};

/// One attempt of a plan: asks its target, and waits for the first words.
pub async fn attempt(asking: &Asking<'_>, attempt: Attempt, mark: &mut Mark) -> Tried {
    let Asking { core, call, parts, errand, route, .. } = *asking;
    mark.attempt(attempt.retry);
    let leaf = route.leaves().get(attempt.leaf);
    let model = errand.asked().and_then(|asked| asked.peek.model.as_deref());
    // By reference: a future has room for what it matches on and for what it binds.
    let answer = match &mut target::resolve(core, call, leaf, model) {
        Ok(target) => {
            bound(target, &attempt);
            mark.target(target);
            let waited = mark.waited();
            let exchange = Exchange { core, call, target, parts, waited: &waited };
            let continues =
                leaf.is_some_and(|leaf| leaf.settings.mid_stream == Some(MidStreamPolicy::Continue));
            let errand = match errand {
                Errand::Typed(asked) => Errand::Typed(Asked { continues, ..asked }),
                passed @ Errand::Passed { .. } => passed,
            };
            // An answer in one piece has no first token.
            let streams = errand.asked().is_some_and(|asked| asked.peek.stream);
            match attempt.limits.first_token.filter(|_| streams) {
                Some(limit) => boxed::pin(|| speak_within(limit, exchange, errand, mark)).await,
                None => speak(exchange, errand, mark).await,
            }
        }
        Err(fault) => Err(fault.clone().into()),
    };
    Tried { attempt, answer, ended: clock::now() }
}

/// The limits of an attempt that is to be made now, as the bounds of its call.
pub fn bound(target: &mut Target<'_>, Attempt { limits, began, .. }: &Attempt) {
    let timeouts = &mut target.timeouts;
    timeouts.first_byte =
        limits.first_byte.map_or(timeouts.first_byte, |limit| limit.min(timeouts.first_byte));
    timeouts.idle = limits.idle.unwrap_or(timeouts.idle);
    if let Some(until) = limits.until.map(|until| until.since(*began)) {
        timeouts.first_byte = timeouts.first_byte.min(until);
        timeouts.total = timeouts.total.min(until);
    }
}

/// An answer that has said something.
async fn speak(exchange: Exchange<'_>, errand: Errand<'_>, mark: &mut Mark) -> Result<Response<Body>, Miss> {
    let asked = match errand {
        Errand::Typed(asked) => asked,
        Errand::Passed { body, raw } => {
            return boxed::pin(|| proxy::pass(exchange, Sent::Full(Some(body.clone())), raw)).await;
        }
    };
    let answer = ask(exchange, asked, mark).await?;
    match answer.body() {
        Body::Events(_) => {
            let begin = || begin_early(exchange, asked.typed.offer, mark);
            let waiting = Waiting::new(mark, &begin);
            // An array has no form for an error, and no place for signs of life before its beginning.
            let waiting = waiting.filter(|_| wanted(exchange, asked) == Wanted::Events);
            boxed::pin(|| opening::first_words(answer, asked.typed.offer, waiting)).await
        }
        _ => Ok(answer),
    }
}

/// How a stream begins before it is known whose it is.
fn begin_early(exchange: Exchange<'_>, offer: Offer, mark: &Mark) -> Early {
    let mut head = Response::new(());
    head.headers_mut().insert(header::CONTENT_TYPE, exchange::EVENTS);
    fields::mark_stream(head.headers_mut());
    mark.stamp_early(&mut head);
    browser::allow(&exchange.core.settings, &exchange.parts.headers, &mut head);
    Early { head, grammar: exchange::grammar(offer) }
}

/// The same, if its first token is here in time.
async fn speak_within(
    limit: Duration,
    exchange: Exchange<'_>,
    errand: Errand<'_>,
    mark: &mut Mark,
) -> Result<Response<Body>, Miss> {
    match timeout(limit, speak(exchange, errand, mark)).await {
        Ok(answer) => answer,
        Err(_) => Err(course::late(Limit::FirstToken, &exchange.target.provider.id, limit)),
    }
}

/// Asks one target once.
///
/// # Errors
/// What the target answered in place of an answer, or why it could not be asked.
pub async fn ask(exchange: Exchange<'_>, asked: Asked<'_>, mark: &mut Mark) -> Result<Response<Body>, Miss> {
    let way = way(exchange, asked)?;
    match way {
        Way::Relay => {
            let answer = send_as_it_is(exchange, asked, mark).await?;
            exchange::relay(answer, asked.typed.offer, wanted(exchange, asked), exchange.target).await
        }
        // The rarer paths are boxed, so that a relayed call does not carry their state.
        Way::Mend => boxed::pin(|| mend(exchange, asked, mark)).await,
        Way::Converse(ClientDialect::OpenaiResponses) => boxed::pin(|| respond(exchange, asked, mark)).await,
        Way::Converse(client) => boxed::pin(|| converse(exchange, asked, client, mark)).await,
        Way::Embed(upstream) => boxed::pin(|| embed(exchange, asked, upstream, mark)).await,
        Way::Count(client) => boxed::pin(|| count::count(exchange, asked, client, mark)).await,
    }
}

/// How a request would be carried to a target, and what of it would not arrive. Nobody is asked.
///
/// # Errors
/// The request cannot be said to this target.
pub fn preview(exchange: Exchange<'_>, asked: Asked<'_>) -> Result<(&'static str, Vec<String>), Fault> {
    let target = exchange.target;
    match way(exchange, asked)? {
        Way::Relay | Way::Mend => {
            outgoing::expect_fields(asked.typed, target, asked.document)?;
            Ok(("relay", outgoing::edit(asked.typed, target, asked.document)?.dropped))
        }
        Way::Converse(client) => {
            let mut request = outgoing::request(client, target, asked)?;
            let upstream = outgoing::upstream(client, target, &request)?;
            let encoded = outgoing::encode(upstream, target, &mut request)?;
            Ok(("translation", client.in_own_words(&request, encoded.dropped)))
        }
        Way::Embed(upstream) => {
            let (_, request) = outgoing::embeddings_request(target, asked)?;
            Ok(("translation", embeddings::encode(upstream, &request)?.dropped))
        }
        Way::Count(_) => Ok(("count", Vec::new())),
    }
}

/// How the client of a relayed call wants its answer.
fn wanted(exchange: Exchange<'_>, asked: Asked<'_>) -> Wanted {
    match (asked.peek.stream, asked.typed.offer) {
        (false, _) => Wanted::Whole,
        (true, Offer::GeminiGenerate) if !outgoing::asks_for_events(exchange.parts) => Wanted::Array,
        (true, _) => Wanted::Events,
    }
}

/// Sends a body in the client's own dialect, with its few edits.
async fn send_as_it_is(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    mark: &mut Mark,
) -> Result<Response<Answer>, Miss> {
    let Asked { typed, body, document, peek, .. } = asked;
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
async fn mend(exchange: Exchange<'_>, asked: Asked<'_>, mark: &mut Mark) -> Result<Response<Body>, Miss> {
    let view = exchange::view_asked_for(exchange::view(exchange), asked.document);
    let answer = send_as_it_is(exchange, asked, mark).await?;
    let translation = Translation::new(ClientDialect::OpenaiChat, Dialect::OpenaiChat, view);
    exchange::translate(answer, translation, asked.peek.stream, exchange.target).await
}

/// A Responses client in front of an upstream that does not remember for it.
async fn respond(exchange: Exchange<'_>, asked: Asked<'_>, mark: &mut Mark) -> Result<Response<Body>, Miss> {
    let client = ClientDialect::OpenaiResponses;
    if asked.keep.is_some() {
        return converse(exchange, asked, client, mark).await;
    }
    let view = exchange::view(exchange);
    let Exchange { core, call, .. } = exchange;
    let Recalled { body, keep } = kept::recall(&core.kept, call, view, asked.body, asked.document)?;
    let asked = Asked { keep: Some(&keep), ..asked };
    let Some(body) = body else { return converse(exchange, asked, client, mark).await };
    let document = Document::of_request(&body)?;
    converse(exchange, Asked { body: &body, document: &document, ..asked }, client, mark).await
}

/// Is an answer made by the provider, and handed on as it comes?
pub fn is_relayed(exchange: Exchange<'_>, asked: Asked<'_>) -> bool {
    way(exchange, asked).is_ok_and(|way| way == Way::Relay)
}

/// A conversation in one dialect, in front of an upstream that speaks another.
async fn converse(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    client: ClientDialect,
    mark: &mut Mark,
) -> Result<Response<Body>, Miss> {
    let Said { answer, upstream, model, include_usage, stream, undo } =
        say(exchange, asked, client, None, mark).await?;
    let keep = asked.keep.filter(|_| client == ClientDialect::OpenaiResponses).cloned();
    let view =
        kept::view(RenderOptions { include_usage, model, ..exchange::view(exchange) }, keep.as_deref());
    let array = client == ClientDialect::GeminiGenerate && !outgoing::asks_for_events(exchange.parts);
    let translation = Translation {
        array,
        undo,
        keep,
        continues: asked.continues.then(|| asked.body.clone()),
        ..Translation::new(client, upstream, view)
    };
    exchange::translate(answer, translation, stream, exchange.target).await
}

/// What was said in another dialect, and what came back.
pub struct Said {
    pub answer: Response<Answer>,
    /// The dialect in which it was said.
    pub upstream: Dialect,
    pub model: String,
    pub include_usage: bool,
    pub stream: bool,
    /// What has to be undone in the answer.
    pub undo: Undo,
}

/// Says a conversation in the dialect of the upstream's that fits it best; where the answer has a `beginning` already, so that it is gone on with.
pub async fn say(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    client: ClientDialect,
    beginning: Option<&str>,
    mark: &mut Mark,
) -> Result<Said, Miss> {
    let Exchange { call, target, .. } = exchange;
    let mut request = outgoing::request(client, target, asked)?;
    let upstream = outgoing::upstream(client, target, &request)?;
    if let Some(beginning) = beginning {
        continuation::ask_for_rest(&mut request, beginning);
    }
    let encoded = outgoing::encode(upstream, target, &mut request)?;
    mark.dropped(client.in_own_words(&request, encoded.dropped), target.lossless)?;
    let Request { model, include_usage, stream, .. } = request;
    let path = outgoing::path(Offer::of_dialect(upstream), call, target, Some(&model), stream, None);
    let answer = exchange.send(path, Some(upstream), &encoded.headers, encoded.body.into()).await?;
    Ok(Said { answer, upstream, model, include_usage, stream, undo: encoded.undo })
}

/// A client of one form of embeddings in front of an upstream that has another.
async fn embed(
    exchange: Exchange<'_>,
    asked: Asked<'_>,
    upstream: embeddings::Dialect,
    mark: &mut Mark,
) -> Result<Response<Body>, Miss> {
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
enum Way {
    /// The provider speaks the client's dialect.
    Relay,
    /// The provider speaks Chat Completions in a way that typed clients do not understand.
    Mend,
    /// A conversation in the client's dialect, in front of a provider that is told it in another.
    Converse(ClientDialect),
    /// Embeddings in this dialect.
    Embed(embeddings::Dialect),
    /// The tokens of a conversation in this dialect are to be counted, and the provider does not do it so.
    Count(ClientDialect),
}

fn way(exchange: Exchange<'_>, asked: Asked<'_>) -> Result<Way, Fault> {
    let (offer, provider) = (asked.typed.offer, exchange.target.provider);
    let offers = |offer| provider.offers(offer);
    match offer {
        _ if !offers(offer) || is_read(exchange, asked) || is_elsewhere(exchange, asked) => {}
        Offer::OpenaiChat if provider.quirks.repair => return Ok(Way::Mend),
        _ => return Ok(Way::Relay),
    }
    let way = match offer {
        Offer::OpenaiChat | Offer::OpenaiResponses | Offer::AnthropicMessages | Offer::GeminiGenerate => {
            conversation(offer, provider).map(Way::Converse)
        }
        Offer::OpenaiInputTokens => Some(Way::Count(ClientDialect::OpenaiResponses)),
        Offer::AnthropicCountTokens => Some(Way::Count(ClientDialect::AnthropicMessages)),
        Offer::GeminiCountTokens => Some(Way::Count(ClientDialect::GeminiGenerate)),
        Offer::OpenaiEmbeddings | Offer::GeminiEmbed | Offer::GeminiBatchEmbed => {
            embeddings_dialect(provider).map(Way::Embed)
        }
        _ => None,
    };
    match way {
        Some(way) => Ok(way),
        // A server that copies OpenAI's chat may have copied more than its row says: ask it.
        None if offers(Offer::OpenaiChat) => match offer {
            Offer::OpenaiCompletions | Offer::OpenaiEmbeddings => Ok(Way::Relay),
            Offer::GeminiEmbed | Offer::GeminiBatchEmbed => Ok(Way::Embed(embeddings::Dialect::Openai)),
            _ => Err(not_offered(offer, provider)),
        },
        None => Err(not_offered(offer, provider)),
    }
}

/// Has an answer to be understood although the provider speaks the client's dialect? The gateway remembers it, or may
/// have to go on with it.
fn is_read(exchange: Exchange<'_>, asked: Asked<'_>) -> bool {
    let Asked { typed, peek, keep, continues, document, .. } = asked;
    let speaks = typed.offer.dialect().and_then(ClientDialect::of).is_some();
    let remembered = typed.offer == Offer::OpenaiResponses
        && (keep.is_some() || kept::is_remembered(&exchange.core.kept, exchange.call, document));
    remembered || continues && peek.stream && speaks
}

/// Has the request to be told in other words, because the provider would refuse it in the client's? In another dialect of the
/// provider's, or in the same one as the target's model has it, or without what other vendors wrote into it.
fn is_elsewhere(exchange: Exchange<'_>, asked: Asked<'_>) -> bool {
    let target = exchange.target;
    if is_of_others(asked) {
        return true;
    }
    let quirks = &target.provider.quirks;
    if quirks.fits_models {
        return false;
    }
    let Some(model) = target.model.as_deref().or(asked.peek.model.as_deref()) else { return false };
    match asked.typed.offer {
        Offer::OpenaiChat => {
            target.provider.offers(Offer::OpenaiResponses)
                && rules::belongs_at_responses(model, asked.document)
        }
        Offer::OpenaiResponses => {
            let takes_all = quirks.takes("client_tools") && quirks.takes("custom_tools");
            // What the provider remembers is not here to be told anew.
            let goes_on = kept::refers(asked.document);
            !takes_all && !goes_on && tools::client_run::is_in(asked.document)
        }
        Offer::AnthropicMessages => rules::has_to_be_retold(model, asked.document),
        _ => false,
    }
}

/// Does the history hold what another vendor wrote for itself? What the provider remembers is not here to be told anew.
fn is_of_others(asked: Asked<'_>) -> bool {
    let Some(dialect) = asked.typed.offer.dialect() else { return false };
    let goes_on = asked.typed.offer == Offer::OpenaiResponses && kept::refers(asked.document);
    !goes_on && rules::has_proofs_of_others(dialect, asked.document)
}

/// The dialect of a client with which the provider can converse.
pub fn conversation(offer: Offer, provider: &Provider) -> Option<ClientDialect> {
    let client = ClientDialect::of(offer.dialect()?)?;
    provider.dialects().next().map(|_| client)
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
