//! What a call cost: usage times prices, exactly.

use crate::money::{Currency, Money};
use crate::prices::{FACTOR_ONE, PriceRow, Prices, Terms};
use crate::rate::Rate;
use crate::tier::Tier;
use crate::unit::{Unit, Usage};

/// More of a unit than any call uses; what is above is no usage but a mistake.
pub const COUNT_MAX: u64 = 1 << 40;

// A count times a rate times a factor, for every unit: it fits, so no sum below can overflow.
const _: () =
    assert!(COUNT_MAX as u128 * u64::MAX as u128 <= u128::MAX / (u16::MAX as u128 * Unit::ALL.len() as u128));

/// What a call cost, with every line of the bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// One line for each unit that was used.
    pub lines: Vec<Line>,
    /// Their sum. Not rounded; see [`Money::rounded`].
    pub total: Money,
}

/// A line of the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What was used.
    pub unit: Unit,
    /// How much of it.
    pub count: u64,
    /// What one costs, before the factor of the region.
    pub rate: Rate,
    /// What all cost.
    pub money: Money,
}

/// Why nobody knows what a call cost. It is never taken for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The model has no prices.
    Prices,
    /// It has none in this tier.
    Tier(Tier),
    /// This was used, and has no price.
    Unit(Unit),
    /// Images of the size and quality that were made, or the one of which nobody knows, have no price; others have.
    Images,
    /// More of this was used than [`COUNT_MAX`].
    Count(Unit),
    /// The rows that it takes are of two currencies.
    Currencies,
}

/// What a usage costs on these terms.
///
/// A price of the tier goes before the standard one, which holds for what the tier has no price of its own for; so do those of a
/// region. A tier or a region that the sources price at other than the standard is never charged at the standard as a whole.
///
/// # Errors
/// Something that was used has no price.
pub fn cost(usage: &Usage, prices: &Prices<'_>, terms: &Terms<'_>) -> Result<Cost, Unknown> {
    let rows = Rows::of(prices, terms)?;
    let context = terms.context_tokens.unwrap_or_else(|| usage.prompt_tokens());
    let mut cost = Cost { lines: Vec::new(), total: Money::zero(rows.first.currency) };
    for (unit, count) in usage.counts() {
        if count > COUNT_MAX {
            return Err(Unknown::Count(unit));
        }
        let of = |unit: Unit| rows.rate(unit, context, terms);
        let (rate, currency) =
            of(unit).or_else(|| unit.part_of().and_then(of)).ok_or_else(|| rows.unknown(unit))?;
        let atto = u128::from(count) * u128::from(rate.0) * u128::from(rows.factor);
        let money = Money { currency, atto };
        cost.total = cost.total.checked_add(money).ok_or(Unknown::Currencies)?;
        cost.lines.push(Line { unit, count, rate, money });
    }
    Ok(cost)
}

/// Where prices are looked up, in turn.
struct Rows<'a> {
    first: PriceRow<'a>,
    others: [Option<PriceRow<'a>>; 2],
    factor: u16,
}

impl<'a> Rows<'a> {
    fn of(prices: &Prices<'a>, terms: &Terms<'_>) -> Result<Rows<'a>, Unknown> {
        let asked = terms.region.unwrap_or_default();
        let mut has_region = false;
        // The tier's and the standard one, of the region and of all regions; in one pass, because some models have forty rows.
        let mut found: [Option<PriceRow<'a>>; 4] = [None; 4];
        for row in prices.rows() {
            let is_asked = !asked.is_empty() && row.region == asked;
            has_region |= is_asked;
            if !is_asked && !row.region.is_empty() || !row.is_in_force(terms.on) {
                continue;
            }
            let base = if is_asked { 0 } else { 2 };
            for (at, tier) in [(base, terms.tier), (base + 1, Tier::Standard)] {
                if row.tier == tier && found[at].is_none_or(|known| known.from <= row.from) {
                    found[at] = Some(row);
                }
            }
        }
        let [regional, regional_standard, tier, standard] = found;
        let (first, second) = if has_region { (regional, regional_standard) } else { (tier, standard) };
        let Some(first) = first else {
            return Err(if prices.is_empty() { Unknown::Prices } else { Unknown::Tier(terms.tier) });
        };
        let factor = match has_region || asked.is_empty() {
            true => None,
            false => prices.factors().find(|(region, _)| *region == asked).map(|(_, factor)| factor),
        };
        Ok(Rows { first, others: [second, standard], factor: factor.unwrap_or(FACTOR_ONE) })
    }

    fn each(&self) -> impl Iterator<Item = &PriceRow<'a>> {
        std::iter::once(&self.first).chain(self.others.iter().flatten())
    }

    fn rate(&self, unit: Unit, context: u64, terms: &Terms<'_>) -> Option<(Rate, Currency)> {
        self.each().find_map(|row| Some((row.rate_of(unit, context, terms.images)?, row.currency)))
    }

    fn unknown(&self, unit: Unit) -> Unknown {
        let has_kinds = self.each().any(|row| row.images().next().is_some());
        if unit == Unit::OutputImages && has_kinds { Unknown::Images } else { Unknown::Unit(unit) }
    }
}

#[cfg(test)]
mod tests;
