//! What people thought of requests.

use rusqlite::{Row, params_from_iter};

use super::Reader;
use crate::answers::{FeedbackTally, GroupBy, ReadError};
use crate::conditions::Value;
use crate::query::Filter;
use crate::sqlite::{conditions, ids};
use crate::steps::Steps;

/// Traces that are looked up one after the other; for more of them all ids are read once.
const TRACES_LOOKED_UP_MAX: u64 = 2000;

/// How many requests of a group have feedback, and its average.
type Thought = (String, (u64, f64));

impl Reader {
    pub(crate) fn feedback(
        &mut self,
        filter: &Filter,
        steps: &Steps,
    ) -> Result<Vec<FeedbackTally>, ReadError> {
        let count_of_traces =
            "SELECT count(DISTINCT trace_id) FROM feedback WHERE created_ms >= ? AND created_ms < ?";
        let time = vec![steps.from_ms.into(), steps.to_ms.into()];
        let traces = self.all(count_of_traces, time, |row| count(row, 0))?;
        self.thought(filter, steps, traces.first().is_some_and(|traces| *traces > TRACES_LOOKED_UP_MAX))
    }

    /// `is_many`: of many traces.
    pub(crate) fn thought(
        &mut self,
        filter: &Filter,
        steps: &Steps,
        is_many: bool,
    ) -> Result<Vec<FeedbackTally>, ReadError> {
        let (of_requests, values) = match filter.of_feedback().map(|requests| conditions::of(&requests)) {
            None => (String::new(), Vec::new()),
            Some(conditions) => {
                let of_feedback = conditions.and_text(&of_feedback());
                (format!("AND trace_id IN (SELECT trace_id FROM requests {of_feedback})"), conditions.values)
            }
        };
        let step_ms = steps.step_ms;
        let text = format!(
            "WITH thought AS MATERIALIZED (SELECT trace_id, created_ms / {step_ms} * {step_ms} AS start, value, weight FROM feedback \
             WHERE created_ms >= ? AND created_ms < ? {of_requests}), \
             traces AS MATERIALIZED (SELECT DISTINCT trace_id FROM thought), {} \
             SELECT start, value, model, count(*), sum(value * weight) FROM thought \
             LEFT JOIN firsts ON firsts.trace_id = thought.trace_id LEFT JOIN requests ON requests.number = oldest \
             GROUP BY 1, 2, 3",
            firsts(is_many)
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
        self.all(&text, time.into_iter().chain(values).collect(), tally)
    }

    /// By the name of the group.
    pub(super) fn feedback_by(&mut self, filter: &Filter, by: &GroupBy) -> Result<Vec<Thought>, ReadError> {
        let (column, own) = match by {
            GroupBy::Provider => ("provider", None),
            GroupBy::Model => ("model", None),
            GroupBy::Metadata(name) => {
                ("(SELECT value FROM json_each(metadata) AS own WHERE own.key = ?)", Some(name.clone()))
            }
        };
        let conditions = conditions::of(filter);
        let text = format!(
            "SELECT name, count(DISTINCT number), avg(value * weight) FROM \
             (SELECT {column} AS name, number, trace_id AS of_trace FROM requests {}) \
             JOIN feedback ON feedback.trace_id = of_trace WHERE name IS NOT NULL GROUP BY 1",
            conditions.and_text(&of_feedback())
        );
        let values = own.map(Value::Text).into_iter().chain(conditions.values);
        self.all(&text, values.collect(), |row| Ok((row.get(0)?, (count(row, 1)?, row.get(2)?))))
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

/// The number of the first request of each trace in `traces`: one whose own id it is, which is older than whatever names it; else the
/// least of those that name it. These are looked up one trace after the other, or where there are `many` in one pass over all ids.
fn firsts(many: bool) -> String {
    let own = "own AS MATERIALIZED (SELECT traces.trace_id, number AS oldest FROM traces \
               LEFT JOIN requests ON requests.id = traces.trace_id AND requests.trace_id = requests.id)";
    let of_named = match many {
        false => format!(
            "SELECT trace_id, (SELECT min(number) FROM requests WHERE number IN ({}) AND requests.trace_id = own.trace_id) \
             FROM own WHERE oldest IS NULL",
            ids::numbers_by("id_hash(own.trace_id)")
        ),
        true => "SELECT requests.trace_id, min(number) FROM ids CROSS JOIN requests ON number = ids.request \
                 WHERE hash IN (SELECT id_hash(trace_id) FROM own WHERE oldest IS NULL) \
                 AND requests.trace_id IN (SELECT trace_id FROM own WHERE oldest IS NULL) GROUP BY 1"
            .to_owned(),
    };
    format!(
        "{own}, firsts (trace_id, oldest) AS MATERIALIZED (SELECT * FROM own WHERE oldest IS NOT NULL UNION ALL {of_named})"
    )
}

/// Somebody thought something of its trace.
fn of_feedback() -> String {
    format!("number IN ({}) AND trace_id IN (SELECT trace_id FROM feedback)", ids::NUMBERS_OF_FEEDBACK)
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default())
}
