//! The forms that rules have, so that the vendors' are tables.

use std::collections::HashSet;

use serde_json::Value;

use super::Refusal;

pub(super) type Checked = Result<(), Refusal>;

pub(super) fn refuse<T>(path: impl Into<String>, words: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { path: path.into(), words: words.into() })
}

pub(super) fn require(holds: bool, path: &str, words: &str) -> Checked {
    if holds { Ok(()) } else { refuse(path, words) }
}

/// What ids and names may look like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub chars_max: usize,
    /// Signs beside letters and digits.
    pub signs: &'static str,
    /// Has to begin with a letter or `_`.
    pub begins_with_letter: bool,
}

impl Word {
    pub fn check(&self, value: &Value, path: &str) -> Checked {
        let Some(word) = value.as_str() else { return refuse(path, "expected a string") };
        let length = word.chars().count();
        let in_alphabet = |c: char| c.is_ascii_alphanumeric() || self.signs.contains(c);
        require(length > 0, path, "string should have at least 1 character")?;
        require(length <= self.chars_max, path, "string too long")?;
        require(word.chars().all(in_alphabet), path, "string does not match pattern")?;
        let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
        require(!self.begins_with_letter || word.starts_with(begins), path, "must start with a letter or _")
    }
}

/// A bound of one field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    /// At most so many characters.
    Chars(usize),
    /// At least one and at most so many items or fields.
    Items(usize),
    /// A number from here to there.
    Number(f64, f64),
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// Holds fields, by their JSON pointers, against their bounds. `null` is no value.
pub(super) fn bounds(body: &Value, bounds: &[(&str, Bound)]) -> Checked {
    for (pointer, bound) in bounds {
        let Some(value) = body.pointer(pointer).filter(|value| !value.is_null()) else { continue };
        let path = pointer.trim_start_matches('/').replace('/', ".");
        match bound {
            Bound::Chars(most) => {
                let length = value.as_str().map_or(0, |text| text.chars().count());
                require(length > 0 && length <= *most, &path, "string too long, or none")?;
            }
            Bound::Items(most) => {
                let fields = value.as_object().map(serde_json::Map::len);
                // A single stop sequence may stand for itself.
                let count = value.as_array().map(Vec::len).or(fields).unwrap_or(1);
                require((1..=*most).contains(&count), &path, "array too short or too long")?;
            }
            Bound::Number(least, most) => {
                let fits = value.as_f64().is_some_and(|number| number >= *least && number <= *most);
                require(fits, &path, "number out of range")?;
            }
            Bound::OneOf(values) => {
                let fits = value.as_str().is_none_or(|word| values.contains(&word));
                require(fits, &path, "unsupported value")?;
            }
        }
    }
    Ok(())
}

/// A field that some models refuse.
#[derive(Debug)]
pub(super) struct Ban {
    /// How the names of the models begin.
    pub models: &'static [&'static str],
    pub pointer: &'static str,
    /// Values that are taken all the same.
    pub unless: &'static [&'static str],
}

pub(super) fn bans<'b>(model: &str, body: &Value, bans: impl IntoIterator<Item = &'b Ban>) -> Checked {
    for ban in bans.into_iter().filter(|ban| begins(model, ban.models)) {
        let Some(value) = body.pointer(ban.pointer).filter(|value| !value.is_null()) else { continue };
        let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let path = ban.pointer.trim_start_matches('/').replace('/', ".");
        require(ban.unless.contains(&word.as_str()), &path, "unsupported with this model")?;
    }
    Ok(())
}

pub(super) fn begins(model: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| model.starts_with(start))
}

/// Refuses fields that are none of these.
pub(super) fn fields(object: &Value, known: &[&str], path: &str) -> Checked {
    let Some(object) = object.as_object() else { return refuse(path, "expected an object") };
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => refuse(join(path, name), "unknown parameter"),
        None => Ok(()),
    }
}

pub(super) fn one_of(value: &Value, known: &[&str], path: &str) -> Checked {
    require(value.as_str().is_some_and(|word| known.contains(&word)), path, "unsupported value")
}

/// Refuses the second of two that are alike.
pub(super) fn unique(seen: &mut HashSet<String>, value: &Value, path: &str) -> Checked {
    let word = value.as_str().unwrap_or_default().to_owned();
    require(seen.insert(word), path, "must be unique")
}

/// The items of a list with their paths.
pub(super) fn each<'v>(list: &'v Value, path: &str) -> impl Iterator<Item = (String, &'v Value)> {
    let items = list.as_array().into_iter().flatten().enumerate();
    items.map(move |(at, item)| (format!("{path}[{at}]"), item))
}

pub(super) fn is_blank(value: &Value) -> bool {
    value.as_str().is_none_or(|text| text.trim().is_empty())
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
