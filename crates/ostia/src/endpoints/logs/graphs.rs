//! Portkey's analytics: its graphs and groups, in the shapes that its SDKs read
//! (<https://portkey.ai/docs/api-reference/admin-api/control-plane/analytics>).
//!
//! Money is in cents there. There is no cache of answers yet: what counts its hits is zero.

use std::collections::{BTreeMap, BTreeSet};

use ostia_store::{
    Fact, FeedbackTally, Filter, GroupBy, GroupRow, Grouping, ReadError, Reader, Steps, Sums, Tally,
};
use serde_json::{Map, Value, json};

use super::parameters::rfc3339;
use crate::inbound::route::{Graph, GroupPath};

/// 10^-18 of a dollar in a cent, and 10^-9.
const ATTO_IN_CENT: f64 = 1e16;
const NANO_IN_CENT: f64 = 1e7;

/// One graph: what it comes to, and its points.
pub(super) fn graph(
    reader: &mut Reader,
    graph: Graph,
    filter: &Filter,
    steps: &Steps,
) -> Result<Value, ReadError> {
    let (summary, points) = match graph {
        Graph::Requests
        | Graph::Cost
        | Graph::Latency
        | Graph::Tokens
        | Graph::Errors
        | Graph::ErrorRate
        | Graph::CacheHitRate
        | Graph::CacheLatency => of_sums(reader, graph, filter, steps)?,
        Graph::Users | Graph::UserRequests => {
            of_users(graph, &reader.tally(filter, steps, Fact::User)?, steps)
        }
        Graph::ErrorStacks => of_stacks(&reader.tally(filter, steps, Fact::Failure)?, steps),
        Graph::StatusCodes => of_statuses(&reader.tally(filter, steps, Fact::Failure)?),
        Graph::Rescued => {
            let retries = reader.tally(filter, steps, Fact::Retries)?;
            of_rescued(&retries, &reader.tally(filter, steps, Fact::Fallback)?, steps)
        }
        Graph::Feedbacks | Graph::FeedbackWeighted => {
            of_feedback(graph, &reader.feedback(filter, steps)?, steps)
        }
        Graph::FeedbackScores => of_scores(&reader.feedback(filter, steps)?),
        Graph::FeedbackModels => of_models(&reader.feedback(filter, steps)?),
    };
    Ok(json!({"object": "analytics-graph", "summary": summary, "data_points": points}))
}

type Told = (Value, Vec<Value>);

/// A point for each step.
fn points(steps: &Steps, mut point: impl FnMut(i64) -> Value) -> Vec<Value> {
    let with_time = |start_ms: i64| {
        let mut told = point(start_ms);
        told["timestamp"] = rfc3339(start_ms).into();
        told
    };
    steps.starts().map(with_time).collect()
}

fn of_sums(reader: &mut Reader, graph: Graph, filter: &Filter, steps: &Steps) -> Result<Told, ReadError> {
    let mut series = reader.series(filter, Grouping::None, steps)?;
    let cells = series.lines.pop().map(|line| line.points).unwrap_or_default();
    let mut total = Sums::default();
    cells.values().for_each(|sums| total.plus(sums));
    let nothing = Sums::default();
    let points = points(steps, |start_ms| figures(graph, cells.get(&start_ms).unwrap_or(&nothing)));
    let summary = match graph {
        Graph::CacheHitRate => json!({"total": 0, "rate": 0}),
        _ => figures(graph, &total),
    };
    Ok((summary, points))
}

fn figures(graph: Graph, sums: &Sums) -> Value {
    let each = |total: f64| if sums.requests == 0 { 0.0 } else { total / sums.requests as f64 };
    let tokens = sums.prompt_tokens.saturating_add(sums.completion_tokens);
    let cents = sums.cost.get("USD").map_or(0.0, |atto| *atto as f64 / ATTO_IN_CENT);
    let percentile = |percent| sums.durations.percentile_ms(percent).unwrap_or_default();
    match graph {
        Graph::Requests => json!({"total": sums.requests}),
        Graph::Cost => json!({"total": cents, "avg": each(cents)}),
        Graph::Latency => json!({
            "avg": each(sums.duration_us as f64 / 1000.0),
            "p50": percentile(50), "p90": percentile(90), "p99": percentile(99),
        }),
        Graph::Tokens => json!({"total": tokens, "avg": each(tokens as f64)}),
        Graph::Errors => json!({"total": sums.failed}),
        Graph::ErrorRate => json!({"rate": each(sums.failed as f64 * 100.0)}),
        Graph::CacheHitRate => json!({"simple_hits": 0, "semantic_hits": 0, "rate": 0}),
        Graph::CacheLatency => json!({"avg": 0}),
        Graph::Users
        | Graph::UserRequests
        | Graph::ErrorStacks
        | Graph::StatusCodes
        | Graph::Rescued
        | Graph::Feedbacks
        | Graph::FeedbackScores
        | Graph::FeedbackWeighted
        | Graph::FeedbackModels => Value::Null,
    }
}

fn of_users(graph: Graph, tallies: &[Tally], steps: &Steps) -> Told {
    let users: BTreeSet<&str> = tallies.iter().map(|tally| tally.name.as_str()).collect();
    let requests: u64 = tallies.iter().map(|tally| tally.count).sum();
    let average = |requests: u64, users: usize| if users == 0 { 0.0 } else { requests as f64 / users as f64 };
    let at = |start_ms: i64| tallies.iter().filter(move |tally| tally.start_ms == start_ms);
    match graph {
        Graph::UserRequests => (
            json!({"total": requests, "unique": users.len(), "avg": average(requests, users.len())}),
            points(steps, |start_ms| {
                let requests = at(start_ms).map(|tally| tally.count).sum();
                json!({"avg": average(requests, at(start_ms).count())})
            }),
        ),
        _ => {
            (json!({"total": users.len()}), points(steps, |start_ms| json!({"total": at(start_ms).count()})))
        }
    }
}

/// A status as a number, as it was counted by.
fn number(tally: &Tally) -> i64 {
    tally.name.parse().unwrap_or_default()
}

fn of_stacks(tallies: &[Tally], steps: &Steps) -> Told {
    let total: u64 = tallies.iter().map(|tally| tally.count).sum();
    let stats = |start_ms: i64| {
        let own = tallies.iter().filter(|tally| tally.start_ms == start_ms);
        own.map(|tally| json!({"status_code": number(tally), "count": tally.count})).collect::<Vec<_>>()
    };
    (json!({"total": total}), points(steps, |start_ms| json!({"stats": stats(start_ms)})))
}

fn of_statuses(tallies: &[Tally]) -> Told {
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    tallies.iter().for_each(|tally| *counts.entry(number(tally)).or_default() += tally.count);
    let total: u64 = counts.values().sum();
    let points =
        counts.iter().map(|(status, count)| json!({"status_code": status, "count": count})).collect();
    (json!({"total_errors": total, "unique_error_codes": counts.len()}), points)
}

fn of_rescued(retries: &[Tally], fallbacks: &[Tally], steps: &Steps) -> Told {
    let total = |tallies: &[Tally]| tallies.iter().map(|tally| tally.count).sum::<u64>();
    let point = |start_ms: i64| {
        let at = |tally: &&Tally| tally.start_ms == start_ms;
        let retry = retries
            .iter()
            .filter(at)
            .map(|tally| json!({"retry_success_count": number(tally), "count": tally.count}));
        let fallback: u64 = fallbacks.iter().filter(at).map(|tally| tally.count).sum();
        json!({"retry": retry.collect::<Vec<_>>(), "fallback": fallback})
    };
    (json!({"retry": total(retries), "fallback": total(fallbacks)}), points(steps, point))
}

/// How many, and their values times weights on average.
fn counted<'t>(tallies: impl Iterator<Item = &'t FeedbackTally>) -> (u64, f64) {
    let (count, weighted) =
        tallies.fold((0, 0.0), |(count, weighted), tally| (count + tally.count, weighted + tally.weighted));
    (count, if count == 0 { 0.0 } else { weighted / count as f64 })
}

fn of_feedback(graph: Graph, tallies: &[FeedbackTally], steps: &Steps) -> Told {
    let told = |(count, average): (u64, f64)| match graph {
        Graph::FeedbackWeighted => json!({"avg": average}),
        _ => json!({"total": count}),
    };
    let at = |start_ms: i64| counted(tallies.iter().filter(|tally| tally.start_ms == start_ms));
    (told(counted(tallies.iter())), points(steps, |start_ms| told(at(start_ms))))
}

fn of_scores(tallies: &[FeedbackTally]) -> Told {
    let scores: BTreeSet<i64> = tallies.iter().map(|tally| tally.value).collect();
    let of = |score: i64| counted(tallies.iter().filter(|tally| tally.value == score)).0;
    let points = scores.into_iter().map(|score| json!({"score": score, "total": of(score)})).collect();
    (json!({"total": counted(tallies.iter()).0}), points)
}

fn of_models(tallies: &[FeedbackTally]) -> Told {
    let models: BTreeSet<Option<&str>> = tallies.iter().map(|tally| tally.model.as_deref()).collect();
    let point = |model: Option<&str>| {
        let (total, average) = counted(tallies.iter().filter(|tally| tally.model.as_deref() == model));
        json!({"ai_model": model, "total": total, "avg_weighted_feedback": average})
    };
    (json!({"total": counted(tallies.iter()).0}), models.into_iter().map(point).collect())
}

/// Hits of the cache of answers: there is none yet.
pub(super) fn cache_summary(reader: &mut Reader, filter: &Filter, now_ms: i64) -> Result<Value, ReadError> {
    let (_, groups) = reader.sums(filter, Grouping::None, now_ms)?;
    let requests: u64 = groups.iter().map(|group| group.sums.requests).sum();
    Ok(json!({
        "object": "analytics-summary",
        "hits": 0, "avg_latency": 0, "total_requests": requests, "cache_speedup": 0,
    }))
}

/// Requests put together, a page of the groups.
pub(super) fn groups(
    reader: &mut Reader,
    path: &GroupPath<String>,
    filter: &Filter,
    (current_page, page_size): (u32, u32),
) -> Result<Value, ReadError> {
    let (name, by) = match path {
        GroupPath::Users => ("user", GroupBy::Metadata("_user".to_owned())),
        GroupPath::Models => ("ai_model", GroupBy::Model),
        GroupPath::Provider => ("provider", GroupBy::Provider),
        GroupPath::Metadata(name) => ("metadata_value", GroupBy::Metadata(name.clone())),
        // There is only this gateway.
        GroupPath::Workspaces => return Ok(json!({"object": "list", "total": 0, "data": []})),
    };
    let skip = current_page.saturating_mul(page_size);
    let (total, groups) = reader.groups(filter, &by, (skip, page_size))?;
    let data: Vec<Value> = groups.iter().map(|group| told_group(name, group)).collect();
    Ok(json!({"object": "list", "total": total, "data": data}))
}

fn told_group(name: &str, group: &GroupRow) -> Value {
    let (with_feedback, average) = group.feedback.unwrap_or_default();
    let mut told = Map::new();
    told.insert(name.to_owned(), group.name.clone().into());
    told.insert("requests".to_owned(), group.requests.into());
    told.insert("cost".to_owned(), (group.cost_nano as f64 / NANO_IN_CENT).into());
    told.insert("avg_tokens".to_owned(), group.avg_tokens.into());
    told.insert("avg_weighted_feedback".to_owned(), average.into());
    told.insert("requests_with_feedback".to_owned(), with_feedback.into());
    told.insert("last_seen".to_owned(), rfc3339(group.last_ms).into());
    told.insert("object".to_owned(), "analytics-group".into());
    told.into()
}
