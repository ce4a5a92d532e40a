//! What the machine has: its environment and its files. Only the operator's sources read it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use super::Failure;

/// The largest file that is read: a token, or the JSON of a credential.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// An environment and the files that it names.
#[derive(Clone)]
pub struct Machine(Arc<Variables>);

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Machine {
    /// The machine that the gateway runs on.
    pub fn this() -> Machine {
        Machine::with(|name| std::env::var(name).ok())
    }

    /// One with these variables.
    pub fn with(variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Machine {
        Machine(Arc::new(variables))
    }

    /// A variable that is set to something.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A file in the user's folder for settings.
    pub fn settings_file(&self, path: &str) -> Option<PathBuf> {
        self.variable("HOME").map(|home| Path::new(&home).join(".config").join(path))
    }

    /// What stands in a file.
    ///
    /// # Errors
    /// That it cannot be read, with its path.
    pub fn file(&self, path: &Path) -> Result<SecretString, Failure> {
        let mut text = String::new();
        let read =
            std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => Ok(text.into()),
            Err(error) => Err(Failure::missing(
                format!("the file {} cannot be read: {error}", path.display()),
                "Check the path, and that the gateway's user may read it.",
            )),
        }
    }
}
