//! Programs of others that some tests need and that not every machine has. Where one is missing the test is skipped, and
//! says so; in CI that is a failure.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

/// Names the Python of `cargo xtask clients`.
pub const PYTHON: &str = "OSTIA_TEST_PYTHON";
/// Names the folder of `cargo xtask agents`.
const AGENTS: &str = "OSTIA_TEST_AGENTS";
/// Names the folder of `cargo xtask packages`.
const PACKAGES: &str = "OSTIA_TEST_PACKAGES";
/// Debian's nginx stands in a folder that not everybody's PATH has.
const FURTHER_FOLDER: &str = "/usr/sbin";

/// A Python that has the vendors' SDKs and uvicorn.
pub fn python() -> Option<OsString> {
    std::env::var_os(PYTHON).or_else(|| {
        missing(&format!(
            "{PYTHON} names no Python that has the vendors' SDKs and uvicorn. `cargo verify` sees to that; by hand:\n    \
             export {PYTHON}=$(cargo xtask clients)\n"
        ))
    })
}

/// A Python with its own library.
pub fn bare_python() -> Option<OsString> {
    std::env::var_os(PYTHON).or_else(|| program("python3", "install python3"))
}

/// Node, version 20 or later.
pub fn node() -> Option<OsString> {
    program("node", "install Node 20 or later")
}

/// Prometheus's own judge of what it reads.
pub fn promtool() -> Option<OsString> {
    program("promtool", "apt install prometheus")
}

/// Codex, the program in the package for this system.
pub fn codex() -> Option<OsString> {
    agent("codex")
}

/// Claude Code, the program in the package for this system.
pub fn claude_code() -> Option<OsString> {
    agent("claude")
}

/// Continue's command, a script for Node.
pub fn continue_command() -> Option<OsString> {
    agent("cn")
}

fn agent(name: &str) -> Option<OsString> {
    let path = std::env::var_os(AGENTS).map(|folder| PathBuf::from(folder).join(name));
    path.filter(|path| path.is_file()).map(Into::into).or_else(|| {
        missing(&format!(
            "{AGENTS} names no folder that has the coding agents. `cargo verify` sees to that; by hand:\n    \
             export {AGENTS}=$(cargo xtask agents)\n"
        ))
    })
}

/// The folder that has the packages of PyPI and npm that stand as clients.
pub fn packages() -> Option<PathBuf> {
    std::env::var_os(PACKAGES).map(PathBuf::from).or_else(|| {
        let by_hand = format!("export {PACKAGES}=$(cargo xtask packages)");
        missing(&format!(
            "{PACKAGES} names no folder. `cargo verify` sees to that; by hand:\n    {by_hand}\n"
        ))
        .map(PathBuf::from)
    })
}

/// curl.
pub fn curl() -> Option<OsString> {
    program("curl", "install curl")
}

/// nginx.
pub fn nginx() -> Option<OsString> {
    program("nginx", "as root `cargo verify` sees to that; by hand, on Debian: apt install nginx-light")
}

fn program(name: &str, remedy: &str) -> Option<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from(FURTHER_FOLDER)]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.map(Into::into).or_else(|| missing(&format!("there is no {name}: {remedy}\n")))
}

fn missing(words: &str) -> Option<OsString> {
    assert!(std::env::var_os("CI").is_none(), "{words}");
    // Past the test runner, which keeps what a good test prints to itself.
    let _ = std::io::stderr().write_all(format!("SKIPPED: {words}").as_bytes());
    None
}
