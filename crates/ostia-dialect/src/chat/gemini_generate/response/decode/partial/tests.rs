#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::PartialCall;
use crate::Content;
use crate::json::Document;

/// The arguments after these pieces of `partialArgs`.
fn check(pieces: &[&str], expected: &str) {
    let first = Document::parse(br#"{"name":"f","willContinue":true}"#).unwrap();
    let mut call = PartialCall::new(first.root(), None);
    for piece in pieces {
        let text = format!("{{\"partialArgs\":[{piece}]}}");
        call.take(Document::parse(text.as_bytes()).unwrap().root());
    }
    let Content::ToolCall { arguments, name, .. } = call.into_block().content else { panic!() };
    assert_eq!((name.as_str(), arguments.as_str()), ("f", expected));
}

#[test]
fn pieces_find_their_places() {
    check(&[], "{}");
    check(
        &[
            r#"{"jsonPath":"$.city","stringValue":"Ber","willContinue":true}"#,
            r#"{"jsonPath":"$.city","stringValue":"lin"}"#,
            r#"{"jsonPath":"$.days[0].low","numberValue":-1.5},{"jsonPath":"$.days[1].dry","boolValue":false}"#,
            r#"{"jsonPath":"$['a.b']","nullValue":"NULL_VALUE"}"#,
        ],
        r#"{"city":"Berlin","days":[{"low":-1.5},{"dry":false}],"a.b":null}"#,
    );
}

#[test]
fn halves_of_characters_meet_in_their_place() {
    check(
        &[
            r#"{"jsonPath":"$.a","stringValue":"x\ud83d","willContinue":true}"#,
            r#"{"jsonPath":"$.a","stringValue":"\ude00\ud83d"}"#,
            r#"{"jsonPath":"$.b","stringValue":"\ud83d"}"#,
        ],
        "{\"a\":\"x\u{1f600}\u{fffd}\",\"b\":\"\u{fffd}\"}",
    );
}

#[test]
fn pieces_without_a_place_are_passed_over() {
    let piece = |path: &str| format!("{{\"jsonPath\":\"{path}\",\"numberValue\":1}}");
    for path in
        ["", "$", "a", "$.", "$..a", "$[", "$[x]", "$['a", "$.a[4000000000]", "$[99999999999999999999]"]
    {
        let pieces = [piece(path), piece("$.b")];
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let expected = if path.starts_with("$.a[") { r#"{"a":[],"b":1}"# } else { r#"{"b":1}"# };
        check(&pieces, expected);
    }
    let deep = piece(&format!("${}", ".a".repeat(1000)));
    check(&[deep.as_str(), r#"{"jsonPath":"$.c"}"#], "{}");
}
