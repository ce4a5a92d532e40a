//! `cargo xtask console`: the console's files, from their sources in `/console` by npm to what the gateway embeds; and the console in
//! a real browser.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tool;

const FOLDER: &str = "console";
/// What npm reads.
const LOCK: &str = "package-lock.json";
/// Where Debian has the browser, and what names another one.
const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMIUM_VARIABLE: &str = "OSTIA_TEST_CHROMIUM";
/// By which the tests learn where the gateway is.
const PROGRAM_VARIABLE: &str = "OSTIA_TEST_PROGRAM";

const HELP: &str = "\
cargo xtask console [--check | --test]

Builds the console (sources in /console: React, TypeScript, Vite) by npm, and puts its files, compressed, where the
gateway embeds them (crates/ostia/src/endpoints/console/built). They are committed, so only whoever changes the
console needs Node 20 and npm.
--check changes nothing, and fails where the files are not what the sources give.
--test builds the gateway and goes through its console in Chromium (apt install chromium, or the variable
OSTIA_TEST_CHROMIUM). OSTIA_TEST_PICTURES names a folder for pictures of the pages.";

/// Runs the task with the arguments behind its name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => build(&[]),
        [word] if word == "--check" => build(&["--check"]),
        [word] if word == "--test" => {
            let mut gateway = tool::cargo(&["build", "--package", "ostia", "--locked"]);
            gateway.current_dir(tool::root());
            tool::run(gateway)?;
            test()
        }
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("console does not take {arguments:?}\n\n{HELP}")),
    }
}

/// Are the files what their sources give? Skipped where npm is missing, and says so.
pub fn check() -> Result<String, String> {
    match has_npm() {
        true => build(&["--check"]).map(|()| String::new()),
        false => missing("npm", "whether the console's files are what their sources give"),
    }
}

/// Goes through the console of the gateway that is built, in a browser. Skipped where there is none, and says so.
pub fn test_in_browser() -> Result<String, String> {
    match (has_npm(), chromium().is_file()) {
        (true, true) => test().map(|()| String::new()),
        (false, _) => missing("npm", "the console in a browser"),
        (true, false) => missing("Chromium (apt install chromium)", "the console in a browser"),
    }
}

/// On a machine of one's own something may be missing; in CI nothing may, nor where somebody names a browser.
fn missing(what: &str, untested: &str) -> Result<String, String> {
    if ["CI", CHROMIUM_VARIABLE].iter().any(|name| std::env::var_os(name).is_some()) {
        return Err(format!("{what} is missing"));
    }
    eprintln!("SKIPPED: {what} is missing, so this is not tested: {untested}.");
    Ok(String::new())
}

fn build(words: &[&str]) -> Result<(), String> {
    install()?;
    tool::run(npm(&["run", "--silent", "check"]))?;
    let mut build = node(&["build.mjs"]);
    build.args(words);
    tool::run(build)
}

fn test() -> Result<(), String> {
    install()?;
    let folder = folder().join("test");
    let mut files = tool::names(&folder)?;
    files.retain(|name| name.ends_with(".test.mjs"));
    files.sort();
    let mut tests = node(&["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    tests.args(files.iter().map(|name| folder.join(name)));
    tests.env(PROGRAM_VARIABLE, tool::target_folder()?.join("debug/ostia"));
    tests.env(CHROMIUM_VARIABLE, chromium());
    tool::run(tests)
}

/// The packages of the lock, unless they are there.
fn install() -> Result<(), String> {
    let lock = folder().join(LOCK);
    let stamp = folder().join("node_modules/.installed-lock.json");
    let wanted = std::fs::read(&lock).map_err(tool::fault(&lock))?;
    if std::fs::read(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    tool::run(npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    std::fs::write(&stamp, wanted).map_err(tool::fault(&stamp))
}

fn npm(words: &[&str]) -> Command {
    command("npm", words)
}

fn node(words: &[&str]) -> Command {
    command("node", words)
}

fn command(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).current_dir(folder()).stdin(Stdio::null()).stdout(io::stderr());
    command
}

fn has_npm() -> bool {
    tool::works(npm(&["--version"]))
}

fn chromium() -> PathBuf {
    std::env::var_os(CHROMIUM_VARIABLE).map_or_else(|| Path::new(CHROMIUM).to_owned(), PathBuf::from)
}

fn folder() -> PathBuf {
    tool::root().join(FOLDER)
}
