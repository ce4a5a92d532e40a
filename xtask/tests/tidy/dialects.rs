//! Every dialect of conversations is cut alike, and what it shares with other operations knows nothing of conversations.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::{files, is_test, none, root};

const CRATE: &str = "crates/ostia-dialect/src";

/// What every dialect has: upstreams speak it.
const UPSTREAM: [&str; 8] = [
    "error.rs",
    "request.rs",
    "request/encode.rs",
    "response.rs",
    "response/decode.rs",
    "stream.rs",
    "stream/decode.rs",
    "usage.rs",
];
/// What it has besides where clients speak it.
const CLIENT: [&str; 3] = ["request/decode.rs", "response/encode.rs", "stream/encode.rs"];
/// What both requests and answers are made of, in the vendor's own word. Nothing else stands beside the files above.
const NEIGHBOURS: [&str; 3] = ["block", "item", "part"];
/// What each of these files gives, under one name in all dialects.
const GIVES: [(&str, &str); 6] = [
    ("request/decode.rs", "pub fn decode("),
    ("request/encode.rs", "pub fn encode("),
    ("response/decode.rs", "pub fn decode("),
    ("response/encode.rs", "pub fn encode("),
    ("stream/decode.rs", "pub struct Decoder "),
    ("stream/encode.rs", "pub struct Encoder "),
];

/// The names in the table of an enum: `Name::Variant => "name"`.
fn names(file: &str, variant: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(CRATE).join(file)).unwrap();
    let arms = text.lines().filter_map(|line| line.trim().strip_prefix(variant)?.split_once(" => "));
    let quoted = |value: &str| value.strip_prefix('"')?.strip_suffix("\",").map(str::to_owned);
    arms.filter_map(|(_, value)| quoted(value)).collect()
}

#[test]
fn every_dialect_is_cut_alike() {
    let dialects = names("chat/dialect.rs", "Dialect::");
    assert!(dialects.len() >= 5 && dialects.contains("cohere_chat"), "{dialects:?}");
    let mut problems = Vec::new();
    for dialect in &dialects {
        let folder = format!("{CRATE}/chat/{dialect}/");
        let files = files(folder.trim_end_matches('/'), ".rs");
        let there: BTreeSet<&str> = files.iter().map(|(path, _)| &path[folder.len()..]).collect();
        let is_client = CLIENT.iter().any(|file| there.contains(file));
        let needed = UPSTREAM.iter().chain(CLIENT.iter().filter(|_| is_client));
        let missing = needed.filter(|file| !there.contains(*file));
        problems.extend(missing.map(|file| format!("{folder}{file} is missing")));
        for file in &there {
            let first = file.split('/').next().unwrap().trim_end_matches(".rs");
            let is_known = UPSTREAM.iter().any(|known| known.trim_end_matches(".rs") == first);
            if !is_known && !NEIGHBOURS.contains(&first) {
                problems.push(format!("{folder}{file}: put it below the one of the others that uses it"));
            }
        }
        for (file, item) in GIVES {
            let text = files.iter().find(|(path, _)| path[folder.len()..] == *file).map(|(_, text)| text);
            if text.is_some_and(|text| !text.contains(item)) {
                problems.push(format!("{folder}{file} has no `{item}`"));
            }
        }
    }
    none(&problems);
}

/// The places of code that names what is below `chat/`, by its path or by its short name at the top of the crate.
fn uses_of_chat(code: &str, short: &BTreeSet<&str>) -> Vec<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut lines = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(inside) => inside.split('}').next().unwrap_or_default(),
            None => &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())],
        };
        if list.split(|c| !is_name(c)).any(|name| name == "chat" || short.contains(name)) {
            lines.push(code[..at].matches('\n').count() + 1);
        }
    }
    lines
}

/// The names that the crate's top takes from `chat/`.
fn short_names(lib: &str) -> BTreeSet<&str> {
    let lists = lib.split("pub use chat::{").skip(1).filter_map(|rest| rest.split('}').next());
    lists.flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect()
}

#[test]
fn what_conversations_lean_on_does_not_lean_on_them() {
    let lib = std::fs::read_to_string(root().join(CRATE).join("lib.rs")).unwrap();
    let short = short_names(&lib);
    assert!(short.contains("Dialect") && !short.contains("Fault"), "{short:?}");
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, text) in files(CRATE, ".rs") {
        let module = path[CRATE.len() + 1..].split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if ["fault", "frame", "json", "media", "relay"].contains(&module.as_str()) && !is_test(&path) {
            let uses = uses_of_chat(&Source::of(&text).code, &short);
            problems.extend(uses.into_iter().map(|line| format!("{path}:{line} uses what is below chat/")));
            seen.insert(module);
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    none(&problems);
}

#[test]
fn uses_of_conversations_are_found() {
    let short = BTreeSet::from(["Event"]);
    for (code, found) in [
        ("use crate::{\n    Event,\n    Fault};", true),
        ("\n\nfn f(x: crate::Event) {}", true),
        ("use crate::chat::rules;", true),
        ("use crate::json::Json;\nuse crate::{Eventual, Fault};", false),
    ] {
        assert_eq!(!uses_of_chat(code, &short).is_empty(), found, "{code}");
    }
}
