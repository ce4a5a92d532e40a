//! Counts that no sums are kept of: requests by a fact and a step, groups by what clients say, and what people thought.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::scope::Scope;
use super::{Reader, query, sums, within};
use crate::conditions::{Conditions, Value};
use crate::postgres::client::{Fault, param};
use crate::postgres::names::{self, Kind};
use crate::postgres::text::clean;
use crate::query::Filter;
use crate::reader::{Fact, FeedbackTally, GroupBy, GroupRow, ReadError, TALLIES_MAX, Tally};
use crate::steps::Steps;

/// What is counted, and which requests are.
fn columns(fact: Fact) -> (&'static str, &'static str) {
    match fact {
        Fact::User => ("metadata ->> '_user'", "metadata ->> '_user' IS NOT NULL"),
        Fact::Failure => ("status", "(status >= 400 OR \"end\" = 'broken') AND \"end\" <> 'client_left'"),
        Fact::Retries => ("retries", "retries > 0"),
        Fact::Fallback => ("fell_back", "fell_back = 1"),
    }
}

/// Requests that have something in common, while they are added up.
#[derive(Default)]
struct Group {
    requests: i64,
    cost_nano: i64,
    tokens: f64,
    counted: i64,
    last_ms: i64,
    /// How many have feedback; how much of that there is, and what it comes to.
    thought: (i64, i64, f64),
}

impl Reader {
    pub(crate) fn tally(
        &mut self,
        filter: &Filter,
        steps: &Steps,
        fact: Fact,
    ) -> Result<Vec<Tally>, ReadError> {
        let (column, condition) = columns(fact);
        let filter = &within(filter, steps.from_ms, steps.to_ms);
        let step_ms = steps.step_ms;
        self.on(async |client| {
            let mut counts: HashMap<(i64, String), i64> = HashMap::new();
            for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
                let text = format!(
                    "SELECT started_ms / {step_ms} * {step_ms}, CAST({column} AS TEXT), count(*) FROM requests {} \
                     GROUP BY 1, 2",
                    conditions.and_text(condition)
                );
                sums::each(client, &text, &conditions.values, |row| {
                    *counts.entry((row.try_get(0)?, row.try_get(1)?)).or_default() += row.try_get::<_, i64>(2)?;
                    Ok(())
                })
                .await?;
            }
            let tally = |((start_ms, name), count)| Tally { start_ms, name, count: unsigned(count) };
            let mut tallies: Vec<Tally> = counts.into_iter().map(tally).collect();
            tallies.sort_by(|one, other| (other.count, one.start_ms, &one.name).cmp(&(one.count, other.start_ms, &other.name)));
            tallies.truncate(TALLIES_MAX);
            Ok(tallies)
        })
    }

    pub(crate) fn groups(
        &mut self,
        filter: &Filter,
        by: &GroupBy,
        (skip, size): (u32, u32),
    ) -> Result<(u64, Vec<GroupRow>), ReadError> {
        let (column, own) = match by {
            GroupBy::Provider => ("provider", None),
            GroupBy::Model => ("model", None),
            GroupBy::Metadata(name) => ("metadata ->> ?", Some(Value::Text(clean(name).into_owned()))),
        };
        self.on(async |client| {
            let mut groups: BTreeMap<String, Group> = BTreeMap::new();
            for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
                add_groups(client, column, own.as_ref(), &conditions, &mut groups).await?;
                add_thoughts(client, column, own.as_ref(), &conditions, &mut groups).await?;
            }
            let all = groups.len() as u64;
            let mut groups: Vec<(String, Group)> = groups.into_iter().collect();
            groups.sort_by(|(one, of_one), (other, of_other)| {
                (of_other.requests, one).cmp(&(of_one.requests, other))
            });
            let page = groups.into_iter().skip(skip as usize).take(size as usize);
            Ok((all, page.map(|(name, group)| group.row(name)).collect()))
        })
    }

    pub(crate) fn feedback(
        &mut self,
        filter: &Filter,
        steps: &Steps,
    ) -> Result<Vec<FeedbackTally>, ReadError> {
        let requests = Filter { from_ms: None, to_ms: None, ..filter.clone() };
        self.on(async |client| {
            let text = format!(
                "SELECT trace_id, created_ms, value, weight FROM feedback WHERE created_ms >= ? AND created_ms < ? \
                 ORDER BY created_ms DESC LIMIT {TALLIES_MAX}"
            );
            let rows = query(client, &text, &[steps.from_ms.into(), steps.to_ms.into()]).await?;
            let ids: Result<HashSet<&str>, _> = rows.iter().map(|row| row.try_get(0)).collect();
            let traces = traces(client, &requests, &ids?.into_iter().collect::<Vec<_>>()).await?;
            let mut tallies: BTreeMap<(i64, i64, Option<&str>), (u64, f64)> = BTreeMap::new();
            for row in &rows {
                let trace = traces.get(row.try_get::<_, &str>(0)?);
                if trace.is_none_or(|trace| !trace.passes) && requests != Filter::default() {
                    continue;
                }
                let (value, weight): (i64, f64) = (row.try_get(2)?, row.try_get(3)?);
                let model = trace.and_then(|trace| trace.model.as_deref());
                let tally = tallies.entry((steps.start_of(row.try_get(1)?), value, model)).or_default();
                *tally = (tally.0 + 1, tally.1 + value as f64 * weight);
            }
            let tally = |((start_ms, value, model), (count, weighted)): ((_, _, Option<&str>), _)| FeedbackTally {
                start_ms,
                value,
                model: model.map(str::to_owned),
                count,
                weighted,
            };
            Ok(tallies.into_iter().map(tally).collect())
        })
    }
}

impl Group {
    fn row(self, name: String) -> GroupRow {
        let (requests, count, sum) = self.thought;
        GroupRow {
            name,
            requests: unsigned(self.requests),
            cost_nano: self.cost_nano,
            avg_tokens: if self.counted == 0 { 0.0 } else { self.tokens / self.counted as f64 },
            last_ms: self.last_ms,
            feedback: (count > 0).then(|| (unsigned(requests), sum / count as f64)),
        }
    }
}

/// Adds what these requests come to.
async fn add_groups(
    client: &Client,
    column: &str,
    own: Option<&Value>,
    conditions: &Conditions,
    groups: &mut BTreeMap<String, Group>,
) -> Result<(), Fault> {
    let text = format!(
        "SELECT name, count(*), coalesce(sum(cost_nano), 0)::bigint, coalesce(sum(tokens), 0)::float8, count(tokens), \
         max(started_ms) FROM (SELECT {column} AS name, cost_nano, tokens, started_ms FROM requests {}) AS named \
         WHERE name IS NOT NULL GROUP BY 1",
        conditions.text()
    );
    let values: Vec<Value> = own.into_iter().chain(&conditions.values).cloned().collect();
    sums::each(client, &text, &values, |row| {
        let group = groups.entry(row.try_get(0)?).or_default();
        group.requests += row.try_get::<_, i64>(1)?;
        group.cost_nano = group.cost_nano.saturating_add(row.try_get(2)?);
        group.tokens += row.try_get::<_, f64>(3)?;
        group.counted += row.try_get::<_, i64>(4)?;
        group.last_ms = group.last_ms.max(row.try_get(5)?);
        Ok(())
    })
    .await
}

/// Adds what was thought of them.
async fn add_thoughts(
    client: &Client,
    column: &str,
    own: Option<&Value>,
    conditions: &Conditions,
    groups: &mut BTreeMap<String, Group>,
) -> Result<(), Fault> {
    let text = format!(
        "SELECT name, count(DISTINCT number), count(*), coalesce(sum(value * weight), 0)::float8 FROM \
         (SELECT {column} AS name, number, trace_id AS of_trace FROM requests {}) AS named \
         JOIN feedback ON feedback.trace_id = of_trace WHERE name IS NOT NULL GROUP BY 1",
        conditions.and_text("trace_id IN (SELECT trace_id FROM feedback)")
    );
    let values: Vec<Value> = own.into_iter().chain(&conditions.values).cloned().collect();
    for row in query(client, &text, &values).await? {
        let Some(group) = groups.get_mut(row.try_get::<_, &str>(0)?) else { continue };
        let (requests, count, sum): (i64, i64, f64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let thought = group.thought;
        group.thought = (thought.0 + requests, thought.1 + count, thought.2 + sum);
    }
    Ok(())
}

/// A trace that feedback is about.
#[derive(Default)]
struct Trace {
    /// The number of its first request, and the model of that.
    first: Option<i64>,
    model: Option<String>,
    /// One of its requests passes the filter.
    passes: bool,
}

async fn traces(client: &Client, filter: &Filter, ids: &[&str]) -> Result<HashMap<String, Trace>, Fault> {
    let places = names::find(client, Kind::Request, ids).await?;
    let mut traces: HashMap<String, Trace> = HashMap::new();
    let values = [param(&places.started_ms, Type::INT8_ARRAY), param(&places.numbers, Type::INT8_ARRAY)];
    let text = "SELECT trace_id, number, model FROM requests WHERE started_ms = ANY($1) AND number = ANY($2)";
    for row in client.query_typed(text, &values).await? {
        let (number, trace) = (row.try_get(1)?, traces.entry(row.try_get(0)?).or_default());
        if trace.first.is_none_or(|first| number < first) {
            (trace.first, trace.model) = (Some(number), row.try_get(2)?);
        }
    }
    if *filter == Filter::default() {
        return Ok(traces);
    }
    for trace_id in ids {
        let of_trace = Filter { trace: Some((*trace_id).to_owned()), ..filter.clone() };
        for conditions in Scope::of(client, &of_trace, None).await?.conditions(&of_trace) {
            let text = format!("SELECT 1 FROM requests {} LIMIT 1", conditions.text());
            if !query(client, &text, &conditions.values).await?.is_empty()
                && let Some(trace) = traces.get_mut(*trace_id)
            {
                trace.passes = true;
            }
        }
    }
    Ok(traces)
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
