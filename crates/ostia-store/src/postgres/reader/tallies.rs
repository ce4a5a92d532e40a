//! Counts that no sums are kept of: requests by a fact and a step, and groups by what clients say.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Client;

use super::scope::Scope;
use super::{Reader, query, sums};
use crate::answers::{Fact, GroupBy, GroupRow, ReadError, TALLIES_MAX, Tally};
use crate::conditions::{Conditions, FAILED, Value};
use crate::postgres::client::Fault;
use crate::postgres::text::clean;
use crate::query::Filter;
use crate::steps::Steps;

/// What is counted, and which requests are.
fn columns(fact: Fact) -> (&'static str, &'static str) {
    match fact {
        Fact::User => ("metadata ->> '_user'", "metadata ->> '_user' IS NOT NULL"),
        Fact::Failure => ("status", FAILED),
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
        let filter = &filter.within(steps.time());
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

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
