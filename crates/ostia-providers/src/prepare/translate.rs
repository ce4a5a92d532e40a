//! Calls that are told to a provider in another dialect than the client's.

use bytes::Bytes;
use ostia_dialect::api::{Asked, Reader};
use ostia_dialect::form::Piece;
use ostia_dialect::frame::Framing;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::relay::Splice;
use ostia_dialect::remote::{self, Remote};
use ostia_dialect::rules::{self, Rules};
use ostia_dialect::{
    Api, ClientDialect, Dialect, EncodeOptions, Encoded, Family, Fault, Files, Observed, Request,
    best_dialect, continuation,
};
use serde_json::Value;

use super::elsewhere::{is_open_to, is_told_elsewhere};
use super::relay::Edited;
use super::required::{self, NO_MODEL, no_model};
use super::way::not_offered;
use super::{
    ApiCall, Content, Conversation, Outgoing, Prepared, Reading, Recipient, body, output_bound, relay,
};
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
    recipient.cannot_take.check(&request)?;
    let options = recipient.provider.quirks.encode_options();
    let upstream = upstream(client, call, recipient, &request, &options)?;
    let missing = inline(upstream, call, &mut request, &options, files)?;
    if !missing.is_empty() {
        return Ok(Prepared::Fetch(missing));
    }
    if let Some(beginning) = beginning {
        continuation::ask_for_rest(&mut request, beginning);
    }
    let encoded = encode(upstream, recipient, &mut request, &options)?;
    let mut dropped = client.in_own_words(&request, encoded.dropped);
    let Request { model, include_usage, stream, .. } = request;
    let api = Api::of_dialect(upstream);
    let path = relay::path(api, recipient, Some(&model), stream, "");
    let own = body::own(&encoded.body, api, recipient)?;
    dropped.extend(own.dropped);
    let array = call.framing() == Framing::JsonArray;
    let framing = recipient.provider.framing(api, true);
    let undo = encoded.undo;
    let conversation = Conversation { client, upstream, framing, model, stream, include_usage, array, undo };
    Ok(Prepared::Request(Outgoing {
        api,
        path,
        body: Content::Json(own.body.unwrap_or_else(|| encoded.body.into())),
        upload: None,
        more: Vec::new(),
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
pub(super) fn other(
    upstream: Api,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    files: &Files,
) -> Result<Prepared, Fault> {
    let edited = relay::with_params(call, recipient)?;
    let asked = Asked {
        api: call.api,
        path_model: call.path.unwrap_or_default().model,
        model: recipient.model,
        body: edited.as_ref().unwrap_or(call.body),
        inputs_max: recipient.provider.quirks.limits.inputs,
    };
    let Some(translator) = call.api.translator() else {
        return media(upstream, asked, (call, recipient), files);
    };
    let translated = (translator.translate)(asked, upstream)?;
    let mut dropped = translated.dropped;
    let mut bodies = Vec::with_capacity(1 + translated.more.len());
    for body in std::iter::once(translated.body).chain(translated.more) {
        let (body, lost) = adapted(body, translated.api, recipient)?;
        let own = body::own(&body, translated.api, recipient)?;
        bodies.push(own.body.unwrap_or_else(|| body.into()));
        let lost = lost.into_iter().chain(own.dropped);
        dropped.extend(lost.filter(|path| !dropped.contains(path)).collect::<Vec<_>>());
    }
    let mut bodies = bodies.into_iter();
    Ok(Prepared::Request(Outgoing {
        api: translated.api,
        path: relay::path(translated.api, recipient, Some(&translated.model), false, ""),
        body: bodies.next().map_or(Content::Own, Content::Json),
        upload: None,
        more: bodies.collect(),
        headers: translated.headers,
        without: &[],
        dropped,
        answer: Reading::Whole { api: translated.api, reader: translated.reader },
    }))
}

/// One whose bodies are more than JSON, or whose answers name files.
fn media(
    upstream: Api,
    asked: Asked<'_>,
    (call, recipient): (&ApiCall<'_>, &Recipient<'_>),
    files: &Files,
) -> Result<Prepared, Fault> {
    let Some(translator) = call.api.media_translator() else {
        return Err(not_offered(call.api, recipient.provider));
    };
    let mut missing = (translator.remotes)(asked, call.form, upstream)?;
    missing.retain(|remote| !files.contains_key(&remote.url));
    if !missing.is_empty() {
        return Ok(Prepared::Fetch(missing));
    }
    let told = (translator.translate)(asked, call.form, files, upstream)?;
    let mut dropped = told.dropped;
    let (body, lost) = content(told.content_type, told.body, told.api, recipient)?;
    dropped.extend(lost);
    Ok(Prepared::Request(Outgoing {
        api: told.api,
        path: relay::path_at(told.api, recipient, &told.in_path, &told.query),
        body,
        upload: told.upload,
        more: Vec::new(),
        headers: told.headers,
        without: &[],
        dropped,
        answer: Reading::Media { api: told.api, reader: told.reader },
    }))
}

/// What is sent, and what the provider does not take of it. JSON without files is told in the provider's own spellings.
fn content(
    content_type: String,
    mut pieces: Vec<Piece>,
    api: Api,
    recipient: &Recipient<'_>,
) -> Result<(Content, Vec<String>), Fault> {
    let Some(json) = only_json(&content_type, &mut pieces) else {
        return Ok((Content::Pieces { content_type, pieces }, Vec::new()));
    };
    let (body, mut lost) = adapted(json, api, recipient)?;
    let own = body::own(&body, api, recipient)?;
    lost.extend(own.dropped);
    Ok((Content::Json(own.body.unwrap_or_else(|| body.into())), lost))
}

fn only_json(content_type: &str, pieces: &mut Vec<Piece>) -> Option<Vec<u8>> {
    match pieces.as_mut_slice() {
        [Piece::Bytes(json)] if content_type == "application/json" => Some(std::mem::take(json)),
        _ => None,
    }
}

/// The tokens that a conversation would be read as: counted by the provider in its own way where it has one, else estimated.
pub(super) fn count(
    client: ClientDialect,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    files: &Files,
) -> Result<Prepared, Fault> {
    if is_counted_as_invoked(client, call, recipient) {
        return count_as_invoked(client, call, recipient).map(Prepared::Request);
    }
    let mut request = request(client, call, recipient)?;
    let counters = COUNTERS.into_iter().filter(|api| recipient.provider.offers(*api));
    let counter = counters.filter_map(|api| Some((api, api.counts()?))).next();
    let Some((api, upstream)) = counter else {
        return Ok(Prepared::Estimate { client, request: Box::new(request) });
    };
    let options = recipient.provider.quirks.encode_options();
    let missing = inline(upstream, call, &mut request, &options, files)?;
    if !missing.is_empty() {
        return Ok(Prepared::Fetch(missing));
    }
    let encoded = encode(upstream, recipient, &mut request, &options)?;
    let body = upstream.count_body(&request.model, &encoded.body);
    let own = body::own(&body, api, recipient)?;
    let mut dropped = client.in_own_words(&request, encoded.dropped);
    dropped.extend(own.dropped);
    Ok(Prepared::Request(Outgoing {
        api,
        path: relay::path(api, recipient, Some(&request.model), false, ""),
        body: Content::Json(own.body.unwrap_or_else(|| body.into())),
        upload: None,
        more: Vec::new(),
        headers: encoded.headers,
        without: without(upstream),
        dropped,
        answer: Reading::Whole { api, reader: count_reader(upstream, client) },
    }))
}

/// Are the tokens of a Messages client's request counted in its own words, as its model would be invoked with them?
fn is_counted_as_invoked(client: ClientDialect, call: &ApiCall<'_>, recipient: &Recipient<'_>) -> bool {
    let model = recipient.known_as(call).unwrap_or_default();
    client == ClientDialect::AnthropicMessages
        && recipient.provider.offers(Api::BedrockCountInvoke)
        && !is_told_elsewhere(call, Api::AnthropicMessages, recipient)
        && !rules::has_to_be_retold(model, &call.document)
        && !rules::has_proofs_of_others(Dialect::AnthropicMessages, &call.document)
}

fn count_as_invoked(
    client: ClientDialect,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
) -> Result<Outgoing, Fault> {
    const API: Api = Api::BedrockCountInvoke;
    required::check(call, recipient)?;
    let Edited { body, mut dropped } = relay::edit(call, recipient)?;
    let model = recipient.model.or(call.model()).unwrap_or_default();
    let known_as = recipient.base_model.unwrap_or(model);
    let bounded = invokable(body.as_ref().unwrap_or(call.body), known_as)?;
    let own = body::own(&bounded, API, recipient)?;
    dropped.extend(own.dropped);
    Ok(Outgoing {
        api: API,
        path: relay::path(API, recipient, Some(model), false, ""),
        body: Content::Json(own.body.unwrap_or(bounded)),
        upload: None,
        more: Vec::new(),
        headers: Vec::new(),
        without: &[],
        dropped,
        answer: Reading::Whole { api: API, reader: count_reader(Dialect::BedrockConverse, client) },
    })
}

/// A body that is counted, as one that could be sent: with a bound of tokens, above those to think for.
fn invokable(body: &Bytes, model: &str) -> Result<Bytes, Fault> {
    let document = Document::parse_to(body, 2).map_err(|fault| Fault::invalid(fault.to_string()))?;
    let root = document.root();
    if root.some("max_tokens").is_some() {
        return Ok(body.clone());
    }
    let budget = root.some("thinking").and_then(|thinking| thinking.u64("budget_tokens")).unwrap_or(0);
    let default = Rules::of(Dialect::AnthropicMessages, model).output_tokens_default;
    let mut splice = Splice::new(&document)?;
    splice.set("max_tokens", Json::from_value(&Value::from(default.max(budget.saturating_add(1)))));
    Ok(splice.finish().into())
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
pub(super) fn without(upstream: Dialect) -> &'static [&'static str] {
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
    recipient.tell_of_model(&mut request);
    if request.model == NO_MODEL || request.model.is_empty() {
        return Err(no_model());
    }
    Ok(request)
}

/// The dialect in which a provider is told a request: of those that it speaks the one that says it best, the client's own
/// before others that do as well.
fn upstream(
    client: ClientDialect,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    request: &Request,
    options: &EncodeOptions,
) -> Result<Dialect, Fault> {
    let provider = recipient.provider;
    let dialects = || provider.dialects().filter(|dialect| is_open_to(*dialect, call, recipient));
    if let Some(only) = dialects().next().filter(|_| dialects().nth(1).is_none()) {
        return Ok(only);
    }
    let own = dialects().filter(|dialect| *dialect == client.dialect());
    let all = own.chain(dialects());
    best_dialect(all, request, options).ok_or_else(|| {
        Fault::invalid(format!("Provider `{}` has no API for conversations.", provider.id))
            .with_code("unsupported_operation")
    })
}

/// The upstream's body for a request, in the provider's own spellings.
pub(super) fn encode(
    upstream: Dialect,
    recipient: &Recipient<'_>,
    request: &mut Request,
    options: &EncodeOptions,
) -> Result<Encoded, Fault> {
    let encoded = upstream.encode(request, options);
    let mut encoded = encoded.map_err(|fault| match request.client {
        Some(client) => client.refusal(request, fault),
        None => fault,
    })?;
    if upstream == Dialect::OpenaiChat {
        let (body, dropped) = adapted(encoded.body, Api::OpenaiChat, recipient)?;
        encoded.body = body;
        encoded.dropped.extend(dropped);
    }
    Ok(encoded)
}

/// A body in OpenAI's format in the provider's own spellings, and what it does not take.
fn adapted(body: Vec<u8>, api: Api, recipient: &Recipient<'_>) -> Result<(Vec<u8>, Vec<String>), Fault> {
    let quirks = &recipient.provider.quirks;
    if api.family() != Family::Openai || !quirks.edits() {
        return Ok((body, Vec::new()));
    }
    let document = Document::parse_to(&body, 1).map_err(|fault| Fault::invalid(fault.to_string()))?;
    let mut splice = Splice::new(&document)?;
    let dropped = adapt(quirks, api, &document, false, &mut splice)?;
    let changed = splice.is_changed().then(|| splice.finish());
    Ok((changed.unwrap_or(body), dropped))
}
