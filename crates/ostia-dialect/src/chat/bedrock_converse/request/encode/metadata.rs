//! `requestMetadata`: names and values that the vendor writes to its logs of calls
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>). What clients of other dialects call
//! `metadata` goes there too, as far as the vendor takes it.

use super::extra;
use crate::Request;
use crate::json::{Document, Writer};

const OWN: [&str; 2] = ["requestMetadata", "request_metadata"];
/// Clients' own word; the fields in it that their dialect does not know stand by themselves.
const METADATA: &str = "metadata";
const FIELD: &str = "metadata.";
/// Most entries, and most characters of a name and of a value.
const ENTRIES_MAX: usize = 16;
const CHARS_MAX: usize = 256;
/// Signs that are taken beside letters, digits and white space.
const SIGNS: &str = ":_@$#=/+,-.";

/// Is this field said here?
pub(super) fn is_read(name: &str) -> bool {
    OWN.contains(&name) || name == METADATA || name.starts_with(FIELD)
}

/// Writes the field, if there is anything for it.
pub(super) fn write(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    let mut entries: Vec<(String, String)> = Vec::new();
    for own in extra(request, &OWN).into_iter() {
        entries.extend(fields(own.as_str(), "", dropped));
    }
    if let Some(all) = extra(request, &[METADATA]) {
        entries.extend(fields(all.as_str(), FIELD, dropped));
    }
    for (path, value) in &request.extra {
        let Some(name) = path.strip_prefix(FIELD) else { continue };
        match text(value.as_str()) {
            Some(value) if is_taken(name, &value) => entries.push((name.to_owned(), value)),
            _ => dropped.push(path.clone()),
        }
    }
    for (name, _) in entries.drain(ENTRIES_MAX.min(entries.len())..) {
        dropped.push(format!("{FIELD}{name}"));
    }
    if !entries.is_empty() {
        w.field_object("requestMetadata", |w| {
            entries.iter().for_each(|(name, value)| w.field_str(name, value));
        });
    }
}

/// The entries of an object that are taken; those that are not are reported by their path. Without `path` they are the
/// client's own words to the vendor, which judges them itself.
fn fields(object: &str, path: &str, dropped: &mut Vec<String>) -> Vec<(String, String)> {
    let Ok(document) = Document::parse(object.as_bytes()) else { return Vec::new() };
    let mut taken = Vec::new();
    if !document.root().is_object() {
        dropped.push(path.trim_end_matches('.').to_owned());
    }
    for (name, value) in document.root().fields() {
        match value.as_str() {
            Some(value) if path.is_empty() || is_taken(&name, &value) => {
                taken.push((name.into_owned(), value.into_owned()));
            }
            _ => dropped.push(format!("{path}{name}")),
        }
    }
    taken
}

fn is_taken(name: &str, value: &str) -> bool {
    let fits = |text: &str| {
        let is_known = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || SIGNS.contains(c);
        text.len() <= CHARS_MAX && text.chars().all(is_known)
    };
    !name.is_empty() && fits(name) && fits(value)
}

fn text(json: &str) -> Option<String> {
    let document = Document::parse(json.as_bytes()).ok()?;
    document.root().as_str().map(|text| text.into_owned())
}
