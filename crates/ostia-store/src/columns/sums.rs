//! What requests come to, in all and step by step: from the sums that are kept, and where none are kept for what is asked, from the
//! requests themselves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::{ByColumn, Chunk, Columns, Number, Scan, Text, Wanted};
use crate::answers::{LINES_MAX, ReadError, Table};
use crate::price;
use crate::query::Filter;
use crate::steps::{Steps, least_width_ms, pieces, whole};
use crate::summary::{self, Group, Grouping, Series, Sums};

/// In all, and the time that was added up.
pub(crate) fn sums(
    engine: &mut impl ByColumn,
    filter: &Filter,
    by: Grouping,
    now_ms: i64,
) -> Result<((i64, i64), Vec<Group>), ReadError> {
    let mut time = (filter.from_ms.unwrap_or_default(), filter.to_ms.unwrap_or(now_ms + 1));
    let table = match filter.is_of_sums() {
        true => {
            time = whole(time, least_width_ms(time.0, now_ms));
            engine.kept(filter, by, &pieces(time), Table::default())?
        }
        false => counted_table(engine, filter, by, Table::default())?,
    };
    Ok((time, table.groups()))
}

/// Step by step.
pub(crate) fn series(
    engine: &mut impl ByColumn,
    filter: &Filter,
    by: Grouping,
    steps: &Steps,
) -> Result<Series, ReadError> {
    let filter = &filter.within(steps.time());
    let piece = (steps.width_ms(), steps.time());
    let names = match by {
        Grouping::None => vec![String::new()],
        _ if filter.is_of_sums() => engine.kept_names(filter, by, piece)?,
        Grouping::Provider | Grouping::Model | Grouping::Key => most_named(engine, filter, by)?,
    };
    let empty = Table::of_series(*steps, &names);
    let table = match filter.is_of_sums() {
        true => engine.kept(filter, by, &[piece], empty)?,
        false => counted_table(engine, filter, by, empty)?,
    };
    Ok(table.series(names))
}

/// The names that most of these requests are of.
fn most_named(engine: &mut impl ByColumn, filter: &Filter, by: Grouping) -> Result<Vec<String>, ReadError> {
    let Some(column) = column(by) else { return Ok(Vec::new()) };
    let mut counts = BTreeMap::<String, u64>::new();
    let mut scan = engine.scan(filter, Wanted::of(&[], &[column]))?;
    while let Some(Chunk { columns, rows }) = scan.next()? {
        let mut by_code = columns.words(column).each(|_| 0);
        rows.iter().for_each(|row| by_code[columns.code(column, *row) as usize] += 1);
        for (code, count) in (0..).zip(by_code).filter(|(_, count)| *count > 0) {
            let name = columns.words(column).word(code).unwrap_or_default();
            *counts.entry(name.to_owned()).or_default() += count;
        }
    }
    let mut names: Vec<(String, u64)> = counts.into_iter().collect();
    names.sort_by_key(|(_, count)| Reverse(*count));
    Ok(names.into_iter().map(|(name, _)| name).take(LINES_MAX).collect())
}

fn column(by: Grouping) -> Option<Text> {
    match by {
        Grouping::None => None,
        Grouping::Provider => Some(Text::Provider),
        Grouping::Model => Some(Text::Model),
        Grouping::Key => Some(Text::Key),
    }
}

/// What [`count`] looks at.
pub(super) fn counted() -> Wanted {
    let numbers = [
        Number::StartedMs,
        Number::Status,
        Number::DurationUs,
        Number::FirstTokenUs,
        Number::Attempts,
        Number::FailedAttempts,
        Number::PromptTokens,
        Number::CompletionTokens,
        Number::CachedTokens,
        Number::ReasoningTokens,
        Number::Unpriced,
    ];
    Wanted::of(&numbers, &[Text::End, Text::Costs])
}

/// Adds up what nobody keeps sums of: each request is looked at.
fn counted_table(
    engine: &mut impl ByColumn,
    filter: &Filter,
    by: Grouping,
    mut table: Table,
) -> Result<Table, ReadError> {
    let column = column(by);
    let named = Wanted::of(&[], &column.map(|column| vec![column]).unwrap_or_default());
    let mut scan = engine.scan(filter, counted().with(&named))?;
    while let Some(Chunk { columns, rows }) = scan.next()? {
        // Of one step, so that a name is looked up once for all that are of it.
        let (mut step_ms, mut by_code) = (None, ByCode::new());
        for row in rows {
            let own_ms = columns.number(Number::StartedMs, row).map(|ms| table.start_of(ms));
            if step_ms != own_ms {
                add_step(&columns, column, step_ms, &mut by_code, &mut table);
                step_ms = own_ms;
            }
            let code = column.map_or(0, |column| columns.code(column, row));
            count(&columns, row, by_code.entry(code).or_default());
        }
        add_step(&columns, column, step_ms, &mut by_code, &mut table);
    }
    Ok(table)
}

/// Sums by the code of their name.
type ByCode = HashMap<u32, Sums>;

/// Moves the sums of a step into the table.
fn add_step(
    columns: &Columns,
    column: Option<Text>,
    step_ms: Option<i64>,
    by_code: &mut ByCode,
    table: &mut Table,
) {
    for (code, sums) in by_code.drain() {
        let name = column.and_then(|column| columns.words(column).word(code)).unwrap_or_default();
        table.cell(name, step_ms.unwrap_or_default()).plus(&sums);
    }
}

/// Adds a request to sums.
pub(super) fn count(columns: &Columns, row: usize, sums: &mut Sums) {
    let known =
        |column: Number| columns.number(column, row).map(|number| u64::try_from(number).unwrap_or_default());
    let number = |column: Number| known(column).unwrap_or_default();
    let end = columns.text(Text::End, row);
    let (is_left, is_whole) = (end == Some("client_left"), end == Some("whole"));
    sums.requests += 1;
    sums.left += u64::from(is_left);
    sums.failed += u64::from(!is_left && (number(Number::Status) >= 400 || !is_whole));
    sums.durations.add(number(Number::DurationUs));
    known(Number::FirstTokenUs).into_iter().for_each(|time| sums.first_tokens.add(time));
    let own = [
        (&mut sums.duration_us, Number::DurationUs),
        (&mut sums.attempts, Number::Attempts),
        (&mut sums.failed_attempts, Number::FailedAttempts),
        (&mut sums.prompt_tokens, Number::PromptTokens),
        (&mut sums.completion_tokens, Number::CompletionTokens),
        (&mut sums.cached_tokens, Number::CachedTokens),
        (&mut sums.reasoning_tokens, Number::ReasoningTokens),
        (&mut sums.unpriced, Number::Unpriced),
    ];
    own.into_iter().for_each(|(own, column)| *own = own.saturating_add(number(column)));
    for (currency, atto, is_estimated) in columns.text(Text::Costs, row).into_iter().flat_map(price::costs) {
        summary::add(&mut sums.cost, currency, atto);
        if is_estimated {
            summary::add(&mut sums.estimated, currency, atto);
        }
    }
}
