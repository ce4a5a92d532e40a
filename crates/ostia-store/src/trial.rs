//! A place is tried before it is used: what is well there, and what its operator has to do. No record is written, and no secret is told.

use crate::engine::Place;
use crate::{clickhouse, postgres, sqlite};

/// What was found of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// What was found.
    pub found: String,
    /// It does not work, and this is what to do about it.
    pub next: Option<String>,
}

impl Trial {
    /// It works.
    pub(crate) fn works(found: impl Into<String>) -> Trial {
        Trial { found: found.into(), next: None }
    }

    /// It does not work.
    pub(crate) fn fails(found: impl Into<String>, next: impl Into<String>) -> Trial {
        Trial { found: found.into(), next: Some(next.into()) }
    }

    /// What the tables are, where this version of the gateway knows so many; none: there are no tables yet.
    pub(crate) fn of_tables(version: Option<u64>, known: usize) -> Trial {
        let known = known as u64;
        match version {
            None => Trial::works("no tables yet; the gateway makes them when it starts"),
            Some(version) if version > known => Trial::fails(
                format!("tables of version {version}, written by a newer gateway; this one knows {known}"),
                "renew this gateway; it leaves them alone",
            ),
            Some(version) if version < known => Trial::works(format!(
                "tables of version {version}, brought to {known} when the gateway starts"
            )),
            Some(version) => Trial::works(format!("tables of version {version}, the newest")),
        }
    }
}

impl Place {
    /// Tries it. A server is waited for as long as the gateway waits for it: some ten seconds for each question.
    pub fn examine(&self) -> Vec<Trial> {
        match self {
            Place::File(path) => sqlite::trial::of(path),
            Place::Postgres(server) => postgres::trial::of(server),
            Place::ClickHouse(server) => clickhouse::trial::of(server),
        }
    }
}

/// Bytes as people read them.
pub(crate) fn told_bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    format!("{size:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_ours_or_not() {
        let check = |version: Option<u64>, works: bool, words: &str| {
            let told = Trial::of_tables(version, 3);
            assert!(told.next.is_none() == works && told.found.contains(words), "{told:?}");
        };
        check(None, true, "no tables yet");
        check(Some(0), true, "brought to 3");
        check(Some(2), true, "version 2, brought to 3");
        check(Some(3), true, "version 3, the newest");
        check(Some(4), false, "newer gateway");
    }

    #[test]
    fn bytes_that_people_read() {
        let check = |bytes: u64, expected: &str| assert_eq!(told_bytes(bytes), expected);
        check(0, "0.0 KiB");
        check(1023 * 1024, "1023.0 KiB");
        check(1024 * 1024, "1.0 MiB");
        check(5 << 30, "5.0 GiB");
        check(5 << 50, "5120.0 TiB");
    }
}
