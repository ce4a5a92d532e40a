//! Joins the sources: one row for each model at each provider.
//!
//! genai-prices goes before LiteLLM, and LiteLLM before Portkey. A source completes a row (tiers, regions, units) only where
//! both agree on what a token in and a token out cost: otherwise its other prices are of another day too. Abilities, limits and
//! days are LiteLLM's, which alone has them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ostia_catalog::{PriceText, Rate, Row, Source, Tier, Unit, without_version};

use crate::data::Decision;
use crate::genai::{Model, Recognised};
use crate::report::Disagreement;

/// The rows, in order, and where the sources disagree.
pub struct Merged {
    pub rows: Vec<Row>,
    pub disagreements: Vec<Disagreement>,
}

/// What was read.
pub struct Lists {
    pub litellm: Vec<Row>,
    pub genai: Vec<Model>,
    pub portkey: Vec<Row>,
    /// Further names of models, with prices where there are some.
    pub names: Vec<Row>,
}

/// Joins them.
pub fn merge(lists: Lists, decisions: &[Decision]) -> Result<Merged, String> {
    let mut merge = Merge { rows: BTreeMap::new(), disagreements: Vec::new(), decisions };
    for row in lists.litellm {
        merge.rows.insert(key(&row), row);
    }
    merge.add_genai(lists.genai, &lists.names);
    for row in lists.portkey {
        merge.add_portkey(row);
    }
    merge.finish()
}

type Key = (String, String);

/// As the catalogue compares names.
fn key(row: &Row) -> Key {
    name_key(&row.provider, &row.id)
}

fn name_key(provider: &str, name: &str) -> Key {
    (provider.to_owned(), name.to_ascii_lowercase().replace('@', "-"))
}

struct Merge<'a> {
    rows: BTreeMap<Key, Row>,
    disagreements: Vec<Disagreement>,
    decisions: &'a [Decision],
}

impl Merge<'_> {
    fn add_genai(&mut self, models: Vec<Model>, names: &[Row]) {
        let mut by_provider: BTreeMap<String, Vec<Model>> = BTreeMap::new();
        for model in models {
            by_provider.entry(model.row.provider.clone()).or_default().push(model);
        }
        let mut rows = std::mem::take(&mut self.rows);
        for row in rows.values_mut() {
            let models = by_provider.get(&row.provider).map(Vec::as_slice).unwrap_or_default();
            // In the list's order: the first rule that fits is meant. A name letter by letter goes before all rules.
            let of = |wanted: Recognised| {
                models
                    .iter()
                    .find(|model| model.recognises(&row.id) == Some(wanted))
                    .map(|model| (model, wanted))
            };
            if let Some((model, how)) = of(Recognised::Exactly).or_else(|| of(Recognised::ByRule)) {
                self.join(row, &model.row, how);
            }
        }
        // Names that are no model of their own are further names of the first that recognises them, at the same price.
        for name in names.iter().filter(|name| !rows.contains_key(&key(name))) {
            let models = by_provider.get_mut(&name.provider).map(Vec::as_mut_slice).unwrap_or_default();
            let model = models.iter_mut().find(|model| model.recognises(&name.id).is_some());
            if let Some(model) = model
                && (name.prices.is_empty() || agree(&name.prices, &model.row.prices))
            {
                model.row.aliases.push(name.id.clone());
            }
        }
        for model in by_provider.into_values().flatten() {
            match rows.entry(key(&model.row)) {
                Entry::Vacant(place) => drop(place.insert(model.row)),
                Entry::Occupied(mut place) => place.get_mut().aliases.extend(model.row.aliases),
            }
        }
        self.rows = rows;
    }

    /// genai-prices' row over LiteLLM's.
    fn join(&mut self, row: &mut Row, genai: &Row, how: Recognised) {
        let agrees = agree(&row.prices, &genai.prices);
        let decision = self.decisions.iter().find(|decision| decision.is_of(row));
        let (rule, why) = match how {
            Recognised::Exactly => (Source::GenaiPrices, "undecided: the name stands in both lists"),
            Recognised::ByRule => {
                (Source::Litellm, "undecided: genai-prices recognises the name by its look only")
            }
        };
        let taken = decision.map_or(rule, |decision| decision.source);
        if !agrees && !row.prices.is_empty() && !genai.prices.is_empty() {
            self.disagree(row, genai, taken, decision.map_or(why, |decision| &decision.reason));
            if taken == Source::Litellm {
                return;
            }
        }
        if row.id.eq_ignore_ascii_case(&genai.id) {
            row.name = genai.name.clone();
            row.aliases.extend(genai.aliases.iter().cloned());
            row.deprecated |= genai.deprecated;
        }
        row.context = row.context.or(genai.context);
        row.page = row.page.take().or_else(|| genai.page.clone());
        row.sources.push(Source::GenaiPrices);
        if genai.prices.is_empty() {
            return;
        }
        let litellm = std::mem::replace(&mut row.prices, genai.prices.clone());
        row.price_source = Some(Source::GenaiPrices);
        if agrees {
            complete(&mut row.prices, litellm);
        } else {
            row.region_factors.clear();
        }
    }

    fn add_portkey(&mut self, portkey: Row) {
        let Some(row) = self.rows.get_mut(&key(&portkey)) else {
            self.rows.insert(key(&portkey), portkey);
            return;
        };
        if row.prices.is_empty() {
            row.prices = portkey.prices;
            row.price_source = Some(Source::Portkey);
            row.sources.push(Source::Portkey);
        } else if agree(&row.prices, &portkey.prices) {
            if complete(&mut row.prices, portkey.prices) {
                row.sources.push(Source::Portkey);
            }
        } else {
            let (row, taken) = (row.clone(), row.price_source.unwrap_or(Source::Litellm));
            let why = match taken {
                Source::Portkey => "the rule: of two rows of one name in one list the first",
                _ => "the rule: Portkey's list is older",
            };
            self.disagree(&row, &portkey, taken, why);
        }
    }

    fn disagree(&mut self, row: &Row, other: &Row, taken: Source, why: &str) {
        for unit in [Unit::Input, Unit::Output] {
            let (one, two) = (standard(&row.prices, unit), standard(&other.prices, unit));
            if let (Some(one), Some(two)) = (one, two)
                && one != two
            {
                let source = |row: &Row| row.price_source.unwrap_or(Source::Litellm);
                self.disagreements.push(Disagreement {
                    provider: row.provider.clone(),
                    model: row.id.clone(),
                    unit,
                    prices: [(source(row), one), (source(other), two)],
                    taken,
                    why: why.to_owned(),
                });
            }
        }
    }

    fn finish(mut self) -> Result<Merged, String> {
        name_undated(&mut self.rows);
        let ids: BTreeSet<Key> = self.rows.keys().cloned().collect();
        let mut taken = BTreeSet::new();
        for row in self.rows.values_mut() {
            // What is a model of its own is no alias, and of two models with one alias the first has it.
            let provider = row.provider.clone();
            row.aliases.sort_unstable();
            row.aliases.retain(|alias| {
                let key = name_key(&provider, alias);
                !alias.is_empty() && !ids.contains(&key) && taken.insert(key)
            });
            row.prices.sort_by(|a, b| (a.tier, &a.region, a.from).cmp(&(b.tier, &b.region, b.from)));
            row.sources.sort_unstable();
            row.sources.dedup();
            if row.sources.is_empty() {
                return Err(format!("{} {} has no source", row.provider, row.id));
            }
        }
        self.disagreements
            .sort_by(|a, b| (&a.provider, &a.model, a.unit).cmp(&(&b.provider, &b.model, b.unit)));
        Ok(Merged { rows: self.rows.into_values().collect(), disagreements: self.disagreements })
    }
}

/// The newest of the dated names gets the name without a date, where there is no such model.
fn name_undated(rows: &mut BTreeMap<Key, Row>) {
    let mut newest: BTreeMap<Key, Key> = BTreeMap::new();
    for (key, row) in rows.iter() {
        // `x-latest` is no date: no vendor takes `x` for it.
        let dated = Some(&row.id).filter(|id| id.ends_with(|c: char| c.is_ascii_digit()));
        if let Some(base) = dated.and_then(|id| without_version(id)) {
            let base = name_key(&row.provider, base);
            let is_newer = newest.get(&base).is_none_or(|known| known < key);
            if !rows.contains_key(&base) && is_newer {
                newest.insert(base, key.clone());
            }
        }
    }
    for (base, key) in newest {
        if let Some(row) = rows.get_mut(&key) {
            row.aliases.push(base.1);
        }
    }
}

/// What a unit costs for everybody, now, for a short prompt.
pub fn standard(prices: &[PriceText], unit: Unit) -> Option<Rate> {
    let is_standard =
        |row: &&PriceText| row.tier == Tier::Standard && row.region.is_empty() && row.from.is_none();
    prices.iter().find(is_standard).and_then(|row| row.rates.units.get(&(unit, 0))).copied()
}

/// Do they agree on a token in and a token out, and say at least one?
fn agree(one: &[PriceText], two: &[PriceText]) -> bool {
    let of = |prices: &[PriceText]| [Unit::Input, Unit::Output].map(|unit| standard(prices, unit));
    let zero_is_none = |rates: [Option<Rate>; 2]| rates.map(|rate| rate.filter(|rate| rate.0 > 0));
    let (one, two) = (zero_is_none(of(one)), zero_is_none(of(two)));
    one == two && one != [None, None]
}

/// Adds what the first does not have. Was there anything?
fn complete(prices: &mut Vec<PriceText>, others: Vec<PriceText>) -> bool {
    let mut added = false;
    for other in others {
        let same = |row: &&mut PriceText| row.tier == other.tier && row.region == other.region;
        let Some(row) = prices.iter_mut().find(same) else {
            prices.push(other);
            added = true;
            continue;
        };
        // A unit with borders in one source and without in the other stays as the first has it.
        let mut known: BTreeSet<Unit> = row.rates.units.keys().map(|(unit, _)| *unit).collect();
        // Perplexity's fee for a call, which one source counts by calls and another by searches.
        if known.contains(&Unit::Requests) {
            known.insert(Unit::WebSearches);
        }
        let new = other.rates.units.into_iter().filter(|((unit, _), _)| !known.contains(unit));
        let before = row.rates.units.len();
        // Kinds of images go with the price of an image that is of none.
        let is_first = row.rates.images.is_empty() && !known.contains(&Unit::OutputImages);
        added |= is_first && !other.rates.images.is_empty();
        if is_first {
            row.rates.images = other.rates.images;
        }
        row.rates.units.extend(new);
        added |= row.rates.units.len() > before;
    }
    added
}

#[cfg(test)]
mod tests;
