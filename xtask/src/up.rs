//! `cargo up`: the gateway, built and started.

use std::os::unix::process::CommandExt;

use crate::tool;

const HELP: &str = "\
cargo up [OPTIONS OF ostia serve]

Builds the gateway (profile release) and starts it. Without options it listens on
127.0.0.1:8787 and needs no configuration file; an ostia.yaml in the current folder
is used where there is one. `cargo up --help` ends with the gateway's own options.
";

/// Builds, then becomes the gateway.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!("{HELP}");
    }
    println!(
        "Building ostia (profile release). The first time takes a few minutes; after that only what changed is built."
    );
    tool::run(tool::cargo(&["build", "--release", "--locked", "--package", "ostia"]))?;
    let mut gateway = tool::cargo(&["run", "--release", "--locked", "--quiet", "--package", "ostia", "--"]);
    // `cargo run` leaves us in the caller's folder. The gateway takes our place, so that signals reach it.
    let fault = gateway.args(arguments).exec();
    Err(format!("`{}` cannot be started: {fault}", tool::line(&gateway)))
}
