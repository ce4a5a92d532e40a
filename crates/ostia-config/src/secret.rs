//! Credentials by reference: where they are, and how to fetch them when they are needed.

use std::fmt;
use std::path::{Path, PathBuf};

use ostia_routing::config::Redacted;
use secrecy::SecretString;

use crate::expand::{Fault, Part, parts, unset};
use crate::{Code, Place, Problem};

/// Longest credential, in bytes. Service account files have some 2.5 KiB.
pub const SECRET_BYTES_MAX: usize = 64 << 10;

/// A credential as the file gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// Where it is kept.
    pub source: SecretSource,
    /// Where the file says so.
    pub place: Place,
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(out)
    }
}

/// Where a credential is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the configuration file itself.
    Literal(Redacted<String>),
    /// `${NAME}`: in an environment variable.
    Env {
        /// The variable.
        name: String,
    },
    /// `file:/run/secrets/key`: in a file. Line ends at its end are not part of it.
    File {
        /// The file; a relative path is the shell's to understand.
        path: PathBuf,
    },
    /// `prefix-${NAME}`: put together from pieces.
    Template(Vec<SecretPart>),
}

/// A piece of a [`SecretSource::Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPart {
    /// Text as it stands.
    Text(Redacted<String>),
    /// The value of an environment variable.
    Env {
        /// The variable.
        name: String,
    },
}

/// Fetches a credential, by way of `env` (value of a variable) and `read` (content of a file, or why not).
///
/// Errors: the variable is not set, the file cannot be read, or the credential is empty or longer than
/// [`SECRET_BYTES_MAX`]. The problem has the place of the reference and does not tell the credential.
pub fn resolve(
    secret: &SecretRef,
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<SecretString, Problem> {
    let problem = |code: Code, message: String, hint: Option<&str>| Problem {
        place: secret.place.clone(),
        code,
        message,
        hint: hint.map(str::to_owned),
    };
    let variable =
        |name: &str| env(name).ok_or_else(|| problem(Code::UnsetVariable, unset(name), Some(SET_IT)));
    let value = match &secret.source {
        SecretSource::Literal(text) => text.0.clone(),
        SecretSource::Env { name } => variable(name)?,
        SecretSource::File { path } => {
            let text = read(path).map_err(|reason| {
                let message = format!("the file {} cannot be read: {reason}", path.display());
                problem(Code::UnreadableSecret, message, None)
            })?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
        SecretSource::Template(parts) => {
            let texts = parts.iter().map(|part| match part {
                SecretPart::Text(text) => Ok(text.0.clone()),
                SecretPart::Env { name } => variable(name),
            });
            texts.collect::<Result<String, Problem>>()?
        }
    };
    if value.trim().is_empty() {
        let message = format!("{} is empty", described(&secret.source));
        return Err(problem(Code::Empty, message, Some(SET_IT)));
    }
    if value.len() > SECRET_BYTES_MAX {
        let message = format!("{} is longer than {SECRET_BYTES_MAX} bytes", described(&secret.source));
        return Err(problem(Code::TooLarge, message, None));
    }
    Ok(SecretString::from(value))
}

pub(crate) const SET_IT: &str = "set it, or take the field out";

fn described(source: &SecretSource) -> String {
    match source {
        SecretSource::Literal(_) | SecretSource::Template(_) => "the credential".to_owned(),
        SecretSource::Env { name } => format!("the environment variable {name}"),
        SecretSource::File { path } => format!("the file {}", path.display()),
    }
}

/// Reads a reference. The path of a file may itself have `${NAME}` in it, which `env` gives.
///
/// Errors: what is wrong with a `${...}`.
pub(crate) fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<SecretSource, Fault> {
    if let Some(path) = text.strip_prefix("file:") {
        let path = crate::expand::expand(path, env)?;
        return match path.trim() {
            "" => Err(Fault::new(Code::WrongValue, "names no file after `file:`")),
            path => Ok(SecretSource::File { path: PathBuf::from(path) }),
        };
    }
    let parts = parts(text)?;
    if let [Part::Env(name)] = parts.as_slice() {
        return Ok(SecretSource::Env { name: (*name).to_owned() });
    }
    if parts.iter().any(|part| matches!(part, Part::Env(_))) {
        return Ok(SecretSource::Template(parts.iter().map(owned).collect()));
    }
    let texts = parts.iter().map(|part| match part {
        Part::Text(text) | Part::Env(text) => *text,
    });
    Ok(SecretSource::Literal(Redacted(texts.collect())))
}

fn owned(part: &Part<'_>) -> SecretPart {
    match part {
        Part::Text(text) => SecretPart::Text(Redacted((*text).to_owned())),
        Part::Env(name) => SecretPart::Env { name: (*name).to_owned() },
    }
}
