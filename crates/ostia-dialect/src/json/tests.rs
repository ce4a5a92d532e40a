#![allow(clippy::unwrap_used)]

use super::{DEPTH_MAX, Document, Json, Kind, Writer};
use proptest::prelude::*;

fn check_valid(text: &str) {
    let document = Document::parse(text.as_bytes()).unwrap();
    assert_eq!(document.root().text(), text.trim(), "{text}");
}

fn check_invalid(text: &[u8], at: usize) {
    let fault = Document::parse(text).unwrap_err();
    assert_eq!(fault.at, at, "{}: {fault}", String::from_utf8_lossy(text));
}

#[test]
fn the_grammar() {
    for text in
        ["0", "-0", "1.5e+10", "\"\"", "[]", "{}", " [1, {\"a\": [true, false, null]}] ", "\"\\u00e4\\n\""]
    {
        check_valid(text);
    }
    for (text, at) in [
        ("", 0),
        ("01", 1),
        ("1.", 2),
        ("+1", 0),
        ("[1,]", 3),
        ("{\"a\":1,}", 7),
        ("{a:1}", 1),
        ("{\"a\" 1}", 5),
        ("\"a", 2),
        ("\"\n\"", 1),
        ("\"\\x\"", 1),
        ("\"\\u12g4\"", 1),
        ("tru", 0),
        ("[] []", 3),
        ("nul", 0),
    ] {
        check_invalid(text.as_bytes(), at);
    }
    check_invalid(b"\"\xff\"", 1);
}

/// The scan looks at blocks of 64 bytes: what it finds must not depend on where they end.
#[test]
fn strings_at_every_distance_from_the_end_of_a_block() {
    for before in 0..=130 {
        let padded = |text: &str| format!("\"{}{text}", "a".repeat(before));
        for text in ["\"", "\\\\\"", "\\\"\"", "\\u00e4\\n\"", "ä€🦀\"", "\" \n"] {
            check_valid(&padded(text));
        }
        for (text, at) in
            [("", 0), ("\n\"", 0), ("\\\"", 2), ("\\x\"", 0), ("\\u00e\"", 0), ("\"\\", 1), ("\\", 0)]
        {
            check_invalid(padded(text).as_bytes(), 1 + before + at);
        }
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    check_valid(&nested(DEPTH_MAX));
    check_invalid(nested(DEPTH_MAX + 1).as_bytes(), DEPTH_MAX);
}

#[test]
fn navigation_and_paths() {
    let text = br#"{"model": "m", "messages": [{"role": "user"}, {"content": [{"type": "te\u0078t", "n": 3}]}], "model": "last"}"#;
    let document = Document::parse(text).unwrap();
    let root = document.root();
    assert_eq!(root.str("model").unwrap(), "last");
    let part =
        root.get("messages").unwrap().items().nth(1).unwrap().get("content").unwrap().items().next().unwrap();
    assert_eq!(part.str("type").unwrap(), "text");
    assert_eq!(part.get("type").unwrap().path(), "messages[1].content[0].type");
    assert_eq!(part.get("n").unwrap().expect_str().unwrap_err().param.unwrap(), "messages[1].content[0].n");
    assert_eq!(
        part.expect("id").unwrap_err().message,
        "Missing `messages[1].content[0].id`: this field is required"
    );
    assert_eq!(root.get("messages").unwrap().items().count(), 2);
    assert_eq!(root.fields().count(), 3);
    assert_eq!(root.items().count(), 0);
}

#[test]
fn shallow_scans_record_only_what_was_asked_for() {
    let document = Document::parse_to(br#"{"a": {"b": [1, 2]}, "c": 1}"#, 1).unwrap();
    let a = document.root().get("a").unwrap();
    assert_eq!((a.kind(), a.text(), a.fields().count()), (Kind::Object, r#"{"b": [1, 2]}"#, 0));
    assert_eq!((document.root().u64("c"), document.nodes()), (Some(1), 5));
}

#[test]
fn strings() {
    for (text, value) in [
        (r#""plain""#, "plain"),
        (r#""\" \\ \/ \b\f\n\r\t""#, "\" \\ / \u{8}\u{c}\n\r\t"),
        (r#""\ud83e\udd80 \u00e4""#, "🦀 ä"),
        (r#""\ud83e lone \udd80""#, "\u{fffd} lone \u{fffd}"),
        (r#""\ud83e\u0041""#, "\u{fffd}A"),
    ] {
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(document.root().as_str().unwrap(), value);
    }
}

#[test]
fn numbers() {
    for (text, whole) in [("3", Some(3)), ("3.0", Some(3)), ("3.5", None), ("-3", None), ("1e3", Some(1000))]
    {
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(document.root().as_u64(), whole, "{text}");
    }
}

#[test]
fn writing() {
    let json = Json::build(|w| {
        w.object(|w| {
            w.field_str("a\"", "ä\n{");
            w.field_array("b", |w| {
                w.u64(1);
                w.raw("2.50");
                w.object(|_| {});
                w.null();
            });
            w.field_bool("c", true);
        });
    });
    assert_eq!(json.as_str(), r#"{"a\"":"ä\n{","b":[1,2.50,{},null],"c":true}"#);
    let mut empty = Writer::default();
    empty.array(|_| {});
    assert_eq!(empty.into_bytes(), b"[]");
}

/// Any JSON value, not too deep.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        ".*".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
            prop::collection::vec((".{0,40}", inner), 0..8)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// What navigation finds, as a tree.
fn tree(node: super::Node<'_>) -> serde_json::Value {
    match node.kind() {
        Kind::String => node.as_str().unwrap().into(),
        Kind::Array => node.items().map(tree).collect(),
        Kind::Object => {
            serde_json::Value::Object(node.fields().map(|(k, v)| (k.into_owned(), tree(v))).collect())
        }
        Kind::Null | Kind::Bool | Kind::Number => serde_json::from_str(node.text()).unwrap(),
    }
}

proptest! {
    #[test]
    fn every_value_comes_out_as_it_went_in(value in value()) {
        for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let document = Document::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(tree(document.root()), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        }
    }

    #[test]
    fn a_scan_accepts_what_serde_json_accepts(text in prop::collection::vec(
        prop::sample::select(b"{}[]\":,\\utrefalsn0123.-+ \n\xc3\xa4\x01eE".to_vec()), 0..24)) {
        let ours = Document::parse(&text).is_ok();
        let theirs = serde_json::from_slice::<serde_json::Value>(&text);
        let surrogate = matches!(&theirs, Err(fault) if fault.to_string().contains("surrogate"));
        let range = matches!(&theirs, Err(fault) if fault.to_string().contains("out of range"));
        prop_assert!(ours == theirs.is_ok() || surrogate || range, "{:?}", theirs);
    }
}
