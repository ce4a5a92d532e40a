//! Conditions on `requests` in PostgreSQL's words, and texts with question marks as it reads them.

use std::fmt::Write as _;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::client::Param;
use super::text::clean;
use crate::answers::GroupBy;
use crate::conditions::{Conditions, Value};
use crate::query::{Column, Filter};

/// All that a filter asks for, but the trace: where that is, its names say.
pub(super) fn of(filter: &Filter) -> Conditions {
    let filter = &cleaned(filter);
    let mut all = Conditions::of(filter);
    if let (least, most) = filter.feedback
        && (least.is_some() || most.is_some())
    {
        all.with(
            "trace_id IN (SELECT trace_id FROM feedback GROUP BY 1 \
             HAVING avg(value * weight) >= ? AND avg(value * weight) <= ?)",
            [least.unwrap_or(f64::MIN).into(), most.unwrap_or(f64::MAX).into()],
        );
    }
    for (name, value) in &filter.metadata {
        let object = serde_json::json!({name: value}).to_string();
        all.with("metadata @> ?::jsonb", [Value::Text(object)]);
    }
    all
}

/// The same with texts as their columns have them.
pub(super) fn cleaned(filter: &Filter) -> Filter {
    let together = |columns: &Vec<(Column, String)>| {
        columns.iter().map(|(column, text)| (*column, clean(text).into_owned())).collect()
    };
    let own = |text: &Option<String>| text.as_deref().map(|text| clean(text).into_owned());
    Filter {
        provider: own(&filter.provider),
        model: own(&filter.model),
        key: own(&filter.key),
        operation: own(&filter.operation),
        session: own(&filter.session),
        choices: filter.choices.iter().map(|choices| choices.iter().map(together).collect()).collect(),
        metadata: filter
            .metadata
            .iter()
            .map(|(name, value)| (clean(name).into_owned(), clean(value).into_owned()))
            .collect(),
        ..filter.clone()
    }
}

/// What groups are made by, as its column has it.
pub(crate) fn cleaned_group(by: &GroupBy) -> GroupBy {
    match by {
        GroupBy::Metadata(name) => GroupBy::Metadata(clean(name).into_owned()),
        GroupBy::Provider | GroupBy::Model => by.clone(),
    }
}

/// A text with `$1`, `$2` and so on for its question marks.
pub(super) fn numbered(text: &str) -> String {
    let mut pieces = text.split('?');
    let mut numbered = pieces.next().unwrap_or_default().to_owned();
    for (number, piece) in (1..).zip(pieces) {
        // Nothing that is written to a text fails.
        let _ = write!(numbered, "${number}{piece}");
    }
    numbered
}

/// Values with their types.
pub(super) fn params(values: &[Value]) -> Vec<Param<'_>> {
    let of = |value: &Value| match value {
        Value::Integer(_) => Type::INT8,
        Value::Real(_) => Type::FLOAT8,
        Value::Text(_) => Type::TEXT,
    };
    values.iter().map(|value| (value as &(dyn ToSql + Sync), of(value))).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Integer(number) => number.to_sql(of, out),
            Value::Real(number) => number.to_sql(of, out),
            Value::Text(text) => text.to_sql(of, out),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::FLOAT8, Type::TEXT].contains(of)
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_are_numbered() {
        let check = |text: &str, expected: &str| assert_eq!(numbered(text), expected);
        check("SELECT 1", "SELECT 1");
        check("a = ? AND b @> ?::jsonb", "a = $1 AND b @> $2::jsonb");
        check("(?, ?)", "($1, $2)");
    }
}
