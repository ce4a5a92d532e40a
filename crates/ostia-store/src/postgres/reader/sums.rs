//! What requests come to, in all and step by step: from the sums that are kept, and where none are kept for what is asked, from the
//! requests themselves.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, Row};

use super::scope::Scope;
use super::{Reader, query};
use crate::answers::{COUNTED, Counted, LINES_MAX, ReadError, Table};
use crate::conditions::{Conditions, Value};
use crate::postgres::client::Fault;
use crate::postgres::conditions::{cleaned, numbered, params};
use crate::postgres::rollup;
use crate::query::Filter;
use crate::steps::{Steps, least_width_ms, pieces, whole};
use crate::summary::{Group, Grouping, Series, Sums};

impl Reader {
    pub(crate) fn sums(
        &mut self,
        filter: &Filter,
        by: Grouping,
        now_ms: i64,
    ) -> Result<((i64, i64), Vec<Group>), ReadError> {
        let mut time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(now_ms + 1));
        self.on(async |client| {
            let mut table = Table::default();
            match filter.is_of_sums() {
                true => {
                    time = whole(time, least_width_ms(time.0, now_ms));
                    for piece in pieces(time) {
                        add_kept(client, filter, by, piece, &mut table).await?;
                    }
                }
                false => add_counted(client, filter, by, &mut table).await?,
            }
            Ok((time, table.groups()))
        })
    }

    pub(crate) fn series(
        &mut self,
        filter: &Filter,
        by: Grouping,
        steps: &Steps,
    ) -> Result<Series, ReadError> {
        let time = steps.time();
        let filter = &filter.within(time);
        self.on(async |client| {
            let names = match by {
                Grouping::None => vec![String::new()],
                Grouping::Provider | Grouping::Model | Grouping::Key => {
                    names(client, filter, by, (steps.width_ms(), time)).await?
                }
            };
            let mut table = Table::of_series(*steps, &names);
            match filter.is_of_sums() {
                true => add_kept(client, filter, by, (steps.width_ms(), time), &mut table).await?,
                false => add_counted(client, filter, by, &mut table).await?,
            }
            Ok(table.series(names))
        })
    }
}

/// Conditions on the rows of sums of a width and a time.
pub(super) fn kept(filter: &Filter, width_ms: i64, (start_ms, end_ms): (i64, i64)) -> Conditions {
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

/// The names that most requests are of.
async fn names(
    client: &Client,
    filter: &Filter,
    by: Grouping,
    (width_ms, time): (i64, (i64, i64)),
) -> Result<Vec<String>, Fault> {
    let column = by.column();
    if filter.is_of_sums() {
        let conditions = kept(filter, width_ms, time);
        let text = format!(
            "SELECT {column} FROM sums {} GROUP BY 1 ORDER BY sum(requests) DESC, sum(attempts) DESC, 1 LIMIT {LINES_MAX}",
            conditions.text()
        );
        let rows = query(client, &text, &conditions.values).await?;
        return Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?);
    }
    let mut counts: HashMap<String, i64> = HashMap::new();
    for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
        let text =
            format!("SELECT coalesce({column}, ''), count(*) FROM requests {} GROUP BY 1", conditions.text());
        for row in query(client, &text, &conditions.values).await? {
            *counts.entry(row.try_get(0)?).or_default() += row.try_get::<_, i64>(1)?;
        }
    }
    let mut counts: Vec<(String, i64)> = counts.into_iter().collect();
    counts.sort_by(|(one, of_one), (other, of_other)| (of_other, one).cmp(&(of_one, other)));
    Ok(counts.into_iter().take(LINES_MAX).map(|(name, _)| name).collect())
}

async fn add_kept(
    client: &Client,
    filter: &Filter,
    by: Grouping,
    (width_ms, time): (i64, (i64, i64)),
    table: &mut Table,
) -> Result<(), Fault> {
    let conditions = kept(filter, width_ms, time);
    let text =
        format!("SELECT {}, start_ms, {} FROM sums {}", by.column(), rollup::COLUMNS, conditions.text());
    each(client, &text, &conditions.values, |row| {
        table.cell(row.try_get(0)?, row.try_get(1)?).plus(&rollup::sums(row, 2)?);
        Ok(())
    })
    .await
}

/// Adds up what nobody keeps sums of: each request is looked at.
async fn add_counted(client: &Client, filter: &Filter, by: Grouping, table: &mut Table) -> Result<(), Fault> {
    for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
        let text = format!(
            "SELECT coalesce({}, ''), started_ms, {COUNTED} FROM requests {}",
            by.column(),
            conditions.text()
        );
        each(client, &text, &conditions.values, |row| {
            count(row, 2, table.cell(row.try_get(0)?, row.try_get(1)?))
        })
        .await?;
    }
    Ok(())
}

/// Does this with each row, as they come.
pub(super) async fn each(
    client: &Client,
    text: &str,
    values: &[Value],
    mut with: impl FnMut(&Row) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut rows = pin!(client.query_typed_raw(&numbered(text), params(values)).await?);
    while let Some(row) = rows.try_next().await? {
        with(&row)?;
    }
    Ok(())
}

/// Adds a request to sums: its columns [`COUNTED`], from this one on.
pub(super) fn count(row: &Row, first: usize, sums: &mut Sums) -> Result<(), Fault> {
    let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
    let number = |at: usize| row.try_get(first + at).map(unsigned);
    let counted = Counted {
        status: number(0)?,
        end: row.try_get(first + 1)?,
        duration_us: number(2)?,
        first_token_us: row.try_get::<_, Option<i64>>(first + 3)?.map(unsigned),
        attempts: number(4)?,
        failed_attempts: number(5)?,
        prompt_tokens: number(6)?,
        completion_tokens: number(7)?,
        cached_tokens: number(8)?,
        reasoning_tokens: number(9)?,
        unpriced: number(10)?,
        costs: row.try_get(first + 11)?,
    };
    counted.add_to(sums);
    Ok(())
}
