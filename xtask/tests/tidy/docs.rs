//! The documentation names what there is: every field of the configuration, every header, every error code, every metric, every page.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::{files, is_test, none, root};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The texts in a source file, between two words where they are given, that are plain names.
fn names(path: &str, from: &str, to: &str, is_name: fn(char) -> bool) -> BTreeSet<String> {
    let text = read(path);
    let (_, part) = text.split_once(from).unwrap_or_else(|| panic!("{path} has no {from}: has it moved?"));
    let part = part.split(to).next().unwrap_or_default();
    let texts = Source::of(part).texts.into_iter().map(|(_, text)| text);
    texts.filter(|text| !text.is_empty() && text.chars().all(is_name)).collect()
}

fn missing(page: &str, names: &BTreeSet<String>) -> Vec<String> {
    assert!(names.len() > 3, "found only {names:?}: has the code moved?");
    let text = read(page);
    let words: BTreeSet<&str> =
        text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).collect();
    names
        .iter()
        .filter(|name| !words.contains(name.as_str()))
        .map(|name| format!("{page}: says nothing of {name}"))
        .collect()
}

#[test]
fn every_field_of_the_configuration() {
    let snake = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut fields = names("crates/ostia-config/src/shape/file.rs", "static FIELDS", "\u{0}", snake);
    fields.extend(names("crates/ostia-config/src/shape/provider.rs", "static FIELDS", "\u{0}", snake));
    fields.extend(names("crates/ostia-config/src/problem.rs", "pub fn as_str", "/// What follows", snake));
    none(&missing("docs/configuration.md", &fields));
}

#[test]
fn every_field_of_a_routing_config() {
    let snake = |c: char| c.is_ascii_lowercase() || c == '_';
    let folder = "crates/ostia-routing/src";
    let mut fields = names(&format!("{folder}/config/node.rs"), "const FIELDS", ";\n", snake);
    fields.extend(names(
        &format!("{folder}/config/strategy.rs"),
        "const STRATEGY_FIELDS",
        "/// Reads",
        snake,
    ));
    fields.extend(names(&format!("{folder}/config/settings.rs"), "const RETRY_FIELDS", "/// Reads", snake));
    fields.extend(names(&format!("{folder}/config/schema.rs"), "impl Mode", "/// Something", snake));
    fields.extend(names(&format!("{folder}/outcome.rs"), "impl Class", "\u{0}", snake));
    none(&missing("docs/routing.md", &fields));
}

#[test]
fn every_request_header() {
    let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
    let headers = names("crates/ostia/src/inbound/gateway_headers.rs", "match setting {", "_ => {}", kebab);
    none(&missing("docs/headers.md", &headers));
    let forwarded = names("crates/ostia/src/inbound/gateway_headers.rs", "const FORWARDED", ";\n", kebab);
    none(&missing("docs/headers.md", &forwarded));
}

#[test]
fn every_response_header() {
    let text = read("crates/ostia/src/record/headers.rs");
    let texts = Source::of(&text).texts.into_iter();
    let headers = texts.filter_map(|(_, text)| text.strip_prefix("x-ostia-").map(str::to_owned)).collect();
    none(&missing("docs/headers.md", &headers));
}

#[test]
fn every_error_code() {
    let mut codes = BTreeSet::new();
    for (path, text) in files("crates/ostia/src", ".rs") {
        if !is_test(&path) {
            let calls = text.split(".with_code(\"").skip(1);
            codes.extend(calls.filter_map(|call| call.split('"').next()).map(str::to_owned));
        }
    }
    none(&missing("docs/errors.md", &codes));
}

#[test]
fn every_metric() {
    let snake = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut metrics = names("crates/ostia-store/src/metrics.rs", "Registry", "#[cfg(test)]", snake);
    metrics.extend(names("crates/ostia-store/src/metrics/gauges.rs", "Registry", "#[cfg(test)]", snake));
    metrics.retain(|name| name.len() > "ostia_".len() && name.starts_with("ostia_"));
    assert!(metrics.len() > 12, "found only {metrics:?}: has the code moved?");
    // Counters end so where they are read.
    let page = read("docs/telemetry.md");
    let missing = metrics.iter().filter(|name| {
        let spelt = [format!("`{name}`"), format!("`{name}_total`")];
        !spelt.iter().any(|name| page.contains(name))
    });
    none(&missing.map(|name| format!("docs/telemetry.md: says nothing of {name}")).collect::<Vec<_>>());
}

#[test]
fn every_page_stands_in_the_list_of_the_readme() {
    let text = read("README.md");
    let (_, list) = text.split_once("## Documentation").expect("the list has moved");
    let pages: Vec<String> = files("docs", ".md").into_iter().map(|(path, _)| path).collect();
    assert!(pages.len() > 20, "found only {pages:?}");
    // Those of a folder that has a page of its own stand there.
    let is_listed = |page: &String| {
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        [page.clone(), format!("{folder}/README.md")].iter().any(|path| list.contains(&format!("({path})")))
    };
    let missing = pages.iter().filter(|page| !is_listed(page));
    none(&missing.map(|page| format!("README.md: does not list {page}")).collect::<Vec<_>>());
}

/// Each promise in SECURITY.md names the tests that hold it: `module::name`, below the integration tests.
#[test]
fn every_promise_of_safety_names_tests_that_there_are() {
    let text = read("SECURITY.md");
    let (_, table) = text.split_once("## What holds it").expect("the table has moved");
    let tests = files("crates/ostia/tests/it", ".rs");
    let is_there = |name: &str| {
        let (module, test) = name.rsplit_once("::").unwrap();
        let file = format!("crates/ostia/tests/it/{}.rs", module.replace("::", "/"));
        tests.iter().any(|(path, text)| *path == file && text.contains(&format!("#[test]\nfn {test}()")))
    };
    let named: Vec<&str> = table.split('`').filter(|word| word.contains("::")).collect();
    assert!(named.len() > 20, "found only {named:?}");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise"));
    let bare = rows.filter(|row| !row.contains("::")).map(|row| format!("SECURITY.md: names no test: {row}"));
    let gone = named.iter().filter(|name| !is_there(name));
    let gone = gone.map(|name| format!("SECURITY.md: there is no test {name}"));
    none(&bare.chain(gone).collect::<Vec<_>>());
}
