//! Calls that are told to a provider in another dialect than the client's.

use ostia_dialect::api::{Asked, Reader};
use ostia_dialect::frame::Framing;
use ostia_dialect::json::Document;
use ostia_dialect::relay::Splice;
use ostia_dialect::remote::{self, Remote};
use ostia_dialect::{
    Api, ClientDialect, Dialect, EncodeOptions, Encoded, Fault, Files, Observed, Request, best_dialect,
    continuation,
};

use super::required::{NO_MODEL, no_model};
use super::way::not_offered;
use super::{ApiCall, Conversation, Outgoing, Prepared, Reading, Recipient, body, output_bound, relay};
use crate::adapt;

/// Who counts, for whoever cannot be asked in the client's dialect.
const COUNTERS: [Api; 4] =
    [Api::AnthropicCountTokens, Api::GeminiCountTokens, Api::OpenaiInputTokens, Api::BedrockCountTokens];

/// A conversation, in the dialect of the provider's that fits it best.
pub(super) fn conversation(
    client: ClientDialect,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    beginning: Option<&str>,
    files: &Files,
) -> Result<Prepared, Fault> {
    let mut request = request(client, call, recipient)?;
    let options = recipient.provider.quirks.encode_options();
    let upstream = upstream(client, recipient, &request, &options)?;
    let missing = inline(upstream, call, &mut request, &options, files)?;
    if !missing.is_empty() {
        return Ok(Prepared::Fetch(missing));
    }
    if let Some(beginning) = beginning {
        continuation::ask_for_rest(&mut request, beginning);
    }
    let encoded = encode(upstream, recipient, &mut request, &options)?;
    let dropped = client.in_own_words(&request, encoded.dropped);
    let Request { model, include_usage, stream, .. } = request;
    let api = Api::of_dialect(upstream);
    let path = relay::path(api, recipient, Some(&model), stream, "");
    let own = body::edited(&encoded.body, api, recipient)?;
    let array = call.framing() == Framing::JsonArray;
    let conversation =
        Conversation { client, upstream, model, stream, include_usage, array, undo: encoded.undo };
    Ok(Prepared::Request(Outgoing {
        path,
        body: Some(own.unwrap_or_else(|| encoded.body.into())),
        headers: encoded.headers,
        without: without(upstream),
        dropped,
        answer: Reading::Conversation(Box::new(conversation)),
    }))
}

/// Puts what was fetched into a request for an upstream that takes bytes; gives what is missing.
fn inline(
    upstream: Dialect,
    call: &ApiCall<'_>,
    request: &mut Request,
    options: &EncodeOptions,
    files: &Files,
) -> Result<Vec<Remote>, Fault> {
    match remote::inline(request, upstream, options, files) {
        Ok(missing) => Ok(missing),
        Err(unsayable) => Err(unsayable.fault(call.whole()?)),
    }
}

/// Any other operation, in the form that the provider has.
pub(super) fn other(upstream: Api, call: &ApiCall<'_>, recipient: &Recipient<'_>) -> Result<Outgoing, Fault> {
    let Some(translator) = call.api.translator() else {
        return Err(not_offered(call.api, recipient.provider));
    };
    let edited = relay::with_params(call, recipient)?;
    let asked = Asked {
        api: call.api,
        path_model: call.path.unwrap_or_default().model,
        model: recipient.model,
        body: edited.as_ref().unwrap_or(call.body),
    };
    let translated = (translator.translate)(asked, upstream)?;
    let own = body::edited(&translated.body, translated.api, recipient)?;
    Ok(Outgoing {
        path: relay::path(translated.api, recipient, Some(&translated.model), false, ""),
        body: Some(own.unwrap_or_else(|| translated.body.into())),
        headers: translated.headers,
        without: &[],
        dropped: translated.dropped,
        answer: Reading::Whole { api: translated.api, reader: translated.reader },
    })
}

/// The tokens that a conversation would be read as: counted by the provider in its own way where it has one, else estimated.
pub(super) fn count(
    client: ClientDialect,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    files: &Files,
) -> Result<Prepared, Fault> {
    let mut request = request(client, call, recipient)?;
    let counters = COUNTERS.into_iter().filter(|api| recipient.provider.offers(*api));
    let counter = counters.filter_map(|api| Some((api, api.counts()?))).next();
    let Some((api, upstream)) = counter else {
        let tokens = request.estimated_tokens();
        return Ok(Prepared::Estimate { client, tokens });
    };
    let options = recipient.provider.quirks.encode_options();
    let missing = inline(upstream, call, &mut request, &options, files)?;
    if !missing.is_empty() {
        return Ok(Prepared::Fetch(missing));
    }
    let encoded = encode(upstream, recipient, &mut request, &options)?;
    let body = upstream.count_body(&request.model, &encoded.body);
    let own = body::edited(&body, api, recipient)?;
    Ok(Prepared::Request(Outgoing {
        path: relay::path(api, recipient, Some(&request.model), false, ""),
        body: Some(own.unwrap_or_else(|| body.into())),
        headers: encoded.headers,
        without: without(upstream),
        dropped: client.in_own_words(&request, encoded.dropped),
        answer: Reading::Whole { api, reader: count_reader(upstream, client) },
    }))
}

fn count_reader(upstream: Dialect, client: ClientDialect) -> Reader {
    Reader::new(move |body| {
        let tokens = upstream
            .decode_count(body)
            .ok_or_else(|| Fault::upstream("The provider's count of tokens is not a whole number."))?;
        Ok((client.encode_count(tokens), Observed::default()))
    })
}

/// A Messages client's version and betas mean nothing to others.
fn without(upstream: Dialect) -> &'static [&'static str] {
    match upstream {
        Dialect::AnthropicMessages => &[],
        _ => &["anthropic-version", "anthropic-beta"],
    }
}

/// What a client's body says of a conversation. `document` holds all of its fields.
///
/// # Errors
/// 400 that names the field.
pub fn decode(client: ClientDialect, call: &ApiCall<'_>, document: &Document<'_>) -> Result<Request, Fault> {
    let path = call.path.unwrap_or_default();
    match call.api.counts() {
        Some(_) => client.decode_counted(document, path),
        None => client.decode(document, path),
    }
}

/// The canonical request of a client.
fn request(client: ClientDialect, call: &ApiCall<'_>, recipient: &Recipient<'_>) -> Result<Request, Fault> {
    let mut request = match relay::with_params(call, recipient)? {
        Some(body) => decode(client, call, &Document::of_request(&body)?)?,
        None => decode(client, call, call.whole()?)?,
    };
    if output_bound::is_dropped(recipient.drop_params) {
        request.sampling.max_tokens = None;
    }
    if let Some(model) = recipient.model {
        model.clone_into(&mut request.model);
    }
    if request.model == NO_MODEL || request.model.is_empty() {
        return Err(no_model());
    }
    Ok(request)
}

/// The dialect in which a provider is told a request: of those that it speaks the one that says it best, the client's own
/// before others that do as well.
fn upstream(
    client: ClientDialect,
    recipient: &Recipient<'_>,
    request: &Request,
    options: &EncodeOptions,
) -> Result<Dialect, Fault> {
    let provider = recipient.provider;
    if let Some(only) = provider.dialects().next().filter(|_| provider.dialects().nth(1).is_none()) {
        return Ok(only);
    }
    let own = provider.dialects().filter(|dialect| *dialect == client.dialect());
    let all = own.chain(provider.dialects());
    best_dialect(all, request, options).ok_or_else(|| {
        Fault::invalid(format!("Provider `{}` has no API for conversations.", provider.id))
            .with_code("unsupported_operation")
    })
}

/// The upstream's body for a request, in the provider's own spellings.
fn encode(
    upstream: Dialect,
    recipient: &Recipient<'_>,
    request: &mut Request,
    options: &EncodeOptions,
) -> Result<Encoded, Fault> {
    let quirks = &recipient.provider.quirks;
    let encoded = upstream.encode(request, options);
    let mut encoded = encoded.map_err(|fault| match request.client {
        Some(client) => client.refusal(request, fault),
        None => fault,
    })?;
    if upstream == Dialect::OpenaiChat && quirks.edits() {
        let document =
            Document::parse_to(&encoded.body, 1).map_err(|fault| Fault::invalid(fault.to_string()))?;
        let mut splice = Splice::new(&document)?;
        let dropped = adapt(quirks, Api::OpenaiChat, &document, false, &mut splice)?;
        let body = splice.is_changed().then(|| splice.finish());
        encoded.dropped.extend(dropped);
        encoded.body = body.unwrap_or(encoded.body);
    }
    Ok(encoded)
}
