//! Counts that no sums are kept of: requests by a fact and a step, groups by what clients say, and what people thought.

use rusqlite::{Row, params_from_iter};

use super::Reader;
use crate::answers::{Fact, FeedbackTally, GroupBy, GroupRow, ReadError, TALLIES_MAX, Tally};
use crate::conditions::{FAILED, Value};
use crate::query::Filter;
use crate::sqlite::{conditions, ids};
use crate::steps::Steps;

/// What is counted, and which requests are.
fn columns(fact: Fact) -> (&'static str, &'static str) {
    match fact {
        Fact::User => ("metadata ->> '$._user'", "metadata ->> '$._user' IS NOT NULL"),
        Fact::Failure => ("status", FAILED),
        Fact::Retries => ("retries", "retries > 0"),
        Fact::Fallback => ("fell_back", "fell_back = 1"),
    }
}

impl Reader {
    pub(crate) fn tally(
        &mut self,
        filter: &Filter,
        steps: &Steps,
        fact: Fact,
    ) -> Result<Vec<Tally>, ReadError> {
        let (column, condition) = columns(fact);
        let mut conditions = conditions::of(&filter.within(steps.time()));
        conditions.and(condition);
        let step_ms = steps.step_ms;
        let text = format!(
            "SELECT started_ms / {step_ms} * {step_ms}, CAST({column} AS TEXT), count(*) FROM requests {} \
             GROUP BY 1, 2 ORDER BY 3 DESC LIMIT {TALLIES_MAX}",
            conditions.text()
        );
        let tally =
            |row: &Row<'_>| Ok(Tally { start_ms: row.get(0)?, name: row.get(1)?, count: count(row, 2)? });
        self.all(&text, conditions.values, tally)
    }

    pub(crate) fn groups(
        &mut self,
        filter: &Filter,
        by: &GroupBy,
        (skip, size): (u32, u32),
    ) -> Result<(u64, Vec<GroupRow>), ReadError> {
        let (column, own) = match by {
            GroupBy::Provider => ("provider", None),
            GroupBy::Model => ("model", None),
            GroupBy::Metadata(name) => {
                ("(SELECT value FROM json_each(metadata) AS own WHERE own.key = ?)", Some(name.clone()))
            }
        };
        let conditions = conditions::of(filter);
        let values: Vec<Value> = own.map(Value::Text).into_iter().chain(conditions.values.clone()).collect();
        let of = format!(
            "(SELECT {column} AS name, cost_nano, tokens, started_ms FROM requests {}) WHERE name IS NOT NULL",
            conditions.text()
        );
        let totals =
            self.all(&format!("SELECT count(DISTINCT name) FROM {of}"), values.clone(), |row| count(row, 0))?;
        let text = format!(
            "SELECT name, count(*), coalesce(sum(cost_nano), 0), coalesce(avg(tokens), 0.0), max(started_ms) FROM {of} \
             GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {size} OFFSET {skip}"
        );
        let group = |row: &Row<'_>| {
            Ok(GroupRow {
                name: row.get(0)?,
                requests: count(row, 1)?,
                cost_nano: row.get(2)?,
                avg_tokens: row.get(3)?,
                last_ms: row.get(4)?,
                feedback: None,
            })
        };
        let mut groups = self.all(&text, values.clone(), group)?;
        let text = format!(
            "SELECT name, count(DISTINCT number), avg(value * weight) FROM \
             (SELECT {column} AS name, number, trace_id AS of_trace FROM requests {}) \
             JOIN feedback ON feedback.trace_id = of_trace WHERE name IS NOT NULL GROUP BY 1",
            conditions.and_text(&of_feedback())
        );
        let thought =
            self.all(&text, values, |row| Ok((row.get::<_, String>(0)?, (count(row, 1)?, row.get(2)?))))?;
        for (name, feedback) in thought {
            groups
                .iter_mut()
                .filter(|group| group.name == name)
                .for_each(|group| group.feedback = Some(feedback));
        }
        Ok((totals.first().copied().unwrap_or_default(), groups))
    }

    pub(crate) fn feedback(
        &mut self,
        filter: &Filter,
        steps: &Steps,
    ) -> Result<Vec<FeedbackTally>, ReadError> {
        let requests = Filter { from_ms: None, to_ms: None, ..filter.clone() };
        let conditions = conditions::of(&requests);
        let of_requests = match requests == Filter::default() {
            true => String::new(),
            false => {
                let conditions = conditions.and_text(&of_feedback());
                format!("AND trace_id IN (SELECT trace_id FROM requests {conditions})")
            }
        };
        let step_ms = steps.step_ms;
        let text = format!(
            "SELECT created_ms / {step_ms} * {step_ms}, value, \
             (SELECT model FROM requests WHERE number IN ({}) AND requests.trace_id = feedback.trace_id ORDER BY number LIMIT 1), \
             count(*), sum(value * weight) FROM feedback WHERE created_ms >= ? AND created_ms < ? {of_requests} GROUP BY 1, 2, 3",
            ids::numbers_of_trace("feedback.trace_id", "id_hash(feedback.trace_id)")
        );
        let time = [steps.from_ms.into(), steps.to_ms.into()];
        let tally = |row: &Row<'_>| {
            Ok(FeedbackTally {
                start_ms: row.get(0)?,
                value: row.get(1)?,
                model: row.get(2)?,
                count: count(row, 3)?,
                weighted: row.get(4)?,
            })
        };
        self.all(&text, time.into_iter().chain(conditions.values).collect(), tally)
    }

    fn all<T>(
        &mut self,
        text: &str,
        values: Vec<Value>,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ReadError> {
        let mut select = self.connection()?.prepare_cached(text)?;
        let rows = select.query_map(params_from_iter(&values), of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// Somebody thought something of its trace.
fn of_feedback() -> String {
    format!("number IN ({}) AND trace_id IN (SELECT trace_id FROM feedback)", ids::NUMBERS_OF_FEEDBACK)
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default())
}
