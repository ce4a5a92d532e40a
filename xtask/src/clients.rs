//! `cargo xtask clients`: the vendors' official SDKs, which stand as clients in the tests of `crates/ostia`, and uvicorn,
//! which stands as a provider's server, in a Python environment of their own below the target folder.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tool;

/// The variable by which the tests learn where the SDKs are.
pub const VARIABLE: &str = "OSTIA_TEST_PYTHON";

const REQUIREMENTS: &str = "crates/ostia/tests/clients/requirements.txt";

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
    if let Some(python) = installed() {
        return Ok(python);
    }
    let place = Place::of(tool::target_folder()?);
    eprintln!("Installing the vendors' SDKs into {} ...", place.folder.display());
    // What an earlier try or other versions left would be in the way.
    if place.folder.exists() {
        std::fs::remove_dir_all(&place.folder).map_err(fault(&place.folder))?;
    }
    let requirements = tool::root().join(REQUIREMENTS);
    environment(&place.folder)?;
    python(
        &place.python,
        &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"],
        &requirements,
    )?;
    // Last, so that it stands for all that goes before.
    std::fs::copy(&requirements, &place.stamp).map_err(fault(&place.stamp))?;
    Ok(place.python)
}

/// Makes a Python environment.
pub fn environment(folder: &Path) -> Result<(), String> {
    if !has_venv() {
        tool::apt_install("python3-venv").map_err(|problem| {
            format!("{problem}\npython3 with venv is missing: install it by hand (on Debian: python3-venv)")
        })?;
    }
    python(Path::new("python3"), &["-m", "venv"], folder)
}

/// The Python that has the SDKs, if all of them were installed as they are asked for now.
pub fn installed() -> Option<PathBuf> {
    let place = Place::of(tool::target_folder().ok()?);
    let wanted = std::fs::read(tool::root().join(REQUIREMENTS)).ok()?;
    let same = std::fs::read(&place.stamp).ok()? == wanted;
    let mut version = Command::new(&place.python);
    version.arg("--version");
    (same && tool::works(version)).then_some(place.python)
}

/// Where the environment stands.
struct Place {
    folder: PathBuf,
    python: PathBuf,
    /// A copy of the requirements that were installed.
    stamp: PathBuf,
}

impl Place {
    fn of(target: PathBuf) -> Place {
        let folder = target.join("clients");
        Place { python: folder.join("bin/python"), stamp: folder.join("installed.txt"), folder }
    }
}

fn has_venv() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import ensurepip, venv"]);
    tool::works(python)
}

fn python(python: &Path, words: &[&str], path: &Path) -> Result<(), String> {
    let mut command = Command::new(python);
    // The standard output is for the task's answer alone.
    command.args(words).arg(path).stdin(Stdio::null()).stdout(io::stderr());
    tool::run(command)
}

fn fault(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}
