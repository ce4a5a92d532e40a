//! Calls that go on in the client's own dialect: their few edits, and where they go.

use std::borrow::Cow;

use bytes::Bytes;
use ostia_dialect::api::{Answers, Path};
use ostia_dialect::form;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::relay::Splice;
use ostia_dialect::rules::{self, Repairs};
use ostia_dialect::{Api, ClientDialect, Dialect, Family, Fault, PathParams, Undo};
use serde_json::{Map, Value};

use super::{
    ApiCall, Content, Conversation, Outgoing, Reading, Recipient, Wanted, body, drop_params, output_bound,
    required,
};
use crate::{adapt, endpoint};

/// A call whose answer is handed on as it comes. `upstream`: the API that is asked, the client's or one that means the same.
pub(super) fn relay(call: &ApiCall<'_>, upstream: Api, recipient: &Recipient<'_>) -> Result<Outgoing, Fault> {
    required::check(call, recipient)?;
    let Edited { body, mut dropped } = edit(call, recipient)?;
    let own = body::own(body.as_ref().unwrap_or(call.body), upstream, recipient)?;
    dropped.extend(own.dropped);
    let body = own.body.or(body);
    let wanted = wanted(call, body.as_ref())?;
    let path = match call.path {
        Some(path) => path_of_model(call, path, recipient),
        None => path(upstream, recipient, call.model(), call.peek.stream, call.query),
    };
    let framing = recipient.provider.framing(upstream, call.asks_for_events());
    Ok(Outgoing {
        api: upstream,
        path,
        body: content(call, body)?,
        upload: None,
        more: Vec::new(),
        headers: Vec::new(),
        without: &[],
        dropped,
        answer: Reading::AsItIs { api: upstream, wanted, framing },
    })
}

/// Would any body of this API be relayed as it came, whatever it says?
pub fn goes_as_it_came(api: Api, recipient: &Recipient<'_>) -> bool {
    let Recipient { provider, values, .. } = *recipient;
    provider.offers(api)
        && recipient.model.is_none()
        && !has_params(recipient)
        // All other spellings are of conversations.
        && provider.quirks.rename.is_empty()
        && !provider.body.contains_key(&api)
        && !endpoint::names_model(provider, values, api)
}

/// How the client gets its answer: a config may have set another form of it.
fn wanted(call: &ApiCall<'_>, edited: Option<&Bytes>) -> Result<Wanted, Fault> {
    match edited.filter(|_| call.api.answers() != Answers::Json) {
        Some(edited) => Ok(call.with_body(edited)?.wanted()),
        None => Ok(call.wanted()),
    }
}

/// The body, where its fields were edited; of a form they are written around its files.
fn content(call: &ApiCall<'_>, edited: Option<Bytes>) -> Result<Content, Fault> {
    match (edited, call.form) {
        (None, _) => Ok(Content::Own),
        (Some(body), None) => Ok(Content::Json(body)),
        (Some(fields), Some(form)) => Ok(Content::Pieces {
            content_type: form::Writer::new(&form.boundary).content_type(),
            pieces: form.edited(&fields)?,
        }),
    }
}

/// The same where the provider speaks Chat Completions, but badly: its answer is read and written anew.
pub(super) fn repair(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> Result<Outgoing, Fault> {
    let prepared = relay(call, call.api, recipient)?;
    let root = call.document.root();
    let include_usage = root.some("stream_options").is_some_and(|options| {
        Document::parse(options.text().as_bytes()).is_ok_and(|options| {
            options.root().get("include_usage").and_then(|node| node.as_bool()) == Some(true)
        })
    });
    let model = recipient.model.or(call.model()).unwrap_or_default().to_owned();
    let conversation = Conversation {
        client: ClientDialect::OpenaiChat,
        upstream: Dialect::OpenaiChat,
        framing: recipient.provider.framing(Api::OpenaiChat, true),
        model,
        stream: call.peek.stream,
        include_usage,
        array: false,
        undo: Undo::default(),
    };
    Ok(Outgoing { answer: Reading::Conversation(Box::new(conversation)), ..prepared })
}

/// Path and query at the provider. `query` is the client's own, handed on where the call is relayed.
pub(super) fn path(
    api: Api,
    recipient: &Recipient<'_>,
    model: Option<&str>,
    stream: bool,
    query: &str,
) -> String {
    let Recipient { provider, base_path, values, .. } = *recipient;
    let model = recipient.model.or(model).unwrap_or_default();
    let own = if recipient.fills_in_the_middle && api == Api::OpenaiChat && provider.offers(Api::OpenaiChat) {
        Cow::Borrowed("/fim/completions")
    } else {
        endpoint::path_of(provider, values, api, model, stream)
    };
    let mut path = String::with_capacity(base_path.len() + own.len() + 16);
    path.push_str(base_path);
    path.push_str(&own);
    let is_taken = provider.paths.get(&api).is_none_or(|path| !path.without_query);
    endpoint::with_query(path, if is_taken { query } else { "" })
}

/// The same where the path names something else than the model.
pub(super) fn path_at(api: Api, recipient: &Recipient<'_>, in_path: &str, query: &str) -> String {
    let own = endpoint::path_of(recipient.provider, recipient.values, api, in_path, false);
    endpoint::with_query(format!("{}{own}", recipient.base_path), query)
}

/// Path and query of a call whose path names the model. The framing of a stream is the client's choice (`alt=sse`).
fn path_of_model(call: &ApiCall<'_>, path: PathParams<'_>, recipient: &Recipient<'_>) -> String {
    let model = recipient.model.unwrap_or(path.model);
    let own = endpoint::path_of(recipient.provider, recipient.values, call.api, model, path.stream);
    let own = own.split_once('?').map_or(own.as_ref(), |(path, _)| path);
    endpoint::with_query(format!("{}{own}", recipient.base_path), call.query)
}

/// A body to relay.
#[derive(Debug, Default)]
pub(super) struct Edited {
    /// The edited body; `None` where the client's own bytes go on as they are.
    pub body: Option<Bytes>,
    /// What was left out.
    pub dropped: Vec<String>,
}

/// The body with the config's model and parameters, and the provider's own spellings.
pub(super) fn edit(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> Result<Edited, Fault> {
    let (api, document) = (call.api, &call.document);
    let openai = api.family() == Family::Openai;
    let adapts = openai && recipient.provider.quirks.edits();
    let repairs = repairs(call, recipient);
    if recipient.model.is_none() && !has_params(recipient) && !adapts && repairs.is_empty() {
        return Ok(Edited::default());
    }
    let mut edited = splice(call, recipient, adapts, &repairs)?;
    let refused: Vec<String> = repairs.without.iter().map(|path| (*path).to_owned()).collect();
    edited = without_dropped(edited, &refused, document)?;
    edited.dropped.extend(refused);
    let dropped = output_bound::dropped(recipient.drop_params, api);
    without_dropped(edited, &dropped, document)
}

/// What the model would refuse of the client's own fields. What the operator sets is sent as it is.
fn repairs(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> Repairs {
    let Some(dialect) = call.api.dialect().filter(|_| !recipient.provider.quirks.fits_models) else {
        return Repairs::default();
    };
    let model = recipient.known_as(call);
    model.map(|model| rules::repairs(dialect, model, &call.document)).unwrap_or_default()
}

/// Says the limit of tokens and the effort in words of the model's.
fn apply(repairs: &Repairs, document: &Document<'_>, splice: &mut Splice<'_>, dropped: &mut Vec<String>) {
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
    let body = match drop_params::without(body, paths)? {
        Cow::Borrowed(_) => None,
        Cow::Owned(body) => Some(Bytes::from(body)),
    };
    Ok(Edited { body: body.or(edited.body), ..edited })
}

fn splice(
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    adapts: bool,
    repairs: &Repairs,
) -> Result<Edited, Fault> {
    let (api, document) = (call.api, &call.document);
    let (mut splice, mut dropped) = (Splice::new(document)?, Vec::new());
    apply(repairs, document, &mut splice, &mut dropped);
    for (name, value) in recipient.default_params.into_iter().flatten() {
        if document.root().some(name).is_none() && !output_bound::is_named(name) {
            splice.set(name, Json::from_value(value));
        }
    }
    for (name, value) in
        recipient.override_params.into_iter().flatten().filter(|(name, _)| !output_bound::is_named(name))
    {
        splice.set(name, Json::from_value(value));
    }
    // Last, because it may stand in an object that was set before.
    if !output_bound::is_given(&splice, api) {
        set_bound(&mut splice, api, recipient.default_params)?;
    }
    set_bound(&mut splice, api, recipient.override_params)?;
    let in_body = matches!(api.path(), Path::Fixed(_));
    if let Some(model) = recipient.model.filter(|_| in_body) {
        splice.set("model", Json::from_value(&Value::from(model)));
    }
    if adapts {
        dropped.extend(adapt(
            &recipient.provider.quirks,
            api,
            document,
            recipient.is_one_of_several,
            &mut splice,
        )?);
    }
    let body = if splice.is_changed() { Some(Bytes::from(splice.finish())) } else { None };
    Ok(Edited { body, dropped })
}

fn set_bound(splice: &mut Splice<'_>, api: Api, params: Option<&Map<String, Value>>) -> Result<(), Fault> {
    let bounds = params.into_iter().flatten().filter(|(name, _)| output_bound::is_named(name));
    for (name, value) in bounds {
        output_bound::set(splice, api, name, &Json::from_value(value))?;
    }
    Ok(())
}

/// The client's body with the config's parameters, for requests that are translated; `None` where it is its own.
///
/// # Errors
/// 400 for a body that the parameters cannot be put into.
pub fn with_params(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> Result<Option<Bytes>, Fault> {
    if !has_params(recipient) {
        return Ok(None);
    }
    let dropped = output_bound::dropped_but_it(recipient.drop_params);
    let edited = splice(call, recipient, false, &Repairs::default())?;
    Ok(without_dropped(edited, &dropped, &call.document)?.body)
}

/// Does the config change the body?
fn has_params(recipient: &Recipient<'_>) -> bool {
    let Recipient { override_params, default_params, drop_params, .. } = recipient;
    override_params.is_some() || default_params.is_some() || !drop_params.is_empty()
}
