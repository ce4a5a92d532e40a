//! `cargo xtask agents`: the coding agents that stand as clients in the tests of `crates/ostia`, Codex, Claude Code and
//! Continue, from npm's registry below the target folder, at the versions of the lock.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tool;

/// The variable by which the tests learn where the agents are.
pub const VARIABLE: &str = "OSTIA_TEST_AGENTS";

/// What npm reads.
const FOLDER: &str = "crates/ostia/tests/clients/agents";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];
/// An agent, the folder of its packages, and how the path of the program goes on behind the package for this system. These
/// need no Node: it is npm alone that does.
const PROGRAMS: [(&str, &str, &str, &str); 2] =
    [("codex", "@openai", "codex-", "bin/codex"), ("claude", "@anthropic-ai", "claude-code-", "claude")];
/// An agent in a script for Node, and the script.
const SCRIPT: (&str, &str) = ("cn", "@continuedev/cli/dist/cn.js");

const HELP: &str = "\
cargo xtask agents

Installs Codex, Claude Code and Continue (crates/ostia/tests/clients/agents) below the target folder, unless they are
there, and prints the folder that has their programs, `codex`, `claude` and `cn`. It takes 900 MB there, and npm.
`cargo verify` does the same. For tests by hand:

  export OSTIA_TEST_AGENTS=$(cargo xtask agents)
  cargo test -p ostia --test it agents::

The tests give the agents no network, a key that is none, and a home of their own.";

/// Runs the task with the arguments behind its name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => install().map(|folder| println!("{}", folder.display())),
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("agents does not take {arguments:?}\n\n{HELP}")),
    }
}

/// The same where npm is. Elsewhere their tests are skipped, and say so.
pub fn install_for_tests() -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.arg("--version");
    if !tool::works(npm) {
        eprintln!("npm is missing: the tests with coding agents will be skipped.");
        return Ok(());
    }
    install().map(|_| ())
}

/// The folder of the programs, after they were installed where they are missing or others are asked for by now.
pub fn install() -> Result<PathBuf, String> {
    if let Some(programs) = installed() {
        return Ok(programs);
    }
    let place = Place::of(tool::target_folder()?);
    eprintln!("Installing Codex, Claude Code and Continue into {} ...", place.folder.display());
    // What an earlier try or other versions left would be in the way.
    if place.folder.exists() {
        std::fs::remove_dir_all(&place.folder).map_err(tool::fault(&place.folder))?;
    }
    std::fs::create_dir_all(&place.programs).map_err(tool::fault(&place.programs))?;
    for name in FILES {
        std::fs::copy(asked_for(name), place.folder.join(name)).map_err(tool::fault(&place.folder))?;
    }
    let mut npm = Command::new("npm");
    // Their scripts only copy the programs elsewhere. The standard output is for the task's answer alone.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    npm.current_dir(&place.folder).stdin(Stdio::null()).stdout(io::stderr());
    tool::run(npm)?;
    for (name, scope, package, rest) in PROGRAMS {
        let program = program(&place.folder.join("node_modules").join(scope), package, rest)?;
        place.offer(name, &program)?;
    }
    let (name, script) = SCRIPT;
    place.offer(name, &place.folder.join("node_modules").join(script))?;
    // Last, so that it stands for all that goes before.
    std::fs::copy(asked_for(FILES[1]), &place.stamp).map_err(tool::fault(&place.stamp))?;
    Ok(place.programs)
}

/// The folder of the programs, if all of them were installed as they are asked for now.
pub fn installed() -> Option<PathBuf> {
    let place = Place::of(tool::target_folder().ok()?);
    let wanted = std::fs::read(asked_for(FILES[1])).ok()?;
    let same = std::fs::read(&place.stamp).ok()? == wanted;
    let mut names = PROGRAMS.iter().map(|(name, ..)| *name).chain([SCRIPT.0]);
    let there = names.all(|name| place.programs.join(name).is_file());
    (same && there).then_some(place.programs)
}

/// Where the agents stand.
struct Place {
    folder: PathBuf,
    programs: PathBuf,
    /// A copy of the lock that was installed.
    stamp: PathBuf,
}

impl Place {
    fn of(target: PathBuf) -> Place {
        let folder = target.join("agents");
        Place { programs: folder.join("programs"), stamp: folder.join("installed.json"), folder }
    }

    /// Puts a program among those that the tests find, by its name.
    fn offer(&self, name: &str, program: &Path) -> Result<(), String> {
        std::os::unix::fs::symlink(program, self.programs.join(name)).map_err(tool::fault(&self.programs))
    }
}

/// The program in the one package that npm has chosen for this system; Codex's stands in a folder of the system's name.
fn program(scope: &Path, package: &str, rest: &str) -> Result<PathBuf, String> {
    let for_this_system = entries(scope)?.into_iter().filter(|path| name_of(path).starts_with(package));
    for package in for_this_system {
        let plain = package.join(rest);
        let vendored = entries(&package.join("vendor")).unwrap_or_default();
        let found = std::iter::once(plain).chain(vendored.into_iter().map(|system| system.join(rest)));
        if let Some(program) = found.into_iter().find(|path| path.is_file()) {
            return Ok(program);
        }
    }
    Err(format!("{}: no package {package}* has {rest} for this system", scope.display()))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(tool::fault(folder))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn asked_for(name: &str) -> PathBuf {
    tool::root().join(FOLDER).join(name)
}
