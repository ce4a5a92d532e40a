//! Where we are in a config, and what was found wrong there.

use std::fmt;

use super::{PROBLEMS_MAX, Problem};
use crate::nearest;
use crate::problem::shortened;

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

    /// In words, as far as they are worth repeating.
    pub(super) fn text(&self) -> String {
        shortened(self.to_string())
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

/// Most problems, and most unknown fields, for which a word is looked for that was probably meant.
const HINTS_MAX: usize = 50;

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
        push(&mut self.problems, path, message, None::<String>, &mut self.more);
    }

    /// The same, with what to do about it.
    pub(super) fn problem_hint(
        &mut self,
        path: &Path<'_>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        push(&mut self.problems, path, message, Some(hint), &mut self.more);
    }

    /// Something that works, but hardly as its author thinks.
    pub(super) fn warning(&mut self, path: &Path<'_>, message: impl Into<String>) {
        push(&mut self.warnings, path, message, None::<String>, &mut self.more);
    }

    /// A field that nobody reads.
    pub(super) fn unknown<'k>(
        &mut self,
        path: &Path<'_>,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let near = if self.unknown.len() < HINTS_MAX { nearest(name, known) } else { None };
        let hint = near.map(|name| format!("did you mean `{name}`?"));
        push(&mut self.unknown, path, "unknown field; it has no effect", hint, &mut self.more);
        self.unknown.iter_mut().for_each(|problem| problem.is_unknown_field = true);
    }

    /// The known word that another one was probably meant to be. It is looked for only in the first problems, because the
    /// search costs much more than the word.
    pub(super) fn nearest<'k>(
        &self,
        word: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<&'k str> {
        if self.problems.len() < HINTS_MAX { nearest(word, known) } else { None }
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

fn push(
    list: &mut Vec<Problem>,
    path: &Path<'_>,
    message: impl Into<String>,
    hint: Option<impl Into<String>>,
    more: &mut bool,
) {
    if list.len() < PROBLEMS_MAX {
        let (message, hint) = (message.into(), hint.map(Into::into));
        list.push(Problem { path: path.text(), message, hint, is_unknown_field: false });
    } else {
        *more = true;
    }
}
