//! What requests come to, in all and step by step, added up from their rows.

use std::collections::BTreeMap;

use super::conditions::Conditions;
use super::row_binary::Decoder;
use super::server::Parameters;
use super::{Error, Reader};
use crate::answers::{LINES_MAX, ReadError, Table};
use crate::query::Filter;
use crate::steps::{Steps, least_width_ms, whole};
use crate::summary::{self, Group, Grouping, Series, Sums};

/// Most names that are told apart: there may be as many models as clients care to name. Those with the fewest requests are left out.
const NAMES_MAX: usize = 100_000;

/// Longest name that has a line of a series, in bytes: twenty of them stand in the address of a question.
const NAME_BYTES_MAX: usize = 256;

/// Where attempts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempts {
    /// Where they went, as in sums that are kept.
    WhereTheyWent,
    /// With their request, as where each request is looked at.
    WithTheirRequest,
}

/// What requests are told apart by, and what their attempts. One that is NULL is of the rest.
pub(super) struct Columns {
    pub(super) of_request: String,
    pub(super) of_attempt: String,
    /// When a step begins.
    pub(super) start: String,
}

/// Which requests are added up, and which of their attempts.
pub(super) struct Counted {
    attempts: Attempts,
    requests: Conditions,
    /// Requests that may have attempts which are counted,
    of_attempts: Conditions,
    /// and which of their attempts are.
    only: Conditions,
}

/// Sums by when a step begins.
type Cells = BTreeMap<i64, Sums>;

/// What [`count_request`] reads, behind name and step.
const REQUESTS: &str = "count(), countIf(`end` = 'client_left'), countIf(`end` != 'client_left' AND (status >= 400 OR `end` != 'whole')), \
    sum(duration_us), sumMap([duration_bucket], [toUInt64(1)]), \
    sumMapIf([ifNull(first_token_bucket, 0)], [toUInt64(1)], first_token_bucket IS NOT NULL)";
/// What [`count_attempts`] reads, behind name and step.
const ATTEMPTS: &str = "currency, count(), sum(failed), sum(prompt_tokens), sum(completion_tokens), sum(cached_tokens), \
    sum(reasoning_tokens), sum(unpriced), sum(cost), sumIf(cost, estimated > 0)";
/// What is asked of requests whose attempts are named.
const OF_NAMES: &str = "started_ms, session, provider, model, key, attempt_provider, attempt_model";
/// The same, each attempt a row.
const ARRAYS_OF_NAMES: &str = "attempt_provider AS of_provider, attempt_model AS of_model";
/// What is asked of requests whose attempts are counted.
const OF_ATTEMPTS: &str = "started_ms, session, provider, model, key, attempt_provider, attempt_model, attempt_failed, \
    attempt_prompt_tokens, attempt_completion_tokens, attempt_cached_tokens, attempt_reasoning_tokens, attempt_unpriced, \
    attempt_currency, attempt_cost, attempt_estimated";
/// The same, each attempt a row.
const ARRAYS: &str = "attempt_provider AS of_provider, attempt_model AS of_model, attempt_failed AS failed, \
    attempt_prompt_tokens AS prompt_tokens, attempt_completion_tokens AS completion_tokens, attempt_cached_tokens AS cached_tokens, \
    attempt_reasoning_tokens AS reasoning_tokens, attempt_unpriced AS unpriced, attempt_currency AS currency, attempt_cost AS cost, \
    attempt_estimated AS estimated";

impl Reader {
    pub(crate) fn sums(
        &self,
        filter: &Filter,
        by: Grouping,
        now_ms: i64,
    ) -> Result<((i64, i64), Vec<Group>), ReadError> {
        let mut time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(now_ms + 1));
        let attempts = Attempts::of(filter);
        let mut filter = filter.clone();
        if attempts == Attempts::WhereTheyWent {
            // As long as the sums that are kept elsewhere, so that the answer is the same.
            time = whole(time, least_width_ms(time.0, now_ms));
            (filter.from_ms, filter.to_ms) = (Some(time.0), Some(time.1));
        }
        let columns = Columns::of(by, attempts, "toInt64(0)".to_owned());
        let mut parameters = Parameters::default();
        let counted = Counted::of(&filter, attempts, &mut parameters);
        let (table, _) = self.table(&counted, &columns, &parameters, Table::default())?;
        Ok((time, table.groups()))
    }

    pub(crate) fn series(&self, filter: &Filter, by: Grouping, steps: &Steps) -> Result<Series, ReadError> {
        let filter = &filter.within(steps.time());
        let attempts = Attempts::of(filter);
        let mut parameters = Parameters::default();
        let counted = Counted::of(filter, attempts, &mut parameters);
        let names = match by {
            Grouping::None => vec![String::new()],
            Grouping::Provider | Grouping::Model | Grouping::Key => self.names(&counted, by, &parameters)?,
        };
        // A name of any length may be asked for; one that is no name has no line of its own.
        let (mut names, mut others): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| name.len() <= NAME_BYTES_MAX);
        others.extend(names.split_off(names.len().min(LINES_MAX)));
        let step_ms = steps.step_ms;
        let columns = Columns::of(by, attempts, format!("intDiv(started_ms, {step_ms}) * {step_ms}"));
        let columns = columns.only(&names, &mut parameters);
        let table = Table::of_series(*steps, &names);
        let (table, rest) = self.table(&counted, &columns, &parameters, table)?;
        Ok(Series { others: others.into_iter().collect(), rest, ..table.series(names) })
    }

    /// All names, the most requests first.
    fn names(&self, counted: &Counted, by: Grouping, parameters: &Parameters) -> Result<Vec<String>, Error> {
        let columns = Columns::of(by, counted.attempts, String::new());
        let requests = format!(
            "SELECT {} AS name, count() AS requests, toUInt64(0) AS attempts FROM ostia_records FINAL {} GROUP BY name",
            columns.of_request,
            counted.requests.text()
        );
        let of = match counted.attempts {
            Attempts::WithTheirRequest => requests,
            Attempts::WhereTheyWent => format!(
                "{requests} UNION ALL SELECT {} AS name, toUInt64(0) AS requests, count() AS attempts {} GROUP BY name",
                columns.of_attempt,
                counted.rows_of(OF_NAMES, ARRAYS_OF_NAMES)
            ),
        };
        let text = format!(
            "SELECT name FROM ({of}) GROUP BY name ORDER BY sum(requests) DESC, sum(attempts) DESC, name LIMIT {NAMES_MAX}"
        );
        self.server.rows(&text, parameters, |row| row.text())
    }

    /// Requests and attempts added up in a table, and beside it those that are of the rest.
    pub(super) fn table(
        &self,
        counted: &Counted,
        Columns { of_request, of_attempt, start }: &Columns,
        parameters: &Parameters,
        mut table: Table,
    ) -> Result<(Table, Cells), Error> {
        let mut rest = Cells::new();
        let requests = format!(
            "SELECT CAST({of_request} AS Nullable(String)) AS name, {start} AS start, {REQUESTS} FROM ostia_records FINAL {} \
             GROUP BY name, start ORDER BY count() DESC LIMIT {NAMES_MAX}",
            counted.requests.text()
        );
        self.server
            .rows(&requests, parameters, |row| count_request(cell(row, &mut table, &mut rest)?, row))?;
        let attempts = format!(
            "SELECT CAST({of_attempt} AS Nullable(String)) AS name, {start} AS start, {ATTEMPTS} {} \
             GROUP BY name, start, currency ORDER BY count() DESC LIMIT {NAMES_MAX}",
            counted.rows_of_attempts()
        );
        self.server.rows(&attempts, parameters, |row| {
            count_attempts(cell(row, &mut table, &mut rest)?, counted.attempts, row)
        })?;
        Ok((table, rest))
    }
}

impl Attempts {
    fn of(filter: &Filter) -> Attempts {
        if filter.is_of_sums() { Attempts::WhereTheyWent } else { Attempts::WithTheirRequest }
    }
}

impl Columns {
    fn of(by: Grouping, attempts: Attempts, start: String) -> Columns {
        let of_request = match by {
            Grouping::None => "''",
            Grouping::Provider => "toString(ifNull(provider, ''))",
            Grouping::Model => "toString(ifNull(model, ''))",
            Grouping::Key => "toString(ifNull(key, ''))",
        };
        let of_attempt = match (attempts, by) {
            (Attempts::WhereTheyWent, Grouping::Provider) => "toString(of_provider)",
            (Attempts::WhereTheyWent, Grouping::Model) => "toString(of_model)",
            (Attempts::WhereTheyWent, Grouping::None | Grouping::Key) | (Attempts::WithTheirRequest, _) => {
                of_request
            }
        };
        Columns { of_request: of_request.to_owned(), of_attempt: of_attempt.to_owned(), start }
    }

    /// Only these names are told apart.
    fn only(self, names: &[String], parameters: &mut Parameters) -> Columns {
        let names = parameters.texts(names.iter().map(String::as_str));
        let one = |name: &str| format!("if({name} IN {names}, {name}, NULL)");
        Columns { of_request: one(&self.of_request), of_attempt: one(&self.of_attempt), start: self.start }
    }
}

impl Counted {
    pub(super) fn of(filter: &Filter, attempts: Attempts, parameters: &mut Parameters) -> Counted {
        let requests = Conditions::of(filter, parameters);
        if attempts == Attempts::WithTheirRequest {
            return Counted::with_attempts(requests);
        }
        // Who answered may not be who was asked before.
        let all = Filter { provider: None, model: None, ..filter.clone() };
        let of_attempts = Conditions::of(&all, parameters);
        let mut only = Conditions::default();
        for (column, value) in [("of_provider", &filter.provider), ("of_model", &filter.model)] {
            if let Some(value) = value {
                only.and(format!("{column} = {}", parameters.text(value)));
            }
        }
        Counted { attempts, requests, of_attempts, only }
    }

    /// These requests, and all of their attempts.
    pub(super) fn with_attempts(requests: Conditions) -> Counted {
        let of_attempts = requests.clone();
        Counted { attempts: Attempts::WithTheirRequest, requests, of_attempts, only: Conditions::default() }
    }

    /// Attempts as rows of their own.
    pub(super) fn rows_of_attempts(&self) -> String {
        self.rows_of(OF_ATTEMPTS, ARRAYS)
    }

    /// The same with these columns of requests, and of attempts.
    fn rows_of(&self, columns: &str, arrays: &str) -> String {
        let (requests, only) = (self.of_attempts.text(), self.only.text());
        format!("FROM (SELECT {columns} FROM ostia_records FINAL {requests}) ARRAY JOIN {arrays} {only}")
    }
}

fn cell<'t>(row: &mut Decoder<'_>, table: &'t mut Table, rest: &'t mut Cells) -> Result<&'t mut Sums, Error> {
    let (name, start_ms) = (row.optional(Decoder::text)?, row.i64()?);
    Ok(match name {
        Some(name) => table.cell(&name, start_ms),
        None => rest.entry(start_ms).or_default(),
    })
}

fn count_request(sums: &mut Sums, row: &mut Decoder<'_>) -> Result<(), Error> {
    sums.requests = row.u64()?;
    sums.left = row.u64()?;
    sums.failed = row.u64()?;
    sums.duration_us = row.u64()?;
    for durations in [&mut sums.durations, &mut sums.first_tokens] {
        let (buckets, counts) = (row.list(Decoder::byte)?, row.list(Decoder::u64)?);
        buckets
            .into_iter()
            .zip(counts)
            .for_each(|(bucket, count)| durations.add_to(usize::from(bucket), count));
    }
    Ok(())
}

fn count_attempts(sums: &mut Sums, attempts: Attempts, row: &mut Decoder<'_>) -> Result<(), Error> {
    let currency = row.text()?;
    sums.attempts += row.u64()?;
    sums.failed_attempts += row.u64()?;
    let tokens = [
        &mut sums.prompt_tokens,
        &mut sums.completion_tokens,
        &mut sums.cached_tokens,
        &mut sums.reasoning_tokens,
    ];
    for own in tokens {
        *own = own.saturating_add(row.u64()?);
    }
    sums.unpriced += row.u64()?;
    let atto = u128::try_from(row.i128()?).unwrap_or_default();
    // Sums that are kept tell no cost of nothing.
    let is_told = !currency.is_empty() && (atto > 0 || attempts == Attempts::WithTheirRequest);
    let estimated = u128::try_from(row.i128()?).unwrap_or_default();
    if estimated > 0 {
        summary::add(&mut sums.estimated, &currency, estimated);
    }
    if is_told {
        summary::add(&mut sums.cost, &currency, atto);
    }
    Ok(())
}
