//! What may be asked for: filters, and pages that stay the same while more is written.

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
    /// The beginning of a page as the answer before it tells it.
    pub(crate) fn told((started_ms, number): (i64, i64)) -> String {
        format!("{started_ms}-{number}")
    }

    /// The place that such a beginning names; `None` for what is none.
    pub fn cursor(text: &str) -> Option<(i64, i64)> {
        let (started_ms, number) = text.split_once('-')?;
        Some((started_ms.parse().ok()?, number.parse().ok()?))
    }
}

impl Filter {
    /// The same in this time alone.
    pub(crate) fn within(&self, (from_ms, to_ms): (i64, i64)) -> Filter {
        Filter { from_ms: Some(from_ms), to_ms: Some(to_ms), ..self.clone() }
    }

    /// Of what was thought in a time: which requests it has to be about; `None`: any. When they came makes no difference.
    pub(crate) fn of_feedback(&self) -> Option<Filter> {
        let requests = Filter { from_ms: None, to_ms: None, ..self.clone() };
        (requests != Filter::default()).then_some(requests)
    }

    /// Does it ask for what sums by day are kept by, so that they know the days on which there is any?
    pub(crate) fn is_of_days(&self) -> bool {
        self.provider.is_some() || self.model.is_some() || self.key.is_some()
    }

    /// Does it ask for a time alone?
    pub(crate) fn is_of_time(&self) -> bool {
        *self == Filter { from_ms: self.from_ms, to_ms: self.to_ms, ..Filter::default() }
    }

    /// Does it ask for at least or at most so much of something?
    pub(crate) fn has_bounds(&self) -> bool {
        let bounds =
            [self.cost_nano, self.duration_ms, self.tokens, self.prompt_tokens, self.completion_tokens];
        bounds.iter().any(|bounds| *bounds != (None, None))
    }

    /// Are these only what sums are kept by?
    pub(crate) fn is_of_sums(&self) -> bool {
        let Filter { from_ms, to_ms, provider, model, key, .. } = self.clone();
        *self == Filter { from_ms, to_ms, provider, model, key, ..Filter::default() }
    }
}
