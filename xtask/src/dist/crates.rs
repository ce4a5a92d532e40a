//! The crates that the program is made of, as `cargo tree` and the lock tell: names, versions, licences, who leans on whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::tool;

/// A crate of one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub name: String,
    pub version: String,
}

/// What is known of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crate {
    /// An SPDX expression.
    pub licence: String,
    pub repository: String,
    /// The SHA-256 of its package in the registry; `None` for our own.
    pub checksum: Option<String>,
    pub leans_on: BTreeSet<Id>,
}

/// All of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Crates(pub BTreeMap<Id, Crate>);

impl Crates {
    /// Those of a package, for one system. What only builds it is not part of it.
    pub fn of(package: &str, system: &str) -> Result<Crates, String> {
        let mut tree = tool::cargo(&["tree", "--locked", "--package", package, "--edges", "normal"]);
        tree.args(["--target", system, "--prefix", "depth", "--format", "{p}|{l}|{r}"])
            .current_dir(tool::root());
        let lock = tool::root().join("Cargo.lock");
        let lock = std::fs::read_to_string(&lock).map_err(tool::fault(&lock))?;
        let mut crates = parse(&tool::read(tree)?)?;
        for (id, sum) in checksums(&lock) {
            crates.0.entry(id).and_modify(|entry| entry.checksum = Some(sum));
        }
        Ok(crates)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Lines as `2libc v0.2.1 (proc-macro)|MIT/Apache-2.0|https://...`: how deep it stands, and ` (*)` at the end where what it
/// leans on was told before.
fn parse(tree: &str) -> Result<Crates, String> {
    let mut crates = Crates::default();
    let mut above: Vec<Id> = Vec::new();
    for line in tree.lines() {
        let fault = || format!("`cargo tree` says {line:?}");
        let (package, rest) = line.split_once('|').ok_or_else(fault)?;
        let digits = package.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
        let depth: usize = package[..digits].parse().map_err(|_| fault())?;
        let mut words = package[digits..].split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { return Err(fault()) };
        let id = Id { name: name.to_owned(), version: version.trim_start_matches('v').to_owned() };
        let (licence, repository) = rest.split_once('|').ok_or_else(fault)?;
        above.truncate(depth);
        if let Some(parent) = above.last() {
            crates.0.entry(parent.clone()).or_default().leans_on.insert(id.clone());
        }
        let entry = crates.0.entry(id.clone()).or_default();
        // An old way of saying "or".
        entry.licence = licence.replace(" / ", "/").replace('/', " OR ");
        entry.repository = repository.trim_end_matches(" (*)").to_owned();
        above.push(id);
    }
    Ok(crates)
}

fn checksums(lock: &str) -> impl Iterator<Item = (Id, String)> {
    lock.split("[[package]]").skip(1).filter_map(|block| {
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        Some((Id { name: field("name")?, version: field("version")? }, field("checksum")?))
    })
}

#[cfg(test)]
mod test {
    use super::*;

    fn id(name: &str, version: &str) -> Id {
        Id { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn a_tree_is_read() {
        let tree = "0a v1.0.0 (/x/a)|Apache-2.0|https://a\n1b v2.0.0|MIT/Apache-2.0|\n2c v3.0.0 (proc-macro)|MIT|https://c\n\
                    1c v3.0.0 (proc-macro)|MIT|https://c (*)\n";
        let crates = parse(tree).map(|crates| crates.0).unwrap_or_default();
        let found = |name, version| crates.get(&id(name, version)).cloned().unwrap_or_default();
        assert_eq!(crates.len(), 3);
        assert_eq!(found("a", "1.0.0").leans_on, BTreeSet::from([id("b", "2.0.0"), id("c", "3.0.0")]));
        assert_eq!(found("b", "2.0.0").licence, "MIT OR Apache-2.0");
        assert_eq!(found("c", "3.0.0").repository, "https://c");
        assert!(parse("nonsense\n").is_err());
    }

    #[test]
    fn checksums_are_found() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \
                    \"2.0.0\"\nsource = \"registry\"\nchecksum = \"ab12\"\ndependencies = [\n \"a\",\n]\n";
        assert_eq!(checksums(lock).collect::<Vec<_>>(), [(id("b", "2.0.0"), "ab12".to_owned())]);
    }
}
