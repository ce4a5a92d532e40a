//! Which commit this is, for `ostia --version`.

use std::path::Path;
use std::process::Command;

fn main() {
    // For builds outside of git, as in an image.
    println!("cargo::rerun-if-env-changed=OSTIA_COMMIT");
    let given = std::env::var("OSTIA_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(of_git).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=OSTIA_COMMIT={commit}");
}

fn of_git() -> Option<String> {
    // What is compiled without optimisation is for tests: a commit must not make all of them compile anew.
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level == "0") {
        return None;
    }
    // One line for each commit and checkout, and nothing else. Cargo takes a file that is not there for one that has changed.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists())?;
    println!("cargo::rerun-if-changed={log}");
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
