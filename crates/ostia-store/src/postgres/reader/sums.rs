//! The sums that are kept.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::Client;

use super::query;
use crate::answers::{LINES_MAX, Piece, Table};
use crate::conditions::Conditions;
use crate::postgres::client::Fault;
use crate::postgres::conditions::{cleaned, numbered, params};
use crate::postgres::rollup;
use crate::query::Filter;
use crate::summary::Grouping;

/// Conditions on the rows of sums of a width and a time.
pub(super) fn kept(filter: &Filter, (width_ms, (start_ms, end_ms)): Piece) -> Conditions {
    let filter = cleaned(filter);
    let mut conditions = Conditions::default();
    conditions.some("width_ms = ?", Some(width_ms));
    conditions.some("start_ms >= ?", Some(start_ms));
    conditions.some("start_ms < ?", Some(end_ms));
    conditions.some("provider = ?", filter.provider.as_deref());
    conditions.some("model = ?", filter.model.as_deref());
    conditions.some("key = ?", filter.key.as_deref());
    conditions
}

/// Adds those of a time.
pub(super) async fn add(
    client: &Client,
    filter: &Filter,
    by: Grouping,
    time: Piece,
    table: &mut Table,
) -> Result<(), Fault> {
    let conditions = kept(filter, time);
    let text =
        format!("SELECT {}, start_ms, {} FROM sums {}", by.column(), rollup::COLUMNS, conditions.text());
    let rows = client.query_typed_raw(&numbered(&text), params(&conditions.values)).await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        table.cell(row.try_get(0)?, row.try_get(1)?).plus(&rollup::sums(&row, 2)?);
    }
    Ok(())
}

/// The names that most requests are of.
pub(super) async fn names(
    client: &Client,
    filter: &Filter,
    by: Grouping,
    time: Piece,
) -> Result<Vec<String>, Fault> {
    let conditions = kept(filter, time);
    let text = format!(
        "SELECT {} FROM sums {} GROUP BY 1 ORDER BY sum(requests) DESC, sum(attempts) DESC, 1 LIMIT {LINES_MAX}",
        by.column(),
        conditions.text()
    );
    let rows = query(client, &text, &conditions.values).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}
