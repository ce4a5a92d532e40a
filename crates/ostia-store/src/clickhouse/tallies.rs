//! Counts: requests by a fact and a step, groups by what clients say, and what people thought.

use super::Reader;
use super::conditions::{Conditions, FAILED};
use super::row_binary::Decoder;
use super::server::Parameters;
use crate::answers::{Fact, FeedbackTally, GroupBy, GroupRow, ReadError, TALLIES_MAX, Tally};
use crate::query::Filter;
use crate::steps::Steps;

/// What is counted, and which requests are.
fn columns(fact: Fact) -> (&'static str, &'static str) {
    match fact {
        Fact::User => ("metadata['_user']", "mapContains(metadata, '_user')"),
        Fact::Failure => ("toString(status)", FAILED),
        Fact::Retries => ("toString(retries)", "retries > 0"),
        Fact::Fallback => ("toString(fell_back)", "fell_back = 1"),
    }
}

impl Reader {
    pub(crate) fn tally(&self, filter: &Filter, steps: &Steps, fact: Fact) -> Result<Vec<Tally>, ReadError> {
        let (column, condition) = columns(fact);
        let within = filter.within(steps.time());
        let mut parameters = Parameters::default();
        let mut conditions = Conditions::of(&within, &mut parameters);
        conditions.and(condition);
        let step_ms = steps.step_ms;
        let text = format!(
            "SELECT intDiv(started_ms, {step_ms}) * {step_ms} AS start, {column} AS name, count() AS requests \
             FROM ostia_records FINAL {} GROUP BY start, name ORDER BY requests DESC LIMIT {TALLIES_MAX}",
            conditions.text()
        );
        let tally =
            |row: &mut Decoder<'_>| Ok(Tally { start_ms: row.i64()?, name: row.text()?, count: row.u64()? });
        Ok(self.server.rows(&text, &parameters, tally)?)
    }

    pub(crate) fn groups(
        &self,
        filter: &Filter,
        by: &GroupBy,
        (skip, size): (u32, u32),
    ) -> Result<(u64, Vec<GroupRow>), ReadError> {
        let mut parameters = Parameters::default();
        let (name, is_there) = match by {
            GroupBy::Provider => {
                ("toString(ifNull(provider, ''))".to_owned(), "provider IS NOT NULL".to_owned())
            }
            GroupBy::Model => ("toString(ifNull(model, ''))".to_owned(), "model IS NOT NULL".to_owned()),
            GroupBy::Metadata(name) => {
                let name = parameters.text(name);
                (format!("metadata[{name}]"), format!("mapContains(metadata, {name})"))
            }
        };
        let mut conditions = Conditions::of(filter, &mut parameters);
        conditions.and(is_there);
        let total = format!("SELECT uniqExact({name}) FROM ostia_records FINAL {}", conditions.text());
        let total = self.server.number(&total, &parameters)?;
        let text = format!(
            "SELECT {name} AS name, count() AS requests, ifNull(sum(cost_nano), 0), ifNull(avg(tokens), 0), max(started_ms) \
             FROM ostia_records FINAL {} GROUP BY name ORDER BY requests DESC, name LIMIT {size} OFFSET {skip}",
            conditions.text()
        );
        let group = |row: &mut Decoder<'_>| {
            Ok(GroupRow {
                name: row.text()?,
                requests: row.u64()?,
                cost_nano: row.i64()?,
                avg_tokens: row.f64()?,
                last_ms: row.i64()?,
                feedback: None,
            })
        };
        let mut groups = self.server.rows(&text, &parameters, group)?;
        conditions.and("trace_id IN (SELECT trace_id FROM ostia_feedback)");
        let text = format!(
            "SELECT name, uniqExact(id), avg(value * weight) FROM \
             (SELECT {name} AS name, id, trace_id FROM ostia_records FINAL {}) AS requests \
             INNER JOIN (SELECT trace_id, value, weight FROM ostia_feedback FINAL) AS thought USING (trace_id) GROUP BY name",
            conditions.text()
        );
        let thought =
            self.server.rows(&text, &parameters, |row| Ok((row.text()?, (row.u64()?, row.f64()?))))?;
        for (name, feedback) in thought {
            let of_name = groups.iter_mut().filter(|group| group.name == name);
            of_name.for_each(|group| group.feedback = Some(feedback));
        }
        Ok((total, groups))
    }

    pub(crate) fn feedback(&self, filter: &Filter, steps: &Steps) -> Result<Vec<FeedbackTally>, ReadError> {
        let mut parameters = Parameters::default();
        let (from_ms, to_ms) = (parameters.int(steps.from_ms), parameters.int(steps.to_ms));
        let time = format!("created_ms >= {from_ms} AND created_ms < {to_ms}");
        // Only requests of traces that something was thought of then are looked at.
        let of_traces = format!(
            "(started_ms, id) IN (SELECT started_ms, id FROM ostia_names WHERE kind = 'trace' AND name IN \
             (SELECT trace_id FROM ostia_feedback WHERE {time}))"
        );
        let of_requests = match filter.of_feedback() {
            None => String::new(),
            Some(requests) => {
                let mut conditions = Conditions::of(&requests, &mut parameters);
                conditions.and(&of_traces);
                format!("AND trace_id IN (SELECT trace_id FROM ostia_records FINAL {})", conditions.text())
            }
        };
        let step_ms = steps.step_ms;
        let text = format!(
            "SELECT intDiv(created_ms, {step_ms}) * {step_ms} AS start, value, first.model AS of_model, count(), \
             sum(value * weight) \
             FROM (SELECT trace_id, created_ms, value, weight FROM ostia_feedback FINAL WHERE {time} {of_requests}) AS thought \
             LEFT JOIN (SELECT trace_id, CAST(argMin(tuple(model), number).1 AS Nullable(String)) AS model \
             FROM ostia_records FINAL WHERE {of_traces} GROUP BY trace_id) AS first USING (trace_id) \
             GROUP BY start, value, of_model ORDER BY start, value, of_model"
        );
        let tally = |row: &mut Decoder<'_>| {
            Ok(FeedbackTally {
                start_ms: row.i64()?,
                value: row.i64()?,
                model: row.optional(Decoder::text)?,
                count: row.u64()?,
                weighted: row.f64()?,
            })
        };
        Ok(self.server.rows(&text, &parameters, tally)?)
    }
}
