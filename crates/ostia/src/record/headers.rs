//! What an answer says about how it came to be: the gateway's own response headers, a view of its record.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::Record;

/// Longest list of dropped fields that is told in a header, in bytes.
const DROPPED_BYTES_MAX: usize = 2048;

/// The names of one header, in both spellings.
type Names = [HeaderName; 2];

const fn names(ostia: &'static str, portkey: &'static str) -> Names {
    [HeaderName::from_static(ostia), HeaderName::from_static(portkey)]
}

static TRACE_ID: Names = names("x-ostia-trace-id", "x-portkey-trace-id");
static PROVIDER: Names = names("x-ostia-provider", "x-portkey-provider");
static OPTION_INDEX: Names = names("x-ostia-last-used-option-index", "x-portkey-last-used-option-index");
static RETRY_COUNT: Names = names("x-ostia-retry-attempt-count", "x-portkey-retry-attempt-count");
static DECISIONS: Names = names("x-ostia-decisions", "x-portkey-decisions");
static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
static REQUEST_BODY: Names = names("x-ostia-request-body", "x-portkey-request-body");
static DROPPED: Names = names("x-ostia-dropped", "x-portkey-dropped");

/// Writes what is known before it is known whose the answer is.
pub(super) fn stamp_early(record: &Record, headers: &mut HeaderMap) {
    let trace_id = record.trace_id.iter().flat_map(|id| TRACE_ID.iter().map(move |name| (name, id)));
    let spelt = if record.portkey { TRACE_ID.len() } else { 1 };
    for (name, id) in trace_id.take(spelt) {
        headers.insert(name, id.clone());
    }
}

/// Writes all of them.
pub(super) fn stamp(record: &Record, headers: &mut HeaderMap) {
    headers.reserve(10);
    let mut set = |[ostia, portkey]: &Names, value: HeaderValue| {
        if record.portkey {
            headers.insert(portkey, value.clone());
        }
        headers.insert(ostia, value);
    };
    if let Some(trace_id) = &record.trace_id {
        set(&TRACE_ID, trace_id.clone());
    }
    if let Some(provider) = &record.attempt.provider {
        set(&PROVIDER, provider.clone());
    }
    if let Some(index_path) = &record.attempt.index_path {
        set(&OPTION_INDEX, index_path.clone());
        set(&RETRY_COUNT, HeaderValue::from(record.attempt.retries));
    }
    if record.is_streamed {
        set(&REQUEST_BODY, HeaderValue::from_static("streamed"));
    }
    if !record.attempt.dropped.is_empty() {
        set(&DROPPED, list(&record.attempt.dropped));
    }
    if let Some(decisions) = &record.decisions {
        set(&DECISIONS, decisions.clone());
    }
    if let Some(began) = record.account.began() {
        headers.append(&SERVER_TIMING, timing(began.elapsed(), record.account.waited()));
    }
}

/// Of headers of which others cannot be understood: are they spelt Portkey's way, and the trace id.
pub(super) fn trace_id_of(headers: &HeaderMap) -> (bool, Option<HeaderValue>) {
    let is_portkey = headers.keys().any(|name| name.as_str().starts_with("x-portkey-"));
    let given = TRACE_ID.iter().filter_map(|name| headers.get(name)).find(|value| !value.is_empty());
    (is_portkey, given.cloned())
}

/// The gateway's own share of the time, and the providers', in milliseconds (<https://www.w3.org/TR/server-timing/>).
fn timing(all: Duration, waited: Duration) -> HeaderValue {
    let (own, waited) = (all.saturating_sub(waited).as_micros(), waited.as_micros());
    let text = format!(
        "gateway;dur={}.{:03}, upstream;dur={}.{:03}",
        own / 1000,
        own % 1000,
        waited / 1000,
        waited % 1000
    );
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("gateway"))
}

fn list(dropped: &[String]) -> HeaderValue {
    let mut text = dropped.join(", ");
    if text.len() > DROPPED_BYTES_MAX {
        let cut = (0..=DROPPED_BYTES_MAX).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
        text.truncate(cut);
        text.push_str(", ...");
    }
    // Names are the client's own: what a header cannot hold is written as a question mark.
    let plain: String = text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
    HeaderValue::from_str(&plain).unwrap_or_else(|_| HeaderValue::from_static("..."))
}
