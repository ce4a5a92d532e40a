//! What is sent to be kept: feedback about traces, and requests that went another way
//! (<https://portkey.ai/docs/api-reference/admin-api/data-plane/feedback>, `/logs`).

use std::collections::BTreeMap;
use std::rc::Rc;

use http::{Response, request};
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{
    Attempt, Busy, Done, FEEDBACK_VALUES, Feedback, FeedbackChange, Kept, NotTheirs, Outcome, ReadError,
    Record, Unwritten, Usage,
};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::{admit, busy, nothing_kept, now_ms, told_results};
use crate::client::ClientBody;
use crate::core::Core;
use crate::errors::reply;
use crate::inbound::credentials::Credentials;
use crate::inbound::route::KeptPath;
use crate::inbound::{browser, caller, intake};
use crate::message::body::Body;

/// Most entries of one request.
const ENTRIES_MAX: usize = 100;
/// Longest metadata of feedback, in bytes of JSON, and longest name of a trace.
const METADATA_BYTES_MAX: usize = 8 << 10;
const NAME_BYTES_MAX: usize = 200;

/// Keeps what the body of a request says.
///
/// # Errors
/// 401 and 403 for whoever may not, 400 for what makes no sense, 404 for a trace or feedback that is not there, 503 where it cannot be
/// written.
pub(super) async fn answer(
    core: &Rc<Core>,
    parts: &request::Parts,
    credentials: &Credentials,
    path: KeptPath<'_>,
    body: ClientBody,
) -> Result<Response<Body>, Fault> {
    let key = match path {
        KeptPath::Insert => admit(core, parts, credentials).map(|()| None)?,
        _ => sender(core, parts, credentials)?,
    };
    browser::check_media(&core.settings, &parts.headers)?;
    let body = intake::read_plain(body, &parts.headers, &core.settings.limits).await?;
    let no_json = |error: serde_json::Error| Fault::invalid(format!("The body is no JSON: {error}."));
    let body: Value = serde_json::from_slice(&body).map_err(no_json)?;
    let (tell, told) = oneshot::channel();
    let done = move |done: Done| drop(tell.send(done));
    let ids = match path {
        KeptPath::Insert => return insert(core, body),
        KeptPath::FeedbackOf(id) => {
            let change = change(&body)?;
            let orders = core.orders.as_ref().ok_or_else(nothing_kept)?;
            orders.change(id.to_owned(), key, change, done).map_err(|Busy| busy())?;
            vec![id.to_owned()]
        }
        _ => {
            let all = entries(&body, |entry, name| feedback(core, entry, name, key.as_deref()))?;
            let ids = all.iter().map(|feedback| feedback.id.clone()).collect();
            let orders = core.orders.as_ref().ok_or_else(nothing_kept)?;
            orders.keep(all, done).map_err(|Busy| busy())?;
            ids
        }
    };
    match told.await {
        Ok(Ok(Ok(()))) => {
            let told = json!({"status": "success", "message": "Feedback is kept.", "feedback_ids": ids});
            Ok(reply::json(told.to_string()))
        }
        Ok(Ok(Err(NotTheirs(name)))) => Err(not_theirs(&path, &name)),
        Ok(Err(ReadError::Unreadable(why))) => {
            let message = "It cannot be written at the moment: try again later.";
            Err(Fault::new(FaultKind::Overloaded, message).with_status(503).with_detail(why))
        }
        Ok(Err(ReadError::TooSlow)) | Err(_) => Err(busy()),
    }
}

/// Who sends feedback, or spans: an operator (`None`), or the client with this key, for its own.
///
/// # Errors
/// 401 and 403 for everybody else.
pub fn sender(
    core: &Core,
    parts: &request::Parts,
    credentials: &Credentials,
) -> Result<Option<String>, Fault> {
    let Err(refused) = admit(core, parts, credentials) else { return Ok(None) };
    let keys = &core.settings.gateway_keys;
    let caller = caller::authenticate(keys, credentials.clone()).map_err(|_| refused.clone())?;
    let (name, place) = caller.name(keys).ok_or(refused)?;
    Ok(Some(name.map_or_else(|| format!("auth.keys[{place}]"), str::to_owned)))
}

fn not_theirs(path: &KeptPath<'_>, name: &str) -> Fault {
    let (what, param) = match path {
        KeptPath::FeedbackOf(_) => ("feedback", "id"),
        _ => ("trace", "trace_id"),
    };
    let message = format!("There is no {what} `{name}` among those of this key that are kept.");
    Fault::new(FaultKind::NotFound, message).with_param(param)
}

pub(super) fn wrong(name: &str, what: &str) -> Fault {
    Fault::invalid(format!("Invalid `{name}`: {what}.")).with_param(name)
}

/// One entry or a list of them, each with what its fields' names begin with.
fn entries<T>(
    body: &Value,
    read: impl Fn(&Map<String, Value>, &str) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let no_object = || Fault::invalid("The body must be an object, or a list of objects.");
    match body {
        Value::Object(entry) => Ok(vec![read(entry, "")?]),
        Value::Array(list) if (1..=ENTRIES_MAX).contains(&list.len()) => {
            let entry = |(at, entry): (usize, &Value)| {
                read(entry.as_object().ok_or_else(no_object)?, &format!("[{at}]."))
            };
            list.iter().enumerate().map(entry).collect()
        }
        Value::Array(_) => Err(Fault::invalid(format!("The list must have 1 to {ENTRIES_MAX} entries."))),
        _ => Err(no_object()),
    }
}

fn feedback(
    core: &Core,
    entry: &Map<String, Value>,
    place: &str,
    key: Option<&str>,
) -> Result<Feedback, Fault> {
    let trace_id = name_of(entry.get("trace_id"));
    let needs = |name: &str, what: &str| wrong(&format!("{place}{name}"), what);
    let told = || needs("trace_id", "must be the id of a trace, as the header x-ostia-trace-id tells it");
    Ok(Feedback {
        id: core.new_id(),
        trace_id: trace_id.ok_or_else(told)?,
        created_ms: now_ms(),
        value: value(entry, place)?.ok_or_else(|| needs("value", "must be a whole number from -10 to 10"))?,
        weight: weight(entry, place)?.unwrap_or(1.0),
        metadata: metadata(entry, place)?,
        key: key.map(str::to_owned),
    })
}

fn change(body: &Value) -> Result<FeedbackChange, Fault> {
    let Value::Object(entry) = body else { return Err(Fault::invalid("The body must be an object.")) };
    Ok(FeedbackChange {
        value: value(entry, "")?,
        weight: weight(entry, "")?,
        metadata: metadata(entry, "")?,
    })
}

/// A field that is there.
pub(super) fn given<'e>(entry: &'e Map<String, Value>, name: &str) -> Option<&'e Value> {
    entry.get(name).filter(|value| !value.is_null())
}

fn value(entry: &Map<String, Value>, place: &str) -> Result<Option<i64>, Fault> {
    let Some(given) = given(entry, "value") else { return Ok(None) };
    let value = given.as_i64().filter(|value| FEEDBACK_VALUES.contains(value));
    let told = || wrong(&format!("{place}value"), "must be a whole number from -10 to 10");
    value.ok_or_else(told).map(Some)
}

fn weight(entry: &Map<String, Value>, place: &str) -> Result<Option<f64>, Fault> {
    let Some(given) = given(entry, "weight") else { return Ok(None) };
    let weight = given.as_f64().filter(|weight| (0.0..=1.0).contains(weight));
    weight.ok_or_else(|| wrong(&format!("{place}weight"), "must be a number from 0 to 1")).map(Some)
}

/// An object, or one as text, which older clients send.
fn metadata(entry: &Map<String, Value>, place: &str) -> Result<Option<Value>, Fault> {
    let Some(given) = given(entry, "metadata") else { return Ok(None) };
    let metadata = match given {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    match metadata.is_object() && metadata.to_string().len() <= METADATA_BYTES_MAX {
        true => Ok(Some(metadata)),
        false => {
            let told = format!("must be an object of at most {METADATA_BYTES_MAX} bytes");
            Err(wrong(&format!("{place}metadata"), &told))
        }
    }
}

fn name_of(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?.trim();
    (!text.is_empty() && text.len() <= NAME_BYTES_MAX).then(|| text.to_owned())
}

/// A request that went another way, as it waits to be written.
#[derive(Debug)]
struct Told {
    record: Record,
    /// What it takes besides its bodies, in bytes: about as much as it is long when it is written.
    bytes: usize,
}

impl Told {
    fn new(record: Record) -> Told {
        let written = serde_json::to_string(&record).map_or(0, |text| text.len());
        Told { bytes: size_of::<Record>() + written, record }
    }
}

impl Unwritten for Told {
    fn bytes(&self) -> usize {
        let body = |kept: &Kept| if let Kept::Bytes { bytes, .. } = kept { bytes.capacity() } else { 0 };
        self.bytes + body(&self.record.request) + body(&self.record.response)
    }

    fn give_up_bodies(&mut self) -> bool {
        let mut had_any = false;
        for body in [&mut self.record.request, &mut self.record.response] {
            if matches!(body, Kept::Bytes { .. }) {
                (*body, had_any) = (Kept::Missing(ostia_store::Missing::QueueFull), true);
            }
        }
        self.record.without_words_of_guardrails();
        had_any
    }

    fn is_own(&self) -> bool {
        false
    }

    fn finish(self: Box<Told>) -> Record {
        self.record
    }
}

fn insert(core: &Core, body: Value) -> Result<Response<Body>, Fault> {
    // Where nothing is kept requests may be counted all the same.
    let store = core.books.store.as_ref().filter(|_| core.orders.is_some()).ok_or_else(nothing_kept)?;
    let policy = store.bodies;
    let records = entries(&body, |entry, place| record(core, entry, place))?;
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    for mut record in records {
        let is_failure = !record.is_success();
        for body in [&mut record.request, &mut record.response] {
            policy.bound(body, is_failure);
        }
        if policy.missing(is_failure).is_some() {
            record.without_words_of_guardrails();
        }
        store.queue.hand_over(Box::new(Told::new(record)));
    }
    Ok(reply::json(json!({"status": "success", "message": "It is kept.", "ids": ids}).to_string()))
}

/// `{request: {url, method, headers, body}, response: {status, headers, body, response_time}, metadata, cache_status, cache_type,
/// hook_results}`. No headers are kept.
fn record(core: &Core, entry: &Map<String, Value>, place: &str) -> Result<Record, Fault> {
    let part = |name: &str| -> Result<&Map<String, Value>, Fault> {
        let told = || wrong(&format!("{place}{name}"), "must be an object");
        given(entry, name).and_then(Value::as_object).ok_or_else(told)
    };
    let (request, response) = (part("request")?, part("response")?);
    let nothing = Map::new();
    let metadata = given(entry, "metadata").map_or(Ok(&nothing), |_| part("metadata"))?;
    let status = given(response, "status").map_or(Some(200), Value::as_u64);
    let status =
        status.and_then(|status| u16::try_from(status).ok()).filter(|status| (100..600).contains(status));
    let status =
        status.ok_or_else(|| wrong(&format!("{place}response.status"), "must be a status like 200"))?;
    let time_ms = given(response, "response_time").map_or(Some(0.0), Value::as_f64).filter(|ms| *ms >= 0.0);
    let time_ms =
        time_ms.ok_or_else(|| wrong(&format!("{place}response.response_time"), "must be milliseconds"))?;
    let text = |fields: &Map<String, Value>, name: &str| name_of(fields.get(name));
    let url = text(request, "url").map(|url| without_secrets(&url)).unwrap_or_default();
    let model = request.get("body").and_then(|body| name_of(body.get("model")));
    let duration_us = (time_ms * 1000.0) as u64;
    let cache = told_results::cache(entry, response, place)?;
    let guardrails = told_results::guardrails(entry, response.get("body"), place)?;
    let answer = told_results::with_results(entry, response.get("body"));
    let attempt = Attempt {
        provider: text(request, "provider").or_else(|| host(&url)).unwrap_or_default(),
        model: model.clone(),
        status: Some(status),
        outcome: if status < 400 { Outcome::Answered } else { Outcome::Failed },
        ended_us: duration_us,
        usage: response.get("body").and_then(usage),
        cache,
        ..Attempt::default()
    };
    let id = core.new_id();
    Ok(Record {
        trace_id: text(metadata, "trace_id")
            .or_else(|| text(metadata, "traceId"))
            .unwrap_or_else(|| id.clone()),
        id,
        span_id: text(metadata, "span_id").or_else(|| text(metadata, "spanId")),
        parent_span_id: text(metadata, "parent_span_id").or_else(|| text(metadata, "parentSpanId")),
        span_name: text(metadata, "span_name").or_else(|| text(metadata, "spanName")),
        session: text(metadata, "session_id").or_else(|| text(metadata, "_session")),
        started_ms: now_ms().saturating_sub(time_ms as i64),
        method: text(request, "method").unwrap_or_else(|| "POST".to_owned()),
        path: url,
        metadata: texts(metadata),
        model,
        status,
        stream: response.get("streamingMode").and_then(Value::as_bool).unwrap_or_default(),
        end: "whole".to_owned(),
        duration_us,
        upstream_us: duration_us,
        request_bytes: length(request.get("body")),
        response_bytes: length(response.get("body")),
        request: kept(request.get("body")),
        response: kept(answer.as_ref().or(response.get("body"))),
        cache,
        guardrails,
        attempts: vec![attempt],
        ..Record::default()
    })
}

/// An address without its query and its user, where credentials may stand.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().map(str::to_owned).filter(|host| !host.is_empty())
}

/// Tokens in OpenAI's words, or in those of Anthropic and the Responses API.
fn usage(body: &Value) -> Option<Usage> {
    let usage = body.get("usage")?;
    let count = |names: [&str; 2]| names.into_iter().find_map(|name| usage.get(name)?.as_u64());
    let prompt = count(["prompt_tokens", "input_tokens"])?;
    let completion = count(["completion_tokens", "output_tokens"]).unwrap_or_default();
    let total = prompt.saturating_add(completion);
    Some(Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: total,
        ..Usage::default()
    })
}

/// Fields that are texts; those that say where the request stands in its trace are told elsewhere.
fn texts(metadata: &Map<String, Value>) -> BTreeMap<String, String> {
    let short = |text: &str| text.chars().take(128).collect::<String>();
    let fields = metadata.iter().filter_map(|(name, value)| Some((short(name), short(value.as_str()?))));
    fields.take(64).collect()
}

fn bytes(body: Option<&Value>) -> Vec<u8> {
    match body {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(Value::Null) | None => Vec::new(),
        Some(document) => document.to_string().into_bytes(),
    }
}

fn length(body: Option<&Value>) -> u64 {
    bytes(body).len() as u64
}

fn kept(body: Option<&Value>) -> Kept {
    let bytes = bytes(body);
    let total = bytes.len() as u64;
    if bytes.is_empty() { Kept::default() } else { Kept::Bytes { bytes, total } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_no_credentials() {
        let check = |url: &str, kept: &str, of_host: Option<&str>| {
            let told = without_secrets(url);
            assert_eq!((told.as_str(), host(&told).as_deref()), (kept, of_host), "{url}");
        };
        check("https://a.example/v1/x?key=secret#here", "https://a.example/v1/x", Some("a.example"));
        check("https://user:secret@a.example:8080", "https://a.example:8080", Some("a.example:8080"));
        check("https://a.example/v1/@x", "https://a.example/v1/@x", Some("a.example"));
        check("/v1/x?key=secret", "/v1/x", None);
        check("", "", None);
    }
}
