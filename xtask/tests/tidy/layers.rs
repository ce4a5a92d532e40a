//! The gateway's own crate is cut into folders that know one another in one direction only.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::{files, none};

/// What stands at the top of the crate, from what knows nobody to what knows all. Each may use what stands before it.
const LAYERS: [&str; 38] = [
    "clock",
    "systemd",
    "terminal",
    "timer",
    "tokens",
    "owner",
    "gauge",
    "client",
    "log",
    "upstream",
    "config",
    "message",
    "errors",
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
    "provider_jobs",
    "provider_batches",
    "provider_tunings",
    "endpoints",
    "handler",
    "server",
    "runner",
    "reload",
    "cli",
    "main",
];

/// The layers that a page tells of, in its order: the first cells of the rows of a table, in which each is a file, a folder or both.
fn told(page: &str) -> Vec<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    let names = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let tops = names.filter_map(|name| name.strip_suffix(".rs").or_else(|| name.strip_suffix('/')));
    let mut told: Vec<&str> = tops.filter(|name| layer(name).is_some()).collect();
    told.dedup();
    told
}

#[test]
fn each_has_its_place_in_the_architecture() {
    let page = std::fs::read_to_string(crate::root().join("ARCHITECTURE.md")).unwrap();
    let from_above: Vec<&str> = LAYERS.into_iter().rev().collect();
    assert_eq!(
        told(&page),
        from_above,
        "ARCHITECTURE.md tells of them from what knows all to what knows nobody"
    );
}

#[test]
fn layers_are_found_in_a_table() {
    let page =
        "`main.rs`\n| | |\n| `cli.rs`, `cli/` | with `log/` |\n| `Inbound` | `core.rs` |\n| `store/` |";
    assert_eq!(told(page), ["cli", "store"]);
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
