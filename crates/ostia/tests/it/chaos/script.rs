//! What the provider does with a request: bytes and pauses.

use std::time::Duration;

use ostia_testkit::model::{Speech, Turn};
use ostia_testkit::vendor::{anthropic, gemini, ollama, openai};
use serde_json::json;

use super::case::{Case, Fault, Framing, Way};

/// The gateway's bounds. Two thousand requests at once take a while before the first of them is answered.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(5);
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
/// All attempts together.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(12);

const TRICKLE_PIECES: usize = 12;
const TRICKLE_PAUSE: Duration = Duration::from_millis(70);
const COMMENT_PAUSE: Duration = Duration::from_millis(250);
const LONG_HEADER_BYTES: usize = 60 << 10;
const HUGE_HEADER_BYTES: usize = 1 << 20;

/// One thing that the provider does.
#[derive(Debug)]
pub enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// The last one, where it is not the end of a good answer.
    Fin,
    Rst,
    /// Says nothing, for longer than anybody waits.
    Stall,
    /// Sends this again and again until the other side leaves.
    Repeat(&'static [u8], Duration),
}

/// What the provider that never fails does.
pub fn spare(case: &Case, speech: Speech) -> Vec<Step> {
    let (media, body) = answer(speech, &case.text("spare"), case.stream);
    let head = head(200, media, &[("content-length", body.len().to_string())]);
    vec![Step::Send([head, body].concat())]
}

/// What the provider does that fails as the case says.
pub fn main(case: &Case) -> Vec<Step> {
    let (media, whole) = answer(case.upstream, &case.text("main"), case.stream);
    let half = half(&whole).to_vec();
    let framed = |body: &[u8]| frame(case.framing, 200, media, &[], body);
    match case.fault {
        Fault::Nothing => ended(case.framing, vec![Step::Send(framed(&whole))]),
        Fault::FinBeforeHead => vec![Step::Fin],
        Fault::RstBeforeHead => vec![Step::Rst],
        Fault::HalfHead => vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec()), Step::Fin],
        Fault::BodyFin | Fault::LengthTooLong => vec![cut(case, media, &whole, &half), Step::Fin],
        Fault::BodyRst => {
            // A reset overtakes what has not been sent yet.
            vec![cut(case, media, &whole, &half), Step::Pause(Duration::from_millis(20)), Step::Rst]
        }
        Fault::LengthTooShort => {
            let head = head(200, media, &[("content-length", half.len().to_string())]);
            vec![Step::Send([head, whole].concat())]
        }
        Fault::GarbageHead => vec![Step::Send(b"\x16\x03\x01 no head at all\r\n\r\n".to_vec()), Step::Fin],
        Fault::GarbageGzip => {
            let packed = &[("content-encoding", "gzip".to_owned())];
            ended(case.framing, vec![Step::Send(frame(case.framing, 200, media, packed, GARBAGE))])
        }
        Fault::Html => {
            let page =
                frame(case.framing, 200, "text/html; charset=utf-8", &[], sent_instead(case).as_slice());
            ended(case.framing, vec![Step::Send(page)])
        }
        Fault::Status(status) => {
            let error = frame(case.framing, status, "application/json", &[], sent_instead(case).as_slice());
            ended(case.framing, vec![Step::Send(error)])
        }
        Fault::Empty => ended(case.framing, vec![Step::Send(framed(b""))]),
        Fault::Trickle => trickle(case, &framed(&whole)),
        Fault::SilentHead => vec![Step::Stall],
        Fault::SilentBody => vec![cut(case, media, &whole, &half), Step::Stall],
        Fault::NoEnd => ended(case.framing, vec![Step::Send(framed(&half_of_events(&whole)))]),
        Fault::CommentsForEver => {
            let head = head(200, media, &[("connection", "close".to_owned())]);
            let begun = [head, half_of_events(&whole)].concat();
            let comment: &[u8] = if case.upstream == Speech::Ollama { b"\n" } else { b": still here\n\n" };
            vec![Step::Send(begun), Step::Repeat(comment, COMMENT_PAUSE)]
        }
        Fault::ErrorEvent => {
            let body = [half_of_events(&whole), error_event(case).into_bytes()].concat();
            ended(case.framing, vec![Step::Send(framed(&body))])
        }
        Fault::BadChunk => vec![bad_chunk(case, media, &whole, &half, "zz"), Step::Fin],
        Fault::HugeChunk => vec![bad_chunk(case, media, &whole, &half, "fffffffffffffffff"), Step::Fin],
        Fault::TwoLengths => {
            let length = &[("content-length", "7".to_owned())];
            vec![Step::Send(frame(Framing::Chunked, 200, media, length, &whole))]
        }
        Fault::Switching => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: tea\r\n\r\ntea";
            vec![Step::Send(head.into()), Step::Stall]
        }
        Fault::Informational => {
            let before =
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_vec();
            ended(case.framing, vec![Step::Send([before, framed(&whole)].concat())])
        }
        Fault::LongHeader | Fault::HugeHeader => {
            let bytes = if case.fault == Fault::LongHeader { LONG_HEADER_BYTES } else { HUGE_HEADER_BYTES };
            let long = &[("x-long", "h".repeat(bytes))];
            ended(case.framing, vec![Step::Send(frame(case.framing, 200, media, long, &whole))])
        }
    }
}

/// The bytes of a body that is handed on unread, where it is not the whole answer.
pub fn sent_instead(case: &Case) -> Vec<u8> {
    let whole = answer(case.upstream, &case.text("main"), case.stream).1;
    match case.fault {
        Fault::LengthTooShort => half(&whole).to_vec(),
        Fault::GarbageGzip => GARBAGE.to_vec(),
        Fault::Html => format!("<html><body>{} is not here</body></html>", case.marker()).into_bytes(),
        Fault::Status(status) => error(case, status).into_bytes(),
        Fault::NoEnd | Fault::CommentsForEver => half_of_events(&whole),
        Fault::ErrorEvent => [half_of_events(&whole), error_event(case).into_bytes()].concat(),
        Fault::Empty => Vec::new(),
        _ => whole,
    }
}

/// The bytes of the spare's body.
pub fn sent_by_spare(case: &Case, speech: Speech) -> Vec<u8> {
    answer(speech, &case.text("spare"), case.stream).1
}

const GARBAGE: &[u8] = b"\x1f\x8b\x08\x00 this is not what gzip looks like";

fn answer(speech: Speech, text: &str, stream: bool) -> (&'static str, Vec<u8>) {
    let turn = Turn { text: Some(text.to_owned()), ..Turn::default() };
    let media = match (stream, speech) {
        (false, _) => "application/json",
        (true, Speech::Ollama) => "application/x-ndjson",
        (true, _) => "text/event-stream",
    };
    (media, speech.answer(&turn, stream).body())
}

fn half(body: &[u8]) -> &[u8] {
    &body[..body.len() / 2]
}

/// The first half of the events, each of them whole.
fn half_of_events(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let end = if text.contains("\n\n") { "\n\n" } else { "\n" };
    let events: Vec<&str> = text.split_inclusive(end).collect();
    events[..events.len() / 2].concat().into_bytes()
}

fn head(status: u16, media: &str, headers: &[(&str, String)]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Scripted\r\ncontent-type: {media}\r\n{headers}\r\n").into_bytes()
}

/// A whole answer.
fn frame(framing: Framing, status: u16, media: &str, headers: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let (name, value) = match framing {
        Framing::Length => ("content-length", body.len().to_string()),
        Framing::Chunked => ("transfer-encoding", "chunked".to_owned()),
        Framing::Close => ("connection", "close".to_owned()),
    };
    let head = head(status, media, &[headers, &[(name, value)]].concat());
    match framing {
        Framing::Length | Framing::Close => [head, body.to_vec()].concat(),
        Framing::Chunked => [head, chunk(body), b"0\r\n\r\n".to_vec()].concat(),
    }
}

fn chunk(body: &[u8]) -> Vec<u8> {
    if body.is_empty() {
        return Vec::new();
    }
    [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat()
}

/// The connection ends where its end is the answer's.
fn ended(framing: Framing, mut steps: Vec<Step>) -> Vec<Step> {
    if framing == Framing::Close {
        steps.push(Step::Fin);
    }
    steps
}

/// A head that promises all of the body, and half of it.
fn cut(case: &Case, media: &str, whole: &[u8], half: &[u8]) -> Step {
    let framed = frame(case.framing, 200, media, &[], whole);
    let missing =
        whole.len() - half.len() + if case.framing == Framing::Chunked { b"\r\n0\r\n\r\n".len() } else { 0 };
    Step::Send(framed[..framed.len() - missing].to_vec())
}

fn bad_chunk(case: &Case, media: &str, whole: &[u8], half: &[u8], size: &str) -> Step {
    let head = frame(case.framing, 200, media, &[], b"");
    let head = &head[..head.len() - b"0\r\n\r\n".len()];
    let rest = &whole[half.len()..];
    Step::Send([head, &chunk(half), size.as_bytes(), b"\r\n", rest, b"\r\n0\r\n\r\n"].concat())
}

fn trickle(case: &Case, framed: &[u8]) -> Vec<Step> {
    let pieces = framed.chunks(framed.len().div_ceil(TRICKLE_PIECES));
    let steps = pieces.flat_map(|piece| [Step::Send(piece.to_vec()), Step::Pause(TRICKLE_PAUSE)]);
    ended(case.framing, steps.collect())
}

/// An error in the provider's own words.
fn error(case: &Case, status: u16) -> String {
    let words = format!("{} has to wait", case.marker());
    match case.upstream {
        Speech::Chat | Speech::Responses => openai::error(&words, "server_error", "server_error"),
        Speech::Messages => anthropic::error("api_error", &words),
        Speech::Gemini => gemini::error(status, "UNAVAILABLE", &words),
        Speech::Cohere | Speech::Converse => json!({"id": "e-1", "message": words}).to_string(),
        Speech::Ollama => ollama::error(&words),
    }
}

/// The same as an event.
fn error_event(case: &Case) -> String {
    let words = format!("{} has to wait", case.marker());
    match case.upstream {
        Speech::Chat | Speech::Gemini => format!("data: {}\n\n", error(case, 503)),
        Speech::Ollama => format!("{}\n", error(case, 503)),
        Speech::Responses => {
            let event = json!({"type": "error", "code": "server_error", "message": words, "param": null, "sequence_number": 9});
            format!("event: error\ndata: {event}\n\n")
        }
        Speech::Messages => format!("event: error\ndata: {}\n\n", error(case, 503)),
        Speech::Cohere | Speech::Converse => {
            let event = json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": words}});
            format!("event: message-end\ndata: {event}\n\n")
        }
    }
}

/// Is the answer handed on as it comes, without a look at what it says?
pub fn is_unread(case: &Case) -> bool {
    matches!(case.way, Way::Passed { .. })
}
