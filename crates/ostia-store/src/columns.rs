//! Requests by column: what they are filtered and added up by, many at a time. To add up a million of them row by row takes seconds,
//! whatever the rows; column by column it takes a fifth of one. An engine that has them so tells those that pass a filter ([`Scan`]), and
//! all that is made of them is made here, the same for each.

mod caches;
mod newest;
mod passing;
mod sessions;
mod sums;
mod tallies;
mod values;

pub(crate) use caches::{cache_use, cached_calls};
pub(crate) use newest::{how_many, places};
pub(crate) use passing::{Condition, conditions};
pub(crate) use sessions::sessions;
pub(crate) use sums::{series, sums};
pub(crate) use tallies::{FeedbackOfRequests, groups, tally};
pub(crate) use values::{Codes, Columns};

use crate::answers::{Piece, ReadError, Table};
use crate::query::Filter;
use crate::summary::Grouping;

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident: $($column:ident $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name {
            $($column,)*
        }

        impl $name {
            pub(crate) const ALL: &[$name] = &[$($name::$column,)*];

            /// As `requests` calls it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $($name::$column => $text,)*
                }
            }
        }
    };
}

columns! {
    /// A column of numbers.
    Number:
    Request "number",
    StartedMs "started_ms",
    Status "status",
    DurationUs "duration_us",
    FirstTokenUs "first_token_us",
    Tokens "tokens",
    CostNano "cost_nano",
    PromptTokens "prompt_tokens",
    CompletionTokens "completion_tokens",
    CachedTokens "cached_tokens",
    ReasoningTokens "reasoning_tokens",
    Attempts "attempts",
    FailedAttempts "failed_attempts",
    Retries "retries",
    FellBack "fell_back",
    Unpriced "unpriced",
}

columns! {
    /// A column of texts.
    Text:
    End "end",
    Provider "provider",
    Model "model",
    Key "key",
    Operation "operation",
    Session "session",
    Costs "costs",
    Metadata "metadata",
}

/// Which columns are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) numbers: Vec<Number>,
    pub(crate) texts: Vec<Text>,
}

impl Wanted {
    pub(crate) fn of(numbers: &[Number], texts: &[Text]) -> Wanted {
        Wanted { numbers: numbers.to_vec(), texts: texts.to_vec() }
    }

    pub(crate) fn all() -> Wanted {
        Wanted::of(Number::ALL, Text::ALL)
    }

    pub(crate) fn with(mut self, more: &Wanted) -> Wanted {
        let new = more.numbers.iter().filter(|column| !self.numbers.contains(column));
        let numbers: Vec<Number> = new.copied().collect();
        let new = more.texts.iter().filter(|column| !self.texts.contains(column));
        let texts: Vec<Text> = new.copied().collect();
        self.numbers.extend(numbers);
        self.texts.extend(texts);
        self
    }

    /// Their names: of numbers, then of texts.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let numbers = self.numbers.iter().map(|column| column.name());
        numbers.chain(self.texts.iter().map(|column| column.name()))
    }
}

/// When a request came, and its number.
pub(crate) type Place = (i64, i64);

/// An engine that has requests by column.
pub(crate) trait ByColumn {
    /// Goes through the requests that pass a filter, with these columns of each.
    ///
    /// # Errors
    /// What is kept cannot be read.
    fn scan<'a>(&'a mut self, filter: &'a Filter, wanted: Wanted) -> Result<impl Scan + 'a, ReadError>;

    /// What was thought of the requests that came in the filter's time, and maybe of others.
    ///
    /// # Errors
    /// As [`ByColumn::scan`].
    fn feedback_of_requests(&mut self, filter: &Filter) -> Result<FeedbackOfRequests, ReadError>;

    /// What the sums that are kept of these times come to, by name and step as this empty table has them. The filter asks for what sums are kept
    /// by ([`Filter::is_of_sums`]), and its own time makes no difference.
    ///
    /// # Errors
    /// As [`ByColumn::scan`].
    fn kept(
        &mut self,
        filter: &Filter,
        by: Grouping,
        times: &[Piece],
        empty: Table,
    ) -> Result<Table, ReadError>;

    /// The names that most requests are of, by these sums.
    ///
    /// # Errors
    /// As [`ByColumn::scan`].
    fn kept_names(&mut self, filter: &Filter, by: Grouping, time: Piece) -> Result<Vec<String>, ReadError>;
}

/// Requests that pass a filter, nearly those that came last first.
pub(crate) trait Scan {
    /// The next that pass; `None`: there are no more.
    ///
    /// # Errors
    /// They cannot be read, or not in time.
    fn next(&mut self) -> Result<Option<Chunk>, ReadError>;

    /// Can one of those that are left have come then or later?
    fn reaches(&self, ms: i64) -> bool;
}

/// Requests that pass.
pub(crate) struct Chunk {
    pub(crate) columns: Columns,
    /// Which of them.
    pub(crate) rows: Vec<usize>,
}

impl Chunk {
    /// Those that pass.
    pub(crate) fn of(columns: Columns, conditions: &[Condition<'_>]) -> Chunk {
        let mut rows = (0..columns.requests).collect();
        conditions.iter().for_each(|condition| condition.keep(&columns, &mut rows));
        Chunk { columns, rows }
    }

    pub(crate) fn place(&self, row: usize) -> Place {
        let number = |column| self.columns.number(column, row).unwrap_or_default();
        (number(Number::StartedMs), number(Number::Request))
    }
}
