//! The fields of an object, in either spelling.

use std::borrow::Cow;

use serde_json::Value;

use super::report::{Path, Report};
use super::{LIST_MAX, read};

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
    if map.len() > LIST_MAX {
        report.problem(path, format!("has {} fields; at most {LIST_MAX} are allowed", map.len()));
        return None;
    }
    let mut found: Vec<Field<'a>> = Vec::with_capacity(map.len());
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let field = Field { name: snake_case(key), path: path.key(key), value };
        match found.iter().find(|earlier| field.name == earlier.name) {
            None => found.push(field),
            Some(earlier) => {
                let hint = format!("keep one of `{}` and `{key}`", earlier.path.text());
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
