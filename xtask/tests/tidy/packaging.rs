//! What is shipped beside the code keeps in step with it: versions, paths, ports and times stand in several files.

use std::path::Path;

use crate::{none, root};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The value behind `name = "` in Cargo.toml.
fn cargo(name: &str) -> String {
    let text = read("Cargo.toml");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix("= \""));
    line.and_then(|value| value.strip_suffix('"')).unwrap().to_owned()
}

/// What a line of a file has to say.
#[track_caller]
fn says(problems: &mut Vec<String>, path: &str, line: &str) {
    if !read(path).lines().any(|there| there.trim() == line.trim()) {
        problems.push(format!("{path}: has no line `{line}`"));
    }
}

#[test]
fn versions_are_those_of_the_crates() {
    let version = cargo("version");
    let mut problems = Vec::new();
    says(&mut problems, "packaging/helm/ostia/Chart.yaml", &format!("version: {version}"));
    says(&mut problems, "packaging/helm/ostia/Chart.yaml", &format!("appVersion: {version}"));
    says(&mut problems, "packaging/npm/ostia/package.json", &format!("\"version\": \"{version}\","));
    says(&mut problems, "compose.yaml", &format!("image: ostia:{version}"));
    says(&mut problems, "Dockerfile", &format!("org.opencontainers.image.version=\"{version}\""));
    let npm = read("packaging/npm/ostia/package.json");
    for line in npm.lines().filter(|line| line.contains("@ostia-ai/")) {
        if !line.contains(&format!("\": \"{version}\"")) {
            problems.push(format!("packaging/npm/ostia/package.json: {} is not {version}", line.trim()));
        }
    }
    none(&problems);
}

#[test]
fn the_image_is_built_by_the_oldest_rust_that_is_enough() {
    let from = format!("FROM rust:{}-slim-bookworm AS build", cargo("rust-version"));
    let mut problems = Vec::new();
    says(&mut problems, "Dockerfile", &from);
    none(&problems);
}

#[test]
fn paths_in_the_debian_package_exist() {
    let manifest = read("crates/ostia/Cargo.toml");
    let (_, assets) = manifest.split_once("assets = [").unwrap();
    let from = |line: &str| {
        line.trim().strip_prefix("[\"").and_then(|rest| rest.split('"').next()).map(str::to_owned)
    };
    let paths: Vec<String> = assets.lines().filter_map(from).collect();
    assert!(paths.len() > 8, "{paths:?}");
    let folder = root().join("crates/ostia");
    // `cargo xtask dist` makes the others.
    let kept = paths.iter().filter(|path| !path.contains("/target/packages-stage/deb/"));
    let missing = kept.filter(|path| !folder.join(path).exists());
    none(&missing.map(|path| format!("crates/ostia/Cargo.toml: {path} does not exist")).collect::<Vec<_>>());
}

#[test]
fn files_that_the_image_is_built_from_are_let_in() {
    let ignored = read(".dockerignore");
    let mut problems = Vec::new();
    for needed in ["Cargo.toml", "Cargo.lock", ".cargo", "LICENSE", "crates", "xtask"] {
        if !Path::new(&root()).join(needed).exists()
            || !ignored.lines().any(|line| line == format!("!{needed}"))
        {
            problems.push(format!(".dockerignore: {needed}"));
        }
    }
    none(&problems);
}

/// Whoever ends the gateway has to wait for longer than it lets open calls go on.
#[test]
fn grace_is_longer_than_the_drain() {
    let documented = read("docs/configuration.md");
    let drain =
        documented.lines().find_map(|line| line.strip_prefix("| `timeouts.drain` | `")?.split("s`").next());
    let drain: u64 =
        drain.and_then(|seconds| seconds.parse().ok()).expect("docs/configuration.md tells the default");
    let number = |path: &str, before: &str| -> u64 {
        let text = read(path);
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(before))
            .unwrap_or_else(|| panic!("{path}: {before}"));
        line.trim_end_matches('s').parse().unwrap_or_else(|_| panic!("{path}: {before}{line}"))
    };
    // The end of open streams, and their last words.
    const AFTER: u64 = 5;
    for (path, before) in
        [("packaging/ostia.service", "TimeoutStopSec="), ("compose.yaml", "stop_grace_period: ")]
    {
        assert!(number(path, before) > drain + AFTER, "{path}: {before}");
    }
    assert_eq!(number("packaging/helm/ostia/values.yaml", "drainSeconds: "), drain);
}

/// One port everywhere.
#[test]
fn the_port_is_the_gateways_own() {
    const PORT: &str = "8787";
    assert!(read("docs/configuration.md").contains(&format!("| `listen` | `127.0.0.1:{PORT}`")));
    let mut problems = Vec::new();
    says(&mut problems, "Dockerfile", &format!("ENV OSTIA_LISTEN=0.0.0.0:{PORT}"));
    says(&mut problems, "Dockerfile", &format!("EXPOSE {PORT}"));
    says(&mut problems, "compose.yaml", &format!("- \"127.0.0.1:{PORT}:{PORT}\""));
    says(&mut problems, "packaging/ostia.socket", &format!("ListenStream=127.0.0.1:{PORT}"));
    says(&mut problems, "packaging/helm/ostia/templates/deployment.yaml", &format!("containerPort: {PORT}"));
    says(&mut problems, "packaging/helm/ostia/values.yaml", &format!("port: {PORT}"));
    none(&problems);
}
