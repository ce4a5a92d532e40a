//! The licences of all that is in the program: its crates in a table, and each text once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::crates::{Crates, Id};
use crate::tool;

/// How files with licences and notices begin, in capitals.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// How many folders below a crate's own the libraries stand that it carries: `aws-lc/third_party/fiat`.
const DEPTH: usize = 4;

/// The licences of the lists that the catalogue's data are made from.
const DATA: &str = "crates/ostia-catalog/data/NOTICE";
/// The licences of what the console is made of, as its build packs them.
const CONSOLE: &str = "crates/ostia/src/endpoints/console/built/licenses.md.gz";

const HEAD: &str = "\
The program `ostia` is licensed under the Apache License 2.0 (LICENSE). It is made of the crates below, of Rust's standard
library (MIT OR Apache-2.0, https://github.com/rust-lang/rust), and of the libraries in C that some of them carry: AWS-LC in
aws-lc-sys, jemalloc in tikv-jemalloc-sys, Zstandard in zstd-sys; its console holds libraries in JavaScript. Their licences follow the table.

";

/// The file THIRD-PARTY-LICENSES.txt.
pub fn texts(crates: &Crates) -> Result<String, String> {
    let sources = sources()?;
    // Each text, with those that it belongs to.
    let mut by_text: BTreeMap<String, Vec<&Id>> = BTreeMap::new();
    let mut text = HEAD.to_owned();
    let mut bare = Vec::new();
    for (id, entry) in crates.0.iter().filter(|(_, entry)| entry.checksum.is_some()) {
        let _ = writeln!(text, "{:<36} {:<48} {}", id.to_string(), entry.licence, entry.repository);
        let folder = sources.iter().map(|source| source.join(format!("{}-{}", id.name, id.version)));
        let folder = folder.into_iter().find(|folder| folder.is_dir());
        let folder = folder.ok_or_else(|| format!("the source of {id} is not here: run `cargo fetch`"))?;
        let found = licence_files(&folder, DEPTH)?;
        if found.is_empty() {
            bare.push(id.to_string());
        }
        for found in found {
            let owners = by_text.entry(found).or_default();
            if !owners.contains(&id) {
                owners.push(id);
            }
        }
    }
    if !bare.is_empty() {
        let _ =
            writeln!(text, "\nThe packages of these bring no text of their licence: {}.", bare.join(", "));
    }
    let data = tool::root().join(DATA);
    let data = std::fs::read_to_string(&data).map_err(tool::fault(&data))?;
    let mut unpack = Command::new("gzip");
    unpack.arg("-dc").arg(tool::root().join(CONSOLE));
    let console = tool::read(unpack)?;
    let mut sections: Vec<(String, String)> = by_text
        .into_iter()
        .map(|(text, ids)| (ids.iter().map(|id| id.to_string()).collect::<Vec<_>>().join(", "), text))
        .collect();
    sections.sort();
    sections.push(("The catalogue of models and prices".to_owned(), data));
    sections.push(("The console".to_owned(), console));
    for (owners, section) in sections {
        let _ = write!(text, "\n{}\n{owners}\n\n{}\n", "-".repeat(80), section.trim_matches('\n'));
    }
    Ok(text)
}

/// Where Cargo has unpacked the registry's packages.
fn sources() -> Result<Vec<PathBuf>, String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let folder = home.ok_or("neither CARGO_HOME nor HOME is set")?.join("registry/src");
    Ok(tool::names(&folder)?.into_iter().map(|name| folder.join(name)).collect())
}

/// The texts in a crate, and in the libraries that it carries, so many folders further down.
fn licence_files(folder: &Path, depth: usize) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    let mut names = tool::names(folder)?;
    names.sort();
    for name in names {
        let path = folder.join(&name);
        if path.is_dir() {
            if depth > 0 {
                texts.extend(licence_files(&path, depth - 1)?);
            }
        } else if is_licence(&name) {
            let bytes = std::fs::read(&path).map_err(tool::fault(&path))?;
            // Some write it in Windows' way; the same text stands there once all the same.
            texts.push(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        }
    }
    Ok(texts)
}

/// `LICENSE-MIT` and its like, and not `license.rs`.
fn is_licence(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_text = matches!(name.rsplit_once('.'), None | Some((_, "TXT" | "MD" | "0")));
    is_text && NAMES.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod test {
    use super::is_licence;

    #[test]
    fn files_with_licences() {
        for (name, expected) in [
            ("LICENSE", true),
            ("LICENSE-MIT", true),
            ("license.txt", true),
            ("COPYING", true),
            ("LICENSE-APACHE-2.0", true),
            ("NOTICE.md", true),
            ("license.rs", false),
            ("README.md", false),
        ] {
            assert_eq!(is_licence(name), expected, "{name}");
        }
    }
}
