#![allow(clippy::unwrap_used)]
use super::{Path, Step, without};
use crate::json::{Document, Node};
use proptest::prelude::*;
use serde_json::Value;
use std::borrow::Cow;

fn cut(text: &str, paths: &[&str]) -> String {
    let paths: Vec<Path<'_>> = paths.iter().map(|path| Path::parse(path)).collect();
    without(text, &paths).unwrap().into_owned()
}

#[track_caller]
fn check(text: &str, paths: &[&str], expected: &str) {
    assert_eq!(cut(text, paths), expected, "{paths:?}");
}

#[test]
fn paths() {
    let text = r#"{"b":1,"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,2,3]}"#;
    check(text, &["b"], r#"{"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,2,3]}"#);
    check(text, &["a.b"], r#"{"b":1,"a":{},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,2,3]}"#);
    check(text, &["l[*].n"], r#"{"b":1,"a":{"b":2},"l":[{"m":2},{}],"tools":[1,2,3]}"#);
    check(text, &["tools[1]"], r#"{"b":1,"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,3]}"#);
    check(text, &["tools[0]", "tools[0]"], r#"{"b":1,"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[3]}"#);
    check(text, &["tools[*]"], r#"{"b":1,"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[]}"#);
    check(text, &["l[1].n", "l", "l[0]"], r#"{"b":1,"a":{"b":2},"tools":[1,2,3]}"#);
    check(text, &["b", "a", "l", "tools"], "{}");
    for nowhere in ["", "[", "nowhere.at[7].all", "tools[3]", "tools[-1]", "tools.a", "a[0]", "b.c", "l[x]"] {
        check(text, &[nowhere], text);
    }
    check("[1,[2,3]]", &["[1][0]"], "[1,[3]]");
    check("[1]", &["a"], "[1]");
}

#[test]
fn every_other_byte_stays() {
    let text = " {\n  \"seed\": 12345678901234567890123 ,\n\t\"t\" : 1.0,  \"e\": 1E+2 ,\"u\":\"\\u00e9\\/\", \"user\" : \"x\" }\r\n";
    check(
        text,
        &["user"],
        " {\n  \"seed\": 12345678901234567890123 ,\n\t\"t\" : 1.0,  \"e\": 1E+2 ,\"u\":\"\\u00e9\\/\" }\r\n",
    );
    check(text, &["seed"], " {\n  \"t\" : 1.0,  \"e\": 1E+2 ,\"u\":\"\\u00e9\\/\", \"user\" : \"x\" }\r\n");
    check(
        text,
        &["t", "e"],
        " {\n  \"seed\": 12345678901234567890123 ,\"u\":\"\\u00e9\\/\", \"user\" : \"x\" }\r\n",
    );
    check("{ \"a\" : 1 }", &["a"], "{  }");
    assert!(matches!(without(text, &[Path::parse("nothing")]), Ok(Cow::Borrowed(_))));
}

#[test]
fn names_that_are_there_twice_or_escaped() {
    check(r#"{"a":1,"b":2,"a":3}"#, &["a"], r#"{"b":2}"#);
    check(r#"{"a":{"x":1},"a":{"x":2,"y":3}}"#, &["a.x"], r#"{"a":{},"a":{"y":3}}"#);
    check(r#"{"\u0061":1,"b":2}"#, &["a"], r#"{"b":2}"#);
    check(r#"{"\ud800":1,"b":2}"#, &["b"], r#"{"\ud800":1}"#);
}

#[test]
fn what_is_deep_or_no_json() {
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    let path = "[0]".repeat(126);
    assert_eq!(cut(&deep, &[&path]).len(), deep.len() - 2);
    let long = "[*]".repeat(100_000);
    assert_eq!(cut(&deep, &[&long]), deep);
    assert!(without("{", &[Path::parse("a")]).is_err());
}

/// The same by way of values, one path after the other.
fn remove(value: &mut Value, steps: &[Step<'_>]) {
    let Some((step, rest)) = steps.split_first() else { return };
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) if rest.is_empty() => drop(fields.remove(*name)),
        (Step::Field(name), Value::Object(fields)) => {
            fields.get_mut(*name).into_iter().for_each(|inner| remove(inner, rest));
        }
        (Step::Item(index), Value::Array(items)) if rest.is_empty() => {
            if *index < items.len() {
                items.remove(*index);
            }
        }
        (Step::Item(index), Value::Array(items)) => {
            items.get_mut(*index).into_iter().for_each(|inner| remove(inner, rest));
        }
        (Step::Every, Value::Array(items)) if rest.is_empty() => items.clear(),
        (Step::Every, Value::Array(items)) => items.iter_mut().for_each(|inner| remove(inner, rest)),
        (Step::Field(_) | Step::Item(_) | Step::Every, _) => {}
    }
}

/// JSON texts with few names, so that paths lead somewhere and names come twice, and with white space anywhere.
#[test]
fn values_are_found() {
    let text = r#"{"a": [{"b": 1}, {"b": [2, 3]}, 4], "c": {"b": 5}, "a\u0062": 6, "d": 7, "d": 8}"#;
    let check = |path: &str, expected: &[&str]| {
        let path = Path::parse(path);
        let document = Document::parse_to(text.as_bytes(), path.depth()).unwrap();
        let found: Vec<&str> = path.find(document.root()).iter().map(Node::text).collect();
        assert_eq!(found, expected, "{path:?}");
    };
    check("a[*].b", &["1", "[2, 3]"]);
    check("a[1].b[0]", &["2"]);
    check("c.b", &["5"]);
    check("ab", &["6"]);
    check("d", &["7", "8"]);
    check("c[*]", &[]);
    check("a.b", &[]);
    check("", &[text]);
}

fn texts() -> impl Strategy<Value = String> {
    let space = || prop::sample::select(vec!["", "", " ", "\n\t"]);
    let leaf = prop::sample::select(vec!["1.0", "-0", "1E5", "null", "true", "\"a,b]}\"", "\"\\\"\\u0061\""]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 64, 5, move |inner| {
        let name = prop::sample::select(vec!["a", "b", "c", "\\u0061"]);
        let field = (space(), name, space(), inner.clone(), space()).prop_map(
            |(before, name, middle, value, after)| format!("{before}\"{name}\":{middle}{value}{after}"),
        );
        let item =
            (space(), inner, space()).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        prop_oneof![
            prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(","))),
            prop::collection::vec(item, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
}

fn some_paths() -> impl Strategy<Value = Vec<String>> {
    let step = prop::sample::select(vec![".a", ".b", ".c", "[0]", "[1]", "[*]"]);
    let path = prop::collection::vec(step, 1..4).prop_map(|steps| steps.concat());
    prop::collection::vec(path, 0..5)
}

/// Is `part` left when bytes of `whole` are taken out?
fn is_left_of(part: &str, whole: &str) -> bool {
    let mut rest = whole.bytes();
    part.bytes().all(|byte| rest.any(|other| other == byte))
}

proptest! {
    #[test]
    fn the_same_values_are_left_as_by_way_of_values(text in texts(), paths in some_paths()) {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        paths.iter().for_each(|path| remove(&mut expected, &Path::parse(path).0));
        let rest = cut(&text, &paths);
        prop_assert_eq!(serde_json::from_str::<Value>(&rest).unwrap(), expected, "{} without {:?}: {}", text, paths, rest);
        prop_assert!(is_left_of(&rest, &text), "{} without {:?}: {}", text, paths, rest);
    }
}
