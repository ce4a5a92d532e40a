//! Conditions in SQL, as engines that speak it have them in common. Values are never part of the text.

use crate::query::{Column, Filter};

/// A request that failed.
pub(crate) const FAILED: &str = "(status >= 400 OR \"end\" = 'broken') AND \"end\" <> 'client_left'";

/// Conditions on `requests`, and what stands for their question marks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    texts: Vec<String>,
    pub(crate) values: Vec<Value>,
}

/// What stands for a question mark.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    Real(f64),
    Text(String),
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Real(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl Conditions {
    /// What means the same everywhere. Metadata, traces and feedback are each engine's own to look for.
    pub(crate) fn of(filter: &Filter) -> Conditions {
        let mut all = Conditions::default();
        all.some("started_ms >= ?", filter.from_ms);
        all.some("started_ms < ?", filter.to_ms);
        all.status(filter.status.as_deref());
        all.some("provider = ?", filter.provider.as_deref());
        all.some("model = ?", filter.model.as_deref());
        all.some("key = ?", filter.key.as_deref());
        all.some("operation = ?", filter.operation.as_deref());
        all.some("session = ?", filter.session.as_deref());
        all.some("cost_nano >= ?", filter.cost_nano.0);
        all.some("cost_nano <= ?", filter.cost_nano.1);
        let us = |ms: i64| ms.saturating_mul(1000);
        all.some("duration_us >= ?", filter.duration_ms.0.map(us));
        all.some("duration_us <= ?", filter.duration_ms.1.map(us));
        all.some("tokens >= ?", filter.tokens.0);
        all.some("tokens <= ?", filter.tokens.1);
        all.some("prompt_tokens >= ?", filter.prompt_tokens.0);
        all.some("prompt_tokens <= ?", filter.prompt_tokens.1);
        all.some("completion_tokens >= ?", filter.completion_tokens.0);
        all.some("completion_tokens <= ?", filter.completion_tokens.1);
        filter.choices.iter().for_each(|choices| all.choice(choices));
        all
    }

    /// One more, where there is something to stand for its question mark.
    pub(crate) fn some(&mut self, text: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.texts.push(text.to_owned());
            self.values.push(value.into());
        }
    }

    /// One of several.
    fn choice(&mut self, choices: &[Vec<(Column, String)>]) {
        let mut texts = Vec::new();
        for together in choices {
            let columns = together.iter().map(|(column, _)| match column {
                Column::Provider => "provider = ?",
                Column::Model => "model = ?",
                Column::Key => "key = ?",
                Column::Status => "status = ?",
            });
            texts.push(format!("({})", columns.collect::<Vec<_>>().join(" AND ")));
            self.values.extend(together.iter().map(|(column, value)| column_value(*column, value)));
        }
        self.texts.push(format!("({})", texts.join(" OR ")));
    }

    fn status(&mut self, status: Option<&str>) {
        let Some(status) = status else { return };
        let first_digit = status.strip_suffix("xx").and_then(|digit| digit.parse::<i64>().ok());
        match status {
            "success" => self.texts.push("(status < 400 AND \"end\" = 'whole')".to_owned()),
            "error" => self.and(FAILED),
            "client_left" => self.texts.push("\"end\" = 'client_left'".to_owned()),
            _ => match first_digit {
                Some(digit) => self.some("status / 100 = ?", Some(digit)),
                None => {
                    let status = status.parse::<i64>().unwrap_or(-1);
                    self.some("status = ?", Some(status));
                    if status >= 400 {
                        // Said once more in the words of the index of failures, which is used only so.
                        self.and("status >= 400");
                    }
                }
            },
        }
    }

    /// Behind the last of the page before.
    pub(crate) fn after(&mut self, after: Option<(i64, i64)>) {
        if let Some((started_ms, number)) = after {
            self.texts.push("(started_ms, number) < (?, ?)".to_owned());
            self.values.extend([started_ms.into(), number.into()]);
        }
    }

    /// Numbered later than this.
    pub(crate) fn newer_than(&mut self, number: i64) {
        self.some("number > ?", Some(number));
    }

    /// One more with what stands for its question marks.
    pub(crate) fn with(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.and(text);
        self.values.extend(values);
    }

    /// One more that has no values.
    pub(crate) fn and(&mut self, text: &str) {
        self.texts.push(format!("({text})"));
    }

    /// As it stands behind a table's name, with one more.
    pub(crate) fn and_text(&self, text: &str) -> String {
        let texts = self.texts.iter().map(String::as_str).chain([text]);
        format!("WHERE {}", texts.collect::<Vec<_>>().join(" AND "))
    }

    /// As it stands behind a table's name.
    pub(crate) fn text(&self) -> String {
        if self.texts.is_empty() { String::new() } else { format!("WHERE {}", self.texts.join(" AND ")) }
    }
}

/// A value as its column has it; -1 for a status that is none.
fn column_value(column: Column, value: &str) -> Value {
    match column {
        Column::Provider | Column::Model | Column::Key => value.into(),
        Column::Status => value.parse::<i64>().unwrap_or(-1).into(),
    }
}
