//! What is well with a file of records: whether it can be read, whose tables it has, and whether somebody else holds it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode};

use super::database::{MIGRATIONS, open_to_read};
use crate::trial::{Trial, told_bytes};

/// How long whoever writes to it is waited for: a batch of the gateway takes less.
const LOCKED_WITHIN: Duration = Duration::from_secs(1);

/// Looks at the file; its directory is the caller's.
pub(crate) fn of(path: &Path) -> Vec<Trial> {
    let name = path.display();
    if !path.exists() {
        return vec![Trial::works(format!("{name} is not there yet; the gateway makes it when it starts"))];
    }
    let found = || -> Result<Vec<Trial>, Error> {
        let connection = open_to_read(path)?;
        connection.busy_timeout(LOCKED_WITHIN)?;
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let bytes = number("page_count")?.saturating_mul(number("page_size")?);
        let version = u64::try_from(number("user_version")?).ok().filter(|version| *version > 0);
        let bytes = told_bytes(u64::try_from(bytes).unwrap_or_default());
        let mut all = vec![Trial::works(format!("{name}: SQLite {}, {bytes}", rusqlite::version()))];
        all.push(Trial::of_tables(version, MIGRATIONS.len()));
        all.extend(lock(&connection)?);
        Ok(all)
    };
    found().unwrap_or_else(|error| vec![refused(path, &error)])
}

/// Whoever writes takes this lock, and gives it back soon.
fn lock(connection: &Connection) -> Result<Option<Trial>, Error> {
    // Who may not write takes no such lock.
    connection.pragma_update(None, "query_only", false)?;
    match connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(Some(Trial::fails(
            "another process holds the lock of writers, and does not give it back",
            "see who has the file open (`fuser records.db`): a backup, or a program that began to write; records wait in memory meanwhile",
        ))),
        done => done.map(|()| None),
    }
}

fn refused(path: &Path, error: &Error) -> Trial {
    let next = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "it is damaged: the gateway puts it aside and begins a new one; put a backup in its place first if there is one"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "let the gateway's user read and write it, and its directory"
        }
        _ => "records are not written there; see what the system says of the disk",
    };
    Trial::fails(format!("{}: {error}", path.display()), next)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::database;
    use super::*;

    #[track_caller]
    fn check(path: &Path, expected: &[(bool, &str)]) {
        let found = of(path);
        let is_as_expected = found.len() == expected.len()
            && found.iter().zip(expected).all(|(trial, (works, words))| {
                trial.next.is_none() == *works
                    && format!("{} {}", trial.found, trial.next.clone().unwrap_or_default()).contains(words)
            });
        assert!(is_as_expected, "{found:?}");
    }

    #[test]
    fn a_file_is_looked_at_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.db");
        check(&path, &[(true, "not there yet")]);
        assert!(!path.exists(), "it is not made");
        drop(database::open(&path).unwrap());
        let newest = format!("version {}, the newest", MIGRATIONS.len());
        let works = [(true, "SQLite 3."), (true, newest.as_str())];
        check(&path, &works);

        let other = database::open(&path).unwrap();
        check(&path, &works);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        check(&path, &[works[0], works[1], (false, "holds the lock")]);
        other.execute_batch("ROLLBACK; PRAGMA user_version = 99").unwrap();
        check(&path, &[works[0], (false, "renew this gateway")]);
        drop(other);

        let damaged = folder.path().join("damaged.db");
        fs::write(&damaged, "this is none of SQLite's files, and long enough to be looked at".repeat(20))
            .unwrap();
        check(&damaged, &[(false, "it is damaged")]);
        check(folder.path(), &[(false, "let the gateway's user")]);
    }
}
