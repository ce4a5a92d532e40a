//! What requests come to, as it is told: in all, and step by step.

use std::collections::BTreeMap;

use ostia_store::{Durations, Filter, Group, Grouping, ReadError, Reader, Steps, Sums};
use serde_json::{Value, json};

use super::parameters::rfc3339;

/// In all, and by what it is to be told apart.
pub(super) fn summary(
    reader: &mut Reader,
    filter: &Filter,
    by: Grouping,
    now_ms: i64,
) -> Result<Value, ReadError> {
    let ((from_ms, to_ms), groups) = reader.sums(filter, by, now_ms)?;
    let mut total = Sums::default();
    groups.iter().for_each(|group| total.plus(&group.sums));
    let groups: Vec<Value> = match by {
        Grouping::None => Vec::new(),
        Grouping::Provider | Grouping::Model | Grouping::Key => groups.iter().map(told_group).collect(),
    };
    Ok(json!({
        "object": "analytics-summary",
        "from": rfc3339(from_ms),
        "to": rfc3339(to_ms),
        "group_by": by,
        "total": told_sums(&total),
        "groups": groups,
    }))
}

fn told_group(group: &Group) -> Value {
    let mut told = json!({"name": group.name});
    if let (Value::Object(own), Value::Object(sums)) = (&mut told, told_sums(&group.sums)) {
        own.extend(sums);
    }
    told
}

fn told_sums(sums: &Sums) -> Value {
    let mut latency = percentiles(&sums.durations);
    latency["avg"] = (sums.duration_us / 1000).checked_div(sums.requests).into();
    json!({
        "requests": sums.requests,
        "failed": sums.failed,
        "client_left": sums.left,
        "attempts": sums.attempts,
        "failed_attempts": sums.failed_attempts,
        "prompt_tokens": sums.prompt_tokens,
        "completion_tokens": sums.completion_tokens,
        "cached_tokens": sums.cached_tokens,
        "reasoning_tokens": sums.reasoning_tokens,
        "cost": sums.costs(),
        "estimated_cost": sums.estimated_costs(),
        "attempts_of_unknown_cost": sums.unpriced,
        "latency_ms": latency,
        "first_token_ms": percentiles(&sums.first_tokens),
    })
}

/// Step by step: a line for each name, and one for what is left of them.
pub(super) fn series(
    reader: &mut Reader,
    filter: &Filter,
    by: Grouping,
    steps: &Steps,
) -> Result<Value, ReadError> {
    let series = reader.series(filter, by, steps)?;
    let line = |name: Option<&str>, points: &BTreeMap<i64, Sums>| json!({"name": name, "points": told_points(points, steps)});
    let mut lines: Vec<Value> = series
        .lines
        .iter()
        .map(|own| line(Some(own.name.as_str()).filter(|name| !name.is_empty()), &own.points))
        .collect();
    if !series.others.is_empty() {
        let mut rest = line(Some("other"), &series.rest);
        // A model may have that name: this tells the two apart.
        rest["others"] = series.others.len().into();
        lines.push(rest);
    }
    Ok(json!({
        "object": "analytics.series",
        "from": rfc3339(steps.from_ms),
        "to": rfc3339(steps.to_ms),
        "step_seconds": steps.step_ms / 1000,
        "group_by": (by != Grouping::None).then_some(by),
        "series": lines,
    }))
}

/// Each step, also one in which nothing was.
fn told_points(points: &BTreeMap<i64, Sums>, steps: &Steps) -> Vec<Value> {
    let nothing = Sums::default();
    steps.starts().map(|start| told_point(start, points.get(&start).unwrap_or(&nothing))).collect()
}

fn told_point(start_ms: i64, sums: &Sums) -> Value {
    json!({
        "timestamp": rfc3339(start_ms),
        "requests": sums.requests,
        "failed": sums.failed,
        "tokens": {"input": sums.prompt_tokens, "output": sums.completion_tokens, "cached": sums.cached_tokens},
        "cost": sums.costs(),
        "estimated_cost": sums.estimated_costs(),
        "cost_unknown": sums.unpriced,
        "latency_ms": percentiles(&sums.durations),
        "first_token_ms": percentiles(&sums.first_tokens),
    })
}

fn percentiles(durations: &Durations) -> Value {
    let percentile = |percent| durations.percentile_ms(percent);
    json!({"p50": percentile(50), "p90": percentile(90), "p99": percentile(99)})
}
