//! From the client's body to the upstream's: paths, edits and translated requests.

use std::borrow::Cow;

use bytes::Bytes;
use http::request;
use ostia_dialect::Api;
use ostia_dialect::api::{Path, Required};
use ostia_dialect::json::{Document, Json};
use ostia_dialect::relay::Splice;
use ostia_dialect::rules::{self, Repairs};
use ostia_dialect::{
    ClientDialect, Dialect, Encoded, Family, Fault, PathParams, Request, best_dialect, embeddings,
};
use ostia_providers::{adapt, endpoint};
use serde_json::{Map, Value};

use crate::exchange::bound;
use crate::exchange::params;
use crate::inbound::api_call::ApiCall;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::route::Typed;
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
    api: Api,
    gateway: &GatewayHeaders,
    target: &Target<'_>,
    model: Option<&str>,
    stream: bool,
    query: Option<&str>,
) -> String {
    let model = target.model.as_deref().or(model).unwrap_or_default();
    let own = if target.fills_in_the_middle(gateway)
        && api == Api::OpenaiChat
        && target.provider.offers(Api::OpenaiChat)
    {
        Cow::Borrowed("/fim/completions")
    } else {
        endpoint::path_of(target.provider, api, model, stream)
    };
    let mut path = String::with_capacity(target.destination.site().path.len() + own.len() + 16);
    path.push_str(&target.destination.site().path);
    path.push_str(&own);
    endpoint::with_query(path, query.unwrap_or_default())
}

/// Path and query of a relayed call whose client speaks Google's dialect. The framing of a stream is the client's choice
/// (`alt=sse`).
pub fn google_path(api: Api, target: &Target<'_>, line: PathParams<'_>, query: Option<&str>) -> String {
    let model = target.model.as_deref().unwrap_or(line.model);
    let own = endpoint::path_of(target.provider, api, model, line.stream);
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
    match typed.api.required() {
        Required::List { field, item } => {
            let list = root.expect(field)?;
            list.expect_items()?;
            if list.text().trim_matches(['[', ']']).trim_ascii().is_empty() {
                return Err(list.invalid(format!("must hold at least one {item}")));
            }
            Ok(())
        }
        Required::Field(field) => root.expect(field).map(|_| ()),
        Required::Nothing => Ok(()),
    }
}

fn missing_model() -> Fault {
    Fault::invalid("Missing `model`: say which model to ask, for example \"model\": \"gpt-4o-mini\".")
        .with_param("model")
        .with_code("model_missing")
}

/// The body with the target's model and parameters, and the provider's own spellings.
pub fn edit(typed: &Typed<'_>, target: &Target<'_>, document: &Document<'_>) -> Result<Edited, Fault> {
    let api = typed.api;
    let openai = api.family() == Family::Openai;
    let adapts = openai && target.provider.quirks.edits();
    let repairs = repairs(typed, target, document);
    if target.model.is_none() && !target.has_params() && !adapts && repairs.is_empty() {
        return Ok(Edited::default());
    }
    let mut edited = splice(api, target, document, adapts, &repairs)?;
    let refused: Vec<String> = repairs.without.iter().map(|path| (*path).to_owned()).collect();
    edited = without_dropped(edited, &refused, document)?;
    edited.dropped.extend(refused);
    let dropped = bound::dropped(target.drop_params, api);
    without_dropped(edited, &dropped, document)
}

/// What the model would refuse of the client's own fields. What the operator sets is sent as it is.
fn repairs(typed: &Typed<'_>, target: &Target<'_>, document: &Document<'_>) -> Repairs {
    let Some(dialect) = typed.api.dialect().filter(|_| !target.provider.quirks.fits_models) else {
        return Repairs::default();
    };
    let line = typed.line().map(|line| Cow::Borrowed(line.model));
    let model = target.model.as_deref().map(Cow::Borrowed).or(line).or_else(|| document.root().str("model"));
    model.map(|model| rules::repairs(dialect, &model, document)).unwrap_or_default()
}

/// Says the limit of tokens and the effort in words of the model's.
fn repair(repairs: &Repairs, document: &Document<'_>, splice: &mut Splice<'_>, dropped: &mut Vec<String>) {
    if repairs.new_limit && splice.has("max_completion_tokens") {
        splice.remove("max_tokens");
    } else if repairs.new_limit {
        splice.rename("max_tokens", "max_completion_tokens");
    }
    let Some(level) = repairs.effort else { return };
    match document.root().some("reasoning").and_then(|reasoning| with_effort(reasoning.text(), level)) {
        Some(reasoning) => {
            splice.set("reasoning", reasoning);
            dropped.push("reasoning.effort".to_owned());
        }
        None => {
            splice.set("reasoning_effort", Json::build(|w| w.string(level)));
            dropped.push("reasoning_effort".to_owned());
        }
    }
}

fn with_effort(reasoning: &str, level: &str) -> Option<Json> {
    let document = Document::parse_to(reasoning.as_bytes(), 1).ok()?;
    let mut splice = Splice::new(&document).ok()?;
    splice.set("effort", Json::build(|w| w.string(level)));
    let text = String::from_utf8(splice.finish()).ok()?;
    Some(Json::build(|w| w.raw(&text)))
}

/// The same without the fields that the config leaves out. They go last, whoever set them.
fn without_dropped(edited: Edited, paths: &[String], document: &Document<'_>) -> Result<Edited, Fault> {
    if paths.is_empty() {
        return Ok(edited);
    }
    let body = edited.body.as_deref().unwrap_or(document.text().as_bytes());
    let body = std::str::from_utf8(body).map_err(|fault| Fault::invalid(fault.to_string()))?;
    let body = match params::without(body, paths)? {
        Cow::Borrowed(_) => None,
        Cow::Owned(body) => Some(Bytes::from(body)),
    };
    Ok(Edited { body: body.or(edited.body), ..edited })
}

fn splice(
    api: Api,
    target: &Target<'_>,
    document: &Document<'_>,
    adapts: bool,
    repairs: &Repairs,
) -> Result<Edited, Fault> {
    let (mut splice, mut dropped) = (Splice::new(document)?, Vec::new());
    repair(repairs, document, &mut splice, &mut dropped);
    for (name, value) in target.default_params.into_iter().flatten() {
        if document.root().some(name).is_none() && !bound::is_named(name) {
            splice.set(name, Json::from_value(value));
        }
    }
    for (name, value) in
        target.override_params.into_iter().flatten().filter(|(name, _)| !bound::is_named(name))
    {
        splice.set(name, Json::from_value(value));
    }
    // Last, because it may stand in an object that was set before.
    if !bound::is_given(&splice, api) {
        set_bound(&mut splice, api, target.default_params)?;
    }
    set_bound(&mut splice, api, target.override_params)?;
    let in_body = matches!(api.path(), Path::Fixed(_));
    if let Some(model) = target.model.as_ref().filter(|_| in_body) {
        splice.set("model", Json::from_value(&Value::from(model.as_str())));
    }
    if adapts {
        dropped.extend(adapt(
            &target.provider.quirks,
            api,
            document,
            target.is_one_of_several(),
            &mut splice,
        )?);
    }
    let body = if splice.is_changed() { Some(Bytes::from(splice.finish())) } else { None };
    Ok(Edited { body, dropped })
}

fn set_bound(splice: &mut Splice<'_>, api: Api, params: Option<&Map<String, Value>>) -> Result<(), Fault> {
    let bounds = params.into_iter().flatten().filter(|(name, _)| bound::is_named(name));
    for (name, value) in bounds {
        bound::set(splice, api, name, &Json::from_value(value))?;
    }
    Ok(())
}

/// The client's body with the target's parameters, for requests that are translated; `None` where it is its own.
fn params(target: &Target<'_>, asked: &ApiCall<'_>) -> Result<Option<Bytes>, Fault> {
    let ApiCall { document, typed, .. } = asked;
    if !target.has_params() {
        return Ok(None);
    }
    let dropped = bound::dropped_but_it(target.drop_params);
    let edited = without_dropped(
        splice(typed.api, target, document, false, &Repairs::default())?,
        &dropped,
        document,
    )?;
    Ok(edited.body)
}

/// What a client's body says. `document` holds all of its fields.
pub fn decode(client: ClientDialect, typed: &Typed<'_>, document: &Document<'_>) -> Result<Request, Fault> {
    let line = typed.line().unwrap_or_default();
    match typed.api.counts() {
        Some(_) => client.decode_counted(document, line),
        None => client.decode(document, line),
    }
}

/// The canonical request of a client.
pub fn request(client: ClientDialect, target: &Target<'_>, asked: &ApiCall<'_>) -> Result<Request, Fault> {
    let mut request = match params(target, asked)? {
        Some(body) => decode(client, asked.typed, &Document::of_request(&body)?)?,
        None => decode(client, asked.typed, asked.whole()?)?,
    };
    if bound::is_dropped(target.drop_params) {
        request.sampling.max_tokens = None;
    }
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
    best_dialect(all, request, &provider.quirks.encode_options()).ok_or_else(|| {
        Fault::invalid(format!("Provider `{}` has no API for conversations.", provider.id))
            .with_code("unsupported_operation")
    })
}

/// The upstream's body for a request, in the provider's own spellings.
pub fn encode(upstream: Dialect, target: &Target<'_>, request: &mut Request) -> Result<Encoded, Fault> {
    let quirks = &target.provider.quirks;
    let encoded = upstream.encode(request, &quirks.encode_options());
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

/// The canonical request of an embeddings client.
pub fn embeddings_request(
    client: embeddings::Client,
    target: &Target<'_>,
    asked: &ApiCall<'_>,
) -> Result<embeddings::Request, Fault> {
    let edited = params(target, asked)?;
    let body = edited.as_ref().unwrap_or(asked.body);
    let mut request = client.decode(asked.typed.line().unwrap_or_default().model, body)?;
    if let Some(model) = &target.model {
        request.model.clone_from(model);
    }
    Ok(request)
}
