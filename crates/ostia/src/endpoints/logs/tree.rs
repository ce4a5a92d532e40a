//! The requests of a trace as a tree: each below the one whose span it names as its parent.

use std::collections::HashMap;

use serde_json::Value;

/// Puts requests, the oldest first, below each other. One whose parent is not there, or came later, stands at the top.
pub(super) fn grow(requests: Vec<Value>) -> Vec<Value> {
    let mut spans: HashMap<String, usize> = HashMap::new();
    let mut parents = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        parents.push(request["parent_span_id"].as_str().and_then(|parent| spans.get(parent)).copied());
        if let Some(span) = request["span_id"].as_str() {
            spans.entry(span.to_owned()).or_insert(at);
        }
    }
    let mut children: Vec<Vec<Value>> = requests.iter().map(|_| Vec::new()).collect();
    let mut top = Vec::new();
    // From the last one: all that stand below a request are there before it goes below another.
    for (at, mut request) in requests.into_iter().enumerate().rev() {
        let mut own = std::mem::take(&mut children[at]);
        own.reverse();
        request["children"] = own.into();
        match parents[at] {
            Some(parent) => children[parent].push(request),
            None => top.push(request),
        }
    }
    top.reverse();
    top
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn shape(request: &Value) -> String {
        let children = request["children"].as_array().unwrap();
        let below: Vec<String> = children.iter().map(shape).collect();
        format!("{}({})", request["id"].as_str().unwrap(), below.join(" "))
    }

    #[test]
    fn requests_below_each_other() {
        let check = |requests: &[(&str, Option<&str>, Option<&str>)], expected: &str| {
            let requests = requests
                .iter()
                .map(|(id, span, parent)| json!({"id": id, "span_id": span, "parent_span_id": parent}))
                .collect();
            let shapes: Vec<String> = grow(requests).iter().map(shape).collect();
            assert_eq!(shapes.join(" "), expected);
        };
        check(&[("a", None, None), ("b", None, None)], "a() b()");
        check(
            &[("a", Some("1"), Some("0")), ("b", Some("2"), Some("1")), ("c", Some("3"), Some("2"))],
            "a(b(c()))",
        );
        check(&[("a", Some("1"), None), ("b", None, Some("1")), ("c", None, Some("1"))], "a(b() c())");
        // Each other's parents, their own, and two of one name.
        check(&[("a", Some("1"), Some("2")), ("b", Some("2"), Some("1"))], "a(b())");
        check(&[("a", Some("1"), Some("1")), ("b", Some("1"), Some("1"))], "a(b())");
    }
}
