//! Where we are in a config, what was found wrong there, and the fields of an object in either spelling.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::{PROBLEMS_MAX, Problem, read};
use crate::nearest;

/// The way from the root to a value. It is only turned into text when there is something to report.
pub(super) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path::Key(self, key)
    }

    pub(super) fn index(&'a self, index: usize) -> Path<'a> {
        Path::Index(self, index)
    }

    pub(super) fn is_root(&self) -> bool {
        matches!(self, Path::Root)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(Path::Root, key) => out.write_str(key),
            Path::Key(parent, key) => write!(out, "{parent}.{key}"),
            Path::Index(parent, index) => write!(out, "{parent}[{index}]"),
        }
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Report {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    unknown: Vec<Problem>,
    more: bool,
}

impl Report {
    /// Something that makes the config unusable.
    pub(super) fn problem(&mut self, path: &Path<'_>, message: impl Into<String>) {
        let entry = Problem { path: path.to_string(), message: message.into(), hint: None };
        push(&mut self.problems, entry, &mut self.more);
    }

    /// The same, with what to do about it.
    pub(super) fn problem_hint(
        &mut self,
        path: &Path<'_>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let entry = Problem { path: path.to_string(), message: message.into(), hint: Some(hint.into()) };
        push(&mut self.problems, entry, &mut self.more);
    }

    /// Something that works, but hardly as its author thinks.
    pub(super) fn warning(&mut self, path: &Path<'_>, message: impl Into<String>) {
        let entry = Problem { path: path.to_string(), message: message.into(), hint: None };
        push(&mut self.warnings, entry, &mut self.more);
    }

    /// A field that nobody reads.
    pub(super) fn unknown<'k>(&mut self, field: &Field<'_>, known: impl IntoIterator<Item = &'k str>) {
        let hint = nearest(&field.name, known).map(|name| format!("did you mean `{name}`?"));
        let message = "unknown field; it has no effect".to_owned();
        push(&mut self.unknown, Problem { path: field.path.to_string(), message, hint }, &mut self.more);
    }

    /// The warnings of a good config, or all that is wrong with a bad one.
    pub(super) fn finish(self) -> Result<Vec<Problem>, Vec<Problem>> {
        let Report { mut problems, mut warnings, unknown, more } = self;
        let good = problems.is_empty();
        let list = if good { &mut warnings } else { &mut problems };
        list.extend(unknown);
        if more {
            list.push(Problem::root("there are more problems than these".to_owned(), None));
        }
        if good { Ok(warnings) } else { Err(problems) }
    }
}

fn push(list: &mut Vec<Problem>, problem: Problem, more: &mut bool) {
    if list.len() < PROBLEMS_MAX {
        list.push(problem);
    } else {
        *more = true;
    }
}

/// One field of an object.
pub(super) struct Field<'a> {
    /// Its name in snake_case, whatever the text says.
    pub(super) name: Cow<'a, str>,
    /// Its path, in the spelling of the text.
    pub(super) path: Path<'a>,
    /// Its value; never null.
    pub(super) value: &'a Value,
}

/// The fields of an object that are not null, with their names in snake_case. `None`, and a problem, if the value is no
/// object. A field that is given in both spellings is a problem, and its first value counts.
pub(super) fn fields<'a>(
    path: &'a Path<'a>,
    value: &'a Value,
    report: &mut Report,
) -> Option<Vec<Field<'a>>> {
    let Value::Object(map) = value else {
        report.problem(path, format!("must be an object, not {}", read::kind(value)));
        return None;
    };
    let mut found: Vec<Field<'a>> = Vec::with_capacity(map.len());
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let field = Field { name: snake_case(key), path: path.key(key), value };
        match found.iter().find(|earlier| field.name == earlier.name) {
            None => found.push(field),
            Some(earlier) => {
                let hint = format!("keep one of `{}` and `{key}`", earlier.path);
                report.problem_hint(&field.path, "is given in two spellings", hint);
            }
        }
    }
    Some(found)
}

/// `customHost` to `custom_host`. A run of capitals is one word: `strictOpenAICompliance` is
/// `strict_open_ai_compliance`.
pub(super) fn snake_case(key: &str) -> Cow<'_, str> {
    if !key.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    let letters: Vec<char> = key.chars().collect();
    let mut snake = String::with_capacity(key.len() + 4);
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| letters[index]);
        let after = letters.get(index + 1);
        let word_starts = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
            });
        if word_starts {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    Cow::Owned(snake)
}
