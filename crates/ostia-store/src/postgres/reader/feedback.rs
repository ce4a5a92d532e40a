//! What people thought of traces, counted by step, value and model: some of it at a time, the traces of a page by one question.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::scope::Scope;
use super::{Reader, query};
use crate::answers::{FeedbackTally, ReadError};
use crate::conditions::Conditions;
use crate::postgres::client::{Fault, param};
use crate::postgres::conditions::{numbered, params};
use crate::postgres::names::Kind;
use crate::query::Filter;
use crate::steps::Steps;

/// Feedback that is looked at at once.
const PAGE: usize = 1000;

/// How much there is, and all values times their weights: by step, value and model.
type Tallies = BTreeMap<(i64, i64, Option<String>), (u64, f64)>;

/// What somebody thought, with its trace.
struct Thought {
    trace_id: String,
    created_ms: i64,
    id: String,
    value: i64,
    weight: f64,
}

impl Reader {
    pub(crate) fn feedback(
        &mut self,
        filter: &Filter,
        steps: &Steps,
    ) -> Result<Vec<FeedbackTally>, ReadError> {
        let requests = filter.of_feedback();
        self.on(async |client| {
            let mut tallies = Tallies::new();
            let mut after = (steps.from_ms, String::new());
            loop {
                let page = page(client, &after, steps.to_ms).await?;
                add(client, requests.as_ref(), steps, &page, &mut tallies).await?;
                match page.into_iter().nth(PAGE - 1) {
                    Some(last) => after = (last.created_ms, last.id),
                    None => break,
                }
            }
            let tally = |((start_ms, value, model), (count, weighted))| FeedbackTally {
                start_ms,
                value,
                model,
                count,
                weighted,
            };
            Ok(tallies.into_iter().map(tally).collect())
        })
    }
}

/// What was thought behind this and before then, the oldest first.
async fn page(client: &Client, after: &(i64, String), to_ms: i64) -> Result<Vec<Thought>, Fault> {
    let text = format!(
        "SELECT trace_id, created_ms, id, value, weight FROM feedback \
         WHERE (created_ms, id) > (?, ?) AND created_ms < ? ORDER BY created_ms, id LIMIT {PAGE}"
    );
    let values = [after.0.into(), after.1.as_str().into(), to_ms.into()];
    let thought = |row: &tokio_postgres::Row| {
        Ok(Thought {
            trace_id: row.try_get(0)?,
            created_ms: row.try_get(1)?,
            id: row.try_get(2)?,
            value: row.try_get(3)?,
            weight: row.try_get(4)?,
        })
    };
    query(client, &text, &values).await?.iter().map(thought).collect()
}

/// Adds what is about traces with a request that passes the filter; all of it where nothing is asked for.
async fn add(
    client: &Client,
    requests: Option<&Filter>,
    steps: &Steps,
    page: &[Thought],
    tallies: &mut Tallies,
) -> Result<(), Fault> {
    let ids: HashSet<&str> = page.iter().map(|thought| thought.trace_id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let models = models(client, &ids).await?;
    let passing = match requests {
        None => None,
        Some(requests) => Some(passing(client, requests, &ids).await?),
    };
    for thought in page {
        if passing.as_ref().is_some_and(|passing| !passing.contains(&thought.trace_id)) {
            continue;
        }
        let model = models.get(&thought.trace_id).and_then(|(_, model)| model.clone());
        let tally = tallies.entry((steps.start_of(thought.created_ms), thought.value, model)).or_default();
        *tally = (tally.0 + 1, tally.1 + thought.value as f64 * thought.weight);
    }
    Ok(())
}

/// The number of the first request of each trace, and its model.
async fn models(client: &Client, ids: &[&str]) -> Result<HashMap<String, (i64, Option<String>)>, Fault> {
    let mut models = HashMap::new();
    let columns = "DISTINCT ON (trace_id) trace_id, number, model";
    for conditions in Scope::of_names(client, ids, None).await?.conditions(&Filter::default()) {
        for row in of_traces(client, ids, columns, &conditions, "ORDER BY trace_id, number").await? {
            let (number, model) = (row.try_get(1)?, row.try_get(2)?);
            let first = models.entry(row.try_get(0)?).or_insert((number, model));
            if number < first.0 {
                *first = (number, row.try_get(2)?);
            }
        }
    }
    Ok(models)
}

/// Those of these traces that have a request which passes the filter.
async fn passing(client: &Client, requests: &Filter, ids: &[&str]) -> Result<HashSet<String>, Fault> {
    let mut passing = HashSet::new();
    for conditions in Scope::of_names(client, ids, requests.trace.as_deref()).await?.conditions(requests) {
        for row in of_traces(client, ids, "DISTINCT trace_id", &conditions, "").await? {
            passing.insert(row.try_get(0)?);
        }
    }
    Ok(passing)
}

/// Columns of requests of these traces that meet the conditions.
async fn of_traces(
    client: &Client,
    ids: &[&str],
    columns: &str,
    conditions: &Conditions,
    order: &str,
) -> Result<Vec<tokio_postgres::Row>, Fault> {
    let of_trace = format!("kind = {} AND name = trace_id AND name = ANY(?)", Kind::Request as i16);
    let text = format!(
        "SELECT {columns} FROM requests JOIN names USING (started_ms, number) {} {order}",
        conditions.and_text(&of_trace)
    );
    let mut values = params(&conditions.values);
    values.push(param(&ids, Type::TEXT_ARRAY));
    Ok(client.query_typed(&numbered(&text), &values).await?)
}
