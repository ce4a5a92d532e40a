//! The query of a condition: checked for shape, kept as it was written. Its field names are the client's own.
//!
//! `{"metadata.tier": "paid"}`, `{"params.temperature": {"$gt": 0.5, "$lte": 1}}`, `{"$or": [{...}, {...}]}`.
//! Whether a `$regex` is a good pattern is not looked at here: by the documentation a bad one is simply
//! never true, and the [`Route`](crate::Route) warns of it.

use serde_json::{Map, Value};

use super::LIST_MAX;
use super::read::{self, kind};
use super::report::{Path, Report};
use crate::condition;

const OPERATORS: [&str; 11] =
    ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$regex", "$exists", "$not"];
const COMBINERS: [&str; 2] = ["$and", "$or"];

/// Reports what is wrong with a query; false if something is.
pub(super) fn check(path: &Path<'_>, value: &Value, report: &mut Report) -> bool {
    let Value::Object(query) = value else {
        report.problem(path, format!("must be an object, not {}", kind(value)));
        return false;
    };
    if query.is_empty() {
        report.problem_hint(path, "is empty", "compare something, for example {\"metadata.tier\": \"paid\"}");
        return false;
    }
    let bad = query.iter().filter(|(key, value)| !check_entry(&path.key(key), key, value, report));
    bad.count() == 0
}

fn check_entry(path: &Path<'_>, key: &str, value: &Value, report: &mut Report) -> bool {
    if COMBINERS.contains(&key) {
        let parts = read::list(path, value, LIST_MAX, report, |path, value, report| {
            check(path, value, report).then_some(())
        });
        return parts.is_some_and(|parts| value.as_array().is_some_and(|all| all.len() == parts.len()));
    }
    if key == "$not" {
        return check(path, value, report);
    }
    if key.starts_with('$') {
        return unknown_operator(path, key, report);
    }
    if condition::Field::parse(key).is_none() {
        let hint = "the fields are metadata.<key>, params.<path>, headers.<name>, url.pathname, method, \
                    operation, model, tokens, key, and time.hour, time.minute, time.weekday, time.date, time.of_day";
        report.warning(path, format!("is no known field, and so never true; {hint}"));
    }
    check_operand(path, value, report)
}

fn check_operand(path: &Path<'_>, value: &Value, report: &mut Report) -> bool {
    match value {
        Value::Object(operators) => check_operators(path, operators, report),
        Value::Array(_) => {
            read::wrong::<()>(path, value, "a value or an object of operators", report).is_some()
        }
        _ => true,
    }
}

fn check_operators(path: &Path<'_>, operators: &Map<String, Value>, report: &mut Report) -> bool {
    let mut good = true;
    for (operator, operand) in operators {
        let path = path.key(operator);
        good &= match operator.as_str() {
            "$in" | "$nin" if !operand.is_array() => {
                read::wrong::<()>(&path, operand, "a list", report).is_some()
            }
            "$regex" if !operand.is_string() => read::wrong::<()>(&path, operand, "a text", report).is_some(),
            "$exists" => read::boolean(&path, operand, report).is_some(),
            "$not" => check_operand(&path, operand, report),
            known if OPERATORS.contains(&known) => true,
            _ => unknown_operator(&path, operator, report),
        };
    }
    good
}

fn unknown_operator(path: &Path<'_>, operator: &str, report: &mut Report) -> bool {
    let known = || COMBINERS.into_iter().chain(OPERATORS);
    let hint = match report.nearest(operator, known()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the operators are {}", known().collect::<Vec<_>>().join(", ")),
    };
    report.problem_hint(path, "is no known operator", hint);
    false
}
