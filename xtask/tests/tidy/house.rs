//! What holds everywhere: nothing unfinished, every module says what it is for, links lead somewhere.

use crate::source::Source;
use crate::{files, is_test, none, root};

/// Every source file of the project.
fn sources() -> Vec<(String, String)> {
    let mut all = files("crates", ".rs");
    all.extend(files("xtask", ".rs"));
    if root().join("fuzz").is_dir() {
        all.extend(files("fuzz", ".rs"));
    }
    all
}

#[test]
fn nothing_is_left_unfinished() {
    const MACROS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];
    const WORD: &str = concat!("FIX", "ME");
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let source = Source::of(&text);
        for word in MACROS {
            problems.extend(source.lines_with(word).into_iter().map(|line| format!("{path}:{line}: {word}")));
        }
        // In comments too.
        let lines = text.lines().enumerate();
        let marked = lines.filter(|(_, line)| line.contains(WORD));
        problems.extend(marked.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())));
    }
    none(&problems);
}

#[test]
fn every_module_says_what_it_is_for() {
    let mute = sources().into_iter().filter(|(path, text)| !is_test(path) && !text.starts_with("//! "));
    none(
        &mute
            .map(|(path, _)| format!("{path}: does not open with `//! ` and what it is for"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_lock_is_part_of_the_project() {
    assert!(root().join("Cargo.lock").is_file(), "Cargo.lock is missing");
    let ignored = std::fs::read_to_string(root().join(".gitignore")).unwrap();
    assert!(
        !ignored.lines().any(|line| line.trim_start_matches('/') == "Cargo.lock"),
        ".gitignore hides Cargo.lock"
    );
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut problems = Vec::new();
    for (path, text) in files("", ".md") {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in links(&text) {
            if !folder.join(&link).exists() {
                problems.push(format!("{path}: {link} does not exist"));
            }
        }
    }
    none(&problems);
}

/// The targets of Markdown links into the project, without what stands behind `#`.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let inside = |link: &&str| !link.contains("://") && !link.starts_with("mailto:") && !link.is_empty();
    targets
        .map(|(link, _)| link.split('#').next().unwrap_or_default())
        .filter(inside)
        .map(str::to_owned)
        .collect()
}

#[test]
fn links_are_found() {
    let text = "[a](b.md) [c](https://x.y/z) [d](e/f.md#g) [h](#i) `x[1](2)`";
    assert_eq!(links(text), ["b.md", "e/f.md", "2"]);
}
