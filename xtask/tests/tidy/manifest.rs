//! Manifests and the lock: which crate leans on which.

use std::collections::{BTreeMap, BTreeSet};

/// Names of the dependencies in a manifest, those of tests only where asked for.
pub fn dependencies(manifest: &str, of_tests: bool) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut counts = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            // Also `target.'cfg(unix)'.dependencies` and `dependencies.name`.
            let mut words = section.rsplit('.');
            let last = words.next().unwrap_or_default();
            counts = is_list(last, of_tests);
            if words.next().is_some_and(|word| is_list(word, of_tests)) {
                names.insert(last.to_owned());
            }
        } else if counts && let Some((name, _)) = line.split_once('=') {
            let name = name.trim().split('.').next().unwrap_or_default();
            names.insert(name.trim_matches('"').to_owned());
        }
    }
    names
}

fn is_list(section: &str, of_tests: bool) -> bool {
    section == "dependencies" || section == "build-dependencies" || of_tests && section == "dev-dependencies"
}

/// Of each package in a Cargo.lock, the packages that it leans on. Versions of one name are put together.
pub fn locked(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let name =
            block.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or_default().trim_matches('"');
        let list = block.split_once("dependencies = [").and_then(|(_, list)| list.split_once(']'));
        let names = list.map(|(list, _)| list.split('"').skip(1).step_by(2)).into_iter().flatten();
        let names = names.map(|name| name.split(' ').next().unwrap_or_default().to_owned());
        packages.entry(name.to_owned()).or_default().extend(names);
    }
    packages
}

/// These packages and all that they lean on.
pub fn closure(packages: &BTreeMap<String, BTreeSet<String>>, from: &BTreeSet<String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&String> = from.iter().collect();
    while let Some(name) = open.pop() {
        if seen.insert(name.clone()) {
            open.extend(packages.get(name).into_iter().flatten());
        }
    }
    seen
}

#[test]
fn manifests_are_read() {
    let text = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\nc = { version = \"1\" }\n\n[dependencies.d]\n\
                version = \"1\"\n[target.'cfg(unix)'.dependencies]\n\"e\" = \"1\"\n[dev-dependencies]\nf = \"1\"\n[lints]\nx = 1\n";
    let names = |of_tests| dependencies(text, of_tests).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(names(false), "b c d e");
    assert_eq!(names(true), "b c d e f");
}

#[test]
fn the_lock_is_followed() {
    let lock = "version = 4\n[[package]]\nname = \"a\"\ndependencies = [\n \"b\",\n \"c 1.0.0\",\n]\n[[package]]\nname = \"b\"\n\
                [[package]]\nname = \"c\"\ndependencies = [\n \"d\",\n]\n[[package]]\nname = \"e\"\n";
    let all = closure(&locked(lock), &BTreeSet::from(["a".to_owned()]));
    assert_eq!(all.into_iter().collect::<Vec<_>>().join(" "), "a b c d");
}
