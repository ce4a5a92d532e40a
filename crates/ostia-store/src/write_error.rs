//! Why something cannot be written, as engines say it.

use std::fmt;

use crate::feedback::NotTheirs;

/// Why something cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// It is the engine that fails and not what is written: it may be otherwise the next time.
    Unavailable(String),
    /// What is written cannot be.
    Refused(String),
    /// What was there is damaged, and what became of it. The next time there is something new in its place.
    Damaged(String),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Unavailable(why) | WriteError::Refused(why) | WriteError::Damaged(why) => {
                f.write_str(why)
            }
        }
    }
}

/// Whether feedback is the caller's, or why it cannot be written.
pub(crate) type Checked = Result<Result<(), NotTheirs>, WriteError>;
