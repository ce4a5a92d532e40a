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

mod fact;
mod field;
mod inquiry;
mod pattern;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

pub use fact::{Fact, JSON_BYTES_MAX};
#[cfg(test)]
pub(crate) use field::find;
pub use field::{Clock, Field, Step};
pub(crate) use inquiry::Inquiry;
pub use inquiry::WORK_MAX;
use pattern::{Pattern, Refusal};

use crate::problem::{PROBLEMS_MAX, Problem, shortened};

/// Most patterns of one config.
pub const PATTERNS_MAX: usize = 100;
/// Most memory that the patterns of one config may take, in bytes. To compile so much takes at most a few tenths of a second.
pub const PATTERNS_BYTES_MAX: usize = 4 << 20;

/// What a request is, as far as conditions, balancing and prices ask. Asked only by routes that need it.
pub trait Facts {
    /// What a field holds; `None` where the request has none. [`Field::Time`] is not asked for.
    fn get(&self, field: &Field) -> Option<Fact<'_>>;

    /// How much work it is to find that, in about as many bytes as have to be read.
    fn cost(&self, _field: &Field) -> u64 {
        1
    }

    /// The time of day, in seconds since 1970 (UTC).
    fn unix_s(&self) -> u64;

    /// What the request is expected to cost at a leaf (its index in the route), in any unit that is the same
    /// for all.
    fn price(&self, _leaf: usize) -> Option<f64> {
        None
    }
}

/// A compiled query. Never printed: what a request is compared with may be a credential.
#[derive(Clone)]
pub(crate) enum Query {
    And(Vec<Query>),
    Or(Vec<Query>),
    Not(Box<Query>),
    /// The field of this index.
    Is(usize, Test),
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
    Regex(Box<Pattern>),
    Never,
}

impl fmt::Debug for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

impl Query {
    /// Whether it holds for a request.
    pub(crate) fn holds(&self, inquiry: &Inquiry<'_>) -> bool {
        match self {
            Query::And(parts) => parts.iter().all(|part| part.holds(inquiry)),
            Query::Or(parts) => parts.iter().any(|part| part.holds(inquiry)),
            Query::Not(query) => !query.holds(inquiry),
            Query::Is(field, test) => test.holds(inquiry.fact(*field), inquiry),
            Query::Never => false,
        }
    }
}

impl Test {
    fn holds(&self, fact: Option<&Fact<'_>>, inquiry: &Inquiry<'_>) -> bool {
        let equal =
            |fact: &Fact<'_>, other| inquiry.afford(fact.cost_of_comparing(other)) && fact.equals(other);
        match self {
            Test::All(parts) => parts.iter().all(|part| part.holds(fact, inquiry)),
            Test::Not(test) => !test.holds(fact, inquiry),
            Test::Exists(wanted) => fact.is_some() == *wanted,
            Test::Equal(other, wanted) => fact.is_some_and(|fact| equal(fact, other) == *wanted),
            Test::Among(list, wanted) => {
                fact.is_some_and(|fact| list.iter().any(|other| equal(fact, other)) == *wanted)
            }
            Test::Order(fits, other) => fact.and_then(|fact| fact.order(other)).is_some_and(fits),
            Test::Regex(pattern) => {
                let text = fact.and_then(Fact::as_text);
                text.is_some_and(|text| pattern.is_in(&text, |work| inquiry.afford(work)))
            }
            Test::Never => false,
        }
    }
}

/// Makes queries of JSON, and notes what in them can never be true.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    patterns: usize,
    /// What the patterns take, in bytes.
    pub(crate) pattern_bytes: usize,
    /// What is beyond the bounds of a config.
    pub(crate) excess: Option<Problem>,
    /// The fields that are asked for, by index; each is there once.
    pub(crate) fields: Vec<Field>,
    indexes: HashMap<Field, usize>,
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
                Some(field) => Query::Is(self.field(field), self.test(value, path)),
                None => Query::Never,
            },
        }
    }

    /// The index of a field.
    pub(crate) fn field(&mut self, field: Field) -> usize {
        if let Some(index) = self.indexes.get(&field) {
            return *index;
        }
        self.fields.push(field.clone());
        self.indexes.insert(field, self.fields.len() - 1);
        self.fields.len() - 1
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
        self.patterns += 1;
        if self.excess.is_some() || self.is_excess(path) {
            return Test::Never;
        }
        let why = match Pattern::new(pattern) {
            Ok(pattern) => {
                self.pattern_bytes += pattern.bytes();
                return Test::Regex(Box::new(pattern));
            }
            Err(Refusal::TooLarge) => "the pattern is too large",
            Err(Refusal::Unknown) => "it is no pattern, or has look-around or back-references",
        };
        // To find that out costs as much as to compile a large one.
        self.pattern_bytes += pattern::COMPILED_BYTES_MAX;
        self.warn(path.to_owned(), format!("is never true: {why}"));
        Test::Never
    }

    /// Compiling costs up to some milliseconds, so what is too much is not even tried.
    fn is_excess(&mut self, path: &str) -> bool {
        let what = if self.patterns > PATTERNS_MAX {
            format!("is one of more than {PATTERNS_MAX} patterns in one config")
        } else if self.pattern_bytes > PATTERNS_BYTES_MAX {
            format!("is one pattern too many: those before it take {} MiB", PATTERNS_BYTES_MAX >> 20)
        } else {
            return false;
        };
        let hint = "join some with `|`, write [a-z0-9] in place of \\w, or compare with $in";
        self.excess = Some(Problem {
            path: shortened(path.to_owned()),
            message: what,
            hint: Some(hint.to_owned()),
            is_unknown_field: false,
        });
        true
    }

    /// Notes what the config's author should hear.
    pub(crate) fn warn(&mut self, path: String, message: String) {
        if self.warnings.len() < PROBLEMS_MAX {
            let path = shortened(path);
            self.warnings.push(Problem { path, message, hint: None, is_unknown_field: false });
        }
    }
}
