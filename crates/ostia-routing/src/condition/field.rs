//! The fields that conditions may name.

use serde_json::{Value, json};

/// A field of a request, parsed once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// `metadata.<key>`: from the metadata header. The key may hold dots.
    Metadata(String),
    /// `params.<path>`: from the JSON body, at any depth: `params.messages[0].role` or
    /// `params.messages.0.role`.
    Param(Vec<Step>),
    /// `headers.<name>`, in lower case.
    Header(String),
    /// `url.pathname`: a text.
    Path,
    /// `method`: a text.
    Method,
    /// `operation`: what is asked for, as a text.
    Operation,
    /// `model`: the one that the client names.
    Model,
    /// `tokens`: the estimated number of tokens of the input.
    Tokens,
    /// `time.<part>`, in UTC.
    Time(Clock),
    /// `key`: the name of the gateway key that the client shows.
    Key,
}

/// One step into the body: a key of an object, or an index of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// As it is written.
    pub key: String,
    /// The same as a number, for lists.
    pub index: Option<usize>,
}

/// What is asked of the clock, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clock {
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 1 is Monday, 7 is Sunday (ISO 8601).
    Weekday,
    /// `"2026-11-30"`.
    Date,
    /// `"HH:MM"`.
    OfDay,
}

impl Field {
    /// Parses a field's name; `None` if there is none of that name.
    pub fn parse(text: &str) -> Option<Field> {
        let (group, rest) = text.split_once('.').map_or((text, None), |(group, rest)| (group, Some(rest)));
        match (group, rest.filter(|rest| !rest.is_empty())) {
            ("metadata", Some(key)) => Some(Field::Metadata(key.to_owned())),
            ("params", Some(path)) => steps(path).map(Field::Param),
            ("headers", Some(name)) => Some(Field::Header(name.to_ascii_lowercase())),
            ("time", Some(part)) => Clock::parse(part).map(Field::Time),
            ("url", Some("pathname")) => Some(Field::Path),
            ("method", None) => Some(Field::Method),
            ("operation", None) => Some(Field::Operation),
            ("model", None) => Some(Field::Model),
            ("tokens", None) => Some(Field::Tokens),
            ("key", None) => Some(Field::Key),
            _ => None,
        }
    }
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, indexes) = part.split_at(part.find('[').unwrap_or(part.len()));
        if key.is_empty() {
            return None;
        }
        steps.push(Step { key: key.to_owned(), index: index_of(key) });
        for index in indexes.split('[').skip(1) {
            let index = index.strip_suffix(']')?;
            steps.push(Step { key: index.to_owned(), index: Some(index_of(index)?) });
        }
    }
    Some(steps)
}

/// The index that a text writes, in its one spelling: other ones would be other fields that hold the same.
fn index_of(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// The value at the end of these steps.
#[cfg(test)]
pub(crate) fn find<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Object(map) => map.get(&step.key),
        Value::Array(items) => items.get(step.index?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

impl Clock {
    fn parse(text: &str) -> Option<Clock> {
        match text {
            "hour" => Some(Clock::Hour),
            "minute" => Some(Clock::Minute),
            "weekday" => Some(Clock::Weekday),
            "date" => Some(Clock::Date),
            "of_day" => Some(Clock::OfDay),
            _ => None,
        }
    }

    /// What it shows so many seconds after the beginning of 1970.
    pub fn at(self, unix_s: u64) -> Value {
        let (days, minutes) = (unix_s / 86_400, unix_s % 86_400 / 60);
        let (hour, minute) = (minutes / 60, minutes % 60);
        match self {
            Clock::Hour => json!(hour),
            Clock::Minute => json!(minute),
            // 1970 began on a Thursday.
            Clock::Weekday => json!((days + 3) % 7 + 1),
            Clock::Date => json!(date(days)),
            Clock::OfDay => json!(format!("{hour:02}:{minute:02}")),
        }
    }
}

/// The date so many days after the first of January 1970, by the usual arithmetic over eras of 400 years that
/// begin in March (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>). By hand, since the libraries that
/// know it (`time`, `jiff`, `chrono`) have a clock, and pure crates do without.
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
