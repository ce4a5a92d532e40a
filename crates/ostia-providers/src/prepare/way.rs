//! Which way a call is carried to a provider.

use ostia_dialect::json::{Document, Node};
use ostia_dialect::{Api, ClientDialect, Fault, Operation, remote, rules, tools};

use super::elsewhere::is_told_elsewhere;
use super::{ApiCall, Recipient, by_chat, translate};
use crate::Provider;

/// How a call is carried to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The provider speaks the client's dialect.
    Relay,
    /// The provider has this API, in which the client's words mean the same.
    RelayTo(Api),
    /// The provider speaks Chat Completions in a way that typed clients do not understand.
    Repair,
    /// A conversation in the client's dialect, in front of a provider that is told it in another.
    Converse(ClientDialect),
    /// Another operation, in front of a provider that has this API for it.
    Translate(Api),
    /// Another operation, which the model does in a conversation.
    ByChat,
    /// The tokens of a conversation in this dialect are to be counted, and the provider does not do it so.
    Count(ClientDialect),
}

impl Way {
    /// Its name in the answer of a dry run.
    pub fn name(self) -> &'static str {
        match self {
            Way::Relay | Way::RelayTo(_) | Way::Repair => "relay",
            Way::Converse(_) | Way::Translate(_) | Way::ByChat => "translation",
            Way::Count(_) => "count",
        }
    }
}

/// The way of a call. `is_read`: whoever sends it has to understand the answer, even if it is in the client's dialect.
///
/// # Errors
/// 400: the provider does not have such an API, nor another one that can take its place.
pub fn way(call: &ApiCall<'_>, recipient: &Recipient<'_>, is_read: bool) -> Result<Way, Fault> {
    let (api, provider) = (call.api, recipient.provider);
    if by_chat::is_wanted(call, recipient) {
        return Ok(Way::ByChat);
    }
    match api {
        _ if !provider.offers(api) || is_read || is_told_anew(call, recipient) => {}
        Api::OpenaiEmbeddings if has_too_many_inputs(call, recipient) => {}
        Api::OpenaiChat if provider.quirks.repair => return Ok(Way::Repair),
        _ => return Ok(Way::Relay),
    }
    let way = match api.operation() {
        Operation::Conversation(_) => client_dialect(api, provider).map(Way::Converse),
        Operation::CountTokens(dialect) => ClientDialect::of(dialect).map(Way::Count),
        // What has no translator is relayed, or not to be had.
        _ => {
            let json = api.translator().map(|translator| translator.upstream);
            let upstream = json.or(api.media_translator().map(|translator| translator.upstream));
            let upstream = upstream.and_then(|upstream| upstream(api, &|api| provider.offers(api)));
            upstream.map(|upstream| match api.fits(upstream, call.document.root()) {
                true => Way::RelayTo(upstream),
                false => Way::Translate(upstream),
            })
        }
    };
    match way {
        Some(way) => Ok(way),
        // A server that copies OpenAI's chat may have copied more than its row says: ask it.
        None if api.is_copied() && provider.offers(Api::OpenaiChat) => Ok(Way::Relay),
        None => Err(not_offered(api, provider)),
    }
}

/// Is the list of what is to be embedded longer than a call to the provider may be? It becomes several.
fn has_too_many_inputs(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> bool {
    let Some(most) = recipient.provider.quirks.limits.inputs else { return false };
    // Every input has two bytes and a comma at least, so that most lists are told by their length.
    let input = call.document.root().some("input").filter(|input| input.text().len() > 3 * most);
    let Some(input) = input else { return false };
    // A list of numbers is one text in tokens.
    let is_input = |item: &Node<'_>| item.is_string() || item.is_array() || item.is_object();
    Document::parse_to(input.text().as_bytes(), 1)
        .is_ok_and(|input| input.root().items().filter(is_input).count() > most)
}

/// The dialect of a client with which the provider can converse.
pub fn client_dialect(api: Api, provider: &Provider) -> Option<ClientDialect> {
    let client = ClientDialect::of(api.dialect()?)?;
    provider.dialects().next().map(|_| client)
}

/// Has the request to be told in other words, because the provider would refuse it in the client's? In another dialect of
/// the provider's, or in the same one as the model has it, or without what other vendors wrote into it.
fn is_told_anew(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> bool {
    if has_proofs_of_others(call)
        || is_unheard(call, recipient)
        || is_told_elsewhere(call, call.api, recipient)
        || has_to_be_fetched(call, recipient)
    {
        return true;
    }
    let quirks = &recipient.provider.quirks;
    if quirks.fits_models {
        return false;
    }
    let Some(model) = recipient.known_as(call) else { return false };
    match call.api {
        Api::OpenaiChat => {
            recipient.provider.offers(Api::OpenaiResponses)
                && rules::belongs_at_responses(model, &call.document)
        }
        Api::OpenaiResponses => {
            let takes_all = quirks.takes("client_tools") && quirks.takes("custom_tools");
            // What the provider remembers is not here to be told anew.
            !takes_all && !call.refers_to_earlier() && tools::client_run::is_in(&call.document)
        }
        Api::AnthropicMessages => rules::has_to_be_retold(model, &call.document),
        Api::GeminiGenerate => rules::has_unsigned_calls(model, &call.document),
        _ => false,
    }
}

/// Is something said that the provider reads in its own API only? By the client, or by the operator for all clients.
fn is_unheard(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> bool {
    let Some(dialect) = call.api.dialect().filter(|_| recipient.provider.offers(Api::OllamaChat)) else {
        return false;
    };
    let is_own = |field: &str| rules::is_unheard_by_ollama(dialect, field);
    let params = [recipient.override_params, recipient.default_params].into_iter().flatten().flatten();
    let mut said = call.document.root().fields().filter(|(_, value)| !value.is_null());
    said.any(|(name, _)| is_own(&name)) || params.into_iter().any(|(name, _)| is_own(name))
}

/// Does the history hold what another vendor wrote for itself? What the provider remembers is not here to be told anew.
fn has_proofs_of_others(call: &ApiCall<'_>) -> bool {
    let Some(dialect) = call.api.dialect() else { return false };
    !call.refers_to_earlier() && rules::has_proofs_of_others(dialect, &call.document)
}

/// Are there files at addresses that the provider does not fetch, though it speaks the client's dialect? What it remembers is not
/// here to be told anew.
fn has_to_be_fetched(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> bool {
    let quirks = &recipient.provider.quirks;
    if quirks.media_urls.is_none() || call.refers_to_earlier() || !has_address(call.body) {
        return false;
    }
    let Some(dialect) = call.api.dialect().or(call.api.counts()) else { return false };
    let request = ClientDialect::of(dialect)
        .zip(call.whole().ok())
        .and_then(|(client, whole)| translate::decode(client, call, whole).ok());
    request.is_some_and(|request| remote::is_in(&request, dialect, &quirks.encode_options()))
}

/// May a text of this body be an address?
fn has_address(body: &[u8]) -> bool {
    let begins_address =
        |at: usize| body.get(at + 1..at + 5).is_some_and(|start| start.eq_ignore_ascii_case(b"http"));
    memchr::memchr_iter(b'"', body).any(begins_address)
}

pub(super) fn not_offered(api: Api, provider: &Provider) -> Fault {
    let has: Vec<&str> = provider.apis.iter().map(|api| api.name()).collect();
    let has = if has.is_empty() { "only the raw proxy under /v1/proxy/".to_owned() } else { has.join(", ") };
    let message = format!("{} is not supported by provider `{}`, which has {has}.", api.name(), provider.id);
    Fault::invalid(message).with_code("unsupported_operation")
}
