//! What people thought of requests.

use rusqlite::{Connection, Row, params_from_iter};

use super::Reader;
use crate::answers::{FeedbackTally, ReadError};
use crate::columns::FeedbackOfRequests;
use crate::query::Filter;
use crate::sqlite::conditions;
use crate::steps::Steps;

impl Reader {
    pub(crate) fn feedback(
        &mut self,
        filter: &Filter,
        steps: &Steps,
    ) -> Result<Vec<FeedbackTally>, ReadError> {
        let (of_requests, values) = match filter.of_feedback().map(|requests| conditions::of(&requests)) {
            None => (String::new(), Vec::new()),
            Some(conditions) => {
                let of_feedback =
                    conditions.and_text("number IN (SELECT request FROM requests_with_feedback)");
                (format!("AND trace_id IN (SELECT trace_id FROM requests {of_feedback})"), conditions.values)
            }
        };
        let step_ms = steps.step_ms;
        // Each with the model of its trace's first request.
        let text = format!(
            "WITH thought AS MATERIALIZED (SELECT created_ms / {step_ms} * {step_ms} AS start, value, weight, \
             (SELECT min(request) FROM requests_with_feedback WHERE requests_with_feedback.trace_id = feedback.trace_id) AS first FROM feedback \
             WHERE created_ms >= ? AND created_ms < ? {of_requests}) \
             SELECT start, value, model, count(*), sum(value * weight) FROM thought \
             LEFT JOIN requests ON requests.number = first GROUP BY 1, 2, 3"
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
        let mut select = self.connection()?.prepare_cached(&text)?;
        let tallies = select.query_map(params_from_iter(time.into_iter().chain(values)), tally)?;
        Ok(tallies.collect::<rusqlite::Result<_>>()?)
    }
}

pub(super) fn feedback_of_requests(connection: &Connection) -> Result<FeedbackOfRequests, ReadError> {
    let mut select = connection.prepare_cached(
        "SELECT request, count(*), sum(value * weight) FROM requests_with_feedback \
         JOIN feedback ON feedback.trace_id = requests_with_feedback.trace_id GROUP BY 1",
    )?;
    let thought = |row: &Row<'_>| Ok((row.get(0)?, (count(row, 1)?, row.get(2)?)));
    Ok(select.query_map([], thought)?.collect::<rusqlite::Result<_>>()?)
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default())
}
