//! What of a record stands in columns of its own, whatever the engine: to filter and to add up by.

use crate::price;
use crate::record::{Outcome, Record};
use crate::rollup::{self, USD, signed};
use crate::summary::Sums;

/// 10^-18 in the unit of the column that costs are filtered by.
const ATTO_IN_NANO: u128 = 1_000_000_000;

/// What stands in columns of its own.
pub(crate) struct Facts<'r> {
    /// Who answered.
    pub(crate) provider: Option<&'r str>,
    pub(crate) model: Option<&'r str>,
    /// Read and written together; none where no provider counted.
    pub(crate) tokens: Option<i64>,
    pub(crate) cost_nano: Option<i64>,
    /// Of all attempts.
    pub(crate) sums: Sums,
    /// Attempts that failed at the target of a whole answer.
    pub(crate) retries: i64,
    /// Others failed before that.
    pub(crate) fell_back: bool,
}

impl Facts<'_> {
    pub(crate) fn of(record: &Record) -> Facts<'_> {
        let mut sums = Sums::default();
        record.attempts.iter().for_each(|attempt| sums.plus(&rollup::of_attempt(attempt)));
        let target = record.last().filter(|_| record.is_success()).map(|attempt| attempt.target.as_str());
        let failed = record
            .attempts
            .iter()
            .filter(|attempt| matches!(attempt.outcome, Outcome::Failed | Outcome::Broken));
        let (own, others): (Vec<_>, Vec<_>) =
            failed.partition(|attempt| target == Some(attempt.target.as_str()));
        let tokens = record.tokens();
        Facts {
            provider: record.last().map(|attempt| attempt.provider.as_str()),
            model: record.model_asked(),
            tokens: tokens.map(|(prompt, completion)| signed(prompt.saturating_add(completion))),
            cost_nano: cost_nano(record),
            sums,
            retries: own.len() as i64,
            fell_back: target.is_some() && !others.is_empty(),
        }
    }
}

/// What each attempt cost: `USD 0.1,CNY 2~`.
pub(crate) fn costs(record: &Record) -> Option<String> {
    let costs: Vec<String> = record.attempts.iter().filter_map(price::told_cost).collect();
    (!costs.is_empty()).then(|| costs.join(","))
}

/// What it cost in dollars, to filter by; none where an attempt took something whose price nobody knows.
pub(crate) fn cost_nano(record: &Record) -> Option<i64> {
    if record.attempts.iter().any(|attempt| attempt.cost_unknown.is_some()) {
        return None;
    }
    let costs = record.attempts.iter().filter_map(|attempt| attempt.cost.as_ref());
    let atto = costs.filter(|cost| cost.currency == USD).filter_map(|cost| price::atto(&cost.amount));
    atto.reduce(u128::saturating_add).map(|atto| i64::try_from(atto / ATTO_IN_NANO).unwrap_or(i64::MAX))
}
