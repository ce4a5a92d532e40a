//! A trace as a tree: its requests, and the spans that applications told of it, each below the one whose span it names as its parent.

use std::collections::HashMap;

use ostia_store::{AppLog, Joined, Span};
use serde_json::{Value, json};

/// How deep the tree is. What lies deeper stands side by side at its end.
const DEPTH_MAX: usize = 64;

/// The trace of this name. Logs stand in the span that they name, and else beside the tree.
pub(super) fn told(id: &str, requests: Vec<Value>, joined: Joined) -> Value {
    let Joined { spans, logs } = joined;
    let mut nodes: Vec<Value> = requests.into_iter().map(request).collect();
    nodes.extend(spans.iter().map(span));
    nodes.sort_by(|one, other| started(one).total_cmp(&started(other)));
    let spans = spans_of(&nodes);
    let mut others = Vec::new();
    for log in &logs {
        place(log, &spans, &mut nodes, &mut others);
    }
    let data = grow(nodes);
    json!({"object": "trace", "trace_id": id, "data": data, "logs": others})
}

fn request(mut request: Value) -> Value {
    request["object"] = "request".into();
    request
}

fn span(span: &Span) -> Value {
    let mut told = serde_json::to_value(span).unwrap_or_default();
    told["object"] = "span".into();
    told
}

fn place(log: &AppLog, spans: &HashMap<String, usize>, nodes: &mut [Value], others: &mut Vec<Value>) {
    let told = serde_json::to_value(log).unwrap_or_default();
    let node = log.span_id.as_ref().and_then(|span| nodes.get_mut(*spans.get(span)?));
    match node.map(|node| &mut node["logs"]) {
        Some(Value::Array(logs)) => logs.push(told),
        Some(logs) => *logs = vec![told].into(),
        None => others.push(told),
    }
}

fn started(node: &Value) -> f64 {
    node["started_ms"].as_f64().unwrap_or_default()
}

/// Which node each span belongs to; the first where several have the same one. A request's attempts are spans of it.
fn spans_of(nodes: &[Value]) -> HashMap<String, usize> {
    let mut spans = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let attempts = node["attempts"].as_array().into_iter().flatten();
        for span in std::iter::once(node).chain(attempts).filter_map(|of| of["span_id"].as_str()) {
            spans.entry(span.to_owned()).or_insert(at);
        }
    }
    spans
}

/// Puts nodes below each other. One whose parent is not there stands at the top, and so does one of a circle.
fn grow(nodes: Vec<Value>) -> Vec<Value> {
    let spans = spans_of(&nodes);
    let named = |node: &Value| spans.get(node["parent_span_id"].as_str()?).copied();
    let places = places(&nodes.iter().map(named).collect::<Vec<_>>());
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    // The deepest first: all that stand below a node are there before it goes below another.
    order.sort_by_key(|at| (std::cmp::Reverse(places[*at].depth), *at));
    let mut children: Vec<Vec<Value>> = nodes.iter().map(|_| Vec::new()).collect();
    let mut nodes: Vec<Option<Value>> = nodes.into_iter().map(Some).collect();
    let mut top = Vec::new();
    for at in order {
        let Some(mut node) = nodes[at].take() else { continue };
        node["children"] = std::mem::take(&mut children[at]).into();
        match places[at].parent {
            Some(parent) => children[parent].push(node),
            None => top.push(node),
        }
    }
    top
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    parent: Option<usize>,
    depth: usize,
}

/// The place of each node, by the parents that they name: no circles, and not too deep.
fn places(parents: &[Option<usize>]) -> Vec<Place> {
    let mut places: Vec<Option<Place>> = vec![None; parents.len()];
    let mut is_seen = vec![false; parents.len()];
    for start in 0..parents.len() {
        let mut way = Vec::new();
        let mut next = Some(start);
        // Up to one that is placed, or that was seen on this same way: a circle.
        while let Some(at) = next.filter(|at| !is_seen[*at]) {
            is_seen[at] = true;
            way.push(at);
            next = parents[at];
        }
        // From the top of the way down: whoever stands above is placed.
        for at in way.into_iter().rev() {
            let above = parents[at].and_then(|parent| Some((parent, places[parent]?)));
            places[at] = Some(match above {
                None => Place::default(),
                Some((_, Place { parent: Some(parent), depth })) if depth + 1 >= DEPTH_MAX => {
                    Place { parent: Some(parent), depth }
                }
                Some((parent, place)) => Place { parent: Some(parent), depth: place.depth + 1 },
            });
        }
    }
    places.into_iter().map(Option::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shape(node: &Value) -> String {
        let children = node["children"].as_array().unwrap();
        let below: Vec<String> = children.iter().map(shape).collect();
        let logs = node["logs"].as_array().map_or(String::new(), |logs| format!("+{}", logs.len()));
        format!("{}{logs}({})", node["id"].as_str().or(node["name"].as_str()).unwrap(), below.join(" "))
    }

    fn shapes(nodes: &[Value]) -> String {
        nodes.iter().map(shape).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn requests_below_each_other() {
        let check = |requests: &[(&str, Option<&str>, Option<&str>)], expected: &str| {
            let requests = requests
                .iter()
                .map(|(id, span, parent)| json!({"id": id, "span_id": span, "parent_span_id": parent}))
                .collect();
            assert_eq!(shapes(&grow(requests)), expected);
        };
        check(&[("a", None, None), ("b", None, None)], "a() b()");
        check(
            &[("a", Some("1"), Some("0")), ("b", Some("2"), Some("1")), ("c", Some("3"), Some("2"))],
            "a(b(c()))",
        );
        check(&[("a", Some("1"), None), ("b", None, Some("1")), ("c", None, Some("1"))], "a(b() c())");
        // A clock that is behind: the child came before its parent.
        check(&[("b", None, Some("1")), ("a", Some("1"), None)], "a(b())");
        // Each other's parents, their own, and two of one name.
        check(&[("a", Some("1"), Some("2")), ("b", Some("2"), Some("1"))], "b(a())");
        check(&[("a", Some("1"), Some("1")), ("b", Some("1"), Some("1"))], "a(b())");
    }

    #[test]
    fn spans_of_applications_stand_among_requests() {
        let request = json!({"id": "r", "span_id": "b", "parent_span_id": "a", "started_ms": 2,
                             "attempts": [{"span_id": "t"}]});
        let of = |span: &str, parent: Option<&str>, started_ms: f64| Span {
            span_id: span.to_owned(),
            parent_span_id: parent.map(str::to_owned),
            name: span.to_owned(),
            started_ms,
            ..Span::default()
        };
        let spans = vec![of("d", Some("t"), 3.5), of("a", None, 1.25), of("c", Some("b"), 3.0)];
        let log = |span: Option<&str>| AppLog { span_id: span.map(str::to_owned), ..AppLog::default() };
        let logs = vec![log(Some("a")), log(Some("b")), log(Some("gone")), log(None)];
        let told = told("t", vec![request], Joined { spans, logs });
        assert_eq!(shapes(told["data"].as_array().unwrap()), "a+1(r+1(c() d()))");
        assert_eq!(told["logs"].as_array().unwrap().len(), 2);
        let kinds = (&told["data"][0]["object"], &told["data"][0]["children"][0]["object"]);
        assert_eq!(kinds, (&json!("span"), &json!("request")));
    }

    #[test]
    fn no_tree_is_too_deep() {
        let node = |at: usize| json!({"id": at.to_string(), "span_id": at.to_string(), "parent_span_id": at.checked_sub(1).map(|at| at.to_string())});
        let mut nodes: Vec<Value> = (0..3000).map(node).collect();
        nodes.reverse();
        let mut level = grow(nodes);
        let (mut depth, mut count) = (0, 0);
        while !level.is_empty() {
            (depth, count) = (depth + 1, count + level.len());
            level = level.iter().flat_map(|node| node["children"].as_array().unwrap().clone()).collect();
        }
        assert_eq!((depth, count), (DEPTH_MAX, 3000));
    }
}
