#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::Value;

use super::{FRAME_BYTES_MAX, Framer, Framing};
use crate::json::DEPTH_MAX;

const ALL: [Framing; 3] = [Framing::Sse, Framing::JsonArray, Framing::JsonLines];

/// The frames of a stream in these pieces, whether something has said that the sender is there, and why it failed.
#[derive(Debug, PartialEq)]
struct Cut {
    frames: Vec<String>,
    pinged: bool,
    fault: Option<String>,
}

fn cut<'b>(framing: Framing, pieces: impl IntoIterator<Item = &'b [u8]>) -> Cut {
    let mut framer = Framer::new(framing);
    let mut cut = Cut { frames: Vec::new(), pinged: false, fault: None };
    for piece in pieces {
        framer.push(piece);
        while cut.fault.is_none() {
            match framer.next() {
                Ok(Some(frame)) => cut.frames.push(String::from_utf8_lossy(frame.data).into_owned()),
                Ok(None) => break,
                Err(fault) => cut.fault = Some(fault.message),
            }
        }
        cut.pinged |= cut.fault.is_none() && framer.take_ping();
    }
    if cut.fault.is_none() {
        match framer.finish() {
            Ok(last) => {
                cut.frames.extend(last.map(|frame| String::from_utf8_lossy(frame.data).into_owned()));
            }
            Err(fault) => cut.fault = Some(fault.message),
        }
    }
    cut
}

/// These frames for the bytes in one piece, in any two, and byte by byte, and then this fault.
#[track_caller]
fn check(framing: Framing, text: &str, expected: &[&str], fault: Option<&str>) {
    let bytes = text.as_bytes();
    let whole = cut(framing, [bytes]);
    assert_eq!(whole.frames, expected, "{text:?}");
    let is_told = match (&whole.fault, fault) {
        (Some(whole), Some(fault)) => whole.contains(fault),
        (whole, fault) => whole.as_deref() == fault,
    };
    assert!(is_told, "{text:?}: {:?} is not {fault:?}", whole.fault);
    for at in 0..=bytes.len() {
        assert_eq!(cut(framing, [&bytes[..at], &bytes[at..]]), whole, "{text:?} cut at {at}");
    }
    assert_eq!(cut(framing, bytes.chunks(1)), whole, "{text:?} byte by byte");
}

#[test]
fn elements_of_an_array() {
    let check = |text: &str, expected: &[&str]| check(Framing::JsonArray, text, expected, None);
    check("[]", &[]);
    check(" \r\n[ \t]\n", &[]);
    check(r#"[{"a":1},{"b":[2]}]"#, &[r#"{"a":1}"#, r#"{"b":[2]}"#]);
    check("[{\n  \"a\": 1\n}\n,\r\n{}\n]\n", &["{\n  \"a\": 1\n}", "{}"]);
    // Brackets, quotes and commas in texts are none.
    check(r#"[{"a":"]}[{,"},{"a\"}]":"\\"}]"#, &[r#"{"a":"]}[{,"}"#, r#"{"a\"}]":"\\"}"#]);
    check(r#"[{"a":"\\\"]"}]"#, &[r#"{"a":"\\\"]"}"#]);
    check(r#"["ä🦀\u0022,", "b" ]"#, &[r#""ä🦀\u0022,""#, r#""b""#]);
    check("[[],[[1,2],[]],{}]", &["[]", "[[1,2],[]]", "{}"]);
    check("[1,-2.5e3 , true,null\n]", &["1", "-2.5e3", "true", "null"]);
}

#[test]
fn what_is_not_one_array() {
    let check =
        |text: &str, expected: &[&str], fault: &str| check(Framing::JsonArray, text, expected, Some(fault));
    check(r#"{"error":{"code":500}}"#, &[], "not one JSON array: it does not begin with `[`");
    check("data: {}\n\n", &[], "it does not begin with `[`");
    check("<html>", &[], "it does not begin with `[`");
    check("[{} {}]", &["{}"], "behind an element stands neither");
    check("[{}}", &["{}"], "behind an element stands neither");
    check("[,{}]", &[], "something stands in it that is no value");
    check("[{},]", &["{}"], "something stands in it that is no value");
    check("[{},:1]", &["{}"], "something stands in it that is no value");
    check("[{}] []", &["{}"], "something stands behind its end");
    for begun in ["", " ", "[", "[{}", "[{},", "[{},{", "[{},{\"a", "[{},\"a\\"] {
        let whole = &["{}"][..usize::from(begun.len() > 2)];
        check(begun, whole, "it ended before it was closed");
    }
    let deep = "[".repeat(DEPTH_MAX);
    let closed = "]".repeat(DEPTH_MAX);
    self::check(Framing::JsonArray, &format!("[{deep}{closed}]"), &[&format!("{deep}{closed}")], None);
    check(&format!("[{deep}[{closed}]]"), &[], "deeper than 128 levels");
}

#[test]
fn lines() {
    let check = |text: &str, expected: &[&str]| check(Framing::JsonLines, text, expected, None);
    check("", &[]);
    check("{\"a\":1}\n{\"b\":\"\\n\"}\n", &["{\"a\":1}", "{\"b\":\"\\n\"}"]);
    check("{}\r\n {} \r\n", &["{}", "{}"]);
    check("{}\n\n\r\n{}", &["{}", "{}"]);
    check("{}\n{\"half", &["{}", "{\"half"]);
    check("ä🦀\n1", &["ä🦀", "1"]);
}

#[test]
fn what_says_only_that_the_sender_is_there() {
    for (framing, text, expected) in [
        (Framing::Sse, "data: 1\n\n", false),
        (Framing::Sse, ": alive\n\n", true),
        (Framing::JsonLines, "{}\n", false),
        (Framing::JsonLines, "{}\n\n", true),
        (Framing::JsonLines, " \r\n", true),
        (Framing::JsonArray, "[{}, \r\n {}]", false),
    ] {
        assert_eq!(cut(framing, [text.as_bytes()]).pinged, expected, "{framing:?} {text:?}");
        assert_eq!(cut(framing, text.as_bytes().chunks(1)).pinged, expected, "{framing:?} {text:?}");
    }
}

#[test]
fn no_frame_grows_without_bound() {
    let piece = vec![b'x'; 1 << 20];
    for (framing, begin) in [
        (Framing::Sse, &b"data: "[..]),
        (Framing::JsonArray, b"[{\"a\":\""),
        (Framing::JsonArray, b"[ 1"),
        (Framing::JsonLines, b""),
    ] {
        let mut framer = Framer::new(framing);
        framer.push(begin);
        let mut pieces = 0;
        let refused = loop {
            framer.push(&piece);
            pieces += 1;
            if let Err(fault) = framer.next() {
                break fault;
            }
        };
        assert!(refused.message.contains("more than"), "{framing:?}: {}", refused.message);
        assert_eq!(pieces, (FRAME_BYTES_MAX >> 20) + usize::from(framing == Framing::JsonLines));
        assert!(framer.next().is_err(), "{framing:?}: it stays refused");
    }
}

#[test]
fn a_frame_that_comes_at_once_has_the_same_bound() {
    let long = "x".repeat(FRAME_BYTES_MAX);
    for (framing, text) in [
        (Framing::Sse, format!("data: {long}\n\n")),
        (Framing::JsonArray, format!("[\"{long}\"]")),
        (Framing::JsonLines, format!("\"{long}\"\n")),
        (Framing::JsonLines, format!("\"{long}\"")),
    ] {
        let cut = cut(framing, [text.as_bytes()]);
        assert!(cut.fault.is_some() && cut.frames.is_empty(), "{framing:?}");
    }
}

/// Any JSON value, not deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a\"\\\\\\[\\]{},\n\u{e4}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a\"}\\\\]{0,3}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The pieces of `bytes` between these places.
fn pieces<'b>(bytes: &'b [u8], cuts: &[prop::sample::Index]) -> Vec<&'b [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn every_value_is_found_whole(
        values in prop::collection::vec(value(), 0..6),
        is_pretty in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let array = Value::from(values.clone());
        let text = if is_pretty { format!("{array:#}") } else { array.to_string() };
        let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
        for (framing, text) in [(Framing::JsonArray, text), (Framing::JsonLines, lines)] {
            let cut = cut(framing, pieces(text.as_bytes(), &cuts));
            let found: Vec<Value> = cut.frames.iter().map(|frame| serde_json::from_str(frame).unwrap()).collect();
            prop_assert_eq!(&found, &values);
            prop_assert_eq!(cut.fault, None);
        }
    }

    #[test]
    fn every_split_gives_the_same_frames(
        bytes in prop::collection::vec(prop::sample::select(b"[[]]{}{}\"\"\\,,,1n \r\n\ndata: \xc3\xa4".to_vec()), 0..80),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        // What does not begin so is no array.
        let bytes = [b"[", bytes.as_slice()].concat();
        for framing in ALL {
            let whole = cut(framing, [bytes.as_slice()]);
            prop_assert_eq!(cut(framing, pieces(&bytes, &cuts)), cut(framing, bytes.chunks(1)));
            prop_assert_eq!(cut(framing, pieces(&bytes, &cuts)), whole);
        }
    }
}
