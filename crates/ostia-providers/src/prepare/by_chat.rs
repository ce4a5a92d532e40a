//! An operation that a model does in a conversation: a text is judged, a document is read.

use bytes::Bytes;
use ostia_dialect::api::{Asked, Reader};
use ostia_dialect::remote::{self, Remote};
use ostia_dialect::{Api, Dialect, EncodeOptions, Fault, Files, Observed, Request, Response, best_dialect};

use super::body::{self, Own};
use super::required::{self, no_model};
use super::translate::{encode, without};
use super::way::not_offered;
use super::{ApiCall, Content, Outgoing, Prepared, Reading, Recipient, relay};
use crate::family::fits;

/// Is this call for a model that does it in a conversation? One that the row names, or that is made for it where the provider has no
/// such API of its own.
pub(super) fn is_wanted(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> bool {
    let Some(by_chat) = call.api.by_chat() else { return false };
    let provider = recipient.provider;
    let Some(model) = recipient.known_as(call) else { return false };
    let named = provider.by_chat.get(&call.api);
    provider.dialects().next().is_some()
        && (named.is_some_and(|models| models.iter().any(|pattern| fits(pattern, model)))
            || !provider.offers(call.api) && (by_chat.is_made_for_it)(model))
}

/// The conversations in which the model is asked, each a call of its own.
///
/// # Errors
/// 400 for a request that cannot be told so.
pub(super) fn prepare(
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    files: &Files,
) -> Result<Prepared, Fault> {
    let Some(by_chat) = call.api.by_chat() else { return Err(not_offered(call.api, recipient.provider)) };
    required::check(call, recipient)?;
    let edited = relay::with_params(call, recipient)?;
    let asked = Asked {
        api: call.api,
        path_model: "",
        model: recipient.model,
        body: edited.as_ref().unwrap_or(call.body),
        inputs_max: None,
    };
    let mut questions = (by_chat.ask)(asked)?;
    questions.requests.iter_mut().for_each(|request| recipient.tell_of_model(request));
    let options = recipient.provider.quirks.encode_options();
    let first = questions.requests.first().ok_or_else(no_model)?;
    let upstream = upstream(recipient, first, &options)?;
    let missing = inline(&mut questions.requests, upstream, (&options, by_chat.field), files)?;
    if !missing.is_empty() {
        return Ok(Prepared::Fetch(missing));
    }
    let model = questions.requests[0].model.clone();
    let (mut bodies, mut headers) = (Vec::with_capacity(questions.requests.len()), Vec::new());
    let mut lost = Vec::new();
    for request in &mut questions.requests {
        recipient.cannot_take.check(request).map_err(|fault| in_field(fault, by_chat.field))?;
        let encoded = encode(upstream, recipient, request, &options);
        let encoded = encoded.map_err(|fault| in_field(fault, by_chat.field))?;
        let Own { body, dropped } = body::own(&encoded.body, Api::of_dialect(upstream), recipient)?;
        bodies.push(body.unwrap_or_else(|| Bytes::from(encoded.body)));
        lost.extend(encoded.dropped.iter().chain(&dropped).filter_map(|path| (by_chat.place)(path)));
        headers = encoded.headers;
    }
    let mut dropped = questions.dropped;
    for path in lost {
        if !dropped.contains(&path) {
            dropped.push(path);
        }
    }
    let api = Api::of_dialect(upstream);
    let mut bodies = bodies.into_iter();
    Ok(Prepared::Request(Outgoing {
        api,
        path: relay::path(api, recipient, Some(&model), false, ""),
        body: bodies.next().map_or(Content::Own, Content::Json),
        upload: None,
        more: bodies.collect(),
        headers,
        without: without(upstream),
        dropped,
        answer: Reading::Whole {
            api,
            reader: Reader::of_all(move |parts| {
                let answers = parts.iter().map(|part| upstream.decode(part.body));
                match answers.collect::<Result<Vec<Response>, Fault>>() {
                    Ok(answers) => questions.reader.read(&answers),
                    Err(fault) => (Observed::default(), Err(fault)),
                }
            }),
        },
    }))
}

/// The dialect of the provider's that says it best.
fn upstream(recipient: &Recipient<'_>, request: &Request, options: &EncodeOptions) -> Result<Dialect, Fault> {
    let provider = recipient.provider;
    let is_open = |dialect: &Dialect| !provider.own_clients.contains_key(&Api::of_dialect(*dialect));
    let best = best_dialect(provider.dialects().filter(is_open), request, options);
    best.or_else(|| provider.dialects().next()).ok_or_else(|| not_offered(Api::OpenaiChat, provider))
}

/// Puts what was fetched into the conversations, for an upstream that takes bytes; gives what is missing.
fn inline(
    requests: &mut [Request],
    upstream: Dialect,
    (options, field): (&EncodeOptions, &str),
    files: &Files,
) -> Result<Vec<Remote>, Fault> {
    let mut missing = Vec::new();
    for request in requests {
        let found = remote::inline(request, upstream, options, files);
        missing.extend(found.map_err(|unsayable| {
            let fault = Fault::invalid(format!("Invalid `{field}`: {}", unsayable.why));
            let fault = fault.with_param(field).with_code("file_unusable");
            unsayable.detail.into_iter().fold(fault, Fault::with_detail)
        })?);
    }
    Ok(missing)
}

/// The same fault of the field that the client wrote: the conversation is not its own.
fn in_field(fault: Fault, field: &str) -> Fault {
    match fault.param.clone() {
        Some(path) => {
            let message = fault.message.replace(&format!("`{path}`"), &format!("`{field}`"));
            Fault { message, param: Some(field.to_owned()), ..fault }
        }
        None => fault,
    }
}
