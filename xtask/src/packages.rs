//! `cargo xtask packages`: libraries and agents of PyPI and npm that stand as clients in the tests of `crates/ostia`, each in
//! an environment of its own below the target folder, at the versions of its lock: they need different versions of the same
//! SDKs.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tool;

/// The variable by which the tests learn where the packages are.
pub const VARIABLE: &str = "OSTIA_TEST_PACKAGES";
/// Tells the tests to write the table of docs/clients/README.md.
const WRITE: &str = "OSTIA_WRITE_MATRIX";

/// The locks: `python/NAME.txt`, and `js/NAME/package-lock.json` beside its `package.json`.
const FOLDER: &str = "crates/ostia/tests/clients/packages";
/// Installs the Python packages in seconds where pip takes minutes, and keeps one copy of what several have.
const UV: &str = "uv==0.13.9";

const HELP: &str = "\
cargo xtask packages [--write]

Installs what people build with (crates/ostia/tests/clients/packages: LangChain, LlamaIndex, OpenAI Agents, pydantic-ai,
instructor, LiteLLM, llm, Vercel AI SDK, aider, Open WebUI) below the target folder, unless it is there, and prints the
folder. It takes 3 GB there, a minute or two, python3 with venv, and npm. `cargo verify` does the same. By hand:

  export OSTIA_TEST_PACKAGES=$(cargo xtask packages)
  cargo test -p ostia --test it packages::

--write runs these tests and writes what came of them into docs/clients/README.md.";

/// Runs the task with the arguments behind its name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => install().map(|folder| println!("{}", folder.display())),
        [word] if word == "--write" => write(),
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("packages does not take {arguments:?}\n\n{HELP}")),
    }
}

/// The same where npm is. Elsewhere their tests are skipped, and say so.
pub fn install_for_tests() -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.arg("--version");
    if !tool::works(npm) {
        eprintln!("npm is missing: the tests with libraries as clients will be skipped.");
        return Ok(());
    }
    install().map(|_| ())
}

/// The folder of all environments, after those were installed that are missing or asked for otherwise by now.
pub fn install() -> Result<PathBuf, String> {
    let place = tool::target_folder()?.join("packages");
    for package in packages()? {
        if !package.is_installed(&place) {
            eprintln!("Installing {} into {} ...", package.name, place.display());
            package.install(&place)?;
        }
    }
    Ok(place)
}

/// The folder, if all of it was installed as it is asked for now.
pub fn installed() -> Option<PathBuf> {
    let place = tool::target_folder().ok()?.join("packages");
    packages().ok()?.iter().all(|package| package.is_installed(&place)).then_some(place)
}

/// Several tests would write into one file at once.
fn write() -> Result<(), String> {
    let mut tests =
        tool::cargo(&["test", "--package", "ostia", "--test", "it", "packages::", "--", "--test-threads=1"]);
    tests.current_dir(tool::root()).env(VARIABLE, install()?).env(WRITE, "1");
    tool::run(tests)
}

/// One environment.
struct Package {
    /// `python/NAME` or `js/NAME`
    name: String,
    lock: PathBuf,
}

/// All that have a lock, in the order of their names.
fn packages() -> Result<Vec<Package>, String> {
    let folder = tool::root().join(FOLDER);
    let python = entries(&folder.join("python"))?;
    let python = python.into_iter().filter(|path| path.extension().is_some_and(|end| end == "txt"));
    let js = entries(&folder.join("js"))?.into_iter().filter(|path| path.is_dir());
    let python = python.map(|lock| Package { name: format!("python/{}", stem(&lock)), lock });
    let js = js.map(|folder| Package {
        name: format!("js/{}", stem(&folder)),
        lock: folder.join("package-lock.json"),
    });
    let mut packages: Vec<Package> = python.chain(js).collect();
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

impl Package {
    /// A copy of the lock that was installed, written last.
    fn stamp(&self, place: &Path) -> PathBuf {
        place.join(&self.name).join("installed.lock")
    }

    fn is_installed(&self, place: &Path) -> bool {
        let wanted = std::fs::read(&self.lock).ok();
        wanted.is_some() && std::fs::read(self.stamp(place)).ok() == wanted
    }

    fn install(&self, place: &Path) -> Result<(), String> {
        let own = place.join(&self.name);
        // What an earlier try or other versions left would be in the way.
        if own.exists() {
            std::fs::remove_dir_all(&own).map_err(fault(&own))?;
        }
        std::fs::create_dir_all(&own).map_err(fault(&own))?;
        if self.name.starts_with("python/") {
            let uv = uv(place)?;
            call(uv.command().args(["venv", "--quiet", "--clear", "--python", "python3"]).arg(&own))?;
            let python = own.join("bin/python");
            let mut install = uv.command();
            // A lock is whole, and some leave out on purpose what a package asks for.
            install.args(["pip", "install", "--quiet", "--no-deps", "--python"]);
            install.arg(python).arg("-r").arg(&self.lock);
            call(&mut install)?;
        } else {
            for name in ["package.json", "package-lock.json"] {
                std::fs::copy(self.lock.with_file_name(name), own.join(name)).map_err(fault(&own))?;
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
            call(npm.current_dir(&own))?;
        }
        let stamp = self.stamp(place);
        std::fs::copy(&self.lock, &stamp).map(|_| ()).map_err(fault(&stamp))
    }
}

/// The installer and its cache.
struct Uv {
    program: PathBuf,
    cache: PathBuf,
}

impl Uv {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("UV_CACHE_DIR", &self.cache);
        command
    }
}

/// Installs it by pip, once.
fn uv(place: &Path) -> Result<Uv, String> {
    let folder = place.join("uv");
    let uv = Uv { program: folder.join("bin/uv"), cache: place.join("cache") };
    if !uv.program.is_file() {
        crate::python::make(&folder)?;
        let mut pip = Command::new(folder.join("bin/python"));
        call(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]))?;
    }
    Ok(uv)
}

/// The standard output is for the task's answer alone.
fn call(command: &mut Command) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(io::stderr());
    tool::run(std::mem::replace(command, Command::new("true")))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(fault(folder))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn fault(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}
