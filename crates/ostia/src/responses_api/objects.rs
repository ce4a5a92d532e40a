//! `/v1/responses/{id}` and `/v1/conversations`: asking for what is remembered, and changing it.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/retrieve> and the pages beside it.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Response, request};
use ostia_dialect::json::{Document, Writer};
use ostia_dialect::openai_responses::input_items::{self, Item};
use ostia_dialect::{Fault, FaultKind};

use super::conversation::{Conversation, metadata};
use super::{ResponseStore, What, not_found, running};
use crate::errors::reply;
use crate::message::body::Body;
use crate::owner::Owner;

/// Items of one page, where the client does not say.
const PAGE_USUAL: usize = 20;
/// Most items of one page.
const PAGE_MAX: usize = 100;

/// Is this path about something that is remembered here?
pub fn is_known(responses: &ResponseStore, owner: Owner, path: &str) -> bool {
    steps(path).get(1).is_some_and(|id| responses.get(owner, id).is_some())
}

/// Answers a request about something that is remembered. New things are named after `id_suffix`.
///
/// # Errors
/// 404 for what is not there, 400 for what makes no sense.
pub fn serve(
    responses: &ResponseStore,
    owner: Owner,
    parts: &request::Parts,
    body: &Bytes,
    id_suffix: &str,
) -> Result<Response<Body>, Fault> {
    let query = parts.uri.query().unwrap_or_default();
    let steps = steps(parts.uri.path());
    match (&parts.method, steps.as_slice()) {
        (&Method::GET, ["responses", id]) => retrieve(responses, owner, id, query),
        (&Method::DELETE, ["responses", id]) => {
            let saved = responses.saved(owner, id).ok_or_else(|| not_found("Response", id))?;
            if let Some(running) = saved.running.filter(|_| running::is_open(&saved.body)) {
                running.cancel();
            }
            responses.remove(id);
            Ok(deleted(id, "response"))
        }
        (&Method::POST, ["responses", id, "cancel"]) => cancel(responses, owner, id),
        (&Method::GET, ["responses", id, "input_items"]) => {
            let saved = responses.saved(owner, id).ok_or_else(|| not_found("Response", id))?;
            page(&saved.input.items(), query)
        }
        (&Method::POST, ["conversations"]) => create(responses, owner, body, id_suffix),
        (method, ["conversations", id, rest @ ..]) => {
            let conversation =
                responses.conversation(owner, id).ok_or_else(|| not_found("Conversation", id))?;
            of_conversation(responses, owner, conversation, (method, rest), query, body, id_suffix)
        }
        _ => Err(nothing(parts)),
    }
}

fn steps(path: &str) -> Vec<&str> {
    path.strip_prefix("/v1/").unwrap_or(path).split('/').filter(|step| !step.is_empty()).collect()
}

fn nothing(parts: &request::Parts) -> Fault {
    let message = format!(
        "There is nothing at {} {} for answers that the gateway remembers. Name a provider that has the Responses API \
         to reach the provider's own.",
        parts.method,
        parts.uri.path()
    );
    Fault::new(FaultKind::NotFound, message).with_code("unknown_url")
}

/// The value of a field of the query.
fn field<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

fn retrieve(responses: &ResponseStore, owner: Owner, id: &str, query: &str) -> Result<Response<Body>, Fault> {
    let saved = responses.saved(owner, id).ok_or_else(|| not_found("Response", id))?;
    if field(query, "stream") != Some("true") {
        return Ok(reply::json(saved.body));
    }
    let Some(running) = saved.running.filter(|running| running.streams()) else {
        let message =
            format!("Response '{id}' has no events: it was not made with `background` and `stream`.");
        return Err(Fault::invalid(message).with_param("stream"));
    };
    let after = field(query, "starting_after").map(|number| number.parse::<usize>());
    match after {
        None => Ok(running.replay(0)),
        Some(Ok(after)) => Ok(running.replay(after.saturating_add(1))),
        Some(Err(_)) => Err(Fault::invalid("Invalid `starting_after`: must be a sequence number")
            .with_param("starting_after")),
    }
}

fn cancel(responses: &ResponseStore, owner: Owner, id: &str) -> Result<Response<Body>, Fault> {
    let saved = responses.saved(owner, id).ok_or_else(|| not_found("Response", id))?;
    let Some(running) = saved.running else {
        return Err(Fault::invalid(format!(
            "Response '{id}' cannot be cancelled: it was not made in the background."
        )));
    };
    // What is done stays as it is: cancelling twice is no mistake.
    Ok(reply::json(if running::is_open(&saved.body) { running.cancel() } else { saved.body }))
}

fn create(
    responses: &ResponseStore,
    owner: Owner,
    body: &Bytes,
    id_suffix: &str,
) -> Result<Response<Body>, Fault> {
    let document = Document::of_request(if body.is_empty() { b"{}" } else { body })?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let conversation = Conversation {
        id: format!("conv_{id_suffix}"),
        created: now.as_secs(),
        metadata: metadata(document.root())?,
        items: document
            .root()
            .some("items")
            .map(|list| input_items::list(list, id_suffix))
            .transpose()?
            .unwrap_or_default(),
    };
    let told = conversation.encode();
    responses.insert(owner, &conversation.id.clone(), What::Conversation(conversation));
    Ok(reply::json(told))
}

fn of_conversation(
    responses: &ResponseStore,
    owner: Owner,
    conversation: Conversation,
    (method, rest): (&Method, &[&str]),
    query: &str,
    body: &Bytes,
    id_suffix: &str,
) -> Result<Response<Body>, Fault> {
    let id = conversation.id.as_str();
    match (method, rest) {
        (&Method::GET, []) => Ok(reply::json(conversation.encode())),
        (&Method::DELETE, []) => {
            responses.remove(id);
            Ok(deleted(id, "conversation.deleted"))
        }
        (&Method::POST, []) => {
            let metadata = metadata(Document::of_request(body)?.root())?;
            let told = change(responses, owner, id, |known| Conversation { metadata, ..known.clone() })?;
            Ok(reply::json(told.encode()))
        }
        (&Method::GET, ["items"]) => page(&conversation.items, query),
        (&Method::POST, ["items"]) => {
            let document = Document::of_request(body)?;
            let added = input_items::list(document.root().expect("items")?, id_suffix)?;
            change(responses, owner, id, |known| known.with(added.clone()))?;
            Ok(reply::json(listed(&added, false)))
        }
        (&Method::GET, ["items", item]) => {
            let found = conversation.items.iter().find(|known| known.id == *item);
            let found = found.ok_or_else(|| not_found("Item", item))?;
            Ok(reply::json(found.json.as_str().to_owned()))
        }
        (&Method::DELETE, ["items", item]) => {
            change(responses, owner, id, |known| known.without(item))?;
            Ok(reply::json(conversation.without(item).encode()))
        }
        _ => Err(not_found("Nothing", &rest.join("/"))),
    }
}

fn change(
    responses: &ResponseStore,
    owner: Owner,
    id: &str,
    change: impl FnOnce(&Conversation) -> Conversation,
) -> Result<Conversation, Fault> {
    let mut changed = None;
    responses.change(owner, id, |what| match what {
        What::Conversation(conversation) => {
            let conversation = change(conversation);
            changed = Some(conversation.clone());
            Some(What::Conversation(conversation))
        }
        What::Answer(_) => None,
    });
    changed.ok_or_else(|| not_found("Conversation", id))
}

fn deleted(id: &str, object: &str) -> Response<Body> {
    let mut w = Writer::with_capacity(96);
    w.object(|w| {
        w.field_str("id", id);
        w.field_str("object", object);
        w.field_bool("deleted", true);
    });
    reply::json(w.into_bytes())
}

/// One page of a list: newest first, unless the client wants it otherwise.
fn page(items: &[Item], query: &str) -> Result<Response<Body>, Fault> {
    let invalid =
        |name: &str, what: &str| Fault::invalid(format!("Invalid `{name}`: {what}")).with_param(name);
    let mut ordered: Vec<&Item> = items.iter().collect();
    match field(query, "order") {
        None | Some("desc") => ordered.reverse(),
        Some("asc") => {}
        Some(_) => return Err(invalid("order", "must be asc or desc")),
    }
    if let Some(after) = field(query, "after") {
        let at = ordered.iter().position(|item| item.id == after);
        let at = at.ok_or_else(|| invalid("after", "is the id of no item here"))?;
        ordered.drain(..=at);
    }
    let limit = match field(query, "limit").map(str::parse::<usize>) {
        None => PAGE_USUAL,
        Some(Ok(limit @ 1..=PAGE_MAX)) => limit,
        Some(_) => return Err(invalid("limit", &format!("must be 1 to {PAGE_MAX}"))),
    };
    let has_more = ordered.len() > limit;
    let shown: Vec<Item> = ordered.into_iter().take(limit).cloned().collect();
    Ok(reply::json(listed(&shown, has_more)))
}

fn listed(items: &[Item], has_more: bool) -> Vec<u8> {
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        w.field_str("object", "list");
        w.field_array("data", |w| items.iter().for_each(|item| w.raw(item.json.as_str())));
        for (name, item) in [("first_id", items.first()), ("last_id", items.last())] {
            match item {
                Some(item) => w.field_str(name, &item.id),
                None => w.key(name).null(),
            }
        }
        w.field_bool("has_more", has_more);
    });
    w.into_bytes()
}
