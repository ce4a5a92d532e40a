//! One target, asked once: how the call is carried there, and the straight line of each way.

use http::Response;
use ostia_dialect::Api;
use ostia_dialect::{
    ClientDialect, Dialect, Fault, Operation, RenderOptions, Request, Undo, continuation, embeddings, rules,
    tools,
};
use ostia_providers::Provider;

use crate::boxed;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::count;
use crate::exchange::outgoing;
use crate::exchange::receive;
use crate::exchange::receive::{Translation, Wanted};
use crate::exchange::view;
use crate::inbound::Inbound;
use crate::inbound::api_call::ApiCall;
use crate::message::body::Body;
use crate::record::Record;
use crate::responses_api::{self, History};
use crate::upstream::UpstreamBody;

/// Asks one target once.
///
/// # Errors
/// What the target answered in place of an answer, or why it could not be asked.
pub async fn ask(
    exchange: Exchange<'_>,
    asked: &ApiCall<'_>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let way = way(exchange, asked)?;
    match way {
        Way::Relay => {
            let answer = send_as_it_is(exchange, asked, record).await?;
            let (api, wanted) = (asked.typed.api, wanted(exchange, asked));
            let answer = receive::relay(answer, api, wanted, exchange.target).await?;
            record.answered(&receive::observed(api, answer.body()));
            Ok(answer)
        }
        // The rarer paths are boxed, so that a relayed call does not carry their state.
        Way::Repair => boxed::pin(|| repair(exchange, asked, record)).await,
        Way::Converse(ClientDialect::OpenaiResponses) => {
            boxed::pin(|| respond(exchange, asked, record)).await
        }
        Way::Converse(client) => boxed::pin(|| converse(exchange, asked, client, record)).await,
        Way::Embed(client, upstream) => boxed::pin(|| embed(exchange, asked, client, upstream, record)).await,
        Way::Count(client) => boxed::pin(|| count::count(exchange, asked, client, record)).await,
    }
}

/// How a request would be carried to a target, and what of it would not arrive. Nobody is asked.
///
/// # Errors
/// The request cannot be said to this target.
pub fn preview(exchange: Exchange<'_>, asked: &ApiCall<'_>) -> Result<(&'static str, Vec<String>), Fault> {
    let target = exchange.target;
    match way(exchange, asked)? {
        Way::Relay | Way::Repair => {
            outgoing::expect_fields(asked.typed, target, &asked.document)?;
            Ok(("relay", outgoing::edit(asked.typed, target, &asked.document)?.dropped))
        }
        Way::Converse(client) => {
            let mut request = outgoing::request(client, target, asked)?;
            let upstream = outgoing::upstream(client, target, &request)?;
            let encoded = outgoing::encode(upstream, target, &mut request)?;
            Ok(("translation", client.in_own_words(&request, encoded.dropped)))
        }
        Way::Embed(client, upstream) => {
            let request = outgoing::embeddings_request(client, target, asked)?;
            Ok(("translation", embeddings::encode(upstream, &request)?.dropped))
        }
        Way::Count(_) => Ok(("count", Vec::new())),
    }
}

/// How the client of a relayed call wants its answer.
pub fn wanted(exchange: Exchange<'_>, asked: &ApiCall<'_>) -> Wanted {
    match (asked.peek.stream, asked.typed.api) {
        (false, _) => Wanted::Whole,
        (true, api) if api.streams_array() && !outgoing::asks_for_events(exchange.inbound.parts) => {
            Wanted::Array
        }
        (true, _) => Wanted::Events,
    }
}

/// Sends a body in the client's own dialect, with its few edits.
async fn send_as_it_is(
    exchange: Exchange<'_>,
    asked: &ApiCall<'_>,
    record: &mut Record,
) -> Result<Response<UpstreamBody>, AttemptError> {
    let ApiCall { typed, body, document, peek, .. } = asked;
    let (Inbound { gateway, parts, .. }, target) = (exchange.inbound, exchange.target);
    let line = typed.line();
    outgoing::expect_fields(typed, target, document)?;
    let edited = outgoing::edit(typed, target, document)?;
    record.dropped(edited.dropped, target.lossless)?;
    let path = match line {
        Some(line) => outgoing::google_path(typed.api, target, line, parts.uri.query()),
        None => {
            outgoing::path(typed.api, gateway, target, peek.model.as_deref(), peek.stream, parts.uri.query())
        }
    };
    exchange.send(path, None, &[], edited.body.unwrap_or_else(|| (*body).clone())).await
}

/// A Chat Completions client in front of an upstream that speaks the same, but badly.
async fn repair(
    exchange: Exchange<'_>,
    asked: &ApiCall<'_>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let view = view::view_asked_for(view::view(exchange), &asked.document);
    let answer = send_as_it_is(exchange, asked, record).await?;
    let translation = Translation::new(ClientDialect::OpenaiChat, Dialect::OpenaiChat, view);
    let (answer, observed) =
        receive::translate(answer, translation, asked.peek.stream, exchange.target).await?;
    record.answered(&observed);
    Ok(answer)
}

/// A Responses client in front of an upstream that does not remember for it.
async fn respond(
    exchange: Exchange<'_>,
    asked: &ApiCall<'_>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let client = ClientDialect::OpenaiResponses;
    if exchange.keep.is_some() {
        return converse(exchange, asked, client, record).await;
    }
    let view = view::view(exchange);
    let Inbound { core, caller, .. } = exchange.inbound;
    let History { body, keep } =
        responses_api::recall(&core.kept, caller.owner, view, asked.body, &asked.document)?;
    let exchange = Exchange { keep: Some(&keep), ..exchange };
    let Some(body) = body else { return converse(exchange, asked, client, record).await };
    converse(exchange, &asked.with_body(&body)?, client, record).await
}

/// Is an answer made by the provider, and handed on as it comes?
pub fn is_relayed(exchange: Exchange<'_>, asked: &ApiCall<'_>) -> bool {
    way(exchange, asked).is_ok_and(|way| way == Way::Relay)
}

/// A conversation in one dialect, in front of an upstream that speaks another.
async fn converse(
    exchange: Exchange<'_>,
    asked: &ApiCall<'_>,
    client: ClientDialect,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let TranslatedCall { answer, upstream, model, include_usage, stream, undo } =
        say(exchange, asked, client, None, record).await?;
    let keep = exchange.keep.filter(|_| client == ClientDialect::OpenaiResponses).cloned();
    let view =
        responses_api::view(RenderOptions { include_usage, model, ..view::view(exchange) }, keep.as_deref());
    let array = client == ClientDialect::GeminiGenerate && !outgoing::asks_for_events(exchange.inbound.parts);
    let translation = Translation {
        array,
        undo,
        keep,
        continues: exchange.continues.then(|| asked.body.clone()),
        ..Translation::new(client, upstream, view)
    };
    let (answer, observed) = receive::translate(answer, translation, stream, exchange.target).await?;
    record.answered(&observed);
    Ok(answer)
}

/// What was said in another dialect, and what came back.
pub struct TranslatedCall {
    pub answer: Response<UpstreamBody>,
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
    asked: &ApiCall<'_>,
    client: ClientDialect,
    beginning: Option<&str>,
    record: &mut Record,
) -> Result<TranslatedCall, AttemptError> {
    let (gateway, target) = (exchange.inbound.gateway, exchange.target);
    let mut request = outgoing::request(client, target, asked)?;
    let upstream = outgoing::upstream(client, target, &request)?;
    if let Some(beginning) = beginning {
        continuation::ask_for_rest(&mut request, beginning);
    }
    let encoded = outgoing::encode(upstream, target, &mut request)?;
    record.dropped(client.in_own_words(&request, encoded.dropped), target.lossless)?;
    let Request { model, include_usage, stream, .. } = request;
    let path = outgoing::path(Api::of_dialect(upstream), gateway, target, Some(&model), stream, None);
    let answer = exchange.send(path, Some(upstream), &encoded.headers, encoded.body.into()).await?;
    Ok(TranslatedCall { answer, upstream, model, include_usage, stream, undo: encoded.undo })
}

/// A client of one form of embeddings in front of an upstream that has another.
async fn embed(
    exchange: Exchange<'_>,
    asked: &ApiCall<'_>,
    client: embeddings::Client,
    upstream: embeddings::Dialect,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let (gateway, target) = (exchange.inbound.gateway, exchange.target);
    let request = outgoing::embeddings_request(client, target, asked)?;
    let encoded = embeddings::encode(upstream, &request)?;
    record.dropped(encoded.dropped, target.lossless)?;
    let api = Api::of_embeddings(upstream.of_request(&request));
    let path = outgoing::path(api, gateway, target, Some(&request.model), false, None);
    let answer = exchange.send(path, None, &encoded.headers, encoded.body.into()).await?;
    let (answer, observed) = receive::embedded(answer, client, upstream, &request, target).await?;
    record.answered(&observed);
    Ok(answer)
}

/// How a call is carried to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The provider speaks the client's dialect.
    Relay,
    /// The provider speaks Chat Completions in a way that typed clients do not understand.
    Repair,
    /// A conversation in the client's dialect, in front of a provider that is told it in another.
    Converse(ClientDialect),
    /// Embeddings in the client's dialect, in front of a provider that has this one.
    Embed(embeddings::Client, embeddings::Dialect),
    /// The tokens of a conversation in this dialect are to be counted, and the provider does not do it so.
    Count(ClientDialect),
}

fn way(exchange: Exchange<'_>, asked: &ApiCall<'_>) -> Result<Way, Fault> {
    let (api, provider) = (asked.typed.api, exchange.target.provider);
    match api {
        _ if !provider.offers(api) || is_read(exchange, asked) || is_elsewhere(exchange, asked) => {}
        Api::OpenaiChat if provider.quirks.repair => return Ok(Way::Repair),
        _ => return Ok(Way::Relay),
    }
    let way = match api.operation() {
        Operation::Conversation(_) => conversation(api, provider).map(Way::Converse),
        Operation::CountTokens(dialect) => ClientDialect::of(dialect).map(Way::Count),
        Operation::Embeddings(dialect) => embed_way(dialect, provider),
        // All others are relayed, or not to be had.
        _ => None,
    };
    match way {
        Some(way) => Ok(way),
        // A server that copies OpenAI's chat may have copied more than its row says: ask it.
        None if api.is_copied() && provider.offers(Api::OpenaiChat) => Ok(Way::Relay),
        None => Err(not_offered(api, provider)),
    }
}

/// Embeddings for a client of this dialect, in the form that the provider has. One that copies OpenAI's chat may have
/// copied OpenAI's.
fn embed_way(client: embeddings::Dialect, provider: &Provider) -> Option<Way> {
    let upstream = embeddings_dialect(provider).or_else(|| {
        let copied = embeddings::Dialect::Openai;
        (client != copied && provider.offers(Api::OpenaiChat)).then_some(copied)
    })?;
    Some(Way::Embed(embeddings::Client::of(client)?, upstream))
}

/// Has an answer to be understood although the provider speaks the client's dialect? The gateway remembers it, or may
/// have to go on with it.
fn is_read(exchange: Exchange<'_>, asked: &ApiCall<'_>) -> bool {
    let ApiCall { typed, peek, document, .. } = asked;
    let Inbound { core, caller, .. } = exchange.inbound;
    let speaks = typed.api.dialect().and_then(ClientDialect::of).is_some();
    let remembered = typed.api == Api::OpenaiResponses
        && (exchange.keep.is_some() || responses_api::is_remembered(&core.kept, caller.owner, document));
    remembered || exchange.continues && peek.stream && speaks
}

/// Has the request to be told in other words, because the provider would refuse it in the client's? In another dialect of the
/// provider's, or in the same one as the target's model has it, or without what other vendors wrote into it.
fn is_elsewhere(exchange: Exchange<'_>, asked: &ApiCall<'_>) -> bool {
    let target = exchange.target;
    if is_of_others(asked) {
        return true;
    }
    let quirks = &target.provider.quirks;
    if quirks.fits_models {
        return false;
    }
    let Some(model) = target.model.as_deref().or(asked.peek.model.as_deref()) else { return false };
    match asked.typed.api {
        Api::OpenaiChat => {
            target.provider.offers(Api::OpenaiResponses)
                && rules::belongs_at_responses(model, &asked.document)
        }
        Api::OpenaiResponses => {
            let takes_all = quirks.takes("client_tools") && quirks.takes("custom_tools");
            // What the provider remembers is not here to be told anew.
            let goes_on = responses_api::refers(&asked.document);
            !takes_all && !goes_on && tools::client_run::is_in(&asked.document)
        }
        Api::AnthropicMessages => rules::has_to_be_retold(model, &asked.document),
        _ => false,
    }
}

/// Does the history hold what another vendor wrote for itself? What the provider remembers is not here to be told anew.
fn is_of_others(asked: &ApiCall<'_>) -> bool {
    let Some(dialect) = asked.typed.api.dialect() else { return false };
    let goes_on = asked.typed.api == Api::OpenaiResponses && responses_api::refers(&asked.document);
    !goes_on && rules::has_proofs_of_others(dialect, &asked.document)
}

/// The dialect of a client with which the provider can converse.
pub fn conversation(api: Api, provider: &Provider) -> Option<ClientDialect> {
    let client = ClientDialect::of(api.dialect()?)?;
    provider.dialects().next().map(|_| client)
}

/// The form of embeddings that a provider has, if any. Google's for lists comes with the other one.
fn embeddings_dialect(provider: &Provider) -> Option<embeddings::Dialect> {
    use embeddings::Dialect::{Cohere, Gemini, Openai};
    [Openai, Gemini, Cohere].into_iter().find(|dialect| provider.offers(Api::of_embeddings(*dialect)))
}

fn not_offered(api: Api, provider: &Provider) -> Fault {
    let has: Vec<&str> = provider.apis.iter().map(|api| api.name()).collect();
    let has = if has.is_empty() { "only the raw proxy under /v1/proxy/".to_owned() } else { has.join(", ") };
    let message = format!("{} is not supported by provider `{}`, which has {has}.", api.name(), provider.id);
    Fault::invalid(message).with_code("unsupported_operation")
}
