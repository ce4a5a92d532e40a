//! What a request is called in OpenTelemetry's words: its ids, its operation, the kind of its failure.

use aws_lc_rs::digest;
use ostia_dialect::api::{Api, Operation};
use ostia_store::{Attempt, Outcome, Record, RecordError};

use crate::record::trace;

/// What stands for a failure that has no name of its own.
const OTHER: &str = "_OTHER";

/// The ids of a request's trace and span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// The trace.
    pub trace: [u8; 16],
    /// The request's own span.
    pub span: [u8; 8],
    /// The span of whoever sent it.
    pub parent: Option<[u8; 8]>,
    /// The trace id is the one that the client and the records know, and none that was made for a name of the client's own.
    pub is_same: bool,
}

/// Those of this request. A trace that the client gave another kind of name has the same id wherever it is told.
pub fn ids(record: &Record) -> Ids {
    let plain = record.trace_id.replace('-', "");
    let own: Option<[u8; 16]> = bytes(&plain);
    let digest = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    let trace = own.unwrap_or_else(|| beginning(digest(&record.trace_id).as_ref()));
    let span = record.span_id.as_deref().and_then(bytes);
    let span = span.or_else(|| bytes(trace::span_id(&record.id)));
    let span = span.unwrap_or_else(|| beginning(digest(&record.id).as_ref()));
    let parent = record.parent_span_id.as_deref().and_then(bytes);
    Ids { trace, span, parent, is_same: own.is_some() }
}

/// The span of an attempt: its own, or one that follows from the request's.
pub fn attempt_span(attempt: &Attempt, number: usize, request: [u8; 8]) -> [u8; 8] {
    attempt.span_id.as_deref().and_then(bytes).unwrap_or_else(|| {
        let mut text = request.to_vec();
        text.extend_from_slice(&number.to_be_bytes());
        beginning(digest::digest(&digest::SHA256, &text).as_ref())
    })
}

/// So many bytes in hexadecimal, if it is just that, and not all of them are zero.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    bytes.iter().any(|byte| *byte != 0).then_some(bytes)
}

fn beginning<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest[..N]);
    bytes
}

/// The operation in the words of the conventions, or in the gateway's own where they have none
/// (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>, `gen_ai.operation.name`). `None`: it was handed on unread.
pub fn operation(api: Option<&str>) -> Option<&'static str> {
    let api = Api::from_name(api?)?;
    Some(match api.operation() {
        Operation::Conversation(_) if api.name().ends_with("_generate") => "generate_content",
        Operation::Conversation(_) => "chat",
        Operation::Completion => "text_completion",
        Operation::Embeddings(_) => "embeddings",
        Operation::CountTokens(_) => "count_tokens",
        Operation::Images => "image_generation",
        Operation::ImageEdits => "image_edit",
        Operation::ImageVariations => "image_variation",
        Operation::Speech => "speech",
        Operation::Transcription => "transcription",
        Operation::Translation => "translation",
        Operation::Moderation(_) => "moderation",
        Operation::Ocr => "ocr",
        Operation::Rerank(_) => "rerank",
        Operation::Files => "files",
        Operation::Batches => "batches",
        Operation::FineTunes => "fine_tunes",
        Operation::Realtime => "realtime",
    })
}

/// Why a request failed, as `error.type`: one of few words.
pub fn error_of_request(record: &Record) -> Option<String> {
    match (&record.error, record.end.as_str(), record.status) {
        (Some(error), ..) => Some(word(error)),
        (None, "client_left" | "broken", _) => Some(record.end.clone()),
        (None, _, 400..) => Some(record.status.to_string()),
        (None, ..) => None,
    }
}

/// The same of an attempt.
pub fn error_of_attempt(attempt: &Attempt) -> Option<String> {
    match (attempt.outcome, &attempt.error) {
        (Outcome::Failed | Outcome::Broken, Some(error)) => Some(word(error)),
        (Outcome::Failed | Outcome::Broken, None) => {
            Some(attempt.status.map_or_else(|| OTHER.to_owned(), |status| status.to_string()))
        }
        (Outcome::Answered | Outcome::Abandoned, _) => None,
    }
}

/// Codes are the vendors' own, and there may be many: the kind is one of a dozen.
fn word(error: &RecordError) -> String {
    if error.class.is_empty() { OTHER.to_owned() } else { error.class.clone() }
}

/// Host and port of an authority.
pub fn host_and_port(authority: &str) -> (&str, Option<u16>) {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    };
    (host.trim_matches(['[', ']']), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_kind() {
        let check = |trace_id: &str, span_id: Option<&str>, is_same: bool| {
            let record = Record {
                id: "0123456789abcdef0123456789abcdef".into(),
                trace_id: trace_id.into(),
                span_id: span_id.map(str::to_owned),
                parent_span_id: Some("not hex".into()),
                ..Record::default()
            };
            let told = ids(&record);
            assert_eq!((told.is_same, told.parent), (is_same, None), "{trace_id}");
            assert_eq!(told, ids(&record), "the same each time");
            told
        };
        let w3c = check("4bf92f3577b34da6a3ce929d0e0e4736", Some("00f067aa0ba902b7"), true);
        assert_eq!((w3c.trace[0], w3c.span[1]), (0x4b, 0xf0));
        assert_eq!(check("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", None, true).trace, w3c.trace);
        assert_eq!(check("my trace", Some("s-1"), false).span, 0x0123_4567_89ab_cdef_u64.to_be_bytes());
        check(&"0".repeat(32), None, false);
    }

    #[test]
    fn words_for_operations() {
        let check =
            |api: Option<&str>, expected: Option<&str>| assert_eq!(operation(api), expected, "{api:?}");
        check(Some("openai_chat"), Some("chat"));
        check(Some("openai_responses"), Some("chat"));
        check(Some("anthropic_messages"), Some("chat"));
        check(Some("gemini_generate"), Some("generate_content"));
        check(Some("openai_completions"), Some("text_completion"));
        check(Some("openai_embeddings"), Some("embeddings"));
        check(Some("no such"), None);
        check(None, None);
    }

    #[test]
    fn hosts() {
        for (authority, expected) in [
            ("api.openai.com", ("api.openai.com", None)),
            ("10.0.0.1:80", ("10.0.0.1", Some(80))),
            ("[::1]:8080", ("::1", Some(8080))),
            ("[::1]", ("::1", None)),
        ] {
            assert_eq!(host_and_port(authority), expected);
        }
    }
}
