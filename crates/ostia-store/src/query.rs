//! What may be asked for: filters, and pages that stay the same while more is written.

use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

/// Words for kinds of answers, besides a status itself and its first digit (`404`, `4xx`).
pub const STATUS_CLASSES: [&str; 3] = ["success", "error", "client_left"];

/// Which requests. What is left out holds for all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Not before, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Before.
    pub to_ms: Option<i64>,
    /// How they ended: one of [`STATUS_CLASSES`], `4xx`, or `404`.
    pub status: Option<String>,
    /// Who answered.
    pub provider: Option<String>,
    /// The model that was asked for.
    pub model: Option<String>,
    /// The gateway's key that was shown.
    pub key: Option<String>,
    /// The API that was called.
    pub operation: Option<String>,
    /// Words of the client's own: all of them.
    pub metadata: Vec<(String, String)>,
    /// The trace, the request itself, or the provider's name for one of its attempts.
    pub trace: Option<String>,
    /// The conversation, or the agent's run, that they are part of.
    pub session: Option<String>,
    /// At least and at most: in 10^-9 of a dollar,
    pub cost_nano: (Option<i64>, Option<i64>),
    /// in milliseconds,
    pub duration_ms: (Option<i64>, Option<i64>),
    /// in tokens, read and written together,
    pub tokens: (Option<i64>, Option<i64>),
    /// in tokens read,
    pub prompt_tokens: (Option<i64>, Option<i64>),
    /// in tokens written,
    pub completion_tokens: (Option<i64>, Option<i64>),
    /// and in what was thought of their trace, value times weight on average.
    pub feedback: (Option<f64>, Option<f64>),
    /// One of each of these lists: of what stands in these columns together.
    pub choices: Vec<Vec<Vec<(Column, String)>>>,
}

/// A column that may have one of several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// Who answered.
    Provider,
    /// The model that was asked for.
    Model,
    /// The gateway's key that was shown.
    Key,
    /// The status.
    Status,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Behind the request of this time and number; at the newest one where there is none.
    pub after: Option<(i64, i64)>,
    /// How many requests.
    pub size: PageSize,
}

/// How many requests a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl PageSize {
    /// The most.
    pub const MAX: u32 = 500;
    /// Where nobody says.
    pub const DEFAULT: PageSize = PageSize(50);

    /// From one to [`PageSize::MAX`].
    pub fn new(size: u32) -> Option<PageSize> {
        (1..=PageSize::MAX).contains(&size).then_some(PageSize(size))
    }

    pub(crate) fn count(self) -> u32 {
        self.0
    }
}

impl Page {
    /// The beginning of a page as it stands in the answer before it; `None` for what is no such thing.
    pub fn cursor(text: &str) -> Option<(i64, i64)> {
        let (started_ms, number) = text.split_once('-')?;
        Some((started_ms.parse().ok()?, number.parse().ok()?))
    }
}

/// Conditions on `requests`, and what stands for their question marks.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    texts: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Conditions {
    pub(crate) fn of(filter: &Filter) -> Conditions {
        let mut all = Conditions::default();
        all.some("started_ms >= ?", filter.from_ms);
        all.some("started_ms < ?", filter.to_ms);
        all.status(filter.status.as_deref());
        all.some("provider = ?", filter.provider.clone());
        all.some("model = ?", filter.model.clone());
        all.some("key = ?", filter.key.clone());
        all.some("operation = ?", filter.operation.clone());
        all.some("session = ?", filter.session.clone());
        all.some("cost_nano >= ?", filter.cost_nano.0);
        all.some("cost_nano <= ?", filter.cost_nano.1);
        all.some("duration_us >= ? * 1000", filter.duration_ms.0);
        all.some("duration_us <= ? * 1000", filter.duration_ms.1);
        all.some("tokens >= ?", filter.tokens.0);
        all.some("tokens <= ?", filter.tokens.1);
        all.some("prompt_tokens >= ?", filter.prompt_tokens.0);
        all.some("prompt_tokens <= ?", filter.prompt_tokens.1);
        all.some("completion_tokens >= ?", filter.completion_tokens.0);
        all.some("completion_tokens <= ?", filter.completion_tokens.1);
        all.feedback(filter.feedback);
        filter.choices.iter().for_each(|choices| all.choice(choices));
        for (name, value) in &filter.metadata {
            // The text as JSON has it is looked for first: to read the object takes ten times as long.
            all.texts.push(
                "(instr(metadata, ?) > 0 AND EXISTS (SELECT 1 FROM json_each(metadata) AS own \
                 WHERE own.key = ? AND own.value = ?))"
                    .to_owned(),
            );
            let quoted = serde_json::Value::from(value.as_str()).to_string();
            all.values.extend([quoted.into(), name.clone().into(), value.clone().into()]);
        }
        if let Some(trace) = &filter.trace {
            all.texts.push(
                "number IN (SELECT number FROM requests WHERE trace_id = ? UNION ALL \
                 SELECT number FROM requests WHERE id = ? UNION ALL SELECT request FROM names WHERE name = ?)"
                    .to_owned(),
            );
            all.values.extend([trace, trace, trace].map(|name| Value::from(name.clone())));
        }
        all
    }

    fn some(&mut self, text: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.texts.push(text.to_owned());
            self.values.push(value.into());
        }
    }

    /// What was thought of their trace.
    fn feedback(&mut self, (least, most): (Option<f64>, Option<f64>)) {
        if least.is_none() && most.is_none() {
            return;
        }
        self.texts.push(
            "number IN (SELECT number FROM requests WHERE trace_id IN (SELECT trace_id FROM feedback GROUP BY 1 \
             HAVING avg(value * weight) >= ? AND avg(value * weight) <= ?))"
                .to_owned(),
        );
        self.values.extend([least.unwrap_or(f64::MIN).into(), most.unwrap_or(f64::MAX).into()]);
    }

    /// One of several.
    fn choice(&mut self, choices: &[Vec<(Column, String)>]) {
        let mut texts = Vec::new();
        for together in choices {
            let columns = together.iter().map(|(column, _)| match column {
                Column::Provider => "provider = ?",
                Column::Model => "model = ?",
                Column::Key => "key = ?",
                Column::Status => "status = CAST(? AS INTEGER)",
            });
            texts.push(format!("({})", columns.collect::<Vec<_>>().join(" AND ")));
            self.values.extend(together.iter().map(|(_, value)| Value::from(value.clone())));
        }
        self.texts.push(format!("({})", texts.join(" OR ")));
    }

    fn status(&mut self, status: Option<&str>) {
        let Some(status) = status else { return };
        let first_digit = status.strip_suffix("xx").and_then(|digit| digit.parse::<i64>().ok());
        match status {
            "success" => self.texts.push("(status < 400 AND end = 'whole')".to_owned()),
            "error" => {
                self.texts.push("(status >= 400 OR end = 'broken') AND end <> 'client_left'".to_owned())
            }
            "client_left" => self.texts.push("end = 'client_left'".to_owned()),
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

    /// Not behind it: what that page had, and those before it.
    pub(crate) fn not_after(&mut self, (started_ms, number): (i64, i64)) {
        self.texts.push("(started_ms, number) >= (?, ?)".to_owned());
        self.values.extend([started_ms.into(), number.into()]);
    }

    /// Part of this session.
    pub(crate) fn in_session(&mut self, session: &str) {
        self.some("session = ?", Some(session.to_owned()));
    }

    /// Numbered later than this.
    pub(crate) fn newer_than(&mut self, number: i64) {
        self.some("number > ?", Some(number));
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

impl Filter {
    /// Does it ask for what sums by day are kept by, so that they know the days on which there is any?
    pub(crate) fn is_of_days(&self) -> bool {
        self.provider.is_some() || self.model.is_some() || self.key.is_some()
    }

    /// Are these only what sums are kept by?
    pub(crate) fn is_of_sums(&self) -> bool {
        let Filter { from_ms, to_ms, provider, model, key, .. } = self.clone();
        *self == Filter { from_ms, to_ms, provider, model, key, ..Filter::default() }
    }
}
