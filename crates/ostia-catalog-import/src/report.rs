//! What the import tells: what it did not read, where the sources disagree, and what is otherwise than before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ostia_catalog::{Rate, Row, Source, Unit};

use crate::merge::standard;
use crate::providers::PORTKEY;

/// How many changes of a kind are printed one by one.
const SHOWN_MAX: usize = 40;

/// What was not read, with how often.
#[derive(Default)]
pub struct Skipped(BTreeMap<String, usize>);

impl Skipped {
    /// Once more.
    pub fn add(&mut self, what: &str) {
        *self.0.entry(what.to_owned()).or_default() += 1;
    }

    /// A line for each.
    pub fn text(&self) -> String {
        let lines = self.0.iter().map(|(what, count)| format!("not read, {count} times: {what}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Two sources with two prices.
pub struct Disagreement {
    pub provider: String,
    pub model: String,
    pub unit: Unit,
    pub prices: [(Source, Rate); 2],
    pub taken: Source,
    pub why: String,
}

/// How many, by the reason of the choice.
pub fn disagreements_text(all: &[Disagreement]) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for one in all {
        *counts.entry((one.taken.name(), &one.why)).or_default() += 1;
    }
    let lines = counts
        .iter()
        .map(|((taken, why), count)| format!("{count} prices disagree; {taken} is taken: {why}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// All, as a table.
pub fn disagreements_table(all: &[Disagreement]) -> String {
    let mut text = "provider\tmodel\tunit\tone\tother\ttaken\twhy\n".to_owned();
    for one in all {
        let price =
            |(source, rate): &(Source, Rate)| format!("{} {}", source.name(), rate.text(one.unit.quantity()));
        let [first, second] = &one.prices;
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}",
            one.provider,
            one.model,
            one.unit.name(),
            price(first),
            price(second),
            one.taken.name(),
            one.why
        );
    }
    text
}

/// What was added, what went, and whose prices are others.
pub fn changes(before: &[Row], after: &[Row]) -> String {
    let by_name = |rows: &'_ [Row]| -> BTreeMap<String, Row> {
        rows.iter().map(|row| (format!("{}/{}", row.provider, row.id), row.clone())).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let added: Vec<String> = after.keys().filter(|name| !before.contains_key(*name)).cloned().collect();
    let removed: Vec<String> = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
    let mut priced = Vec::new();
    let mut others = 0;
    for (name, new) in &after {
        match before.get(name) {
            Some(old) if (&old.prices, &old.region_factors) != (&new.prices, &new.region_factors) => {
                priced.push(format!("{name}: {} -> {}", short(old), short(new)));
            }
            Some(old) if old != new => others += 1,
            _ => {}
        }
    }
    let mut text = String::new();
    for (what, names) in [("added", &added), ("removed", &removed), ("other prices", &priced)] {
        let _ = writeln!(text, "{what}: {}", names.len());
        names.iter().take(SHOWN_MAX).for_each(|name| text.push_str(&format!("  {name}\n")));
        if names.len() > SHOWN_MAX {
            let _ = writeln!(text, "  and {} more", names.len() - SHOWN_MAX);
        }
    }
    let _ = write!(text, "other figures: {others}");
    text
}

fn short(row: &Row) -> String {
    let price = |unit: Unit| {
        standard(&row.prices, unit).map_or_else(|| "unknown".to_owned(), |rate| rate.text(unit.quantity()))
    };
    format!("{} in, {} out, {} rows", price(Unit::Input), price(Unit::Output), row.prices.len())
}

/// The providers that are no row of ours, so that nobody wonders.
pub fn unknown_providers(rows: &[Row]) -> String {
    let all: BTreeSet<&str> = rows.iter().map(|row| row.provider.as_str()).collect();
    let known = include_str!("../../ostia-providers/providers.yaml");
    let is_known = |id: &&&str| known.contains(&format!("\n{id}:\n"));
    let unknown: Vec<&str> = all.iter().filter(|id| !is_known(id)).copied().collect();
    let portkey = PORTKEY.iter().filter(|(_, ours)| unknown.contains(ours)).count();
    format!(
        "no row of providers.yaml ({}, of which {portkey} are also Portkey's): {}",
        unknown.len(),
        unknown.join(", ")
    )
}
