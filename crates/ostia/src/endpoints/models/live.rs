//! The lists of models that providers tell themselves, asked for by the code that carries clients' calls.

use std::rc::Rc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, header, request};
use ostia_dialect::Fault;
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::config::settings::Settings;
use crate::core::{Core, ModelList};
use crate::exchange::{Exchange, proxy};
use crate::inbound::Inbound;
use crate::inbound::caller::Caller;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::record::booking::Booking;
use crate::target::{self, Asked};
use crate::upstream::{BodyFault, RequestBody, SendFault, UpstreamBody};

/// How long a list counts as today's.
const FRESH: Duration = Duration::from_secs(300);
/// How long a provider that told none is left in peace.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// How long a client waits for all lists together. One that comes later is there for the next.
const WAIT_MAX: Duration = Duration::from_secs(3);
/// The longest list that is read, in bytes. The longest that we know has some three hundred KiB.
const LIST_BYTES_MAX: usize = 8 << 20;
/// The most models of one provider that are listed.
const LISTED_MAX: usize = 10_000;

/// Why nobody was asked, or nobody answered.
pub enum Unasked {
    /// The provider cannot be asked, for this reason.
    Target(String),
    /// It could not be reached.
    Sent(SendFault),
}

/// The providers whose own lists count, by id: the operator has a key for them or they need none, and says of none of their
/// models that it is to be listed.
pub fn ids(settings: &Settings) -> Vec<&str> {
    let is_asked = |id: &str| {
        let provider = settings.providers.get(id);
        let is_told = settings.configured.get(id).is_some_and(|configured| !configured.models.is_empty());
        let has_key = settings.keys.contains_key(id)
            || settings.configured.contains_key(id) && provider.is_some_and(|one| !one.needs_key());
        has_key && !is_told && provider.is_some_and(|one| one.retired.is_none())
    };
    let known = settings.configured.keys().chain(settings.keys.keys());
    let mut ids: Vec<&str> = known.map(String::as_str).filter(|id| is_asked(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Sees to it that the lists of these providers are fresh, as far as they can be had in time.
pub async fn refresh(core: &Rc<Core>, ids: &[&str]) {
    let until = Instant::now() + WAIT_MAX;
    let stale = ids.iter().filter(|id| !core.listed.borrow().get(**id).is_some_and(ModelList::is_fresh));
    let fetches: Vec<_> = stale
        .map(|id| {
            let (core, id) = (core.clone(), (*id).to_owned());
            tokio::task::spawn_local(async move { fetch(&core, id).await })
        })
        .collect();
    for fetch in fetches {
        // Whoever is late goes on alone.
        let _ = timeout_at(until, fetch).await;
    }
}

async fn fetch(core: &Rc<Core>, id: String) {
    let names = match send(core, &id, None, Instant::now()).await {
        Ok(answer) if answer.status().is_success() => read(answer.into_body()).await.ok(),
        Ok(_) | Err(_) => None,
    };
    let names = names.and_then(|body| names_in(&body));
    let mut listed = core.listed.borrow_mut();
    // An older list is better than none.
    let (names, fresh_for) = match names {
        Some(mut names) => {
            names.truncate(LISTED_MAX);
            (names.into(), FRESH)
        }
        None => (listed.get(&id).map(|list| list.names.clone()).unwrap_or_default(), RETRY_AFTER),
    };
    listed.insert(id, ModelList { names, until: Instant::now() + fresh_for });
}

/// `GET /v1/models` as a client would send it that names this provider and brings no key. `key`: which of several is shown.
///
/// # Errors
/// Why nobody was asked, or nobody answered.
pub async fn send(
    core: &Rc<Core>,
    id: &str,
    key: Option<&SecretString>,
    started: Instant,
) -> Result<Response<UpstreamBody>, Unasked> {
    let unasked = |fault: Fault| Unasked::Target(fault.message);
    let parts = parts(id).map_err(|error| Unasked::Target(error.to_string()))?;
    let gateway = GatewayHeaders::read(&parts.headers).map_err(unasked)?;
    let caller = Caller::default();
    let files = &Rc::default();
    let inbound = Inbound { core, caller: &caller, gateway: &gateway, parts: &parts, upload: None, files };
    let mut target = target::resolve(inbound, None, Asked::Unread(None)).map_err(unasked)?;
    if let Some(key) = key {
        target.show(key);
    }
    let booking = Booking::default();
    let exchange = Exchange::new(inbound, &target, &booking);
    let path = proxy::path(&target, &parts);
    let mut request = exchange.request(path, RequestBody::Full(None)).map_err(unasked)?;
    request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    exchange.sign(&mut request).await.map_err(unasked)?;
    let base_url = target.destination.base_url();
    core.upstreams.send(base_url, request, target.timeouts, started).await.map_err(Unasked::Sent)
}

/// A whole body, or as much of it as is read.
///
/// # Errors
/// It broke off.
pub async fn read(mut body: UpstreamBody) -> Result<Vec<u8>, BodyFault> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.bytes().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > LIST_BYTES_MAX {
            break;
        }
    }
    Ok(bytes)
}

fn parts(id: &str) -> Result<request::Parts, http::Error> {
    let request = Request::get("/v1/models").header("x-ostia-provider", id).body(())?;
    Ok(request.into_parts().0)
}

/// The names in a list of models, in its order: in OpenAI's and Anthropic's form (`data[].id`), Google's and Cohere's
/// (`models[].name`, Google's behind `models/`), or a bare list.
pub fn names_in(body: &[u8]) -> Option<Vec<String>> {
    let list: Value = serde_json::from_slice(body).ok()?;
    let items = list.get("data").or_else(|| list.get("models")).unwrap_or(&list).as_array()?;
    let name = |item: &Value| {
        let name = item.get("id").or_else(|| item.get("name")).unwrap_or(item).as_str()?;
        Some(name.trim_start_matches("models/").to_owned())
    };
    Some(items.iter().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::names_in;

    #[test]
    fn lists_of_models_in_every_form() {
        let check = |body: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(names_in(body.as_bytes()), expected, "{body}");
        };
        check(r#"{"object":"list","data":[{"id":"b"},{"id":"a"}]}"#, Some(&["b", "a"]));
        check(r#"{"models":[{"name":"models/gemini-2"}]}"#, Some(&["gemini-2"]));
        check(r#"{"models":[{"name":"command-r"}]}"#, Some(&["command-r"]));
        check(r#"[{"id":"x/y"},"z"]"#, Some(&["x/y", "z"]));
        check(r#"{"data":[]}"#, Some(&[]));
        check("<html>", None);
        check(r#"{"error":{}}"#, None);
    }
}
