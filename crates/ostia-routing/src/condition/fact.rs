//! What a request has in a field, as it stands there: a body is not copied to be compared.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use crate::hash::Hash;

/// Longest list or object that is compared as a whole, in bytes of JSON. A longer one equals nothing.
pub const JSON_BYTES_MAX: usize = 64 << 10;
/// Reading JSON into values takes so many times as long as reading its bytes.
const PARSED_WORK: u64 = 8;
/// Longest text that is read as a number, in bytes.
const NUMBER_BYTES_MAX: usize = 64;

/// What a request has in a field.
#[derive(Debug, Clone)]
pub enum Fact<'f> {
    /// Any value.
    Value(Cow<'f, Value>),
    /// A text.
    Text(Cow<'f, str>),
    /// A list or an object, as JSON that was checked.
    Json(&'f str),
}

impl<'f> From<&'f str> for Fact<'f> {
    fn from(text: &'f str) -> Fact<'f> {
        Fact::Text(Cow::Borrowed(text))
    }
}

impl From<Value> for Fact<'_> {
    fn from(value: Value) -> Self {
        Fact::Value(Cow::Owned(value))
    }
}

impl<'f> From<&'f Value> for Fact<'f> {
    fn from(value: &'f Value) -> Fact<'f> {
        Fact::Value(Cow::Borrowed(value))
    }
}

impl Fact<'_> {
    /// The text of a text.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Fact::Value(value) => value.as_str(),
            Fact::Text(text) => Some(text),
            Fact::Json(_) => None,
        }
    }

    /// A text, or what JSON writes for a number or a truth value.
    pub(super) fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Fact::Text(text) => Some(Cow::Borrowed(text)),
            Fact::Json(_) => None,
            Fact::Value(value) => match value.as_ref() {
                Value::String(text) => Some(Cow::Borrowed(text)),
                Value::Number(number) => Some(Cow::Owned(number.to_string())),
                Value::Bool(given) => Some(Cow::Borrowed(if *given { "true" } else { "false" })),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            },
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Fact::Value(value) => number(value),
            Fact::Text(text) => number_in(text),
            Fact::Json(_) => None,
        }
    }

    /// Equal in type and value: 1 equals 1.0, and never "1".
    pub(super) fn equals(&self, other: &Value) -> bool {
        match (self, other) {
            (Fact::Value(value), _) => match (value.as_ref(), other) {
                (Value::Number(left), Value::Number(right)) => {
                    left == right || left.as_f64() == right.as_f64()
                }
                (left, right) => left == right,
            },
            (Fact::Text(left), Value::String(right)) => left == right,
            (Fact::Json(json), Value::Array(_) | Value::Object(_)) => {
                read(json).is_some_and(|own| own == *other)
            }
            (Fact::Text(_) | Fact::Json(_), _) => false,
        }
    }

    /// The work of that: a list or an object has to be read whole, and of all else no more than the config has.
    pub(super) fn cost_of_comparing(&self, other: &Value) -> u64 {
        match (self, other) {
            (Fact::Json(json), Value::Array(_) | Value::Object(_)) if json.len() <= JSON_BYTES_MAX => {
                json.len() as u64 * PARSED_WORK
            }
            (Fact::Json(_) | Fact::Value(_) | Fact::Text(_), _) => 1,
        }
    }

    /// As numbers where both are, also in texts that hold nothing else; two other texts letter by letter.
    pub(super) fn order(&self, other: &Value) -> Option<Ordering> {
        match (self.number(), number(other)) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => Some(self.as_str()?.cmp(other.as_str()?)),
        }
    }

    /// How much there is to read, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Fact::Json(json) => json.len(),
            Fact::Value(_) | Fact::Text(_) => self.as_str().map_or(0, str::len),
        }
    }

    /// A hash with it; the same for the same value, wherever it stands.
    pub(crate) fn hashed(&self, hash: Hash) -> Hash {
        match self {
            Fact::Value(value) => hash.value(value),
            Fact::Text(text) => hash.string(text),
            Fact::Json(json) => match read(json) {
                Some(value) => hash.value(&value),
                None => hash.bytes(json.as_bytes()),
            },
        }
    }
}

fn read(json: &str) -> Option<Value> {
    if json.len() > JSON_BYTES_MAX { None } else { serde_json::from_str(json).ok() }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_in(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number_in(text: &str) -> Option<f64> {
    if text.len() > NUMBER_BYTES_MAX {
        return None;
    }
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
