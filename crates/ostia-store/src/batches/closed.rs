//! Why there are no batches to be had.

use std::fmt;

/// Why there are no batches to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchesClosed {
    /// Another process has them.
    Taken,
    /// They cannot be read or written.
    Unreadable(String),
}

impl From<rusqlite::Error> for BatchesClosed {
    fn from(error: rusqlite::Error) -> BatchesClosed {
        BatchesClosed::Unreadable(error.to_string())
    }
}

impl From<std::io::Error> for BatchesClosed {
    fn from(error: std::io::Error) -> BatchesClosed {
        BatchesClosed::Unreadable(error.to_string())
    }
}

impl fmt::Display for BatchesClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchesClosed::Taken => f.write_str("another process has them"),
            BatchesClosed::Unreadable(why) => f.write_str(why),
        }
    }
}
