//! Tasks of the repository that are more than one command: `cargo xtask TASK`. Standard library only, so
//! that it builds in a moment. One file for each task.

#![allow(clippy::print_stdout)]

use std::process::ExitCode;

mod agents;
mod bench;
mod catalog;
mod clients;
mod console;
mod dist;
mod docs;
mod nginx;
mod packages;
mod packaging;
mod python;
mod tool;
mod up;
mod verify;

const HELP: &str = "\
cargo xtask TASK [OPTIONS]

tasks:
  up         build the gateway and start it (also: cargo up)
  verify     check everything that a change has to pass (also: cargo verify)
  clients    install the vendors' SDKs and uvicorn for the tests
  agents     install the coding agents for the tests
  packages   install libraries of PyPI and npm that stand as clients in the tests
  catalog    make the data of the catalogue of models and prices
  console    build the console, check what was built, go through it in a browser
  docs       write the documentation that follows from the code
  bench      measure the gateway beside nginx, on one core
  dist       make what is published: archive, Debian package, wheel, npm, chart, SBOM, checksums
  packaging  check the chart, the image's recipe and systemd's units by their own tools

`cargo xtask TASK --help` tells more.";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome = match task.as_deref() {
        Some("up") => up::run(&rest),
        Some("verify") => verify::run(&rest),
        Some("clients") => clients::run(&rest),
        Some("agents") => agents::run(&rest),
        Some("packages") => packages::run(&rest),
        Some("console") => console::run(&rest),
        Some("docs") => docs::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("catalog") => catalog::run(&rest),
        Some("dist") => dist::run(&rest),
        Some("packaging") => packaging::run(&rest),
        None | Some("help" | "-h" | "--help") => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!("there is no task {other:?}\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
