//! What may be asked for: filters, and pages that stay the same while more is written.

use rusqlite::types::Value;

/// Words for kinds of answers, besides a status itself and its first digit (`404`, `4xx`).
pub const STATUS_CLASSES: [&str; 3] = ["success", "error", "client_left"];

/// Which requests. What is left out holds for all.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// and in tokens, read and written together.
    pub tokens: (Option<i64>, Option<i64>),
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
        for (name, value) in &filter.metadata {
            all.texts.push(
                "EXISTS (SELECT 1 FROM json_each(metadata) AS own WHERE own.key = ? AND own.value = ?)"
                    .to_owned(),
            );
            all.values.extend([name.clone().into(), value.clone().into()]);
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
                None => self.some("status = ?", Some(status.parse::<i64>().unwrap_or(-1))),
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

    /// Part of some session.
    pub(crate) fn in_a_session(&mut self) {
        self.texts.push("session IS NOT NULL".to_owned());
    }

    /// Part of this session.
    pub(crate) fn in_session(&mut self, session: &str) {
        self.some("session = ?", Some(session.to_owned()));
    }

    /// Numbered later than this.
    pub(crate) fn newer_than(&mut self, number: i64) {
        self.some("number > ?", Some(number));
    }

    /// As it stands behind a table's name.
    pub(crate) fn text(&self) -> String {
        if self.texts.is_empty() { String::new() } else { format!("WHERE {}", self.texts.join(" AND ")) }
    }
}

impl Filter {
    /// Are these only what sums are kept by?
    pub(crate) fn is_of_sums(&self) -> bool {
        let Filter { from_ms, to_ms, provider, model, key, .. } = self.clone();
        *self == Filter { from_ms, to_ms, provider, model, key, ..Filter::default() }
    }
}
