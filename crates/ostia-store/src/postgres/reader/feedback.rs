//! What people thought of traces, counted by step, value and model: some of it at a time, the traces of a page by one question.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::scope::Scope;
use super::{Reader, places, query};
use crate::answers::{FeedbackTally, ReadError};
use crate::columns::{FeedbackOfRequests, Place};
use crate::postgres::client::{Fault, param};
use crate::postgres::conditions;
use crate::postgres::names::{self, Kind};
use crate::query::Filter;
use crate::steps::Steps;

/// Feedback that is looked at at once.
const PAGE: usize = 1000;
/// Less feedback than this is looked for in the names of requests. Tests have a bound that they can reach.
const LITTLE: i64 = if cfg!(all(test, debug_assertions)) { 4 } else { 10_000 };
/// Most requests of a page's traces that are looked at, the oldest of them: a client may send all of its requests as one trace.
const REQUESTS_MAX: usize = 100_000;

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
    let thought = |row: &Row| {
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
    let first = ("DISTINCT ON (trace_id) trace_id, number, model", "ORDER BY trace_id, number");
    for row in of_traces(client, ids, first, &Filter::default()).await? {
        let (number, model) = (row.try_get(1)?, row.try_get(2)?);
        let first = models.entry(row.try_get(0)?).or_insert((number, model));
        if number < first.0 {
            *first = (number, row.try_get(2)?);
        }
    }
    Ok(models)
}

/// Those of these traces that have a request which passes the filter.
async fn passing(client: &Client, requests: &Filter, ids: &[&str]) -> Result<HashSet<String>, Fault> {
    let rows = of_traces(client, ids, ("DISTINCT trace_id", ""), requests).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// The feedback of requests that came in the filter's time. A little of it is looked for in the names of requests; where there is much, those
/// requests are looked for in it.
pub(super) async fn of_requests(client: &Client, filter: &Filter) -> Result<FeedbackOfRequests, Fault> {
    let requests = Filter { from_ms: filter.from_ms, to_ms: filter.to_ms, ..Filter::default() };
    let text = format!("SELECT count(*) FROM (SELECT 1 FROM feedback LIMIT {LITTLE}) AS found");
    let rows = query(client, &text, &[]).await?;
    let count: i64 = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    match count < LITTLE {
        true => of_little(client, &requests).await,
        false => of_much(client, &requests).await,
    }
}

async fn of_little(client: &Client, requests: &Filter) -> Result<FeedbackOfRequests, Fault> {
    let (mut all, mut after) = (FeedbackOfRequests::new(), (i64::MIN, String::new()));
    loop {
        let page = page(client, &after, i64::MAX).await?;
        let mut by_trace = HashMap::<&str, (u64, f64)>::new();
        for feedback in &page {
            let own = by_trace.entry(&feedback.trace_id).or_default();
            *own = (own.0 + 1, own.1 + feedback.value as f64 * feedback.weight);
        }
        let ids: Vec<&str> = by_trace.keys().copied().collect();
        for row in of_traces(client, &ids, ("trace_id, number", ""), requests).await? {
            let Some(own) = by_trace.get(row.try_get::<_, &str>(0)?) else { continue };
            add_to(&mut all, row.try_get(1)?, *own);
        }
        match page.into_iter().nth(PAGE - 1) {
            Some(last) => after = (last.created_ms, last.id),
            None => return Ok(all),
        }
    }
}

async fn of_much(client: &Client, requests: &Filter) -> Result<FeedbackOfRequests, Fault> {
    let mut all = FeedbackOfRequests::new();
    for conditions in Scope::of(client, requests, None).await?.conditions(requests) {
        let text = format!(
            "SELECT number, count(*), sum(value * weight)::float8 FROM (SELECT number, trace_id FROM requests {}) AS requests \
             JOIN feedback USING (trace_id) GROUP BY 1",
            conditions.text()
        );
        for row in query(client, &text, &conditions.values).await? {
            let count: i64 = row.try_get(1)?;
            add_to(&mut all, row.try_get(0)?, (u64::try_from(count).unwrap_or_default(), row.try_get(2)?));
        }
    }
    Ok(all)
}

/// One more piece of a request's feedback, or several.
fn add_to(all: &mut FeedbackOfRequests, number: i64, (count, sum): (u64, f64)) {
    let own = all.entry(number).or_default();
    *own = (own.0 + count, own.1 + sum);
}

/// Columns of requests of these traces that pass the filter, and in which order.
async fn of_traces(
    client: &Client,
    ids: &[&str],
    (columns, order): (&str, &str),
    filter: &Filter,
) -> Result<Vec<Row>, Fault> {
    let text = format!(
        "SELECT DISTINCT started_ms, number FROM names WHERE kind = {} AND name = ANY($1) \
         AND started_ms >= $2 AND started_ms < $3 ORDER BY started_ms, number LIMIT {REQUESTS_MAX}",
        Kind::Request as i16
    );
    let (from_ms, to_ms) = (filter.from_ms.unwrap_or(i64::MIN), filter.to_ms.unwrap_or(i64::MAX));
    let values = [param(&ids, Type::TEXT_ARRAY), param(&from_ms, Type::INT8), param(&to_ms, Type::INT8)];
    let rows = client.query_typed(&text, &values).await?;
    let place = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let mut places: Vec<Place> = rows.iter().map(place).collect::<Result<_, Fault>>()?;
    if let Some(trace) = &filter.trace {
        let own: HashSet<i64> =
            names::find(client, Kind::Request, &[trace]).await?.numbers.into_iter().collect();
        places.retain(|(_, number)| own.contains(number));
    }
    let ids: HashSet<&str> = ids.iter().copied().collect();
    let mut rows = places::at(client, (columns, order), &places, &conditions::of(filter)).await?;
    // They may have been found by another name of theirs.
    rows.retain(|row| row.try_get::<_, &str>(0).is_ok_and(|trace| ids.contains(trace)));
    Ok(rows)
}
