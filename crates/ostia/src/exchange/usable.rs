//! What came with a success: is it an answer at all? An empty body, a page for people, an error, half of an answer or JSON
//! of another kind is a failed attempt, whoever sent it and however it is carried.

use std::sync::LazyLock;

use http::response;
use memchr::memmem::{self, Finder};
use ostia_dialect::Api;
use ostia_dialect::json::{Document, Kind};
use ostia_dialect::{Fault, fault};

use crate::errors::attempt_error::AttemptError;
use crate::message::media::{is_json, media_type};
use crate::target::Target;

/// Largest body whose braces are counted. Of longer ones the ends and a few names have to do.
const BALANCED_BYTES_MAX: usize = 16 << 10;
/// Most of a body without an answer that is read for its words, and how far into a body an error is looked for, in bytes.
pub const WORDS_BYTES_MAX: usize = 1 << 20;

/// Checks a whole body that came with a success.
///
/// # Errors
/// The error that it holds, or that it is no answer to `api`.
pub fn check(
    api: Api,
    head: &response::Parts,
    bytes: &[u8],
    target: &Target<'_>,
) -> Result<(), AttemptError> {
    let media = media_type(&head.headers);
    match (media.is_empty() || is_json(media)) && is_answer(api, bytes) {
        true => Ok(()),
        false => Err(no_answer(head, bytes, target)),
    }
}

/// Checks that a whole body that came with a success is a JSON object, of whatever kind.
///
/// # Errors
/// As for [`check`].
pub fn check_json(head: &response::Parts, bytes: &[u8], target: &Target<'_>) -> Result<(), AttemptError> {
    match Document::parse_to(bytes, 0).is_ok_and(|document| document.root().is_object()) {
        true => Ok(()),
        false => Err(no_answer(head, bytes, target)),
    }
}

/// Is it a failure in the client's own form, which may go on as it came if nobody does better?
pub fn tells_failure(api: Api, bytes: &[u8]) -> bool {
    Document::parse_to(bytes, 1).is_ok_and(|document| api.is_failed(document.root()))
}

/// Checks a whole stream in Google's framing without events: an array of answers.
///
/// # Errors
/// As for [`check`].
pub fn check_array(
    api: Api,
    head: &response::Parts,
    bytes: &[u8],
    target: &Target<'_>,
) -> Result<(), AttemptError> {
    let answers = Document::parse_to(bytes, 2)
        .is_ok_and(|document| document.root().items().next().is_some_and(|first| api.is_answered_by(first)));
    if answers { Ok(()) } else { Err(no_answer(head, bytes, target)) }
}

/// Most answers are recognised at a look; those that are not are read.
fn is_answer(api: Api, bytes: &[u8]) -> bool {
    // Events under the name of JSON are handed on like those under their own; a translation of them fails.
    if begins_events(bytes) {
        return true;
    }
    let start = &bytes[..bytes.len().min(WORDS_BYTES_MAX)];
    if !names_error(start) && !may_have_failed(api, start) && seems_answer(api, bytes) {
        return true;
    }
    Document::parse_to(start, 1).is_ok_and(|document| api.is_answered_by(document.root()))
}

/// The fields of events, and a comment (<https://html.spec.whatwg.org/multipage/server-sent-events.html>). No JSON begins so.
const EVENT_FIELDS: [&str; 5] = ["data:", "event:", "id:", "retry:", ":"];

/// Does this begin as streams of events do?
fn begins_events(bytes: &[u8]) -> bool {
    EVENT_FIELDS.iter().any(|field| bytes.starts_with(field.as_bytes()))
}

/// May this be the first piece of a stream of events? It may be as small as one byte, and blank lines may stand before.
pub fn may_begin_events(piece: &[u8]) -> bool {
    let start = piece.strip_prefix(b"\xef\xbb\xbf").unwrap_or(piece).trim_ascii_start();
    let is_part = |field: &&str| field.as_bytes().starts_with(start);
    begins_events(start) || !start.is_empty() && EVENT_FIELDS.iter().any(is_part)
}

/// May this be the first piece of JSON lines? A whole answer is one line.
pub fn may_begin_line(piece: &[u8]) -> bool {
    piece.trim_ascii_start().first().is_none_or(|first| *first == b'{')
}

/// May this be the first piece of a JSON array? It may be as small as one byte, and white space may stand before.
pub fn may_begin_array(piece: &[u8]) -> bool {
    piece.trim_ascii_start().first().is_none_or(|first| *first == b'[')
}

/// Is there a field `error` that is not null? Inside a text its quotes would be escaped.
fn names_error(bytes: &[u8]) -> bool {
    static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));
    ERROR.find_iter(bytes).any(|at| first_of_value(bytes, at + "\"error\"".len()) != Some(b'n'))
}

/// Is the word for an answer that failed anywhere in it? An item of a good answer may have failed too.
fn may_have_failed(api: Api, bytes: &[u8]) -> bool {
    static FAILED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"failed\""));
    api.tells_failure() && FAILED.find(bytes).is_some()
}

/// An object from its first to its last byte, with the field that makes it an answer somewhere, and as many braces that
/// close as that open.
fn seems_answer(api: Api, bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let fields = api.answer_fields();
    let is_whole = text.starts_with(b"{") && text.ends_with(b"}");
    is_whole
        && (fields.is_empty()
            || fields.iter().any(|&(name, kind)| names(text, name, kind, api.needs_items())))
        && (text.len() > BALANCED_BYTES_MAX || is_balanced(text))
}

/// Is there a field of this name whose value begins like one of this kind, and has something in it if it must?
fn names(text: &[u8], name: &str, kind: Kind, needs_items: bool) -> bool {
    let begins = |first: u8| match kind {
        Kind::Array => first == b'[',
        Kind::Object => first == b'{',
        Kind::String => first == b'"',
        Kind::Number => first.is_ascii_digit() || first == b'-',
        Kind::Bool => matches!(first, b't' | b'f'),
        Kind::Null => first == b'n',
    };
    memmem::find_iter(text, name.as_bytes()).any(|at| {
        let end = at + name.len();
        let is_quoted =
            text.get(end) == Some(&b'"') && at.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'"');
        is_quoted
            && value_at(text, end + 1).is_some_and(|value| {
                value.first().copied().is_some_and(begins)
                    && !(needs_items && value[1..].trim_ascii_start().starts_with(b"]"))
            })
    })
}

/// The first byte of a field's value; `at` is where the field's name ends.
fn first_of_value(text: &[u8], at: usize) -> Option<u8> {
    value_at(text, at)?.first().copied()
}

/// A field's value and what follows it.
fn value_at(text: &[u8], at: usize) -> Option<&[u8]> {
    let value = text.get(at..)?.trim_ascii_start().strip_prefix(b":")?;
    Some(value.trim_ascii_start())
}

/// Half an answer has more braces that open, and behind the end of one another one may begin. Those inside texts count too, so
/// that a good answer may seem to be none.
fn is_balanced(text: &[u8]) -> bool {
    let mut open = memchr::memchr_iter(b'{', text).count();
    let closes_well = |at: usize| {
        open = open.wrapping_sub(1);
        !text[at + 1..].trim_ascii_start().starts_with(b"{")
    };
    memchr::memchr_iter(b'}', text).all(closes_well) && open == 0
}

/// Why a body that came with a success is no answer: the error that it tells, or what it is.
fn no_answer(head: &response::Parts, bytes: &[u8], target: &Target<'_>) -> AttemptError {
    let words = &bytes[..bytes.len().min(WORDS_BYTES_MAX)];
    if let Some(fault) = fault::in_success(words) {
        return AttemptError::told(fault);
    }
    let message = fault::from_answer(head.status.as_u16(), words).message;
    let media = media_type(&head.headers);
    let kind = match media.is_empty() || is_json(media) || bytes.is_empty() {
        true => String::new(),
        false => format!("`{media}` and not JSON, "),
    };
    unusable(target, format_args!("answered with no usable answer: {kind}{message}")).into()
}

/// What came where a stream was asked for.
pub fn no_stream(head: &response::Parts, bytes: &[u8], target: &Target<'_>) -> AttemptError {
    let is_object = Document::parse_to(bytes, 0).is_ok_and(|document| document.root().is_object());
    match fault::in_success(bytes) {
        None if is_object => not_a_stream(target).into(),
        _ => no_answer(head, bytes, target),
    }
}

/// The whole of an answer came where a stream was asked for.
pub fn not_a_stream(target: &Target<'_>) -> Fault {
    unusable(target, "answered in one piece where a stream was asked for.")
}

/// JSON came where a sound was asked for.
pub fn no_sound(target: &Target<'_>) -> Fault {
    unusable(target, "answered with JSON where a sound was asked for.")
}

/// A stream came where the whole of an answer was asked for.
pub fn not_in_one_piece(target: &Target<'_>) -> Fault {
    unusable(target, "answered with a stream where an answer in one piece was asked for.")
}

/// An answer that has the form of one, and cannot be read to its end or tells of a failure.
pub fn unread(fault: Fault) -> AttemptError {
    match (&fault.code, &fault.vendor_type) {
        (None, None) => fault.into(),
        _ => AttemptError::told(fault),
    }
}

fn unusable(target: &Target<'_>, what: impl std::fmt::Display) -> Fault {
    Fault::upstream(format!("Provider `{}` {what}", target.provider.id))
}
