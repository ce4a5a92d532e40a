//! Which requests pass a filter, by their columns: the same as its conditions in SQL (`conditions::of`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Columns, Number, Text, Wanted};
use crate::query::{self, Filter};

/// A condition on requests.
pub(crate) enum Condition<'f> {
    /// At least and at most.
    Bounds(Number, (Option<i64>, Option<i64>)),
    /// It is this.
    Is(Text, &'f str),
    /// Metadata has this under this name.
    Metadata(&'f str, &'f str),
    /// How it ended.
    Status(&'f str),
    /// One of several, each of which is several columns.
    Choice(&'f [Vec<(query::Column, String)>]),
}

/// All that a filter asks for; none where it asks for what columns do not tell.
pub(crate) fn conditions(filter: &Filter) -> Option<Vec<Condition<'_>>> {
    if filter.trace.is_some() || filter.session.is_some() || filter.feedback != (None, None) {
        return None;
    }
    let us = |ms: Option<i64>| ms.map(|ms| ms.saturating_mul(1000));
    let before = filter.to_ms.map(|ms| ms.saturating_sub(1));
    let bounds = [
        (Number::StartedMs, (filter.from_ms, before)),
        (Number::CostNano, filter.cost_nano),
        (Number::DurationUs, (us(filter.duration_ms.0), us(filter.duration_ms.1))),
        (Number::Tokens, filter.tokens),
        (Number::PromptTokens, filter.prompt_tokens),
        (Number::CompletionTokens, filter.completion_tokens),
    ];
    let texts = [
        (Text::Provider, &filter.provider),
        (Text::Model, &filter.model),
        (Text::Key, &filter.key),
        (Text::Operation, &filter.operation),
    ];
    let mut all: Vec<Condition<'_>> = Vec::new();
    all.extend(
        bounds
            .into_iter()
            .filter(|(_, bounds)| *bounds != (None, None))
            .map(|(column, bounds)| Condition::Bounds(column, bounds)),
    );
    all.extend(texts.into_iter().filter_map(|(column, text)| Some(Condition::Is(column, text.as_deref()?))));
    all.extend(filter.status.as_deref().map(Condition::Status));
    all.extend(filter.choices.iter().map(|choices| Condition::Choice(choices)));
    all.extend(filter.metadata.iter().map(|(name, value)| Condition::Metadata(name, value)));
    Some(all)
}

impl Condition<'_> {
    /// What it looks at.
    pub(crate) fn wanted(&self) -> Wanted {
        match self {
            Condition::Bounds(column, _) => Wanted::of(&[*column], &[]),
            Condition::Is(column, _) => Wanted::of(&[], &[*column]),
            Condition::Metadata(..) => Wanted::of(&[], &[Text::Metadata]),
            Condition::Status(_) => Wanted::of(&[Number::Status], &[Text::End]),
            Condition::Choice(_) => Wanted::of(&[Number::Status], &[Text::Provider, Text::Model, Text::Key]),
        }
    }

    /// Leaves the rows that fulfil it.
    pub(crate) fn keep(&self, columns: &Columns, rows: &mut Vec<usize>) {
        match self {
            Condition::Bounds(column, (least, most)) => {
                let (least, most) = (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX));
                rows.retain(|row| {
                    columns.number(*column, *row).is_some_and(|own| own >= least && own <= most)
                });
            }
            Condition::Is(column, text) => keep_words(*column, columns, rows, |word| word == Some(text)),
            Condition::Metadata(name, value) => {
                keep_words(Text::Metadata, columns, rows, |word| {
                    word.is_some_and(|word| has(word, name, value))
                });
            }
            Condition::Status(status) => keep_status(status, columns, rows),
            Condition::Choice(choices) => keep_choice(choices, columns, rows),
        }
    }
}

/// Looks at each text once.
fn keep_words(column: Text, columns: &Columns, rows: &mut Vec<usize>, of: impl Fn(Option<&str>) -> bool) {
    let kept = columns.words(column).each(of);
    rows.retain(|row| kept.get(columns.code(column, *row) as usize) == Some(&true));
}

/// An object of JSON as text has this text under this name.
fn has(object: &str, name: &str, value: &str) -> bool {
    // The text as JSON has it is looked for first: to read the object takes ten times as long.
    object.contains(&Value::from(value).to_string()) && said(object, name).as_deref() == Some(value)
}

/// What an object of JSON has under this name, if it is a text.
pub(super) fn said(object: &str, name: &str) -> Option<String> {
    // Nearly all are texts without escapes, and nothing need be copied of them.
    if let Ok(object) = serde_json::from_str::<BTreeMap<&str, &str>>(object) {
        return object.get(name).map(|text| (*text).to_owned());
    }
    let mut object: Map<String, Value> = serde_json::from_str(object).ok()?;
    match object.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// As `Conditions` has it in SQL.
fn keep_status(status: &str, columns: &Columns, rows: &mut Vec<usize>) {
    let own = |row: usize| columns.number(Number::Status, row).unwrap_or_default();
    let end = |row: usize| columns.text(Text::End, row).unwrap_or_default();
    let first_digit = status.strip_suffix("xx").and_then(|digit| digit.parse::<i64>().ok());
    match (status, first_digit) {
        ("success", _) => rows.retain(|row| own(*row) < 400 && end(*row) == "whole"),
        ("error", _) => rows.retain(|row| has_failed(columns, *row)),
        ("client_left", _) => rows.retain(|row| end(*row) == "client_left"),
        (_, Some(digit)) => rows.retain(|row| own(*row) / 100 == digit),
        (_, None) => {
            let status = status.parse::<i64>().unwrap_or(-1);
            rows.retain(|row| own(*row) == status);
        }
    }
}

/// As [`FAILED`](crate::conditions::FAILED).
pub(super) fn has_failed(columns: &Columns, row: usize) -> bool {
    let end = columns.text(Text::End, row).unwrap_or_default();
    let status = columns.number(Number::Status, row).unwrap_or_default();
    (status >= 400 || end == "broken") && end != "client_left"
}

fn keep_choice(choices: &[Vec<(query::Column, String)>], columns: &Columns, rows: &mut Vec<usize>) {
    let is = |row: usize, column: query::Column, value: &str| match column {
        query::Column::Provider => columns.text(Text::Provider, row) == Some(value),
        query::Column::Model => columns.text(Text::Model, row) == Some(value),
        query::Column::Key => columns.text(Text::Key, row) == Some(value),
        query::Column::Status => columns.number(Number::Status, row) == value.parse().ok(),
    };
    rows.retain(|row| {
        choices.iter().any(|together| together.iter().all(|(column, value)| is(*row, *column, value)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_metadata_says() {
        let check = |object: &str, expected: Option<&str>| {
            assert_eq!(said(object, "a").as_deref(), expected, "{object}")
        };
        check(r#"{"b":"1","a":"2"}"#, Some("2"));
        check(r#"{"a":"\"ü\""}"#, Some("\"ü\""));
        check(r#"{"\u0061":"2","b":3}"#, Some("2"));
        check(r#"{"a":3}"#, None);
        check(r#"{"b":"a"}"#, None);
        check("", None);
    }
}
