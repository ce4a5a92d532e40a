//! Counts that no sums are kept of: requests by a fact and a step, and groups by what they have in common.

use std::collections::HashMap;

use super::{ByColumn, Chunk, Columns, Number, Scan, Text, Wanted, passing};
use crate::answers::{Fact, GroupBy, GroupRow, ReadError, TALLIES_MAX, Tally};
use crate::query::Filter;
use crate::steps::Steps;

/// By code and beginning of the step, and then by name.
type Counts<K> = HashMap<(K, i64), u64>;

/// What was thought of requests, by their numbers: how often, and all values times their weights.
pub(crate) type FeedbackOfRequests = HashMap<i64, (u64, f64)>;

/// The most frequent first.
pub(crate) fn tally(
    engine: &mut impl ByColumn,
    filter: &Filter,
    steps: &Steps,
    fact: Fact,
) -> Result<Vec<Tally>, ReadError> {
    let filter = filter.within(steps.time());
    let mut scan = engine.scan(&filter, wanted(fact))?;
    let mut counts = Counts::<String>::new();
    while let Some(Chunk { columns, rows }) = scan.next()? {
        let names = Named::of(fact, &columns);
        let mut by_code = Counts::<u32>::new();
        for row in rows {
            let start_ms = steps.start_of(columns.number(Number::StartedMs, row).unwrap_or_default());
            if let Some(code) = names.code(&columns, row) {
                *by_code.entry((code, start_ms)).or_default() += 1;
            }
        }
        for ((code, start_ms), count) in by_code {
            *counts.entry((names.name(code), start_ms)).or_default() += count;
        }
    }
    let tally = |((name, start_ms), count)| Tally { start_ms, name, count };
    let mut tallies: Vec<Tally> = counts.into_iter().map(tally).collect();
    tallies.sort_unstable_by(|one, other| {
        (other.count, one.start_ms, &one.name).cmp(&(one.count, other.start_ms, &other.name))
    });
    tallies.truncate(TALLIES_MAX);
    Ok(tallies)
}

/// What tells a fact.
fn wanted(fact: Fact) -> Wanted {
    match fact {
        Fact::User => Wanted::of(&[Number::StartedMs], &[Text::Metadata]),
        Fact::Failure => Wanted::of(&[Number::StartedMs, Number::Status], &[Text::End]),
        Fact::Retries => Wanted::of(&[Number::StartedMs, Number::Retries], &[]),
        Fact::Fallback => Wanted::of(&[Number::StartedMs, Number::FellBack], &[]),
    }
}

/// The names that a fact has in a chunk, each with a code.
enum Named {
    /// By codes of metadata.
    Users(Vec<Option<String>>),
    /// The code is the name.
    Numbers(Fact),
}

impl Named {
    fn of(fact: Fact, columns: &Columns) -> Named {
        match fact {
            Fact::User => {
                let user = |metadata: Option<&str>| passing::said(metadata?, "_user");
                Named::Users(columns.words(Text::Metadata).each(user))
            }
            Fact::Failure | Fact::Retries | Fact::Fallback => Named::Numbers(fact),
        }
    }

    /// None where the fact is not there.
    fn code(&self, columns: &Columns, row: usize) -> Option<u32> {
        let number =
            |column: Number| columns.number(column, row).and_then(|number| u32::try_from(number).ok());
        match self {
            Named::Users(users) => {
                let code = columns.code(Text::Metadata, row);
                users.get(code as usize)?.as_ref().map(|_| code)
            }
            Named::Numbers(Fact::Failure) => {
                number(Number::Status).filter(|_| passing::has_failed(columns, row))
            }
            Named::Numbers(Fact::Retries) => number(Number::Retries).filter(|retries| *retries > 0),
            Named::Numbers(Fact::Fallback | Fact::User) => number(Number::FellBack).filter(|fell| *fell == 1),
        }
    }

    fn name(&self, code: u32) -> String {
        match self {
            Named::Users(users) => users.get(code as usize).cloned().flatten().unwrap_or_default(),
            Named::Numbers(_) => code.to_string(),
        }
    }
}

/// How many groups there are, and those of a page, the largest first.
pub(crate) fn groups(
    engine: &mut impl ByColumn,
    filter: &Filter,
    by: &GroupBy,
    (skip, size): (u32, u32),
) -> Result<(u64, Vec<GroupRow>), ReadError> {
    let all = grouped(engine, filter, by)?;
    let count = all.len() as u64;
    let mut groups: Vec<(String, Grouped)> = all.into_iter().collect();
    groups.sort_unstable_by(|(one, of_one), (other, of_other)| {
        (of_other.requests, one).cmp(&(of_one.requests, other))
    });
    let page = groups.into_iter().skip(skip as usize).take(size as usize);
    Ok((count, page.map(|(name, group)| group.told(name)).collect()))
}

fn grouped(
    engine: &mut impl ByColumn,
    filter: &Filter,
    by: &GroupBy,
) -> Result<HashMap<String, Grouped>, ReadError> {
    let column = match by {
        GroupBy::Provider => Text::Provider,
        GroupBy::Model => Text::Model,
        GroupBy::Metadata(_) => Text::Metadata,
    };
    let name_of = |word: Option<&str>| match by {
        GroupBy::Provider | GroupBy::Model => word.map(str::to_owned),
        GroupBy::Metadata(name) => passing::said(word?, name),
    };
    let feedback_of_requests = engine.feedback_of_requests(filter)?;
    let mut numbers = vec![Number::StartedMs, Number::CostNano, Number::Tokens];
    if !feedback_of_requests.is_empty() {
        numbers.push(Number::Request);
    }
    let mut scan = engine.scan(filter, Wanted::of(&numbers, &[column]))?;
    let mut all = HashMap::<String, Grouped>::new();
    while let Some(Chunk { columns, rows }) = scan.next()? {
        let mut by_code = columns.words(column).each(|_| Grouped::default());
        for row in rows {
            let group = &mut by_code[columns.code(column, row) as usize];
            group.add(&columns, row);
            let thought =
                columns.number(Number::Request, row).and_then(|number| feedback_of_requests.get(&number));
            thought.into_iter().for_each(|thought| group.add_feedback(*thought));
        }
        let names = columns.words(column).each(name_of);
        for (name, group) in names.into_iter().zip(by_code).filter(|(_, group)| group.requests > 0) {
            name.into_iter().for_each(|name| all.entry(name).or_default().plus(&group));
        }
    }
    Ok(all)
}

/// What the requests of a group come to.
#[derive(Default)]
struct Grouped {
    requests: u64,
    cost_nano: i64,
    /// Of those whose tokens are known.
    tokens: i64,
    counted: u64,
    last_ms: i64,
    /// How many have feedback, how much of it there is, and what it comes to.
    feedback: (u64, u64, f64),
}

impl Grouped {
    fn add(&mut self, columns: &Columns, row: usize) {
        let number = |column: Number| columns.number(column, row);
        let tokens = number(Number::Tokens);
        self.plus(&Grouped {
            requests: 1,
            cost_nano: number(Number::CostNano).unwrap_or_default(),
            tokens: tokens.unwrap_or_default(),
            counted: u64::from(tokens.is_some()),
            last_ms: number(Number::StartedMs).unwrap_or_default(),
            feedback: (0, 0, 0.0),
        });
    }

    fn add_feedback(&mut self, (count, sum): (u64, f64)) {
        let own = self.feedback;
        self.feedback = (own.0 + 1, own.1 + count, own.2 + sum);
    }

    fn plus(&mut self, other: &Grouped) {
        self.requests += other.requests;
        self.cost_nano = self.cost_nano.saturating_add(other.cost_nano);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.counted += other.counted;
        self.last_ms = self.last_ms.max(other.last_ms);
        let (own, more) = (self.feedback, other.feedback);
        self.feedback = (own.0 + more.0, own.1 + more.1, own.2 + more.2);
    }

    fn told(self, name: String) -> GroupRow {
        let (with_feedback, count, sum) = self.feedback;
        GroupRow {
            name,
            requests: self.requests,
            cost_nano: self.cost_nano,
            avg_tokens: if self.counted == 0 { 0.0 } else { self.tokens as f64 / self.counted as f64 },
            last_ms: self.last_ms,
            feedback: (count > 0).then(|| (with_feedback, sum / count as f64)),
        }
    }
}
