//! The pure crates: values in, values out. No runtime, no clock, no randomness, no environment, no files.
//!
//! clippy.toml holds the same for single functions, resolved by the compiler; the lists here are wider, and hold where
//! nobody runs clippy.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;
use crate::{files, is_test, manifest, none, root};

/// The crates that do no I/O, each with those of our crates that it may lean on.
const PURE: [(&str, &[&str]); 5] = [
    ("ostia-catalog", &[]),
    ("ostia-dialect", &[]),
    ("ostia-routing", &[]),
    ("ostia-providers", &["ostia-dialect"]),
    ("ostia-config", &["ostia-catalog", "ostia-dialect", "ostia-providers", "ostia-routing"]),
];

/// The crates that may do I/O.
const SHELL: [&str; 6] =
    ["ostia", "ostia-bench", "ostia-catalog-import", "ostia-docs", "ostia-store", "ostia-testkit"];

/// What pure crates may lean on besides each other. A new one is a decision: say why in the commit.
const PURE_DEPENDENCIES: [&str; 19] = [
    "aws-credential-types",
    "aws-sigv4",
    "base64",
    "bytes",
    "crc32fast",
    "flate2",
    "http",
    "httpdate",
    "memchr",
    "percent-encoding",
    "regex-automata",
    "secrecy",
    "serde",
    "serde-saphyr",
    "serde_json",
    "sha2",
    "simdutf8",
    "strsim",
    "fearless_simd",
];

/// What must not come in behind another's back either.
const RUNTIMES: [&str; 22] = [
    "async-std",
    "aws-lc-rs",
    "chrono",
    "crossbeam-channel",
    "fastrand",
    "futures",
    "getrandom",
    "hyper",
    "jiff",
    "mio",
    "native-tls",
    "openssl",
    "rand",
    "rand_core",
    "rayon",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "time",
    "tokio",
    "uuid",
];

/// Libraries that bring in parts of a runtime and start none. AWS's two take types from crates that are also its clients':
/// `tokio` without a runtime for a channel in one of them, `time` to write down the time that they are given. The lock knows
/// no features, so that `tokio` counts with its sockets.
const PASSIVE: [&str; 2] = ["aws-credential-types", "aws-sigv4"];
const PASSIVE_PARTS: [&str; 4] = ["mio", "socket2", "time", "tokio"];

/// What pure code does not say.
const WORDS: [&str; 40] = [
    "Instant::now",
    "SystemTime::now",
    "UNIX_EPOCH",
    ".elapsed(",
    "std::env",
    "env::var",
    "env::args",
    "env::current_dir",
    "std::fs",
    "fs::read",
    "fs::write",
    "File::open",
    "File::create",
    "OpenOptions",
    ".exists(",
    ".is_file(",
    ".is_dir(",
    ".canonicalize(",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "ToSocketAddrs",
    "to_socket_addrs",
    "std::process",
    "Command::new",
    "std::thread",
    "thread::spawn",
    "thread::sleep",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "println!",
    "eprintln!",
    "print!",
    "RandomState",
    "fastrand",
    "async",
    ".await",
];

/// What `code` says and a pure crate does not.
fn impure(code: &str) -> Vec<(usize, &'static str)> {
    let source = Source::of(code);
    WORDS.iter().flat_map(|word| source.lines_with(word).into_iter().map(|line| (line, *word))).collect()
}

#[test]
fn pure_crates_call_no_clock_randomness_environment_or_file() {
    let mut problems = Vec::new();
    for (name, _) in PURE {
        for (path, text) in files(&format!("crates/{name}/src"), ".rs") {
            let found = if is_test(&path) { Vec::new() } else { impure(&text) };
            problems
                .extend(found.iter().map(|(line, word)| format!("{path}:{line}: `{word}` in a pure crate")));
        }
    }
    none(&problems);
}

#[test]
fn the_search_finds() {
    let check = |code: &str, expected: &[&str]| {
        let found: BTreeSet<&str> = impure(code).into_iter().map(|(_, word)| word).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{code}");
    };
    check("fn f() -> Instant { Instant::now() }", &["Instant::now"]);
    check("use std::fs;", &["std::fs"]);
    check("let x = std::env::var(\"HOME\");", &["env::var", "std::env"]);
    check("async fn f() { g().await }", &[".await", "async"]);
    check("std::thread::spawn(f)", &["std::thread", "thread::spawn"]);
    check("// Instant::now()\nlet x = \"std::env\";", &[]);
    check("fn next(now: Instant) -> Step {}", &[]);
    check("#[cfg(test)]\nmod tests { fn f() { std::fs::read(p) } }", &[]);
}

#[test]
fn pure_crates_lean_on_no_runtime() {
    let locked = manifest::locked(&std::fs::read_to_string(root().join("Cargo.lock")).unwrap());
    let mut problems = Vec::new();
    for (name, ours) in PURE {
        let path = format!("crates/{name}/Cargo.toml");
        let direct = manifest::dependencies(&std::fs::read_to_string(root().join(&path)).unwrap(), false);
        let allowed = |dependency: &String| {
            let dependency = dependency.as_str();
            ours.contains(&dependency) || PURE_DEPENDENCIES.contains(&dependency)
        };
        problems.extend(direct.iter().filter(|name| !allowed(name)).map(|other| {
            format!("{path}: {other} is not among what {name} may lean on (xtask/tests/tidy/pure.rs)")
        }));
        problems
            .extend(runtimes(&locked, &direct).into_iter().map(|other| format!("{path}: brings in {other}")));
    }
    none(&problems);
}

/// The runtimes that come in with these dependencies. Our own crates are looked at on their own.
fn runtimes(locked: &BTreeMap<String, BTreeSet<String>>, direct: &BTreeSet<String>) -> Vec<&'static str> {
    let outside = direct.iter().filter(|name| !name.starts_with("ostia")).cloned();
    let (passive, active): (BTreeSet<String>, _) = outside.partition(|name| PASSIVE.contains(&name.as_str()));
    let [by_passive, by_active] = [passive, active].map(|crates| manifest::closure(locked, &crates));
    let is_brought_in = |name: &&str| {
        by_active.contains(*name) || by_passive.contains(*name) && !PASSIVE_PARTS.contains(name)
    };
    RUNTIMES.into_iter().filter(is_brought_in).collect()
}

#[test]
fn every_crate_is_pure_or_shell() {
    let known = |name: &str| SHELL.contains(&name) || PURE.iter().any(|(pure, _)| *pure == name);
    let mut problems = Vec::new();
    for (path, _) in files("crates", "Cargo.toml") {
        let name = path.split('/').nth(1).unwrap_or_default();
        if !known(name) {
            problems.push(format!("{path}: say in xtask/tests/tidy/pure.rs whether {name} is pure or shell"));
        }
    }
    none(&problems);
}

#[test]
fn pure_crates_ask_clippy_as_well() {
    const LINE: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";
    let mut problems = Vec::new();
    for (name, _) in PURE {
        let path = format!("crates/{name}/src/lib.rs");
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        if !text.lines().any(|line| line.starts_with(LINE)) {
            problems.push(format!("{path}: has no line `{LINE}` (see clippy.toml)"));
        }
    }
    none(&problems);
}
