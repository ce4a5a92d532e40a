//! The archives and packages that carry the program.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Release;
use crate::tool;

/// What goes into the archive as it stands in the repository.
const FILES: [&str; 6] = [
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "crates/ostia-config/ostia.example.yaml",
    "packaging/ostia.service",
    "packaging/ostia.socket",
];
/// Completions: the shell, and the name of the file.
const COMPLETIONS: [(&str, &str); 3] = [("bash", "ostia.bash"), ("zsh", "_ostia"), ("fish", "ostia.fish")];

/// All that can be made here. What lacks its tool is left out, and said.
pub fn all(release: &Release) -> Result<(), String> {
    stage(release)?;
    archive(release)?;
    chart(release)?;
    debian(release)?;
    wheel(release)?;
    npm(release)
}

/// Puts the files together that the archives are made of.
fn stage(release: &Release) -> Result<(), String> {
    for file in FILES {
        let from = tool::root().join(file);
        copy(&from, &release.stage.join(from.file_name().unwrap_or_default()))?;
    }
    let mut man = Command::new(&release.program);
    man.args(["man", "--output"]).arg(release.stage.join("man"));
    tool::run(man)?;
    for (shell, name) in COMPLETIONS {
        let mut completions = Command::new(&release.program);
        completions.args(["completions", shell]);
        tool::write(&release.stage.join("completions").join(name), &tool::read(completions)?)?;
    }
    // cargo-deb's list of files has no place for a version or a system.
    let fixed = release.stage.with_file_name("deb");
    if fixed.exists() {
        std::fs::remove_dir_all(&fixed).map_err(tool::fault(&fixed))?;
    }
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(&release.stage).arg(fixed);
    tool::run(copy)
}

fn archive(release: &Release) -> Result<(), String> {
    let name = release.stage.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = release.stage.parent().unwrap_or(&release.stage);
    tar(release, folder, &name, &format!("{name}.tar.gz"))
}

/// What `helm package` makes: the chart's folder, by its own name.
fn chart(release: &Release) -> Result<(), String> {
    let name = format!("ostia-chart-{}.tgz", release.version);
    tar(release, &tool::root().join("packaging/helm"), "ostia", &name)
}

/// The same files give the same bytes: in order, of nobody, with the time of the commit.
fn tar(release: &Release, folder: &Path, what: &str, name: &str) -> Result<(), String> {
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"]);
    tar.arg(format!("--mtime=@{}", release.time)).arg("--use-compress-program=gzip -9n");
    tar.arg("--create").arg("--file").arg(release.out.join(name)).arg("--directory").arg(folder).arg(what);
    tool::run(tar)
}

/// By cargo-deb, from `package.metadata.deb` in crates/ostia/Cargo.toml.
fn debian(release: &Release) -> Result<(), String> {
    if !tool::works(tool::cargo(&["deb", "--version"])) {
        println!("cargo-deb is missing: no Debian package (cargo install cargo-deb).");
        return Ok(());
    }
    tool::write(&release.stage.with_file_name("deb").join("changelog"), &changelog(release)?)?;
    let mut deb = tool::cargo(&["deb", "--no-build", "--no-strip", "--package", "ostia", "--output"]);
    deb.arg(release.out.join("")).current_dir(tool::root());
    tool::run(deb)
}

/// In the form that Debian's tools read. What changed stands in CHANGELOG.md.
fn changelog(release: &Release) -> Result<String, String> {
    let mut date = Command::new("date");
    date.args(["--utc", "--rfc-email", "--date"]).arg(format!("@{}", release.time));
    Ok(format!(
        "ostia ({}-1) unstable; urgency=medium\n\n  * What changed: /usr/share/doc/ostia/NEWS.md\n\n -- The Ostia authors \
         <ostia@users.noreply.github.com>  {}\n",
        release.version,
        tool::read(date)?.trim()
    ))
}

fn wheel(release: &Release) -> Result<(), String> {
    let mut python = Command::new("python3");
    python.arg("--version");
    if !tool::works(python) {
        println!("python3 is missing: no wheel.");
        return Ok(());
    }
    let mut build = Command::new("python3");
    build.arg(tool::root().join("packaging/pypi/build_wheel.py")).arg(&release.program);
    build.arg(&release.version).arg(release.stage.join("THIRD-PARTY-LICENSES.txt")).arg(&release.out);
    tool::run(build)
}

/// Two packages: the one that people name, and the one with this system's program, which npm chooses by itself.
fn npm(release: &Release) -> Result<(), String> {
    let mut version = Command::new("npm");
    version.arg("--version");
    let Some((os, cpu)) = node_names(&release.system) else {
        println!("Node has no name for {}: no packages for npm.", release.system);
        return Ok(());
    };
    if !tool::works(version) {
        println!("npm is missing: no packages for it.");
        return Ok(());
    }
    let folder = release.stage.with_file_name("npm");
    std::fs::create_dir_all(folder.join("bin")).map_err(tool::fault(&folder))?;
    copy(&release.program, &folder.join("bin/ostia"))?;
    copy(&release.stage.join("THIRD-PARTY-LICENSES.txt"), &folder.join("THIRD-PARTY-LICENSES.txt"))?;
    copy(&release.stage.join("LICENSE"), &folder.join("LICENSE"))?;
    tool::write(&folder.join("package.json"), &manifest(&release.version, &release.system, os, cpu))?;
    for package in [tool::root().join("packaging/npm/ostia"), folder] {
        let mut pack = Command::new("npm");
        pack.args(["pack", "--silent", "--pack-destination"]).arg(&release.out).current_dir(package);
        tool::run(pack)?;
    }
    Ok(())
}

/// Node's names for a system and a processor.
fn node_names(system: &str) -> Option<(&'static str, &'static str)> {
    let os = [("linux", "linux"), ("apple-darwin", "darwin")];
    let cpu = [("x86_64", "x64"), ("aarch64", "arm64")];
    let (_, os) = os.iter().find(|(word, _)| system.contains(word))?;
    let (_, cpu) = cpu.iter().find(|(word, _)| system.starts_with(word))?;
    Some((os, cpu))
}

fn manifest(version: &str, system: &str, os: &str, cpu: &str) -> String {
    // A program that leans on glibc is not for systems that have musl.
    let libc = if system.ends_with("-gnu") { "\n  \"libc\": [\"glibc\"]," } else { "" };
    format!(
        "{{\n  \"name\": \"@ostia-ai/ostia-{os}-{cpu}\",\n  \"version\": \"{version}\",\n  \"description\": \"The program of \
         the package ostia for {system}\",\n  \"license\": \"Apache-2.0\",\n  \"repository\": {{\"type\": \"git\", \"url\": \
         \"git+https://github.com/ostia-ai/ostia.git\"}},\n  \"os\": [\"{os}\"],\n  \"cpu\": [\"{cpu}\"],{libc}\n  \
         \"files\": [\"bin\", \"THIRD-PARTY-LICENSES.txt\"]\n}}\n"
    )
}

fn copy(from: &Path, to: &PathBuf) -> Result<(), String> {
    std::fs::copy(from, to).map(|_| ()).map_err(tool::fault(from))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn systems_have_their_names() {
        assert_eq!(node_names("x86_64-unknown-linux-gnu"), Some(("linux", "x64")));
        assert_eq!(node_names("aarch64-apple-darwin"), Some(("darwin", "arm64")));
        assert_eq!(node_names("riscv64gc-unknown-linux-gnu"), None);
        assert!(manifest("1.0.0", "x86_64-unknown-linux-gnu", "linux", "x64").contains("glibc"));
        assert!(!manifest("1.0.0", "x86_64-unknown-linux-musl", "linux", "x64").contains("glibc"));
    }
}
