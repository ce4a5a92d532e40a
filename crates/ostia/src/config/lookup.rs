//! What stands outside the file and is looked up for it: the environment, and credentials in files.

use std::cell::RefCell;
use std::path::Path;

use ostia_config::{Report, SecretRef};
use secrecy::SecretString;

use super::files::Files;

/// The value of an environment variable.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Looks a credential up. What is wrong with it goes into the report.
pub fn fetch(reference: &SecretRef, files: &RefCell<Files>, report: &mut Report) -> Option<SecretString> {
    let read = |path: &Path| {
        files.borrow_mut().note(path);
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    };
    ostia_config::resolve(reference, &environment, &read).map_err(|problem| report.add(problem)).ok()
}
