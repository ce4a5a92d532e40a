//! Conditions on a request: `{"metadata.tier": "paid", "params.max_tokens": {"$gt": 1000}}`.
//!
//! A query is compiled once and asked once per request. All of it counts: keys beside each other must all
//! hold, also beside `$and`, `$or` and `$not`, and so must operators in one object. A comparison with a field
//! that the request does not have is false, whatever the operator (so are `$ne` and `$nin`, as Portkey
//! documents it); only `$exists` asks for the field itself, and `$not` turns a false comparison round.
//!
//! - `$eq`, `$ne`, `$in`, `$nin` and a bare value compare within one type: 1 equals 1.0, and never "1".
//! - `$gt`, `$gte`, `$lt`, `$lte` compare numbers where both sides are numbers or texts that hold nothing but
//!   one; two other texts compare letter by letter, which orders `"HH:MM"` and dates; anything else is false.
//! - `$regex` searches in texts, and in numbers and truth values as JSON writes them. It takes linear time,
//!   and so knows neither look-around nor back-references; a pattern that it does not know is never true.

mod field;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

pub use field::{Clock, Field, Step, find};

use crate::problem::{PROBLEMS_MAX, Problem};

/// Largest compiled pattern, and the most that one may use while searching, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 18;
/// Most patterns of one config; further ones are never true.
const REGEXES_MAX: usize = 100;

/// What a request is, as far as conditions, balancing and prices ask. Asked only by routes that need it.
pub trait Facts {
    /// The value of a field; `None` where the request has none. [`Field::Time`] is not asked for.
    fn get(&self, field: &Field) -> Option<Cow<'_, Value>>;

    /// The time of day, in seconds since 1970 (UTC).
    fn unix_s(&self) -> u64;

    /// What the request is expected to cost at a leaf (its index in the route), in any unit that is the same
    /// for all.
    fn price(&self, _leaf: usize) -> Option<f64> {
        None
    }
}

/// The value of a field, of any kind.
pub(crate) fn value_of<'f>(field: &Field, facts: &'f dyn Facts) -> Option<Cow<'f, Value>> {
    match field {
        Field::Time(clock) => Some(Cow::Owned(clock.at(facts.unix_s()))),
        _ => facts.get(field),
    }
}

/// A compiled query. Never printed: what a request is compared with may be a credential.
#[derive(Clone)]
pub(crate) enum Query {
    And(Vec<Query>),
    Or(Vec<Query>),
    Not(Box<Query>),
    Is(Field, Test),
    Never,
}

/// What is asked of one field.
#[derive(Clone)]
pub(crate) enum Test {
    All(Vec<Test>),
    Not(Box<Test>),
    Exists(bool),
    Equal(Value, bool),
    Among(Vec<Value>, bool),
    Order(fn(Ordering) -> bool, Value),
    Regex(Regex),
    Never,
}

impl fmt::Debug for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

impl Query {
    /// Whether it holds for a request.
    pub(crate) fn holds(&self, facts: &dyn Facts) -> bool {
        match self {
            Query::And(parts) => parts.iter().all(|part| part.holds(facts)),
            Query::Or(parts) => parts.iter().any(|part| part.holds(facts)),
            Query::Not(query) => !query.holds(facts),
            Query::Is(field, test) => test.holds(value_of(field, facts).as_deref()),
            Query::Never => false,
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Test::All(parts) => parts.iter().all(|part| part.holds(value)),
            Test::Not(test) => !test.holds(value),
            Test::Exists(wanted) => value.is_some() == *wanted,
            Test::Equal(other, wanted) => value.is_some_and(|value| equal(value, other) == *wanted),
            Test::Among(list, wanted) => {
                value.is_some_and(|value| list.iter().any(|other| equal(value, other)) == *wanted)
            }
            Test::Order(fits, other) => value.and_then(|value| order(value, other)).is_some_and(fits),
            Test::Regex(regex) => value.and_then(as_text).is_some_and(|text| regex.is_match(&text)),
            Test::Never => false,
        }
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (number(left), number(right), left, right) {
        (Some(left), Some(right), ..) => left.partial_cmp(&right),
        (_, _, Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(given) => Some(Cow::Borrowed(if *given { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Makes queries of JSON, and notes what in them can never be true.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    regexes: usize,
    /// What its author should hear.
    pub(crate) warnings: Vec<Problem>,
}

impl Compiler {
    /// Compiles a query. The config's reader has checked its shape; what has another one is never true.
    pub(crate) fn query(&mut self, value: &Value, path: &str) -> Query {
        match value {
            Value::Object(entries) => {
                Query::And(entries.iter().map(|(key, value)| self.entry(key, value, path)).collect())
            }
            _ => Query::Never,
        }
    }

    fn entry(&mut self, key: &str, value: &Value, path: &str) -> Query {
        let path = &format!("{path}.{key}");
        match key {
            "$and" => Query::And(self.queries(value, path)),
            "$or" => Query::Or(self.queries(value, path)),
            "$not" => Query::Not(Box::new(self.query(value, path))),
            _ => match Field::parse(key) {
                Some(field) => Query::Is(field, self.test(value, path)),
                None => Query::Never,
            },
        }
    }

    fn queries(&mut self, value: &Value, path: &str) -> Vec<Query> {
        let parts = value.as_array().into_iter().flatten().enumerate();
        parts.map(|(index, part)| self.query(part, &format!("{path}[{index}]"))).collect()
    }

    fn test(&mut self, value: &Value, path: &str) -> Test {
        match value {
            Value::Object(operators) => self.tests(operators, path),
            _ => Test::Equal(value.clone(), true),
        }
    }

    fn tests(&mut self, operators: &Map<String, Value>, path: &str) -> Test {
        let mut tests: Vec<Test> =
            operators.iter().map(|(name, operand)| self.operator(name, operand, path)).collect();
        match tests.len() {
            1 => tests.remove(0),
            _ => Test::All(tests),
        }
    }

    fn operator(&mut self, name: &str, operand: &Value, path: &str) -> Test {
        match (name, operand) {
            ("$eq", _) => Test::Equal(operand.clone(), true),
            ("$ne", _) => Test::Equal(operand.clone(), false),
            ("$gt", _) => Test::Order(Ordering::is_gt, operand.clone()),
            ("$gte", _) => Test::Order(Ordering::is_ge, operand.clone()),
            ("$lt", _) => Test::Order(Ordering::is_lt, operand.clone()),
            ("$lte", _) => Test::Order(Ordering::is_le, operand.clone()),
            ("$in", Value::Array(list)) => Test::Among(list.clone(), true),
            ("$nin", Value::Array(list)) => Test::Among(list.clone(), false),
            ("$exists", Value::Bool(wanted)) => Test::Exists(*wanted),
            ("$not", _) => Test::Not(Box::new(self.test(operand, path))),
            ("$regex", Value::String(pattern)) => self.regex(pattern, &format!("{path}.$regex")),
            _ => Test::Never,
        }
    }

    fn regex(&mut self, pattern: &str, path: &str) -> Test {
        self.regexes += 1;
        // Compiling costs up to some milliseconds, so what is too much is not even tried.
        let why = if self.regexes > REGEXES_MAX {
            format!("a config may have at most {REGEXES_MAX} patterns")
        } else {
            match bounded(pattern) {
                Ok(regex) => return Test::Regex(regex),
                Err(regex::Error::CompiledTooBig(_)) => "the pattern is too large".to_owned(),
                Err(_) => "it is no pattern, or has look-around or back-references".to_owned(),
            }
        };
        self.warn(path.to_owned(), format!("is never true: {why}"));
        Test::Never
    }

    /// Notes what the config's author should hear.
    pub(crate) fn warn(&mut self, path: String, message: String) {
        if self.warnings.len() < PROBLEMS_MAX {
            self.warnings.push(Problem { path, message, hint: None });
        }
    }
}

fn bounded(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build()
}
