//! What is well with a server: who it is, how it is spoken to, whose tables it has, and whether they can be made and written to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Client as Connection;
use tokio_postgres::error::SqlState;

use super::Server;
use super::client::{Client, Fault, Role};
use super::tables;
use crate::trial::{Trial, told_bytes};

/// How long all of its answers may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// The oldest that has all that is used, as `server_version_num` tells it (docs/records.md).
const VERSION_MIN: i32 = 120_000;

/// Connects as a gateway that reads, and asks.
pub(crate) fn of(server: &Arc<Server>) -> Vec<Trial> {
    let began = Instant::now();
    let mut client = Client::new(server.clone(), Role::Looks);
    let found = client.run(ANSWERED_WITHIN, async |client| {
        let who = who(client, server, began).await?;
        Ok(vec![who, tables(client, server).await?])
    });
    found.unwrap_or_else(|fault| vec![Trial::fails(format!("{server}: {fault}"), next(&fault, server))])
}

/// Its version, and how it is spoken to.
async fn who(client: &Connection, server: &Server, began: Instant) -> Result<Trial, Fault> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int, \
             pg_is_in_recovery() OR \
             (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only'), \
             (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), \
             pg_database_size(current_database())",
            &[],
        )
        .await?;
    let (version, number): (&str, i32) = (row.try_get(0)?, row.try_get(1)?);
    let is_read_only: bool = row.try_get(2)?;
    let encrypted: Option<&str> = row.try_get(3)?;
    let bytes = told_bytes(u64::try_from(row.try_get::<_, i64>(4)?).unwrap_or_default());
    let encrypted = encrypted.unwrap_or("not encrypted");
    let took_ms = began.elapsed().as_millis();
    let found = format!("{server}: PostgreSQL {version}, {encrypted}, {bytes}, in {took_ms} ms");
    Ok(match (number < VERSION_MIN, is_read_only) {
        (true, _) => Trial::fails(found, "PostgreSQL 12 or newer is needed"),
        (false, true) => Trial::fails(
            format!("{found}, and nothing can be written there"),
            "name the primary, not a standby; or let the role write (default_transaction_read_only)",
        ),
        (false, false) => Trial::works(found),
    })
}

/// Whose tables are there; and where there are none, or not all, whether they may be made.
async fn tables(client: &Connection, server: &Server) -> Result<Trial, Fault> {
    let version = tables::version(client).await?;
    let known = tables::MIGRATIONS.len();
    let told = Trial::of_tables(version.and_then(|version| u64::try_from(version).ok()), known);
    let Server { user, database, .. } = server;
    let is_newest = version == Some(known as i64);
    if is_newest && !may(client, MAY_WRITE).await? {
        return Ok(Trial::fails(
            format!("{}, but `{user}` may not write to them", told.found),
            "let the role that owns them write, or give this one its rights",
        ));
    }
    if version.is_none() && !may(client, MAY_MAKE).await? {
        return Ok(Trial::fails(
            format!("no tables yet, and `{user}` may not make any"),
            format!(
                "as its owner: GRANT CREATE ON DATABASE {database} TO {user}; or CREATE SCHEMA ostia AUTHORIZATION {user}"
            ),
        ));
    }
    Ok(told)
}

/// May whoever is connected make the tables? Partitions are made by their owner, every day.
const MAY_MAKE: &str = "SELECT CASE WHEN to_regnamespace('ostia') IS NULL \
                        THEN has_database_privilege(current_database(), 'CREATE') \
                        ELSE has_schema_privilege('ostia', 'CREATE') END";
/// Or write to them?
const MAY_WRITE: &str = "SELECT has_schema_privilege('ostia', 'CREATE') \
                         AND has_table_privilege('ostia.requests', 'INSERT') \
                         AND pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'ostia.requests'::regclass), 'USAGE')";

async fn may(client: &Connection, question: &str) -> Result<bool, Fault> {
    Ok(client.query_one(question, &[]).await?.try_get(0)?)
}

/// What to do where there is no answer.
fn next(fault: &Fault, server: &Server) -> String {
    let Server { host, port, user, database, .. } = server;
    let code = match fault {
        Fault::Server(error) => error.code(),
        Fault::Closed(_) | Fault::TooSlow => None,
    };
    match code {
        Some(code) if *code == SqlState::INVALID_PASSWORD => {
            format!("look at the password of `{user}` in records.store")
        }
        Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            format!("make the role `{user}`, and let it in from here (pg_hba.conf); see sslmode")
        }
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            format!("CREATE DATABASE {database} OWNER {user}")
        }
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            format!("GRANT CONNECT ON DATABASE {database} TO {user}")
        }
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            "raise max_connections: a gateway has three".to_owned()
        }
        Some(_) => "see the server's log".to_owned(),
        None => format!(
            "see that PostgreSQL listens at {host}:{port}, and sslmode and sslrootcert in records.store"
        ),
    }
}
