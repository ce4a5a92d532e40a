//! What a body is, by its header.

use http::header::{self, HeaderMap};

/// Is it a stream of events?
pub fn is_events(media: &str) -> bool {
    media.eq_ignore_ascii_case("text/event-stream")
}

/// Is it a stream of Amazon's binary messages?
pub fn is_aws_events(media: &str) -> bool {
    media.eq_ignore_ascii_case("application/vnd.amazon.eventstream")
}

/// Is it JSON, a text on each line? Ollama calls it `application/x-ndjson`; it has no registered name
/// (<https://github.com/ndjson/ndjson-spec>).
pub fn is_json_lines(media: &str) -> bool {
    ["application/x-ndjson", "application/ndjson", "application/jsonl"]
        .iter()
        .any(|name| media.eq_ignore_ascii_case(name))
}

/// `application/json` and its kin.
pub fn is_json(media: &str) -> bool {
    media.len() >= 4
        && media.is_char_boundary(media.len() - 4)
        && media[media.len() - 4..].eq_ignore_ascii_case("json")
}

/// Is it something to read for people? Servers in between say so that something is wrong.
pub fn is_page(media: &str) -> bool {
    ["text/html", "text/plain"].iter().any(|name| media.eq_ignore_ascii_case(name))
}

/// What the body is, without its parameters.
pub fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let end = memchr::memchr(b';', value.as_bytes()).unwrap_or(value.len());
    value[..end].trim_ascii()
}
