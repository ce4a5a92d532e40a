//! Attributes, as OTLP has them.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};

/// An attribute of any kind.
fn attribute(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(any(value)), ..KeyValue::default() }
}

/// A value of its own.
pub fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

/// Attributes, added one after the other.
#[derive(Debug, Clone, Default)]
pub struct Attributes(pub Vec<KeyValue>);

impl Attributes {
    /// A text.
    pub fn text(&mut self, name: &str, value: impl Into<String>) {
        self.0.push(attribute(name, Value::StringValue(value.into())));
    }

    /// A text, where there is one that is not empty.
    pub fn some_text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.text(name, value);
        }
    }

    /// A whole number.
    pub fn count(&mut self, name: &str, value: u64) {
        self.0.push(attribute(name, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX))));
    }

    /// A whole number that may be below zero.
    pub fn whole(&mut self, name: &str, value: i64) {
        self.0.push(attribute(name, Value::IntValue(value)));
    }

    /// A whole number that is told where it is not zero.
    pub fn some_count(&mut self, name: &str, value: u64) {
        if value > 0 {
            self.count(name, value);
        }
    }

    /// A number.
    pub fn number(&mut self, name: &str, value: f64) {
        self.0.push(attribute(name, Value::DoubleValue(value)));
    }

    /// True or false.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.0.push(attribute(name, Value::BoolValue(value)));
    }

    /// Texts.
    pub fn texts<'t>(&mut self, name: &str, values: impl IntoIterator<Item = &'t str>) {
        let values = values.into_iter().map(|value| any(Value::StringValue(value.to_owned()))).collect();
        self.0.push(attribute(name, Value::ArrayValue(ArrayValue { values })));
    }
}
