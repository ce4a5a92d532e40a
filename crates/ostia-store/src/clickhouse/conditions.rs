//! What may be asked for, as conditions on `ostia_records`.

use super::server::Parameters;
use crate::query::{Column, Filter};

/// Which requests are found by names: their keys in the table of records, which is in their order.
const BY_NAME: &str = "(started_ms, id) IN (SELECT started_ms, id FROM ostia_names WHERE";
/// A request that failed.
pub(super) const FAILED: &str = "(status >= 400 OR `end` = 'broken') AND `end` != 'client_left'";

/// Conditions that all hold.
#[derive(Debug, Default, Clone)]
pub(super) struct Conditions(Vec<String>);

impl Conditions {
    pub(super) fn of(filter: &Filter, parameters: &mut Parameters) -> Conditions {
        let mut all = Conditions::default();
        all.time((filter.from_ms, filter.to_ms), parameters);
        all.status(filter.status.as_deref(), parameters);
        let columns = [
            ("provider", &filter.provider),
            ("model", &filter.model),
            ("key", &filter.key),
            ("operation", &filter.operation),
        ];
        for (column, value) in columns {
            all.0.extend(value.as_ref().map(|value| format!("{column} = {}", parameters.text(value))));
        }
        let bounds = [
            ("cost_nano", filter.cost_nano),
            ("duration_us", (in_us(filter.duration_ms.0), in_us(filter.duration_ms.1))),
            ("tokens", filter.tokens),
            ("prompt_tokens", filter.prompt_tokens),
            ("completion_tokens", filter.completion_tokens),
        ];
        for (column, (least, most)) in bounds {
            all.0.extend(least.map(|least| format!("{column} >= {}", parameters.int(least))));
            all.0.extend(most.map(|most| format!("{column} <= {}", parameters.int(most))));
        }
        all.feedback(filter.feedback, parameters);
        filter.choices.iter().for_each(|choices| all.choice(choices, parameters));
        for (name, value) in &filter.metadata {
            let (name, value) = (parameters.text(name), parameters.text(value));
            all.and(format!("mapContains(metadata, {name}) AND metadata[{name}] = {value}"));
        }
        if let Some(session) = &filter.session {
            all.named(&["session"], session, parameters);
        }
        if let Some(trace) = &filter.trace {
            all.named(&["id", "trace", "request"], trace, parameters);
        }
        all
    }

    /// From, and to before.
    pub(super) fn time(&mut self, (from_ms, to_ms): (Option<i64>, Option<i64>), parameters: &mut Parameters) {
        self.0.extend(from_ms.map(|from_ms| format!("started_ms >= {}", parameters.int(from_ms))));
        self.0.extend(to_ms.map(|to_ms| format!("started_ms < {}", parameters.int(to_ms))));
    }

    /// Behind the last of the page before.
    pub(super) fn after(&mut self, after: Option<(i64, i64)>, parameters: &mut Parameters) {
        if let Some((started_ms, number)) = after {
            let (started_ms, number) = (parameters.int(started_ms), parameters.int(number));
            // Said of the time alone too, by which rows are found.
            self.and(format!(
                "started_ms <= {started_ms} AND (started_ms, number) < ({started_ms}, {number})"
            ));
        }
    }

    /// Found by this name, which is of one of these kinds.
    pub(super) fn named(&mut self, kinds: &[&str], name: &str, parameters: &mut Parameters) {
        let kinds = kinds.join("', '");
        self.0.push(format!("{BY_NAME} name = {} AND kind IN ('{kinds}'))", parameters.text(name)));
    }

    /// Part of one of these sessions.
    pub(super) fn in_sessions<'a>(
        &mut self,
        sessions: impl Iterator<Item = &'a str>,
        parameters: &mut Parameters,
    ) {
        let sessions = parameters.texts(sessions);
        self.0.push(format!("{BY_NAME} kind = 'session' AND name IN {sessions})"));
    }

    /// One more.
    pub(super) fn and(&mut self, text: impl AsRef<str>) {
        self.0.push(format!("({})", text.as_ref()));
    }

    /// As it stands behind a table's name.
    pub(super) fn text(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!("WHERE {}", self.0.join(" AND ")) }
    }

    fn status(&mut self, status: Option<&str>, parameters: &mut Parameters) {
        let Some(status) = status else { return };
        let first_digit = status.strip_suffix("xx").and_then(|digit| digit.parse::<i64>().ok());
        match (status, first_digit) {
            ("success", _) => self.and("status < 400 AND `end` = 'whole'"),
            ("error", _) => self.and(FAILED),
            ("client_left", _) => self.and("`end` = 'client_left'"),
            (_, Some(digit)) => self.and(format!("intDiv(status, 100) = {}", parameters.int(digit))),
            (_, None) => self.and(format!("status = {}", parameters.int(status.parse().unwrap_or(-1)))),
        }
    }

    /// What was thought of their trace, on average.
    fn feedback(&mut self, (least, most): (Option<f64>, Option<f64>), parameters: &mut Parameters) {
        if least.is_none() && most.is_none() {
            return;
        }
        let mut having = Vec::new();
        having.extend(least.map(|least| format!("avg(value * weight) >= {}", parameters.float(least))));
        having.extend(most.map(|most| format!("avg(value * weight) <= {}", parameters.float(most))));
        self.0.push(format!(
            "trace_id IN (SELECT trace_id FROM ostia_feedback FINAL GROUP BY trace_id HAVING {})",
            having.join(" AND ")
        ));
    }

    /// One of several.
    fn choice(&mut self, choices: &[Vec<(Column, String)>], parameters: &mut Parameters) {
        let mut column = |(column, value): &(Column, String)| {
            match column {
                Column::Provider => format!("provider = {}", parameters.text(value)),
                Column::Model => format!("model = {}", parameters.text(value)),
                Column::Key => format!("key = {}", parameters.text(value)),
                // Of one that is none there is nothing: 0 is the status of whoever left before there was one.
                Column::Status => format!("status = {}", parameters.int(value.parse().unwrap_or(-1))),
            }
        };
        let mut together = |columns: &Vec<(Column, String)>| {
            let texts: Vec<String> = columns.iter().map(&mut column).collect();
            format!("({})", texts.join(" AND "))
        };
        let texts: Vec<String> = choices.iter().map(&mut together).collect();
        self.and(texts.join(" OR "));
    }
}

fn in_us(ms: Option<i64>) -> Option<i64> {
    ms.map(|ms| ms.saturating_mul(1000))
}
