//! `cargo xtask dist`: everything that is published, below target/packages.

mod crates;
mod licences;
mod packages;
mod sbom;

use std::path::{Path, PathBuf};
use std::process::Command;

use self::crates::Crates;
use crate::tool;

const HELP: &str = "\
cargo xtask dist [--bin PATH]

Makes what is published, for this system, in target/packages:

  ostia-VERSION-SYSTEM.tar.gz       the program, stripped, with licences, manual pages, completions, systemd's units
  ostia_VERSION_ARCH.deb            the same for Debian, where cargo-deb is installed (cargo install cargo-deb)
  ostia_gateway-VERSION-*.whl       for uvx and pip, where python3 is
  ostia-VERSION.tgz, ostia-ai-*.tgz for npx and npm, where npm is
  ostia-chart-VERSION.tgz           the Helm chart
  ostia-VERSION.cdx.json            what the program is made of (CycloneDX)
  SHA256SUMS                        checksums of all of them

It builds the profile dist, which takes many minutes. --bin PATH takes that program and builds none.
`cargo xtask packaging` checks the files that this leans on.";

/// What all parts of a release share.
#[derive(Debug)]
pub struct Release {
    version: String,
    /// As rustc calls it: `x86_64-unknown-linux-gnu`.
    system: String,
    /// Where the finished files go.
    out: PathBuf,
    /// Where the files stand that archives are made of.
    stage: PathBuf,
    /// The program, stripped.
    program: PathBuf,
    /// What it is made of.
    crates: Crates,
    /// When its commit was made, in seconds; archives have this time, so that the same source gives the same bytes.
    time: String,
}

/// Runs the task with the arguments behind its name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let given = match arguments {
        [] => None,
        [option, path] if option == "--bin" => Some(PathBuf::from(path)),
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            return Ok(());
        }
        _ => return Err(format!("dist does not take {arguments:?}\n\n{HELP}")),
    };
    let built = match given {
        Some(path) => path,
        None => build()?,
    };
    let release = prepare(&built)?;
    let texts = licences::texts(&release.crates)?;
    tool::write(&release.stage.join("THIRD-PARTY-LICENSES.txt"), &texts)?;
    let sbom = sbom::of(&release)?;
    tool::write(&release.out.join(format!("ostia-{}.cdx.json", release.version)), &sbom)?;
    packages::all(&release)?;
    checksums(&release.out)?;
    println!("\n{} has:", release.out.display());
    let mut list = Command::new("ls");
    list.args(["-l", "--human-readable"]).arg(&release.out);
    tool::run(list)
}

fn build() -> Result<PathBuf, String> {
    println!("Building the profile dist, which optimises over everything at once: many minutes ...");
    let mut build = tool::cargo(&["build", "--profile", "dist", "--locked", "--package", "ostia"]);
    build.current_dir(tool::root());
    tool::run(build)?;
    Ok(tool::target_folder()?.join("dist/ostia"))
}

fn prepare(built: &Path) -> Result<Release, String> {
    let version = tool::version()?;
    let system = system()?;
    // cargo-deb's list of files names this folder, so it is the same wherever Cargo builds.
    let out = tool::root().join("target/packages");
    let stage = tool::root().join("target/packages-stage").join(format!("ostia-{version}-{system}"));
    for folder in [&out, &stage] {
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(tool::fault(folder))?;
        }
        std::fs::create_dir_all(folder).map_err(tool::fault(folder))?;
    }
    let program = stage.join("ostia");
    let mut strip = Command::new("strip");
    strip.args(["--strip-all", "--remove-section=.comment", "-o"]).arg(&program).arg(built);
    tool::run(strip)?;
    let crates = Crates::of("ostia", &system)?;
    let mut time = Command::new("git");
    time.args(["log", "-1", "--format=%ct"]).current_dir(tool::root());
    // Outside of git there is no such time.
    let time = tool::read(time).map_or_else(|_| "0".to_owned(), |time| time.trim().to_owned());
    Ok(Release { version, system, out, stage, program, crates, time })
}

fn system() -> Result<String, String> {
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV");
    let told = tool::read(rustc)?;
    let system = told.lines().find_map(|line| line.strip_prefix("host: "));
    system.map(str::to_owned).ok_or_else(|| format!("rustc does not say its host: {told}"))
}

fn checksums(folder: &Path) -> Result<(), String> {
    let mut names = tool::names(folder)?;
    names.sort();
    let mut sums = Command::new("sha256sum");
    sums.arg("--").args(&names).current_dir(folder);
    tool::write(&folder.join("SHA256SUMS"), &tool::read(sums)?)
}

/// The SHA-256 of a file, in hexadecimal digits.
fn sha256(path: &Path) -> Result<String, String> {
    let mut sum = Command::new("sha256sum");
    sum.arg("--binary").arg(path);
    let told = tool::read(sum)?;
    told.split(' ').next().map(str::to_owned).ok_or_else(|| format!("sha256sum says {told:?}"))
}
