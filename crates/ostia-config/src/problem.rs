//! What is wrong with a file, and where.

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
    /// What kind of problem it is, for programs.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What follows from a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file works, but hardly as its author thinks.
    Warning,
}

impl Severity {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// The kinds of problems. Their names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The file cannot be read.
    UnreadableFile,
    /// It is no YAML.
    Syntax,
    /// It is a file of another gateway.
    ForeignFile,
    /// Something is longer, deeper or more than may be.
    TooLarge,
    /// A field is given twice.
    Duplicate,
    /// Nobody knows this field.
    UnknownField,
    /// A value is of another kind than it must be.
    WrongType,
    /// A value is of the right kind, and cannot be.
    WrongValue,
    /// A text has nothing in it.
    Empty,
    /// A field that has to be there is not.
    Missing,
    /// It names a config, a provider or a target, and there is none of that name.
    UnknownName,
    /// An environment variable is not set, or has nothing in it.
    UnsetVariable,
    /// The file of a credential cannot be read.
    UnreadableSecret,
    /// A routing config says what cannot be.
    InvalidConfig,
    /// A routing config asks for what is not there yet.
    Unsupported,
    /// Warning: a field has no effect where it stands.
    NoEffect,
    /// Warning: others can use the gateway.
    Open,
    /// Warning: a part of an address is there twice.
    DoubledPath,
    /// Warning: the times do not fit together.
    ShortTimeout,
    /// Warning: a certificate does not hold now.
    Expired,
    /// Warning: a file with a catalogue of models is not used.
    UnusedCatalog,
}

impl Code {
    /// All of them.
    pub const ALL: [Code; 21] = [
        Code::UnreadableFile,
        Code::Syntax,
        Code::ForeignFile,
        Code::TooLarge,
        Code::Duplicate,
        Code::UnknownField,
        Code::WrongType,
        Code::WrongValue,
        Code::Empty,
        Code::Missing,
        Code::UnknownName,
        Code::UnsetVariable,
        Code::UnreadableSecret,
        Code::InvalidConfig,
        Code::Unsupported,
        Code::NoEffect,
        Code::Open,
        Code::DoubledPath,
        Code::ShortTimeout,
        Code::Expired,
        Code::UnusedCatalog,
    ];

    /// As programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::UnreadableFile => "unreadable_file",
            Code::Syntax => "syntax",
            Code::ForeignFile => "foreign_file",
            Code::TooLarge => "too_large",
            Code::Duplicate => "duplicate",
            Code::UnknownField => "unknown_field",
            Code::WrongType => "wrong_type",
            Code::WrongValue => "wrong_value",
            Code::Empty => "empty",
            Code::Missing => "missing",
            Code::UnknownName => "unknown_name",
            Code::UnsetVariable => "unset_variable",
            Code::UnreadableSecret => "unreadable_secret",
            Code::InvalidConfig => "invalid_config",
            Code::Unsupported => "unsupported",
            Code::NoEffect => "no_effect",
            Code::Open => "open",
            Code::DoubledPath => "doubled_path",
            Code::ShortTimeout => "short_timeout",
            Code::Expired => "expired",
            Code::UnusedCatalog => "unused_catalog",
        }
    }

    /// What follows from a problem of this kind.
    pub fn severity(self) -> Severity {
        match self {
            Code::NoEffect
            | Code::Open
            | Code::DoubledPath
            | Code::ShortTimeout
            | Code::Expired
            | Code::UnusedCatalog => Severity::Warning,
            Code::UnreadableFile
            | Code::Syntax
            | Code::ForeignFile
            | Code::TooLarge
            | Code::Duplicate
            | Code::UnknownField
            | Code::WrongType
            | Code::WrongValue
            | Code::Empty
            | Code::Missing
            | Code::UnknownName
            | Code::UnsetVariable
            | Code::UnreadableSecret
            | Code::InvalidConfig
            | Code::Unsupported => Severity::Error,
        }
    }
}

impl Problem {
    /// A problem of the file as a whole.
    pub fn of_file(code: Code, message: impl Into<String>) -> Problem {
        Problem { place: Place::default(), code, message: message.into(), hint: None }
    }

    /// What follows from it.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Does it make the file useless?
    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }

    /// In one line, with the file's name in front:
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
