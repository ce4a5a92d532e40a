//! What an operator says of models: more of them, or other figures.

use crate::ability::Abilities;
use crate::date::Date;
use crate::row::{PriceText, Row};
use crate::source::Source;

/// A model of which the operator knows better. What is not said stays as it is in the catalogue; a model that is not in it is
/// added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Override {
    /// The provider's id, also of one that only the operator's file has.
    pub provider: String,
    /// The model, by any of its names.
    pub model: String,
    /// The provider and the name of the model that it is, where its own name does not tell: a deployment, a profile, a tuned model.
    pub base: Option<(String, String)>,
    /// The name for people.
    pub name: Option<String>,
    /// More names for it.
    pub aliases: Vec<String>,
    /// Tokens that a prompt may have.
    pub context: Option<u64>,
    /// Tokens that an answer may have.
    pub output: Option<u64>,
    /// What it can and cannot do.
    pub abilities: Abilities,
    /// From when on it does not answer.
    pub retires_on: Option<Date>,
    /// What it costs: in the place of all prices that the catalogue has.
    pub prices: Vec<PriceText>,
}

impl Override {
    /// The row that holds from now on.
    pub(crate) fn over(&self, row: Option<Row>) -> Row {
        let mut row = row.unwrap_or_else(|| Row::new(&self.provider, &self.model));
        row.name = self.name.clone().or(row.name);
        row.aliases.extend(self.aliases.iter().cloned());
        row.context = self.context.or(row.context);
        row.output = self.output.or(row.output);
        row.set_abilities(row.abilities().overlaid(self.abilities));
        row.retires_on = self.retires_on.or(row.retires_on);
        if !self.prices.is_empty() {
            row.prices.clone_from(&self.prices);
            row.region_factors.clear();
            row.price_source = Some(Source::Operator);
        }
        row.sources.push(Source::Operator);
        row
    }
}
