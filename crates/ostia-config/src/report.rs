//! Everything that was found in a file, for people and for programs.

mod line;
mod shown;
mod written;

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use crate::tree::{Point, Tree};
use crate::{Code, PROBLEMS_MAX, Place, Problem, Severity};
use shown::Shown;

/// What was found in a file, errors before warnings, each in the order of the file.
pub struct Report {
    file: String,
    text: String,
    tree: Option<Tree>,
    problems: Vec<Problem>,
    /// There are more than are kept; the last one says so.
    more: bool,
}

impl fmt::Debug for Report {
    /// The text holds credentials.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Report").field("file", &self.file).field("problems", &self.problems).finish()
    }
}

impl Report {
    /// Nothing was found. `file` is what the file is called.
    pub fn new(file: impl Into<String>) -> Report {
        Report { file: file.into(), text: String::new(), tree: None, problems: Vec::new(), more: false }
    }

    /// Of a file that was read.
    pub(crate) fn of(file: &str, text: &str, tree: Option<Tree>, problems: Vec<Problem>) -> Report {
        let mut report = Report { text: text.to_owned(), tree, ..Report::new(file) };
        problems.into_iter().for_each(|problem| report.add(problem));
        report
    }

    /// Takes a problem in. Beyond [`PROBLEMS_MAX`] a last one says that there are more.
    pub fn add(&mut self, problem: Problem) {
        if self.more {
            self.problems.pop();
        }
        let rank = |problem: &Problem| (problem.severity(), problem.place.line, problem.place.column);
        let at = self.problems.partition_point(|earlier| rank(earlier) <= rank(&problem));
        self.problems.insert(at, problem);
        self.more |= self.problems.len() > PROBLEMS_MAX;
        if self.more {
            self.problems.truncate(PROBLEMS_MAX);
            let code = if self.has_errors() { Code::TooLarge } else { Code::NoEffect };
            self.problems.push(Problem::of_file(code, "there are more problems than these"));
        }
    }

    /// Takes in what was found at a field, by its path.
    pub fn add_at(&mut self, path: &str, code: Code, message: impl Into<String>, hint: Option<String>) {
        self.add(Problem { place: self.place(path), code, message: message.into(), hint });
    }

    /// Where a field is, or what is nearest to it.
    fn place(&self, path: &str) -> Place {
        let (line, column) = self.tree.as_ref().map_or((0, 0), |tree| tree.find(path, Point::Value));
        Place { path: path.to_owned(), line, column }
    }

    /// What the file is called.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What was found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many errors and how many warnings there are.
    pub fn counts(&self) -> (usize, usize) {
        let errors = self.problems.iter().filter(|problem| problem.is_error()).count();
        (errors, self.problems.len() - errors)
    }

    /// Is the file of no use?
    pub fn has_errors(&self) -> bool {
        self.counts().0 > 0
    }

    /// As an array for programs: `code`, `severity`, `file`, `path`, `line`, `column`, `message` and `hint` of each problem. Line
    /// and column are null where there are none.
    pub fn json(&self) -> Value {
        let number = |number: u32| Some(number).filter(|number| *number > 0);
        let entry = |problem: &Problem| {
            json!({
                "code": problem.code.as_str(),
                "severity": problem.severity().as_str(),
                "file": self.file,
                "path": problem.place.path,
                "line": number(problem.place.line),
                "column": number(problem.place.column),
                "message": problem.message,
                "hint": problem.hint,
            })
        };
        self.problems.iter().map(entry).collect()
    }

    /// What the file says, as JSON, without whatever could be a credential: `(hidden)` stands there. References (`${NAME}`,
    /// `file:/path`) are shown as they are written. Null where there is no file.
    pub fn written(&self) -> Value {
        self.tree.as_ref().map_or(Value::Null, written::written)
    }

    /// For people: each problem with its line and a mark below it, and how many there are. Empty if nothing was found. Values that
    /// could be credentials are not shown.
    pub fn render(&self, colour: bool) -> String {
        if self.problems.is_empty() {
            return String::new();
        }
        let paint = Paint(colour);
        let shown = Shown::of(self.tree.as_ref());
        let mut out = String::new();
        for problem in &self.problems {
            // Writing to a text cannot fail.
            let _ = self.write_problem(&mut out, problem, &shown, &paint);
        }
        let _ = writeln!(out, "{}", self.summary());
        out
    }

    fn write_problem(
        &self,
        out: &mut String,
        problem: &Problem,
        shown: &Shown,
        paint: &Paint,
    ) -> fmt::Result {
        let Place { path, line, column } = &problem.place;
        let at = if *line > 0 { format!("{}:{line}:{column}", self.file) } else { self.file.clone() };
        let word = paint.severity(problem.severity());
        let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
        writeln!(out, "{}: {word}: {path}{}", paint.bold(&at), problem.message)?;
        let source = line.checked_sub(1).and_then(|index| self.text.lines().nth(index as usize));
        if let Some(marked) = source.map(|source| line::mark(source, *line, *column, shown)) {
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            writeln!(out, "  {} {}", paint.faint(&format!("{number} |")), marked.text)?;
            let indent = " ".repeat(marked.indent);
            let carets = paint.mark(problem.severity(), &"^".repeat(marked.width));
            writeln!(out, "  {} {indent}{carets}", paint.faint(&format!("{margin} |")))?;
        }
        if let Some(hint) = &problem.hint {
            writeln!(out, "  {} {hint}", paint.bold("hint:"))?;
        }
        writeln!(out)
    }

    fn summary(&self) -> String {
        let count = |number: usize, word: &str| match number {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{number} {word}s")),
        };
        let (errors, warnings) = self.counts();
        let counts: Vec<String> =
            [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
        format!("{}: {}", self.file, counts.join(", "))
    }
}

impl fmt::Display for Report {
    /// Without colours.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.render(false).trim_end())
    }
}

/// Colours of a terminal, if they are wanted (ECMA-48, SGR).
struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn faint(&self, text: &str) -> String {
        self.with("2", text)
    }

    fn mark(&self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.with("1;31", text),
            Severity::Warning => self.with("1;33", text),
        }
    }

    fn severity(&self, severity: Severity) -> String {
        self.mark(severity, severity.as_str())
    }
}
