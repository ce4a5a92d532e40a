//! nginx, which the benchmark measures beside the gateway, and which is a provider's server in a test of kept connections.

use std::path::Path;
use std::process::Command;

use crate::tool;

/// Where Debian has it: not everybody's PATH has the folder.
pub const PROGRAM: &str = "/usr/sbin/nginx";
/// The smallest of Debian's packages that has it.
const PACKAGE: &str = "nginx-light";

/// Installs it, which takes a Debian and root.
pub fn install() -> Result<(), String> {
    tool::apt_install(PACKAGE)
}

/// The same where it is missing and we may install it. Elsewhere its test is skipped, and says so.
pub fn install_for_tests() -> Result<(), String> {
    let mut in_path = Command::new("nginx");
    in_path.arg("-v");
    if Path::new(PROGRAM).exists() || tool::works(in_path) {
        return Ok(());
    }
    if !tool::is_root()? {
        eprintln!(
            "nginx is missing and only root may install it (Debian's {PACKAGE}): its test will be skipped."
        );
        return Ok(());
    }
    install()
}
