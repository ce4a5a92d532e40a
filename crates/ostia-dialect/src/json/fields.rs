//! Fields of objects as clients send them.

use super::{Json, Node};
use crate::Fault;

/// The string in a field that may be absent; any other value is the client's mistake.
pub(crate) fn optional_str(object: Node<'_>, name: &str) -> Result<Option<String>, Fault> {
    object.some(name).map(|value| Ok(value.expect_str()?.into_owned())).transpose()
}

pub(crate) fn optional_bool(object: Node<'_>, name: &str) -> Result<Option<bool>, Fault> {
    object.some(name).map(|value| value.expect_bool()).transpose()
}

/// Adds the fields of an object that are not among the known ones to `unknown`, by path.
pub(crate) fn report_unknown(object: Node<'_>, known: &[&str], unknown: &mut Vec<(String, Json)>) {
    for (name, value) in object.fields() {
        if !known.contains(&name.as_ref()) && !value.is_null() {
            unknown.push((value.path(), Json::of(value)));
        }
    }
}

/// A name of snake case in camel case: `safety_settings` is `safetySettings`.
pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}
