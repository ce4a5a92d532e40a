//! `cargo up`: the gateway, built and started.

use std::os::unix::process::CommandExt;

use crate::tool;

const HELP: &str = "\
cargo up [OPTIONS OF ostia serve]

Builds the gateway and starts it. The first build takes some five minutes on two cores, and
after an edit it takes seconds: the profile `up` optimises little, and our own crates not at all. `cargo run --release` is
the gateway as it should be measured, `cargo xtask dist` as it is shipped. Without options it listens on
127.0.0.1:8787 and needs no configuration file; an ostia.yaml in the current folder
is used where there is one. `cargo up --help` ends with the gateway's own options.
";

/// Builds, then becomes the gateway.
pub fn run(arguments: &[String]) -> Result<(), String> {
    // As one may be used to from `cargo run -- OPTIONS`.
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!("{HELP}");
    }
    println!(
        "Building ostia (profile up): some five minutes on two cores the first time, seconds after an edit."
    );
    tool::run(tool::cargo(&["build", "--profile", "up", "--locked", "--package", "ostia"]))?;
    let mut gateway =
        tool::cargo(&["run", "--profile", "up", "--locked", "--quiet", "--package", "ostia", "--"]);
    // `cargo run` leaves us in the caller's folder. The gateway takes our place, so that signals reach it.
    let fault = gateway.args(arguments).exec();
    Err(format!("`{}` cannot be started: {fault}", tool::line(&gateway)))
}
