//! What is wrong in a config, or hardly what its author means.

use std::fmt;

/// Most problems that are reported for one config; a last one says that there are more.
pub const PROBLEMS_MAX: usize = 200;

/// Something wrong in a config. It names fields and says what they must be; it never repeats a value that
/// could be a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in the spelling of the text: `targets[1].retry.attempts`. Empty for the config as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// It is about a field that nobody reads. In a client's config that is no more than a warning.
    pub is_unknown_field: bool,
}

/// Longest path that is told whole, in bytes: a name may be as long as the config, and have a problem in each of its
/// fields.
const PATH_BYTES_MAX: usize = 500;

/// A path, as far as it is worth repeating.
pub(crate) fn shortened(mut path: String) -> String {
    if path.len() > PATH_BYTES_MAX {
        let cut = (0..=PATH_BYTES_MAX).rev().find(|&at| path.is_char_boundary(at));
        path.truncate(cut.unwrap_or_default());
        path.push_str("...");
    }
    path
}

impl Problem {
    pub(crate) fn root(message: String, hint: Option<String>) -> Problem {
        Problem { path: String::new(), message, hint, is_unknown_field: false }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "config" } else { &self.path };
        write!(out, "{path}: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "; {hint}"),
            None => Ok(()),
        }
    }
}
