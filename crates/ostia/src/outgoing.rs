//! From the client's body to the upstream's: paths, edits and translated requests.

use std::borrow::Cow;

use bytes::Bytes;
use http::request;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::relay::Splice;
use ostia_dialect::{ClientDialect, Dialect, Encoded, Fault, Line, Request, best, embeddings};
use ostia_providers::{Offer, adapt, endpoint};
use serde_json::Value;

use crate::asked::Asked;
use crate::call::Call;
use crate::params;
use crate::route::{Family, Typed, family_of};
use crate::target::Target;

/// What SDKs send as the model when they were given none.
const NO_MODEL: &str = "portkey-default";

/// A body to relay.
#[derive(Debug, Default)]
pub struct Edited {
    /// The edited body; `None` where the client's own bytes go on as they are.
    pub body: Option<Bytes>,
    /// What was left out.
    pub dropped: Vec<String>,
}

/// Path and query at the upstream. `query` is the client's own, handed on where the call is relayed.
pub fn path(
    offer: Offer,
    call: &Call,
    target: &Target<'_>,
    model: Option<&str>,
    stream: bool,
    query: Option<&str>,
) -> String {
    let model = target.model.as_deref().or(model).unwrap_or_default();
    let own = if target.fills_in_the_middle(call)
        && offer == Offer::OpenaiChat
        && target.provider.offers(Offer::OpenaiChat)
    {
        Cow::Borrowed("/fim/completions")
    } else {
        endpoint::path_of(target.provider, offer, model, stream)
    };
    let mut path = String::with_capacity(target.destination.site().path.len() + own.len() + 16);
    path.push_str(&target.destination.site().path);
    path.push_str(&own);
    endpoint::with_query(path, query.unwrap_or_default())
}

/// Path and query of a relayed call whose client speaks Google's dialect. The framing of a stream is the client's choice
/// (`alt=sse`).
pub fn google_path(offer: Offer, target: &Target<'_>, line: Line<'_>, query: Option<&str>) -> String {
    let model = target.model.as_deref().unwrap_or(line.model);
    let own = endpoint::path_of(target.provider, offer, model, line.stream);
    let own = own.split_once('?').map_or(own.as_ref(), |(path, _)| path);
    endpoint::with_query(format!("{}{own}", target.destination.site().path), query.unwrap_or_default())
}

/// Does a client of Google's dialect want events, and not one JSON array?
pub fn asks_for_events(parts: &request::Parts) -> bool {
    parts.uri.query().unwrap_or_default().split('&').any(|field| field == "alt=sse")
}

/// The fields without which a call makes no sense, checked before anybody is asked.
pub fn expect_fields(typed: &Typed<'_>, target: &Target<'_>, document: &Document<'_>) -> Result<(), Fault> {
    let root = document.root();
    if typed.line().is_some() {
        return Ok(());
    }
    let model = root.str("model");
    let given = match model.as_deref() {
        Some(NO_MODEL) => false,
        Some("") | None => !target.checks_body,
        Some(_) => true,
    };
    if !given && target.model.is_none() {
        return Err(missing_model());
    }
    if !target.checks_body {
        return Ok(());
    }
    match typed.offer {
        Offer::OpenaiChat | Offer::AnthropicMessages => {
            let messages = root.expect("messages")?;
            messages.expect_items()?;
            if messages.text().trim_matches(['[', ']']).trim_ascii().is_empty() {
                return Err(messages.invalid("must hold at least one message"));
            }
            Ok(())
        }
        Offer::OpenaiEmbeddings => root.expect("input").map(|_| ()),
        _ => Ok(()),
    }
}

fn missing_model() -> Fault {
    Fault::invalid("Missing `model`: say which model to ask, for example \"model\": \"gpt-4o-mini\".")
        .with_param("model")
        .with_code("model_missing")
}

/// The body with the target's model and parameters, and the provider's own spellings.
pub fn edit(typed: &Typed<'_>, target: &Target<'_>, document: &Document<'_>) -> Result<Edited, Fault> {
    let offer = typed.offer;
    let openai = family_of(offer) == Family::Openai;
    let adapts = openai && target.provider.quirks.edits();
    if target.model.is_none() && !target.has_params() && !adapts {
        return Ok(Edited::default());
    }
    without_dropped(splice(offer, target, document, adapts)?, target, document)
}

/// The same without the fields that the config leaves out. They go last, whoever set them.
fn without_dropped(edited: Edited, target: &Target<'_>, document: &Document<'_>) -> Result<Edited, Fault> {
    if target.drop_params.is_empty() {
        return Ok(edited);
    }
    let body = edited.body.as_deref().unwrap_or(document.text().as_bytes());
    let body = std::str::from_utf8(body).map_err(|fault| Fault::invalid(fault.to_string()))?;
    let body = match params::without(body, target.drop_params)? {
        Cow::Borrowed(_) => None,
        Cow::Owned(body) => Some(Bytes::from(body)),
    };
    Ok(Edited { body: body.or(edited.body), ..edited })
}

fn splice(offer: Offer, target: &Target<'_>, document: &Document<'_>, adapts: bool) -> Result<Edited, Fault> {
    let mut splice = Splice::new(document)?;
    for (name, value) in target.default_params.into_iter().flatten() {
        if document.root().some(name).is_none() {
            splice.set(name, Json::from_value(value));
        }
    }
    for (name, value) in target.override_params.into_iter().flatten() {
        splice.set(name, Json::from_value(value));
    }
    // Google's clients name the model in the path.
    let in_body = family_of(offer) != Family::Google;
    if let Some(model) = target.model.as_ref().filter(|_| in_body) {
        splice.set("model", Json::from_value(&Value::from(model.as_str())));
    }
    let dropped =
        if adapts { adapt(&target.provider.quirks, offer, document, &mut splice)? } else { Vec::new() };
    let body = if splice.is_changed() { Some(Bytes::from(splice.finish())) } else { None };
    Ok(Edited { body, dropped })
}

/// The client's body with the target's parameters, for requests that are translated; `None` where it is its own.
fn params(target: &Target<'_>, asked: Asked<'_>) -> Result<Option<Bytes>, Fault> {
    let Asked { document, typed, .. } = asked;
    if !target.has_params() {
        return Ok(None);
    }
    let edited = without_dropped(splice(typed.offer, target, document, false)?, target, document)?;
    Ok(edited.body)
}

/// What a client's body says. It is scanned once more where only its fields are known.
pub fn decode(client: ClientDialect, typed: &Typed<'_>, document: &Document<'_>) -> Result<Request, Fault> {
    if !document.is_whole() {
        return decode(client, typed, &Document::of_request(document.text().as_bytes())?);
    }
    let line = typed.line().unwrap_or_default();
    match typed.offer.counts() {
        true => client.decode_counted(document, line),
        false => client.decode(document, line),
    }
}

/// The canonical request of a client.
pub fn request(client: ClientDialect, target: &Target<'_>, asked: Asked<'_>) -> Result<Request, Fault> {
    let mut request = match params(target, asked)? {
        Some(body) => decode(client, asked.typed, &Document::of_request(&body)?)?,
        None => decode(client, asked.typed, asked.document)?,
    };
    if let Some(model) = &target.model {
        request.model.clone_from(model);
    }
    if request.model == NO_MODEL || request.model.is_empty() {
        return Err(missing_model());
    }
    Ok(request)
}

/// The dialect in which a provider is told a request: of those that it speaks the one that says it best, the client's own
/// before others that do as well.
///
/// # Errors
/// The provider does not converse.
pub fn upstream(client: ClientDialect, target: &Target<'_>, request: &Request) -> Result<Dialect, Fault> {
    let provider = target.provider;
    if let Some(only) = provider.dialects().next().filter(|_| provider.dialects().nth(1).is_none()) {
        return Ok(only);
    }
    let own = provider.dialects().filter(|dialect| *dialect == client.dialect());
    let all = own.chain(provider.dialects());
    best(all, request, &provider.quirks.form()).ok_or_else(|| {
        Fault::invalid(format!("Provider `{}` has no API for conversations.", provider.id))
            .with_code("unsupported_operation")
    })
}

/// The upstream's body for a request, in the provider's own spellings.
pub fn encode(upstream: Dialect, target: &Target<'_>, request: &mut Request) -> Result<Encoded, Fault> {
    let quirks = &target.provider.quirks;
    let mut encoded = upstream.encode(request, &quirks.form())?;
    if upstream == Dialect::OpenaiChat && quirks.edits() {
        let document =
            Document::parse_to(&encoded.body, 1).map_err(|fault| Fault::invalid(fault.to_string()))?;
        let mut splice = Splice::new(&document)?;
        let dropped = adapt(quirks, Offer::OpenaiChat, &document, &mut splice)?;
        let body = splice.is_changed().then(|| splice.finish());
        encoded.dropped.extend(dropped);
        encoded.body = body.unwrap_or(encoded.body);
    }
    Ok(encoded)
}

/// The canonical request of an embeddings client, and whose form it has.
pub fn embeddings_request(
    target: &Target<'_>,
    asked: Asked<'_>,
) -> Result<(embeddings::Client, embeddings::Request), Fault> {
    let edited = params(target, asked)?;
    let body = edited.as_ref().unwrap_or(asked.body);
    let (client, mut request) = match asked.typed.line() {
        Some(line) if asked.typed.offer == Offer::GeminiBatchEmbed => {
            (embeddings::Client::GeminiBatch, embeddings::gemini::decode_batch_request(line.model, body)?)
        }
        Some(line) => (embeddings::Client::Gemini, embeddings::gemini::decode_request(line.model, body)?),
        None => (embeddings::Client::Openai, embeddings::openai::decode_request(body)?),
    };
    if let Some(model) = &target.model {
        request.model.clone_from(model);
    }
    Ok((client, request))
}
