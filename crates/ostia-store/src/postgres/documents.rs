//! Documents: records as JSON, apart from the columns that they are looked for and added up by. Those that were written before there
//! was a table for them stand in `requests` still.

use std::collections::HashMap;

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Transaction};

use super::client::{Fault, param};

/// Requests by time and number, column by column.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) started_ms: Vec<i64>,
    pub(super) numbers: Vec<i64>,
}

impl Keys {
    pub(super) fn push(&mut self, started_ms: i64, number: i64) {
        self.started_ms.push(started_ms);
        self.numbers.push(number);
    }
}

/// Writes the documents of these requests, in their order.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    keys: &Keys,
    documents: &[&str],
) -> Result<(), Fault> {
    let text = "INSERT INTO documents (started_ms, number, document) SELECT * FROM unnest($1, $2, $3)";
    let values = [
        param(&keys.started_ms, Type::INT8_ARRAY),
        param(&keys.numbers, Type::INT8_ARRAY),
        param(&documents, Type::TEXT_ARRAY),
    ];
    transaction.execute_typed(text, &values).await?;
    Ok(())
}

/// The documents of these requests, by number.
pub(super) async fn read(client: &impl GenericClient, keys: &Keys) -> Result<HashMap<i64, String>, Fault> {
    if keys.numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let text = "SELECT number, document FROM documents WHERE started_ms = ANY($1) AND number = ANY($2)";
    let values = [param(&keys.started_ms, Type::INT8_ARRAY), param(&keys.numbers, Type::INT8_ARRAY)];
    let rows = client.query_typed(text, &values).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Puts these in the place of what is there, for requests of a day (`[from, to)`, in milliseconds since 1970).
pub(super) async fn replace(
    transaction: &Transaction<'_>,
    keys: &Keys,
    documents: &[String],
    (from_ms, to_ms): (i64, i64),
) -> Result<(), Fault> {
    let values = [
        param(&keys.started_ms, Type::INT8_ARRAY),
        param(&keys.numbers, Type::INT8_ARRAY),
        param(&documents, Type::TEXT_ARRAY),
        param(&from_ms, Type::INT8),
        param(&to_ms, Type::INT8),
    ];
    for (table, only) in [("documents", ""), ("requests", "AND old.document IS NOT NULL")] {
        let text = format!(
            "UPDATE {table} AS old SET document = new.document \
             FROM unnest($1, $2, $3) AS new (started_ms, number, document) \
             WHERE old.started_ms >= $4 AND old.started_ms < $5 \
             AND old.started_ms = new.started_ms AND old.number = new.number {only}"
        );
        transaction.execute_typed(&text, &values).await?;
    }
    Ok(())
}
