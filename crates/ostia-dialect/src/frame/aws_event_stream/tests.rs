#![allow(clippy::unwrap_used)]

use ostia_testkit::event_stream::{HeaderValue, chunk, event, exception, message, part};
use proptest::prelude::*;
use serde_json::json;

use super::{Joined, MESSAGE_BYTES_MAX, ToSse};
use crate::frame::{Framer, Framing};
use crate::{Fault, FaultKind};

type Frames = Vec<(String, Vec<u8>)>;

/// The frames of a stream in these pieces, and how it ended.
fn cut<'b>(framing: Framing, pieces: impl IntoIterator<Item = &'b [u8]>) -> (Frames, Result<(), Fault>) {
    let (mut framer, mut frames) = (Framer::new(framing), Vec::new());
    let run = || {
        for piece in pieces {
            framer.push(piece);
            while let Some(frame) = framer.next()? {
                frames.push((frame.event.to_owned(), frame.data.to_vec()));
            }
            assert!(!framer.take_ping());
        }
        assert_eq!(framer.finish()?, None);
        Ok(())
    };
    let ended = run();
    (frames, ended)
}

/// The same for the bytes in one piece, in any two, and byte by byte.
#[track_caller]
fn read(framing: Framing, bytes: &[u8]) -> (Frames, Result<(), Fault>) {
    let whole = cut(framing, [bytes]);
    for at in 0..=bytes.len() {
        assert_eq!(cut(framing, [&bytes[..at], &bytes[at..]]), whole, "cut at {at}");
    }
    assert_eq!(cut(framing, bytes.chunks(1)), whole, "byte by byte");
    whole
}

#[track_caller]
fn fails(bytes: &[u8]) -> Fault {
    read(Framing::AwsEventStream, bytes).1.unwrap_err()
}

fn text(text: &str) -> HeaderValue {
    HeaderValue::Text(text.to_owned())
}

#[test]
fn events_with_headers_of_every_type() {
    let headers = [
        (":message-type", text("event")),
        ("yes", HeaderValue::Bool(true)),
        ("no", HeaderValue::Bool(false)),
        ("byte", HeaderValue::Byte(-1)),
        ("short", HeaderValue::Short(-2)),
        ("integer", HeaderValue::Integer(7)),
        ("long", HeaderValue::Long(7)),
        ("bytes", HeaderValue::Bytes(b":event-type".to_vec())),
        ("time", HeaderValue::Timestamp(1)),
        ("uuid", HeaderValue::Uuid([7; 16])),
        // Only a text is a type.
        (":event-type", HeaderValue::Bytes(b"no".to_vec())),
        (":event-type", text("metadata")),
        ("", text("")),
    ];
    let bytes =
        [message(&headers, b"{}"), message(&[], b""), event("messageStop", &json!({"a": 1}))].concat();
    let expected = [("metadata", "{}"), ("", ""), ("messageStop", r#"{"a":1}"#)];
    let expected = expected.map(|(event, data)| (event.to_owned(), data.as_bytes().to_vec()));
    assert_eq!(read(Framing::AwsEventStream, &bytes), (expected.to_vec(), Ok(())));
}

/// The vector of the vendor's own suite (botocore's and smithy-rs' `empty_payload` and `int32_header`).
#[test]
fn the_vendors_own_messages() {
    let empty = [0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255];
    assert_eq!(read(Framing::AwsEventStream, &empty), (vec![(String::new(), Vec::new())], Ok(())));
    let mut long = vec![0x00, 0x00, 0x00, 0x2D, 0x00, 0x00, 0x00, 0x10, 0x41, 0xC4, 0x24, 0xB8];
    long.extend(*b"\x0Aevent-type\x04");
    long.extend([0x00, 0x00, 0xA0, 0x0C]);
    long.extend(*b"{'foo':'bar'}");
    long.extend([0x36, 0xF4, 0x80, 0xA0]);
    let expected = vec![(String::new(), b"{'foo':'bar'}".to_vec())];
    assert_eq!(read(Framing::AwsEventStream, &long), (expected, Ok(())));
}

#[test]
fn broken_messages() {
    let good = event("messageStart", &json!({"role": "assistant"}));
    let check = |bytes: &[u8], expected: &str| {
        let fault = fails(bytes);
        assert_eq!((fault.kind, fault.status), (FaultKind::Upstream, 502));
        assert!(fault.message.contains(expected), "{} is not {expected}", fault.message);
    };
    for at in 0..12 {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        check(&bytes, "checksum of a message's lengths");
    }
    for at in [12, 30, good.len() - 5, good.len() - 4, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        check(&bytes, "checksum of a message is wrong");
    }
    for length in 1..good.len() {
        check(&[&good, &good[..length]].concat(), "ended within a message");
    }
    check(&prelude(15, 0), "contradict each other");
    check(&prelude(20, 5), "contradict each other");
    check(&message(&[(":message-type", text("rumour"))], b""), "neither an event nor an error");
    check(&message(&[(":event-type", text("x"))], b"")[..0x10], "ended within a message");
    let headers: [&[u8]; 6] =
        [b"\x05abc", b"\x01a", b"\x01a\x0a", b"\x01a\x09123", b"\x01a\x07\x00", b"\x01a\x07\x00\x05abc"];
    for headers in headers {
        check(&with_headers(headers), "header of a message is cut off");
    }
    check(&with_headers(b"\x0b:event-type\x07\x00\x01\xff"), "header of a message is no text");
    check(b"HTTP/1.1 200 OK\r\n\r\n", "checksum of a message's lengths");
}

/// A prelude whose checksum is right.
fn prelude(whole: u32, headers: u32) -> Vec<u8> {
    let mut bytes = [whole.to_be_bytes(), headers.to_be_bytes()].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

/// A message with these bytes where its headers are, whose checksums are right.
fn with_headers(headers: &[u8]) -> Vec<u8> {
    let count = u32::try_from(headers.len()).unwrap();
    let mut bytes = [prelude(16 + count, count), headers.to_vec()].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

#[test]
fn a_message_of_16_mib_is_refused_before_it_has_come() {
    let most = u32::try_from(MESSAGE_BYTES_MAX).unwrap();
    assert_eq!(most + 1, 16 << 20);
    assert!(fails(&prelude(most + 1, 0)).message.contains("16777215 are the most"));
    assert!(fails(&prelude(u32::MAX, 0)).message.contains("4294967295 bytes"));
    let largest = message(&[], &vec![b' '; MESSAGE_BYTES_MAX - 16]);
    let (frames, ended) = cut(Framing::AwsEventStream, largest.chunks(1 << 20));
    assert_eq!((frames.len(), ended), (1, Ok(())));
}

#[test]
fn exceptions_have_the_status_of_the_api() {
    for (name, word, status, kind) in [
        ("throttlingException", "ThrottlingException", 429, FaultKind::RateLimit),
        ("validationException", "ValidationException", 400, FaultKind::InvalidRequest),
        ("modelStreamErrorException", "ModelStreamErrorException", 424, FaultKind::Server),
        ("internalServerException", "InternalServerException", 500, FaultKind::Server),
        ("serviceUnavailableException", "ServiceUnavailableException", 503, FaultKind::Overloaded),
        ("modelTimeoutException", "ModelTimeoutException", 408, FaultKind::Timeout),
        ("modelErrorException", "ModelErrorException", 424, FaultKind::Server),
        ("modelNotReadyException", "ModelNotReadyException", 429, FaultKind::Overloaded),
        ("accessDeniedException", "AccessDeniedException", 403, FaultKind::Permission),
        ("resourceNotFoundException", "ResourceNotFoundException", 404, FaultKind::NotFound),
        ("serviceQuotaExceededException", "ServiceQuotaExceededException", 400, FaultKind::Quota),
        ("ofTomorrowException", "OfTomorrowException", 500, FaultKind::Server),
    ] {
        let before = event("messageStart", &json!({"role": "assistant"}));
        let (frames, ended) = read(Framing::AwsEventStream, &[before, exception(name, "words")].concat());
        let fault = ended.unwrap_err();
        assert_eq!(frames.len(), 1);
        assert_eq!((fault.status, fault.kind, fault.message.as_str()), (status, kind, "words"), "{name}");
        assert_eq!(fault.vendor_type.as_deref(), Some(word));
    }
}

#[test]
fn what_errors_say() {
    let error = |headers: &[(&str, &str)], payload: &[u8]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, text(value))).collect();
        let fault = fails(&message(&headers, payload));
        (fault.status, fault.message)
    };
    let kind = (":message-type", "error");
    let all = [kind, (":error-code", "InternalError"), (":error-message", "it broke")];
    assert_eq!(error(&all, b""), (500, "it broke".into()));
    let known = [kind, (":error-code", "ThrottlingException"), (":error-message", "slow")];
    assert_eq!(error(&known, b""), (429, "slow".into()));
    assert_eq!(error(&[kind], b""), (500, "The provider failed while it was answering.".into()));
    let kind = [(":message-type", "exception"), (":exception-type", "modelStreamErrorException")];
    let original = br#"{"originalStatusCode":503,"originalMessage":"the model is gone"}"#;
    assert_eq!(error(&kind, original), (424, "the model is gone".into()));
    assert_eq!(error(&kind, br#"{"Message":"m"}"#), (424, "m".into()));
    let bare = "The provider failed while it was answering: modelStreamErrorException.";
    assert_eq!(error(&kind, b"<html>"), (424, bare.into()));
    let long = [(":message-type", "exception"), (":exception-type", "validationException")];
    let too_long = br#"{"message":"Input is too long for requested model."}"#;
    let headers: Vec<_> = long.iter().map(|(name, value)| (*name, text(value))).collect();
    assert_eq!(fails(&message(&headers, too_long)).kind, FaultKind::ContextLength);
}

#[test]
fn chunks_hold_the_events_of_the_models_vendor() {
    let events = [
        json!({"type": "message_start", "message": {"id": "m"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Zü\n"}}),
        json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 1}}),
    ];
    let mut bytes: Vec<u8> = events.iter().flat_map(chunk).collect();
    bytes.extend(event("of_tomorrow", &json!({})));
    let (frames, ended) = read(Framing::AwsChunks, &bytes);
    assert_eq!(ended, Ok(()));
    let expected = events
        .iter()
        .map(|event| (event["type"].as_str().unwrap().to_owned(), event.to_string().into_bytes()));
    assert_eq!(frames, expected.collect::<Vec<_>>());
    for at in 0..=bytes.len() {
        let (mut to_sse, mut out) = (ToSse::default(), Vec::new());
        to_sse.push(&bytes[..at], &mut out).unwrap();
        to_sse.push(&bytes[at..], &mut out).unwrap();
        to_sse.finish().unwrap();
        let sse = cut(Framing::Sse, [out.as_slice()]);
        assert_eq!(sse, (frames.clone(), Ok(())), "cut at {at}");
    }
}

#[test]
fn chunks_that_hold_none() {
    let fails = |bytes: &[u8]| read(Framing::AwsChunks, bytes).1.unwrap_err();
    assert!(fails(&event("chunk", &json!({"p": "x"}))).message.contains("no bytes"));
    assert!(fails(&event("chunk", &json!({"bytes": "%"}))).message.contains("base64"));
    assert!(fails(&message(&[(":event-type", text("chunk"))], b"{")).message.contains("a chunk is"));
    assert_eq!(fails(&exception("modelTimeoutException", "slow")).status, 408);
    let (mut to_sse, mut out) = (ToSse::default(), Vec::new());
    let bytes = [chunk(&json!({"type": "ping"})), exception("throttlingException", "m")].concat();
    assert_eq!(to_sse.push(&bytes, &mut out).unwrap_err().status, 429);
    assert_eq!(String::from_utf8(out).unwrap(), "event: ping\ndata: {\"type\":\"ping\"}\n\n");
    let (mut to_sse, mut out) = (ToSse::default(), Vec::new());
    to_sse.push(&bytes[..20], &mut out).unwrap();
    assert_eq!(to_sse.finish().unwrap_err().status, 502);
}

#[test]
fn parts_hold_pieces_of_a_stream_of_events() {
    let stream = "data: {\"a\":\"Zü\"}\n\ndata: 2\r\n\r\ndata: [DONE]\n\n";
    let expected = cut(Framing::Sse, [stream.as_bytes()]);
    // Cut anywhere, in the middle of a letter too.
    for size in 1..=stream.len() {
        let mut bytes: Vec<u8> = stream.as_bytes().chunks(size).flat_map(part).collect();
        bytes.extend(event("of_tomorrow", &json!({})));
        assert_eq!(read(Framing::AwsParts, &bytes), expected, "pieces of {size}");
        let (mut joined, mut out) = (Joined::default(), Vec::new());
        for piece in bytes.chunks(7) {
            joined.push(piece, &mut out).unwrap();
        }
        joined.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), stream);
    }
}

#[test]
fn failures_among_parts_come_behind_what_was_said() {
    let thrown = |kind: &str| {
        let bytes =
            [part(b"data: 1\n\ndata: 2\n\nda"), exception(kind, "it broke"), part(b"ta: 3\n\n")].concat();
        let (frames, ended) = read(Framing::AwsParts, &bytes);
        let data: Vec<_> = frames.into_iter().map(|(_, data)| data).collect();
        assert_eq!(data, [b"1", b"2"]);
        (ended.unwrap_err().status, bytes)
    };
    for (kind, status) in [("ModelStreamError", 424), ("InternalStreamFailure", 500)] {
        let (found, bytes) = thrown(kind);
        assert_eq!(found, status, "{kind}");
        let (mut joined, mut out) = (Joined::default(), Vec::new());
        assert_eq!(joined.push(&bytes, &mut out).unwrap_err().status, status, "{kind}");
        assert_eq!(out, b"data: 1\n\ndata: 2\n\nda");
    }
    let whole = part(b"data: 1\n\n");
    assert_eq!(read(Framing::AwsParts, &whole[..whole.len() - 1]).1.unwrap_err().status, 502);
    // A sign of life, and an event that ends without its blank line.
    let mut framer = Framer::new(Framing::AwsParts);
    framer.push(&part(b": here\n\ndata: 1\n"));
    assert_eq!(framer.next().unwrap(), None);
    assert!(framer.take_ping());
    assert_eq!(framer.finish().unwrap().unwrap().data, b"1");
}

fn header() -> impl Strategy<Value = (String, HeaderValue)> {
    let value = prop_oneof![
        any::<bool>().prop_map(HeaderValue::Bool),
        any::<i8>().prop_map(HeaderValue::Byte),
        any::<i16>().prop_map(HeaderValue::Short),
        any::<i32>().prop_map(HeaderValue::Integer),
        any::<i64>().prop_map(HeaderValue::Long),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(HeaderValue::Bytes),
        ".{0,20}".prop_map(HeaderValue::Text),
        any::<i64>().prop_map(HeaderValue::Timestamp),
        any::<[u8; 16]>().prop_map(HeaderValue::Uuid),
    ];
    ("[a-z]{0,20}", value)
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        messages in prop::collection::vec(
            (prop::collection::vec(header(), 0..6), "[a-zA-Z]{0,20}", prop::collection::vec(any::<u8>(), 0..60)), 0..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut bytes = Vec::new();
        for (headers, kind, payload) in &messages {
            let own = [(":event-type", text(kind)), (":message-type", text("event"))];
            let others = headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
            bytes.extend(message(&others.chain(own).collect::<Vec<_>>(), payload));
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        let expected = messages.into_iter().map(|(_, kind, payload)| (kind, payload)).collect::<Vec<_>>();
        prop_assert_eq!(cut(Framing::AwsEventStream, pieces), (expected, Ok(())));
    }

    #[test]
    fn a_byte_that_is_changed_is_seen(at: prop::sample::Index, flip in 1u8..) {
        let mut bytes = event("contentBlockDelta", &json!({"delta": {"text": "words"}, "contentBlockIndex": 0}));
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(cut(Framing::AwsEventStream, [bytes.as_slice()]).1.is_err());
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = cut(Framing::AwsEventStream, [bytes.as_slice()]);
        let _ = cut(Framing::AwsChunks, [bytes.as_slice()]);
        let _ = cut(Framing::AwsParts, [bytes.as_slice()]);
    }
}
