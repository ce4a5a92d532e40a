//! The tables: in a schema of their own, brought to the newest version by whoever writes.

use tokio_postgres::{Client, GenericClient};

use super::client::Fault;
use super::{TABLES_LOCK, lock};

/// What makes the tables of each version from those of the one before. Only ever added to.
pub(super) const MIGRATIONS: [&str; 4] = [
    include_str!("tables_1.sql"),
    include_str!("tables_2.sql"),
    include_str!("tables_3.sql"),
    include_str!("tables_4.sql"),
];

/// Brings the tables to the newest version, whole or not at all. Gateways that start at once do it one after the other.
pub(super) async fn bring_up(client: &mut Client) -> Result<(), Fault> {
    let transaction = client.transaction().await?;
    lock(&transaction, TABLES_LOCK).await?;
    if version(&transaction).await?.is_none() {
        // To create what is there already needs a right that whoever uses it may not have.
        let is_there = "SELECT to_regnamespace('ostia') IS NOT NULL";
        if !transaction.query_one(is_there, &[]).await?.try_get::<_, bool>(0)? {
            transaction.batch_execute("CREATE SCHEMA ostia").await?;
        }
        transaction
            .batch_execute(
                "CREATE TABLE ostia.version (version BIGINT NOT NULL); INSERT INTO ostia.version VALUES (0)",
            )
            .await?;
    }
    let version = version(&transaction).await?.unwrap_or_default();
    let steps = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..));
    let steps = steps.ok_or_else(|| newer(version))?;
    for step in steps {
        transaction.batch_execute(step).await?;
    }
    if !steps.is_empty() {
        let update = format!("UPDATE ostia.version SET version = {}", MIGRATIONS.len());
        transaction.batch_execute(&update).await?;
    }
    Ok(transaction.commit().await?)
}

/// Can these tables be read?
pub(super) async fn check(client: &Client) -> Result<(), Fault> {
    match version(client).await? {
        Some(version) if version == MIGRATIONS.len() as i64 => Ok(()),
        Some(version) if version > MIGRATIONS.len() as i64 => Err(newer(version)),
        Some(_) | None => Err(Fault::Closed("nothing is kept there yet".to_owned())),
    }
}

/// Of the tables that are there; none where there are none.
pub(super) async fn version(client: &impl GenericClient) -> Result<Option<i64>, Fault> {
    let is_there = "SELECT to_regclass('ostia.version') IS NOT NULL";
    if !client.query_one(is_there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = client.query_opt("SELECT version FROM ostia.version", &[]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn newer(version: i64) -> Fault {
    Fault::Closed(format!("it was written by a newer version of Ostia (tables of version {version})"))
}
