//! What the program is made of, as a CycloneDX document (<https://cyclonedx.org/docs/1.6/json/>).

use std::fmt::Write as _;

use super::Release;
use super::crates::{Crate, Crates, Id};

/// The document.
pub fn of(release: &Release) -> Result<String, String> {
    Ok(render(&release.crates, &release.version, &super::sha256(&release.program)?))
}

/// It has no serial number and no time: the same source gives the same document.
fn render(crates: &Crates, version: &str, program: &str) -> String {
    let is_program = |id: &Id| id.name == "ostia";
    let components = crates.0.iter().filter(|(id, _)| !is_program(id));
    let components: Vec<String> = components.map(|(id, entry)| component(id, entry)).collect();
    let dependencies: Vec<String> = crates.0.iter().map(|(id, entry)| dependency(id, entry)).collect();
    let own = Id { name: "ostia".to_owned(), version: version.to_owned() };
    format!(
        "{{\n\"bomFormat\": \"CycloneDX\",\n\"specVersion\": \"1.6\",\n\"version\": 1,\n\
         \"metadata\": {{\"component\": {{\"type\": \"application\", {}, {}, {}}}}},\n\
         \"components\": [\n{}\n],\n\"dependencies\": [\n{}\n]\n}}\n",
        names(&own),
        hash(program),
        licence("Apache-2.0"),
        components.join(",\n"),
        dependencies.join(",\n"),
    )
}

fn component(id: &Id, entry: &Crate) -> String {
    let mut text = format!("{{\"type\": \"library\", {}", names(id));
    if let Some(checksum) = &entry.checksum {
        let _ = write!(text, ", {}", hash(checksum));
    }
    let _ = write!(text, ", {}", licence(&entry.licence));
    if !entry.repository.is_empty() {
        let url = quote(&entry.repository);
        let _ = write!(text, ", \"externalReferences\": [{{\"type\": \"vcs\", \"url\": {url}}}]");
    }
    text + "}"
}

fn dependency(id: &Id, entry: &Crate) -> String {
    let others: Vec<String> = entry.leans_on.iter().map(|other| quote(&purl(other))).collect();
    format!("{{\"ref\": {}, \"dependsOn\": [{}]}}", quote(&purl(id)), others.join(", "))
}

fn names(id: &Id) -> String {
    let purl = quote(&purl(id));
    let (name, version) = (quote(&id.name), quote(&id.version));
    format!("\"bom-ref\": {purl}, \"name\": {name}, \"version\": {version}, \"purl\": {purl}")
}

/// `+` in a version has to be written otherwise there (<https://github.com/package-url/purl-spec>).
fn purl(id: &Id) -> String {
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

fn hash(sha256: &str) -> String {
    format!("\"hashes\": [{{\"alg\": \"SHA-256\", \"content\": {}}}]", quote(sha256))
}

fn licence(expression: &str) -> String {
    format!("\"licenses\": [{{\"expression\": {}}}]", quote(expression))
}

/// A JSON string.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod test {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn texts_are_quoted() {
        assert_eq!(quote("a\"b\\c\nd\u{e9}"), "\"a\\\"b\\\\c\\u000ad\u{e9}\"");
    }

    #[test]
    fn every_crate_stands_there_once() {
        let id = |name: &str| Id { name: name.to_owned(), version: "1.0.0+x".to_owned() };
        let entry = |other: Option<&str>| Crate {
            licence: "MIT".to_owned(),
            checksum: Some("ab".to_owned()),
            leans_on: other.map(&id).into_iter().collect::<BTreeSet<_>>(),
            ..Crate::default()
        };
        let crates = Crates(BTreeMap::from([(id("ostia"), entry(Some("a"))), (id("a"), entry(None))]));
        let text = render(&crates, "1.0.0+x", "cd");
        assert_eq!(text.matches("\"type\": \"library\"").count(), 1, "{text}");
        assert!(
            text.contains(
                "{\"ref\": \"pkg:cargo/ostia@1.0.0%2Bx\", \"dependsOn\": [\"pkg:cargo/a@1.0.0%2Bx\"]}"
            ),
            "{text}"
        );
    }
}
