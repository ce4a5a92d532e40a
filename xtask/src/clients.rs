//! `cargo xtask clients`: the vendors' official SDKs, which stand as clients in the tests of `crates/ostia`, and uvicorn,
//! which stands as a provider's server, in a Python environment of their own below the target folder.

use std::path::PathBuf;

use crate::python::Environment;

/// The variable by which the tests learn where the SDKs are.
pub const VARIABLE: &str = "OSTIA_TEST_PYTHON";

const SDKS: Environment = Environment {
    folder: "clients",
    requirements: "crates/ostia/tests/clients/requirements.txt",
    what: "the vendors' SDKs",
};

const HELP: &str = "\
cargo xtask clients

Installs the vendors' official SDKs and uvicorn (crates/ostia/tests/clients/requirements.txt) into a Python
environment below the target folder, unless they are there, and prints the Python that has them. `cargo verify`
does the same. For tests by hand:

  export OSTIA_TEST_PYTHON=$(cargo xtask clients)
  cargo test -p ostia --test it clients::

It needs python3 with venv. On Debian, python3-venv is installed where it is missing and we may install it.";

/// Runs the task with the arguments behind its name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => install().map(|python| println!("{}", python.display())),
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("clients does not take {arguments:?}\n\n{HELP}")),
    }
}

/// The Python that has the SDKs, after they were installed where they are missing or others are asked for by now.
pub fn install() -> Result<PathBuf, String> {
    SDKS.install()
}

/// The Python that has the SDKs, if all of them were installed as they are asked for now.
pub fn installed() -> Option<PathBuf> {
    SDKS.installed()
}
