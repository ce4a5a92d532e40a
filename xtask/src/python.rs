//! Python environments below the target folder: programs that we lean on and that come from Python's package index.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tool;

/// An environment, and the list of what is in it.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// Its folder below the target folder.
    pub folder: &'static str,
    /// What pip reads, from the root.
    pub requirements: &'static str,
    /// What to call its packages.
    pub what: &'static str,
}

impl Environment {
    /// Its Python, after the packages were installed where they are missing or others are asked for by now.
    pub fn install(&self) -> Result<PathBuf, String> {
        if let Some(python) = self.installed() {
            return Ok(python);
        }
        let place = Place::of(self)?;
        eprintln!("Installing {} into {} ...", self.what, place.folder.display());
        // What an earlier try or other versions left would be in the way.
        if place.folder.exists() {
            std::fs::remove_dir_all(&place.folder).map_err(tool::fault(&place.folder))?;
        }
        let requirements = tool::root().join(self.requirements);
        make(&place.folder)?;
        python(
            &place.python,
            &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"],
            &requirements,
        )?;
        // Last, so that it stands for all that goes before.
        std::fs::copy(&requirements, &place.stamp).map_err(tool::fault(&place.stamp))?;
        Ok(place.python)
    }

    /// Its Python, if all packages were installed as they are asked for now.
    pub fn installed(&self) -> Option<PathBuf> {
        let place = Place::of(self).ok()?;
        let wanted = std::fs::read(tool::root().join(self.requirements)).ok()?;
        let same = std::fs::read(&place.stamp).ok()? == wanted;
        let mut version = Command::new(&place.python);
        version.arg("--version");
        (same && tool::works(version)).then_some(place.python)
    }
}

/// Makes an environment that has nothing in it.
pub fn make(folder: &Path) -> Result<(), String> {
    if !has_venv() {
        tool::apt_install("python3-venv").map_err(|problem| {
            format!("{problem}\npython3 with venv is missing: install it by hand (on Debian: python3-venv)")
        })?;
    }
    python(Path::new("python3"), &["-m", "venv"], folder)
}

/// Where an environment stands.
struct Place {
    folder: PathBuf,
    python: PathBuf,
    /// A copy of the requirements that were installed.
    stamp: PathBuf,
}

impl Place {
    fn of(environment: &Environment) -> Result<Place, String> {
        let folder = tool::target_folder()?.join(environment.folder);
        Ok(Place { python: folder.join("bin/python"), stamp: folder.join("installed.txt"), folder })
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
