//! What is wrong with a file, and where: said as a compiler says it.

use std::fmt;

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The field: `providers.groq.models[1]`. Empty for the file as a whole.
    pub path: String,
    /// Line, from 1; 0 where unknown.
    pub line: u32,
    /// Column in characters, from 1; 0 where unknown.
    pub column: u32,
}

/// Something wrong in a configuration file.
///
/// It names fields, environment variables and paths of files, and says what they must be; it never repeats a value
/// that could be a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// The problem with the file's name in front:
    /// ``ostia.yaml:12:5: providers.groq.api_kee: unknown field; did you mean `api_key`?``
    pub fn render(&self, file: &str) -> String {
        match &self.place {
            Place { line: 0, .. } => format!("{file}: {self}"),
            Place { line, column, .. } => format!("{file}:{line}:{column}: {self}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.path.is_empty() {
            write!(out, "{}: ", self.place.path)?;
        }
        out.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "; {hint}"),
            None => Ok(()),
        }
    }
}
