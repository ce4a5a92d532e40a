//! What requests come to, in all and step by step: from the sums that are kept, and where none are kept for what is asked, from the
//! requests themselves.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, Row, params_from_iter};

use super::{ReadError, Reader};
use crate::price;
use crate::query::{Conditions, Filter};
use crate::rollup;
use crate::steps::{Steps, least_width_ms, pieces, whole};
use crate::summary::{self, Group, Grouping, Line, Series, Sums};

/// Most groups that are told.
const GROUPS_MAX: usize = 1000;
/// Most lines of a series that have a name; what is left is added up.
const LINES_MAX: usize = 20;

impl Reader {
    /// What the requests that pass the filter come to, the most requests first; and the time that was summed up, which begins and
    /// ends with a minute or an hour where sums are kept for what is asked.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn sums(
        &mut self,
        filter: &Filter,
        by: Grouping,
        now_ms: i64,
    ) -> Result<((i64, i64), Vec<Group>), ReadError> {
        let mut time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(now_ms + 1));
        let connection = self.connection()?;
        let mut table = Table::default();
        match filter.is_of_sums() {
            true => {
                time = whole(time, least_width_ms(time.0, now_ms));
                for piece in pieces(time) {
                    add_kept(connection, filter, by, piece, &mut table)?;
                }
            }
            false => add_counted(connection, filter, by, &mut table)?,
        }
        let group =
            |(name, cells): (String, Cells)| cells.into_values().map(move |sums| (name.clone(), sums));
        let mut groups: Vec<Group> =
            table.lines.into_iter().flat_map(group).map(|(name, sums)| Group { name, sums }).collect();
        groups.sort_by(|one, other| (other.sums.requests, &one.name).cmp(&(one.sums.requests, &other.name)));
        groups.truncate(GROUPS_MAX);
        Ok((time, groups))
    }

    /// The same step by step: a line for each name, the most requests first, and one for what is left of them.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn series(&mut self, filter: &Filter, by: Grouping, steps: &Steps) -> Result<Series, ReadError> {
        let connection = self.connection()?;
        let time = (steps.from_ms, steps.to_ms);
        let filter = &Filter { from_ms: Some(time.0), to_ms: Some(time.1), ..filter.clone() };
        let names = match by {
            Grouping::None => vec![String::new()],
            Grouping::Provider | Grouping::Model | Grouping::Key => {
                names(connection, filter, by, steps.width_ms())?
            }
        };
        let mut table =
            Table { steps: Some(*steps), names: Some(names.iter().cloned().collect()), ..Table::default() };
        match filter.is_of_sums() {
            true => add_kept(connection, filter, by, (steps.width_ms(), time), &mut table)?,
            false => add_counted(connection, filter, by, &mut table)?,
        }
        let mut line = |name: String| Line { points: table.lines.remove(&name).unwrap_or_default(), name };
        let lines = names.into_iter().map(&mut line).collect();
        Ok(Series { lines, others: table.others, rest: table.rest })
    }
}

/// Sums by when a step begins.
type Cells = BTreeMap<i64, Sums>;

/// Sums by name and step.
#[derive(Default)]
struct Table {
    /// `None`: all time is one.
    steps: Option<Steps>,
    /// Which have a line of their own; `None`: all.
    names: Option<HashSet<String>>,
    lines: BTreeMap<String, Cells>,
    rest: Cells,
    /// How many names are in the rest.
    others: HashSet<String>,
}

impl Table {
    fn cell(&mut self, name: &str, ms: i64) -> &mut Sums {
        let start = self.steps.as_ref().map_or(0, |steps| steps.start_of(ms));
        let is_own = self.names.as_ref().is_none_or(|names| names.contains(name));
        let line = if is_own { self.lines.entry(name.to_owned()).or_default() } else { &mut self.rest };
        if !is_own && !self.others.contains(name) {
            self.others.insert(name.to_owned());
        }
        line.entry(start).or_default()
    }
}

/// Conditions on the rows of sums of a width and a time, and what stands for their question marks.
const KEPT: &str = "width_ms = ?1 AND start_ms >= ?2 AND start_ms < ?3 \
                    AND (?4 IS NULL OR provider = ?4) AND (?5 IS NULL OR model = ?5) AND (?6 IS NULL OR key = ?6)";

fn kept_values(filter: &Filter, width_ms: i64, (start_ms, end_ms): (i64, i64)) -> impl rusqlite::Params {
    (width_ms, start_ms, end_ms, filter.provider.clone(), filter.model.clone(), filter.key.clone())
}

/// The names that most requests are of.
fn names(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    width_ms: i64,
) -> Result<Vec<String>, ReadError> {
    let column = by.column();
    let name = |row: &Row<'_>| row.get::<_, String>(0);
    let names = match filter.is_of_sums() {
        true => {
            let text = format!(
                "SELECT {column} FROM sums WHERE {KEPT} GROUP BY 1 \
                 ORDER BY sum(requests) DESC, sum(attempts) DESC, 1 LIMIT {LINES_MAX}"
            );
            let time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(i64::MAX));
            let mut select = connection.prepare_cached(&text)?;
            select.query_map(kept_values(filter, width_ms, time), name)?.collect::<rusqlite::Result<_>>()?
        }
        false => {
            let conditions = Conditions::of(filter);
            let text = format!(
                "SELECT coalesce({column}, '') FROM requests {} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {LINES_MAX}",
                conditions.text()
            );
            let mut select = connection.prepare_cached(&text)?;
            select.query_map(params_from_iter(&conditions.values), name)?.collect::<rusqlite::Result<_>>()?
        }
    };
    Ok(names)
}

fn add_kept(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    (width_ms, time): (i64, (i64, i64)),
    table: &mut Table,
) -> Result<(), ReadError> {
    let text = format!("SELECT {}, start_ms, {} FROM sums WHERE {KEPT}", by.column(), rollup::COLUMNS);
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(kept_values(filter, width_ms, time))?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        table.cell(name, row.get(1)?).plus(&rollup::sums(row, 2)?);
    }
    Ok(())
}

/// What [`count`] reads.
pub(super) const COUNTED: &str = "status, end, duration_us, first_token_us, attempts, failed_attempts, prompt_tokens, \
                       completion_tokens, cached_tokens, reasoning_tokens, unpriced, costs";

/// Adds up what nobody keeps sums of: each request is looked at.
fn add_counted(
    connection: &Connection,
    filter: &Filter,
    by: Grouping,
    table: &mut Table,
) -> Result<(), ReadError> {
    let conditions = Conditions::of(filter);
    let text = format!(
        "SELECT coalesce({}, ''), started_ms, {COUNTED} FROM requests {}",
        by.column(),
        conditions.text()
    );
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(params_from_iter(&conditions.values))?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        count(row, 2, table.cell(name, row.get(1)?))?;
    }
    Ok(())
}

/// Adds a request to sums, from this column on.
pub(super) fn count(row: &Row<'_>, first: usize, sums: &mut Sums) -> rusqlite::Result<()> {
    let number =
        |at: usize| row.get::<_, i64>(first + at).map(|number| u64::try_from(number).unwrap_or_default());
    let text = |at: usize| row.get_ref(first + at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let (is_left, is_whole) = (text(1)? == Some("client_left"), text(1)? == Some("whole"));
    sums.requests += 1;
    sums.left += u64::from(is_left);
    sums.failed += u64::from(!is_left && (number(0)? >= 400 || !is_whole));
    sums.duration_us = sums.duration_us.saturating_add(number(2)?);
    sums.durations.add(number(2)?);
    if let Some(first_token_us) = row.get::<_, Option<i64>>(first + 3)? {
        sums.first_tokens.add(u64::try_from(first_token_us).unwrap_or_default());
    }
    sums.attempts += number(4)?;
    sums.failed_attempts += number(5)?;
    let add = |own: &mut u64, at: usize| number(at).map(|more| *own = own.saturating_add(more));
    add(&mut sums.prompt_tokens, 6)?;
    add(&mut sums.completion_tokens, 7)?;
    add(&mut sums.cached_tokens, 8)?;
    add(&mut sums.reasoning_tokens, 9)?;
    sums.unpriced += number(10)?;
    for (currency, atto, is_estimated) in text(11)?.into_iter().flat_map(price::costs) {
        summary::add(&mut sums.cost, currency, atto);
        if is_estimated {
            summary::add(&mut sums.estimated, currency, atto);
        }
    }
    Ok(())
}
