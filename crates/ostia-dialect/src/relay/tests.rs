#![allow(clippy::unwrap_used)]

use super::{Splice, peek};
use crate::json::Document;
use crate::test_support::raw;

fn edit(text: &str, change: impl FnOnce(&mut Splice<'_>)) -> String {
    let document = Document::parse_to(text.as_bytes(), 1).unwrap();
    let mut splice = Splice::new(&document).unwrap();
    change(&mut splice);
    String::from_utf8(splice.finish()).unwrap()
}

#[test]
fn edits_leave_other_bytes_alone() {
    let text = "{ \"model\" : \"a\",\n \"x\":[1, 2] , \"y\" : null }";
    assert_eq!(edit(text, |_| {}), text);
    assert_eq!(edit(text, |s| s.set("model", raw("\"b\""))), text.replace("\"a\"", "\"b\""));
    assert_eq!(
        edit(text, |s| s.set("z", raw("1"))),
        "{ \"model\" : \"a\",\n \"x\":[1, 2] , \"y\" : null,\"z\":1 }"
    );
    assert_eq!(edit(text, |s| s.remove("model")), "{ \"x\":[1, 2] , \"y\" : null }");
    assert_eq!(edit(text, |s| s.remove("x")), "{ \"model\" : \"a\",\"y\" : null }");
    assert_eq!(edit(text, |s| s.remove("y")), "{ \"model\" : \"a\",\n \"x\":[1, 2] }");
    assert_eq!(edit(text, |s| ["model", "x", "y"].iter().for_each(|name| s.remove(name))), "{  }");
    assert_eq!(edit(text, |s| s.rename("x", "w")), text.replace("\"x\"", "\"w\""));
    assert_eq!(edit("{}", |s| s.set("a", raw("1"))), "{\"a\":1}");
    assert_eq!(edit(" {} ", |s| s.set("a", raw("1"))), " {\"a\":1} ");
    assert_eq!(edit(r#"{"a":1,"a":2}"#, |s| s.set("a", raw("3"))), r#"{"a":3,"a":3}"#);
}

#[test]
fn peeking() {
    let document = Document::parse_to(br#"{"messages":[{}],"model":"m","stream":true}"#, 1).unwrap();
    let seen = peek(&document).unwrap();
    assert_eq!((seen.model.as_deref(), seen.stream), (Some("m"), true));
    for (text, param) in [(r#"{"model":3}"#, "model"), (r#"{"stream":"yes"}"#, "stream")] {
        let document = Document::parse_to(text.as_bytes(), 1).unwrap();
        assert_eq!(peek(&document).unwrap_err().param.as_deref(), Some(param));
    }
    assert!(peek(&Document::parse_to(b"[]", 1).unwrap()).is_err());
}
