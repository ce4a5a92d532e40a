//! What it takes to reach a provider besides a key: a region, a project, the name of a resource.
//!
//! A row names its settings, and its URLs and headers have `{name}` where their values go; `{a|b}` is the first of several
//! that has one.

use std::borrow::Cow;

use http::HeaderName;
use serde::Deserialize;

use crate::percent::percent_encode;

/// One setting of a provider, as a row has it: all about it, or its value alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SettingRow {
    /// The value.
    Value(String),
    /// Where values come from, and what they may be.
    Whole(Setting),
}

/// One setting of a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setting {
    /// The operator's value. It goes before the environment's.
    pub value: Option<String>,
    /// Environment variables of the operator's that may hold it; the first that is set wins.
    pub env: Vec<String>,
    /// The value where nobody gives one.
    pub default: Option<String>,
    /// The header's name behind `x-ostia-` and `x-portkey-`, where it is not the setting's.
    pub header: Option<String>,
    /// What a value may be.
    pub kind: SettingKind,
    /// A call may go without it.
    pub optional: bool,
    /// A client may choose it only for a credential of its own: the operator's may do more there than the client.
    pub own_credential: bool,
    /// What it is, for people.
    pub about: String,
    /// The headers in which clients send it, in both spellings. Known once the row has been checked.
    #[serde(skip)]
    pub headers: Vec<HeaderName>,
}

/// What a value may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// One segment of a path, or the value of a field in a query: any text, percent-encoded.
    #[default]
    Text,
    /// A part of a host's name between dots (RFC 1035, section 2.3.1): letters, digits and hyphens.
    Label,
    /// The whole base URL.
    Url,
}

impl Setting {
    /// The same under its name, with the headers in which clients send it; none where they can have no such name.
    pub(crate) fn named(self, name: &str) -> Setting {
        let own = self.header_name(name);
        let spelled = ["x-ostia", "x-portkey"].map(|prefix| HeaderName::try_from(format!("{prefix}-{own}")));
        Setting { headers: spelled.into_iter().flatten().collect(), ..self }
    }

    /// The header's name behind `x-ostia-` and `x-portkey-`.
    pub fn header_name(&self, name: &str) -> String {
        self.header.clone().unwrap_or_else(|| name.replace('_', "-"))
    }

    /// What is wrong with a value.
    pub fn problem(&self, value: &str) -> Option<&'static str> {
        let is_label = |text: &str| {
            (1..=63).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !text.starts_with('-')
                && !text.ends_with('-')
        };
        match self.kind {
            _ if value.is_empty() => Some("must not be empty"),
            _ if value.len() > VALUE_BYTES_MAX => Some("is longer than 2048 bytes"),
            SettingKind::Label if !is_label(value) => {
                Some("must be letters, digits and hyphens, 63 at most: it becomes part of a host's name")
            }
            SettingKind::Url if value.contains('@') => Some("must not hold a user or password"),
            SettingKind::Url if !value.starts_with("https://") && !value.starts_with("http://") => {
                Some("must be a URL: https://host/path")
            }
            SettingKind::Text | SettingKind::Label | SettingKind::Url => None,
        }
    }
}

/// Longest value of a setting, in bytes.
const VALUE_BYTES_MAX: usize = 2048;

/// The settings of one call: name and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(Vec<(String, String)>);

impl Values {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Takes a value away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(own, _)| own != name);
    }

    /// All of them.
    pub fn all(&self) -> &[(String, String)] {
        &self.0
    }

    /// Adds a value.
    pub fn insert(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }
}

/// A template with the values in the place of their names. A name without a value leaves nothing.
///
/// ```
/// use ostia_providers::settings::fill;
/// let value = |name: &str| (name == "region").then_some("eu-west-1");
/// assert_eq!(fill("https://{zone|region}.example.com", value), "https://eu-west-1.example.com");
/// ```
pub fn fill<'t, 'v>(template: &'t str, value: impl Fn(&str) -> Option<&'v str>) -> Cow<'t, str> {
    replaced(template, |names, out| {
        out.push_str(names.split('|').find_map(&value).unwrap_or_default());
    })
}

/// The same for paths and queries: values are percent-encoded, once.
pub fn fill_path<'t, 'v>(template: &'t str, value: impl Fn(&str) -> Option<&'v str>) -> Cow<'t, str> {
    replaced(template, |names, out| {
        out.extend(percent_encode(names.split('|').find_map(&value).unwrap_or_default()));
    })
}

fn replaced(template: &str, write: impl Fn(&str, &mut String)) -> Cow<'_, str> {
    if !template.contains('{') {
        return Cow::Borrowed(template);
    }
    let (mut out, mut rest) = (String::with_capacity(template.len() + 32), template);
    while let Some((before, (names, after))) =
        rest.split_once('{').and_then(|(before, behind)| Some((before, behind.split_once('}')?)))
    {
        out.push_str(before);
        write(names, &mut out);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The places in a template where a value goes, each with the names of those that may go there: `a|b`.
pub fn places(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|behind| Some(behind.split_once('}')?.0))
}

/// The names that stand in a template.
pub fn names(template: &str) -> impl Iterator<Item = &str> {
    places(template).flat_map(|place| place.split('|'))
}

#[cfg(test)]
mod tests;
