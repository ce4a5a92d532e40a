//! What is well with a server: who it is, whether its database is there, whose tables it has, and what the user may do.

use std::time::Instant;

use super::server::Parameters;
use super::{ClickHouse, Error, MIGRATIONS};
use crate::trial::Trial;

/// What the user needs (docs/records.md).
const RIGHTS: [&str; 5] = ["SELECT", "INSERT", "CREATE TABLE", "CREATE VIEW", "ALTER DELETE"];
/// The server's words for a user or a password that is wrong (`AUTHENTICATION_FAILED`, `UNKNOWN_USER`, `WRONG_PASSWORD`,
/// `REQUIRED_PASSWORD`), a database that is not there, a right that is missing, and a statement that it does not know
/// (<https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp>).
const NO_USER: [u32; 4] = [516, 192, 193, 194];
const NO_DATABASE: u32 = 81;
const NO_RIGHT: u32 = 497;
const UNKNOWN_STATEMENT: u32 = 62;

/// Asks it.
pub(crate) fn of(server: &ClickHouse) -> Vec<Trial> {
    let began = Instant::now();
    let found = || -> Result<Vec<Trial>, Error> {
        let version = server.rows("SELECT version()", &Parameters::default(), |row| row.text())?;
        let (version, took_ms) = (version.concat(), began.elapsed().as_millis());
        let who = Trial::works(format!("{server}: ClickHouse {version}, in {took_ms} ms"));
        Ok(vec![who, tables(server)?, rights(server)?])
    };
    found().unwrap_or_else(|error| vec![Trial::fails(format!("{server}: {error}"), next(&error, server))])
}

fn tables(server: &ClickHouse) -> Result<Trial, Error> {
    let is_there =
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'ostia_versions'";
    let none = Parameters::default();
    let version = match server.number(is_there, &none)? {
        0 => None,
        _ => Some(server.number("SELECT max(version) FROM ostia_versions", &none)?),
    };
    Ok(Trial::of_tables(version.filter(|version| *version > 0), MIGRATIONS.len()))
}

/// What the user may do, as `CHECK GRANT` says (<https://clickhouse.com/docs/sql-reference/statements/check-grant>).
fn rights(server: &ClickHouse) -> Result<Trial, Error> {
    let mut missing = Vec::new();
    for right in RIGHTS {
        match server.is_granted(right) {
            Ok(true) => {}
            Ok(false) => missing.push(right),
            // Older servers have no such statement.
            Err(Error::Refused { code: UNKNOWN_STATEMENT, .. }) => {
                return Ok(Trial::works("what the user may do is not known: this version does not tell"));
            }
            Err(error) => return Err(error),
        }
    }
    let ClickHouse { user, database, .. } = server;
    Ok(match missing.is_empty() {
        true => Trial::works(format!("`{user}` may make the tables and write to them")),
        false => {
            let missing = missing.join(", ");
            let found = format!("`{user}` may not do all that is needed ({missing})");
            Trial::fails(found, format!("GRANT {missing} ON {database}.* TO {user}"))
        }
    })
}

/// What to do where there is no answer.
fn next(error: &Error, server: &ClickHouse) -> String {
    let ClickHouse { user, database, .. } = server;
    match error {
        Error::Refused { code, .. } if NO_USER.contains(code) => {
            format!("look at `{user}` and its password in records.store")
        }
        Error::Refused { code: NO_DATABASE, .. } => format!("CREATE DATABASE {database}"),
        Error::Refused { code: NO_RIGHT, .. } => format!("GRANT {} ON {database}.* TO {user}", RIGHTS.join(", ")),
        Error::Refused { .. } | Error::Garbled | Error::Newer(_) => "see the server's log".to_owned(),
        Error::Unreachable(_) => {
            "see that ClickHouse's HTTP interface listens there (8123; 8443 with TLS), and upstream.tls for its certificate"
                .to_owned()
        }
    }
}
