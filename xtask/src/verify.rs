//! `cargo verify`: everything that a change has to pass, on this machine.

mod suite;

use std::process::Command;
use std::time::Instant;

use crate::{agents, clients, docs, nginx, packages, tool};

const HELP: &str = "\
cargo verify

Checks, in this order: formatting, lints, documentation, dependencies (licences, bans, sources), all tests.
Goes on after a failure, and tells at the end what failed. What is missing is installed: rustfmt and clippy
by rustup, cargo-deny by cargo (a few minutes, once), the vendors' SDKs, which the tests use as clients, and
uvicorn by pip below the target folder (half a minute, once), Codex and Claude Code by npm in the same place (as
long), libraries that stand as clients by uv and npm (a minute or two), and nginx by apt-get where we are root. Tests whose server or agent is missing (nginx, node, npm) are
skipped and say so. cargo-nextest runs the tests where it is installed.

Advisories are not checked, because that needs the network: `cargo deny check advisories`.";

/// One check.
struct Step {
    name: &'static str,
    /// Gives words for the summary.
    check: fn() -> Result<String, String>,
}

const STEPS: [Step; 11] = [
    Step { name: "format", check: || cargo(&["fmt", "--all", "--check"]) },
    Step {
        name: "lints",
        check: || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    },
    Step { name: "rustdoc", check: rustdoc },
    Step { name: "generated docs", check: || docs::check().map(|()| String::new()) },
    Step { name: "dependencies", check: dependencies },
    Step { name: "doc tests", check: || cargo(&["test", "--workspace", "--doc", "--locked", "--quiet"]) },
    Step { name: "clients", check: || clients::install().map(|_| String::new()) },
    Step { name: "agents", check: || agents::install_for_tests().map(|()| String::new()) },
    Step { name: "packages", check: || packages::install_for_tests().map(|()| String::new()) },
    Step { name: "nginx", check: || nginx::install_for_tests().map(|()| String::new()) },
    Step { name: "tests", check: suite::run },
];

/// Runs every check.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        println!("{HELP}");
        let asked = arguments.iter().all(|argument| argument == "-h" || argument == "--help");
        return if asked { Ok(()) } else { Err(format!("verify does not take {arguments:?}")) };
    }
    prepare()?;
    let mut report = Vec::new();
    let mut failed = Vec::new();
    let mut last_words = String::new();
    for (number, step) in STEPS.iter().enumerate() {
        println!("\n== {}/{} {}", number + 1, STEPS.len(), step.name);
        let start = Instant::now();
        let (word, words) = match (step.check)() {
            Ok(words) => ("ok", words),
            Err(problem) => {
                eprintln!("{problem}");
                failed.push(step.name);
                ("FAILED", problem)
            }
        };
        report.push(format!("  {:<15} {word:<7} {:>4} s", step.name, start.elapsed().as_secs()));
        last_words = words;
    }
    println!("\n{}", report.join("\n"));
    // What the tests' own runner counted stands last, so that a program finds it.
    println!("{}", last_words.trim_end());
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Installs what is missing.
fn prepare() -> Result<(), String> {
    for (component, word) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !tool::works(tool::cargo(&[word, "--version"])) {
            println!("Installing {component} (rustup component add {component}) ...");
            let mut rustup = Command::new("rustup");
            rustup.args(["component", "add", component]);
            tool::run(rustup)?;
        }
    }
    if !tool::works(tool::cargo(&["deny", "--version"])) {
        println!(
            "Installing cargo-deny (cargo install --locked cargo-deny): some minutes on two cores, once ..."
        );
        tool::run(tool::cargo(&["install", "--locked", "--quiet", "cargo-deny"]))?;
    }
    println!("Fetching dependencies ...");
    tool::run(tool::cargo(&["fetch", "--locked", "--quiet"]))
}

fn cargo(words: &[&str]) -> Result<String, String> {
    let mut command = tool::cargo(words);
    command.current_dir(tool::root());
    tool::run(command).map(|()| String::new())
}

fn rustdoc() -> Result<String, String> {
    let mut command = tool::cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    command.current_dir(tool::root()).env("RUSTDOCFLAGS", "-D warnings");
    tool::run(command).map(|()| String::new())
}

/// Everything of cargo-deny that needs no network; the dependencies of all platforms were fetched before.
fn dependencies() -> Result<String, String> {
    cargo(&["deny", "--locked", "--offline", "check", "licenses", "bans", "sources"])
}
