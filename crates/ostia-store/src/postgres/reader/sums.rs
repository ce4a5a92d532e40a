//! What requests come to, in all and step by step: from the sums that are kept, and where none are kept for what is asked, from the
//! requests themselves.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, Row};

use super::scope::Scope;
use super::{Reader, query};
use crate::answers::{Counted, LINES_MAX, ReadError, Table};
use crate::conditions::{Conditions, Value};
use crate::postgres::client::Fault;
use crate::postgres::conditions::{cleaned, numbered, params};
use crate::postgres::rollup;
use crate::price;
use crate::query::Filter;
use crate::rollup::USD;
use crate::steps::{Steps, least_width_ms, pieces, whole};
use crate::summary::{self, Durations, Group, Grouping, Series, Sums};

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
                false => add_counted(client, filter, by, None, &mut table).await?,
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
                false => add_counted(client, filter, by, Some(steps.step_ms), &mut table).await?,
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

/// Adds up what nobody keeps sums of. The server does, step by step and name by name, so that requests need not come here; and goes
/// through them twice, because times to the first token are counted apart from those of requests.
async fn add_counted(
    client: &Client,
    filter: &Filter,
    by: Grouping,
    step_ms: Option<i64>,
    table: &mut Table,
) -> Result<(), Fault> {
    let start = step_ms.map_or_else(|| "0::bigint".to_owned(), |ms| format!("started_ms / {ms} * {ms}"));
    let of = format!("coalesce({}, '') AS name, {start} AS start", by.column());
    for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
        let of_requests = format!(
            "SELECT {of}, {}, {REQUESTS} FROM requests {} GROUP BY 1, 2, 3",
            bucket("duration_us"),
            conditions.text()
        );
        let mut others = 0;
        each(client, &of_requests, &conditions.values, |row| {
            others += row.try_get::<_, i64>(OTHER_COSTS)?;
            count_requests(row, table)
        })
        .await?;
        let of_first_tokens = format!(
            "SELECT {of}, {}, count(*) FROM requests {} GROUP BY 1, 2, 3",
            bucket("first_token_us"),
            conditions.and_text("first_token_us IS NOT NULL")
        );
        each(client, &of_first_tokens, &conditions.values, |row| {
            let sums = table.cell(row.try_get(0)?, row.try_get(1)?);
            sums.first_tokens.add_to(bucket_at(row, 2)?, unsigned(row.try_get(3)?));
            Ok(())
        })
        .await?;
        if others > 0 {
            let text = format!(
                "SELECT name, start, split_part(cost, ' ', 1), right(cost, 1) = '~', \
                 sum(rtrim(split_part(cost, ' ', 2), '~')::numeric)::text \
                 FROM (SELECT {of}, unnest(string_to_array(costs, ',')) AS cost FROM requests {}) AS paid GROUP BY 1, 2, 3, 4",
                conditions.and_text(&format!("costs IS NOT NULL AND NOT {IS_ONE_COST}"))
            );
            each(client, &text, &conditions.values, |row| count_cost(row, table)).await?;
        }
    }
    Ok(())
}

/// One attempt was paid for, in dollars, and that is not estimated. So it is for nearly all requests, and need not be cut up.
const IS_ONE_COST: &str = "(costs LIKE 'USD %' AND strpos(costs, ',') = 0 AND right(costs, 1) <> '~')";
/// What is added up of requests, behind name, step and bucket. No sum is larger than its column could be: providers may tell any
/// number of tokens.
const REQUESTS: &str = "count(*), count(*) FILTER (WHERE \"end\" = 'client_left'), \
    count(*) FILTER (WHERE (status >= 400 OR \"end\" <> 'whole') AND \"end\" <> 'client_left'), \
    least(sum(duration_us), 9223372036854775807)::bigint, sum(attempts)::bigint, sum(failed_attempts)::bigint, \
    least(sum(prompt_tokens), 9223372036854775807)::bigint, least(sum(completion_tokens), 9223372036854775807)::bigint, \
    least(sum(cached_tokens), 9223372036854775807)::bigint, least(sum(reasoning_tokens), 9223372036854775807)::bigint, \
    sum(unpriced)::bigint, \
    (sum(substr(costs, 5)::numeric) FILTER (WHERE costs LIKE 'USD %' AND strpos(costs, ',') = 0 AND right(costs, 1) <> '~'))::text, \
    count(costs) FILTER (WHERE NOT (costs LIKE 'USD %' AND strpos(costs, ',') = 0 AND right(costs, 1) <> '~'))";
/// Where in a row of them the dollars are, and the number of requests that were paid otherwise.
const ONE_COST: usize = 14;
const OTHER_COSTS: usize = 15;

/// Where a time is counted among [`Durations`].
fn bucket(column: &str) -> String {
    let borders: Vec<String> = Durations::borders_us().map(|border| border.to_string()).collect();
    format!("width_bucket({column}, '{{{}}}'::bigint[])", borders.join(","))
}

fn bucket_at(row: &Row, at: usize) -> Result<usize, Fault> {
    Ok(usize::try_from(row.try_get::<_, i32>(at)?).unwrap_or_default())
}

fn count_requests(row: &Row, table: &mut Table) -> Result<(), Fault> {
    let sums = table.cell(row.try_get(0)?, row.try_get(1)?);
    let number = |at: usize| row.try_get(at).map(unsigned);
    sums.durations.add_to(bucket_at(row, 2)?, number(3)?);
    let own = [
        &mut sums.requests,
        &mut sums.left,
        &mut sums.failed,
        &mut sums.duration_us,
        &mut sums.attempts,
        &mut sums.failed_attempts,
        &mut sums.prompt_tokens,
        &mut sums.completion_tokens,
        &mut sums.cached_tokens,
        &mut sums.reasoning_tokens,
        &mut sums.unpriced,
    ];
    for (own, at) in own.into_iter().zip(3..) {
        *own = own.saturating_add(number(at)?);
    }
    if let Some(atto) = row.try_get::<_, Option<&str>>(ONE_COST)?.and_then(price::atto) {
        summary::add(&mut sums.cost, USD, atto);
    }
    Ok(())
}

/// Name, step, currency, whether it is estimated, and how much.
fn count_cost(row: &Row, table: &mut Table) -> Result<(), Fault> {
    let sums = table.cell(row.try_get(0)?, row.try_get(1)?);
    let (currency, is_estimated): (&str, bool) = (row.try_get(2)?, row.try_get(3)?);
    let Some(atto) = price::atto(row.try_get(4)?) else { return Ok(()) };
    summary::add(&mut sums.cost, currency, atto);
    if is_estimated {
        summary::add(&mut sums.estimated, currency, atto);
    }
    Ok(())
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
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
