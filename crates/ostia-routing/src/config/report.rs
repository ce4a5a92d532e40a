//! Where we are in a config, and what was found wrong there.

use std::fmt;

use super::{PROBLEMS_MAX, Problem};
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
    pub(super) fn unknown<'k>(
        &mut self,
        path: &Path<'_>,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let hint = nearest(name, known).map(|name| format!("did you mean `{name}`?"));
        let message = "unknown field; it has no effect".to_owned();
        push(&mut self.unknown, Problem { path: path.to_string(), message, hint }, &mut self.more);
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
