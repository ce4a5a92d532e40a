//! Other programs: finding them, and running them with words about what went wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's folder.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Where cargo was told to build: this program stands in `TARGET/debug/xtask`.
pub fn target_folder() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    here.ancestors().nth(2).map(Path::to_path_buf).ok_or_else(|| format!("{} has no folder", here.display()))
}

/// The version of all our crates, from the manifest.
pub fn version() -> Result<String, String> {
    let path = root().join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(fault(&path))?;
    let version = text.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.map(str::to_owned).ok_or_else(|| format!("{} names no version", path.display()))
}

/// Cargo, the one that runs us, with these words.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words);
    command
}

/// Does this command start and end well? What it prints is thrown away.
pub fn works(mut command: Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs a command on our own terminal.
pub fn run(mut command: Command) -> Result<(), String> {
    let line = line(&command);
    let status = command.status().map_err(|error| format!("`{line}` cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// May we install packages?
pub fn is_root() -> Result<bool, String> {
    let mut id = Command::new("id");
    id.arg("-u");
    Ok(read(id)?.trim() == "0")
}

/// Installs a package of Debian's, which takes a Debian and root.
pub fn apt_install(package: &str) -> Result<(), String> {
    eprintln!("Installing {package} (apt-get install {package}) ...");
    for words in [&["update", "-qq"][..], &["install", "--yes", "-qq", "--no-install-recommends", package]] {
        let mut apt = Command::new("apt-get");
        // The standard output is the caller's.
        apt.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdout(std::io::stderr());
        run(apt)?;
    }
    Ok(())
}

/// What a command prints. Its errors go to our own terminal.
pub fn read(mut command: Command) -> Result<String, String> {
    let line = line(&command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{line}` cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{line}` failed ({})", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{line}` printed something that is no text"))
}

/// A command as one would type it.
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// Writes a file, and the folders above it.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder.and_then(|()| std::fs::write(path, text)).map_err(fault(path))
}

/// The names in a folder.
pub fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(fault(folder))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Words about a file or folder that cannot be used.
pub fn fault(path: &Path) -> impl FnOnce(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}
