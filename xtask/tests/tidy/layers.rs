//! The gateway's own crate is cut into folders that know one another in one direction only.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::{files, none};

/// What stands at the top of the crate, from what knows nobody to what knows all. Each may use what stands before it.
const LAYERS: [&str; 36] = [
    "clock",
    "systemd",
    "terminal",
    "timer",
    "tokens",
    "gauge",
    "client",
    "log",
    "upstream",
    "config",
    "message",
    "errors",
    "owner",
    "credentials",
    "record",
    "websocket",
    "stream",
    "responses_api",
    "batches",
    "meters",
    "core",
    "fetch",
    "store",
    "telemetry",
    "inbound",
    "target",
    "exchange",
    "routing",
    "provider_batches",
    "endpoints",
    "handler",
    "server",
    "runner",
    "reload",
    "cli",
    "main",
];

#[test]
fn each_has_its_place_in_the_architecture() {
    let page = std::fs::read_to_string(crate::root().join("ARCHITECTURE.md")).unwrap();
    let is_told = |name: &&str| {
        let begins = [format!("`{name}/`"), format!("`{name}.rs`")];
        page.lines()
            .filter(|line| line.starts_with("| `"))
            .any(|line| begins.iter().any(|own| line.contains(own)))
    };
    let untold: Vec<_> = LAYERS.iter().filter(|name| !is_told(name)).collect();
    assert!(untold.is_empty(), "ARCHITECTURE.md says nothing of {untold:?}");
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == name)
}

/// The names that follow `crate::` in a line.
fn uses(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let paths = line.split("crate::").skip(1).filter(move |_| !line.contains("$crate::"));
    paths.map(move |path| &path[..path.find(|c| !is_name(c)).unwrap_or(path.len())])
}

#[test]
fn folders_know_one_another_in_one_direction() {
    let (mut problems, mut seen) = (Vec::new(), BTreeSet::new());
    for (path, text) in files("crates/ostia/src", ".rs") {
        let inside = path.trim_start_matches("crates/ostia/src/");
        let top = inside.split(['/', '.']).next().unwrap_or_default();
        let Some(own) = layer(top) else {
            problems.push(format!("{path}: `{top}` has no place among the layers"));
            continue;
        };
        seen.insert(top.to_owned());
        for (at, line) in Source::of(&text).code.lines().enumerate() {
            // `crate::{...}` would hide whom it uses: one line for each.
            let above =
                uses(line).filter(|used| used.is_empty() || layer(used).is_some_and(|layer| layer > own));
            problems.extend(above.map(|used| format!("{path}:{}: `{top}` may not use `{used}`", at + 1)));
        }
    }
    none(&problems);
    assert_eq!(seen.len(), LAYERS.len(), "some layers are empty");
}

#[test]
fn uses_are_found() {
    let found: Vec<&str> = uses("use crate::a::B; let c = crate::d_e(crate::F);").collect();
    assert_eq!(found, ["a", "d_e", ""]);
}
