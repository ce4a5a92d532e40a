//! genai-prices: exact prices with their history, and rules by which names are recognised.

use std::path::Path;

use ostia_catalog::{Date, Mode, PriceText, Rates, Row, Source, Tier, Unit};
use regex_automata::nfa::thompson::pikevm::PikeVM;
use serde_json::Value;

use crate::json::{self, count, genai_unit, members, rate};
use crate::providers;
use crate::report::Skipped;

/// A model, and the rule that recognises its names.
pub struct Model {
    pub row: Row,
    rule: Rule,
}

/// How a name was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// It stands there letter by letter.
    Exactly,
    /// By how it looks.
    ByRule,
}

impl Model {
    /// Is this a name of it?
    pub fn recognises(&self, name: &str) -> Option<Recognised> {
        let name = name.to_ascii_lowercase();
        let exactly = self.row.id.eq_ignore_ascii_case(&name)
            || self.row.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(&name));
        match exactly {
            true => Some(Recognised::Exactly),
            false => self.rule.fits(&name).then_some(Recognised::ByRule),
        }
    }
}

/// `match` of a model.
enum Rule {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(Box<PikeVM>),
    Not(Box<PikeVM>),
    Any(Vec<Rule>),
    All(Vec<Rule>),
}

impl Rule {
    fn read(value: &Value) -> Result<Rule, String> {
        let (name, what) = members(value).next().ok_or_else(|| format!("{value} is no rule"))?;
        let text = || what.as_str().unwrap_or_default().to_ascii_lowercase();
        let all = || what.as_array().into_iter().flatten().map(Rule::read).collect::<Result<Vec<_>, _>>();
        Ok(match name {
            "equals" => Rule::Equals(text()),
            "starts_with" => Rule::StartsWith(text()),
            "ends_with" => Rule::EndsWith(text()),
            "contains" => Rule::Contains(text()),
            "regex" => Rule::regex(what.as_str().unwrap_or_default())?,
            "or" => Rule::Any(all()?),
            "and" => Rule::All(all()?),
            other => return Err(format!("genai-prices has a new kind of rule: {other}")),
        })
    }

    /// A pattern of Python's. Ours have no look-ahead: one at the front becomes a rule of its own.
    fn regex(pattern: &str) -> Result<Rule, String> {
        let compiled =
            |pattern: &str| PikeVM::new(pattern).map(Box::new).map_err(|error| format!("{pattern}: {error}"));
        let Some(rest) = pattern.strip_prefix("^(?!") else { return Ok(Rule::Regex(compiled(pattern)?)) };
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let end = end.ok_or_else(|| format!("{pattern} does not end"))?;
        let not = Rule::Not(compiled(&format!("^{}", &rest[..end]))?);
        Ok(Rule::All(vec![not, Rule::Regex(compiled(&format!("^{}", &rest[end + 1..]))?)]))
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Rule::Equals(text) => name == text,
            Rule::StartsWith(text) => name.starts_with(text.as_str()),
            Rule::EndsWith(text) => name.ends_with(text.as_str()),
            Rule::Contains(text) => name.contains(text.as_str()),
            Rule::Regex(regex) => regex.is_match(&mut regex.create_cache(), name),
            Rule::Not(regex) => !regex.is_match(&mut regex.create_cache(), name),
            Rule::Any(rules) => rules.iter().any(|rule| rule.fits(name)),
            Rule::All(rules) => rules.iter().all(|rule| rule.fits(name)),
        }
    }
}

/// The names that a rule has letter by letter.
fn names(rule: &Value, found: &mut Vec<String>) {
    for (kind, what) in members(rule) {
        match kind {
            "equals" => found.extend(what.as_str().map(str::to_owned)),
            "or" => what.as_array().into_iter().flatten().for_each(|rule| names(rule, found)),
            _ => {}
        }
    }
}

/// Reads the list, in its order. Prices that others followed before `day` are left out.
pub fn read(sources: &Path, day: Date, skipped: &mut Skipped) -> Result<Vec<Model>, String> {
    models(&json::file(&json::folder(sources, "genai-prices-")?.join("data.json"))?, day, skipped)
}

/// The models of a list.
pub fn models(list: &Value, day: Date, skipped: &mut Skipped) -> Result<Vec<Model>, String> {
    let mut models = Vec::new();
    for provider in list.as_array().into_iter().flatten() {
        let id = provider["id"].as_str().unwrap_or_default();
        let page = provider["pricing_urls"][0].as_str();
        for model in provider["models"].as_array().into_iter().flatten() {
            match read_model(id, model, day, skipped)? {
                Some(mut model) => {
                    model.row.page = page.map(str::to_owned);
                    models.push(model);
                }
                None => skipped.add("genai-prices: a model that no provider is asked for"),
            }
        }
    }
    Ok(models)
}

fn read_model(
    provider: &str,
    model: &Value,
    day: Date,
    skipped: &mut Skipped,
) -> Result<Option<Model>, String> {
    let id = model["id"].as_str().unwrap_or_default();
    let Some((ours, id)) = providers::genai(provider, id) else { return Ok(None) };
    let rule = Rule::read(&model["match"])?;
    let mut aliases = Vec::new();
    names(&model["match"], &mut aliases);
    if let Some(behind) = provider.strip_prefix("huggingface_") {
        aliases.iter_mut().for_each(|alias| *alias = format!("{alias}:{behind}"));
    }
    aliases.retain(|alias| !alias.eq_ignore_ascii_case(&id));
    aliases.sort_unstable();
    aliases.dedup();
    let mut row = Row {
        aliases,
        name: model["name"].as_str().map(str::to_owned),
        context: count(&model["context_window"]),
        deprecated: model["deprecated"].as_bool().unwrap_or_default(),
        sources: vec![Source::GenaiPrices],
        ..Row::new(&ours, &id)
    };
    let mut prices = history(&model["prices"], Tier::Standard, "", day, skipped);
    for variant in model["price_variants"].as_array().into_iter().flatten() {
        match variant_place(&variant["when"]) {
            Some((Tier::Standard, "")) => {}
            Some((tier, region)) => {
                prices.extend(history(&Value::Array(vec![variant.clone()]), tier, region, day, skipped));
            }
            None => skipped.add("genai-prices: a variant that is no tier"),
        }
    }
    row.prices = prices;
    row.price_source = (!row.prices.is_empty()).then_some(Source::GenaiPrices);
    row.mode = mode(&row);
    Ok(Some(Model { row, rule }))
}

/// Tier and region of a variant.
fn variant_place(when: &Value) -> Option<(Tier, &str)> {
    let (field, value) = members(when).next()?;
    match (field, value.as_str()?) {
        ("service_tier", "default") => Some((Tier::Standard, "")),
        ("processing", "batch") => Some((Tier::Batch, "")),
        ("service_tier", "flex") => Some((Tier::Flex, "")),
        ("service_tier", "priority") => Some((Tier::Priority, "")),
        ("speed" | "service_tier", "fast") => Some((Tier::Fast, "")),
        ("route", route) => Some((Tier::Standard, route.rsplit('/').next()?)),
        _ => None,
    }
}

/// The prices in force on a day, and those that follow.
fn history(value: &Value, tier: Tier, region: &str, day: Date, skipped: &mut Skipped) -> Vec<PriceText> {
    let single = std::slice::from_ref(value);
    let entries = match value.as_array() {
        Some(list) => list.as_slice(),
        None => single,
    };
    let mut rows: Vec<PriceText> = Vec::new();
    for entry in entries {
        let rates = rates(if entry["prices"].is_null() { entry } else { &entry["prices"] }, skipped);
        let constraint = &entry["constraint"];
        let from = constraint["start_date"].as_str().and_then(Date::parse).filter(|from| *from > day);
        let row = PriceText { tier, region: region.to_owned(), from, rates, ..PriceText::default() };
        if row.rates.units.is_empty() {
            continue;
        }
        match rows.iter_mut().find(|known| known.from == row.from) {
            // Prices of a time of day: a bill may be less than what is said here, never more.
            Some(known) if !constraint["start_time"].is_null() => dearer(known, &row),
            // A later price took this one's place before that day.
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }
    rows
}

fn dearer(known: &mut PriceText, other: &PriceText) {
    for (at, rate) in &other.rates.units {
        let known = known.rates.units.entry(*at).or_insert(*rate);
        *known = (*known).max(*rate);
    }
}

fn rates(prices: &Value, skipped: &mut Skipped) -> Rates {
    let mut rates = Rates::default();
    for (field, value) in members(prices) {
        let Some((unit, quantity)) = genai_unit(field) else {
            if field != "constraint" {
                skipped.add(&format!("genai-prices: the field {field}"));
            }
            continue;
        };
        let base = if value.is_object() { &value["base"] } else { value };
        rates.units.extend(rate(base, quantity).map(|rate| ((unit, 0), rate)));
        for tier in value["tiers"].as_array().into_iter().flatten() {
            let above = tier["start"].as_u64().unwrap_or_default();
            rates.units.extend(rate(&tier["price"], quantity).map(|rate| ((unit, above), rate)));
        }
    }
    rates
}

/// The list does not say what a model is for; its units do.
fn mode(row: &Row) -> Mode {
    let has = |unit: Unit| row.prices.iter().any(|prices| prices.rates.units.contains_key(&(unit, 0)));
    let named = |word: &str| row.id.to_ascii_lowercase().contains(word);
    match () {
        () if named("embed") => Mode::Embedding,
        () if named("rerank") => Mode::Rerank,
        () if has(Unit::Pages) => Mode::Ocr,
        () if has(Unit::InputSeconds) => Mode::Transcription,
        () if has(Unit::AudioSeconds) || named("realtime") => Mode::Realtime,
        () if has(Unit::InputCharacters) => Mode::Speech,
        () if has(Unit::Input) && has(Unit::Output) && !named("image") && !named("tts") => Mode::Chat,
        () => Mode::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn day() -> Date {
        Date::parse("2026-11-29").unwrap()
    }

    #[test]
    fn rules_recognise_names() {
        let check = |rule: Value, name: &str, expected: bool| {
            assert_eq!(Rule::read(&rule).unwrap().fits(name), expected, "{rule} {name}");
        };
        check(json!({"equals": "gpt-4o"}), "gpt-4o", true);
        check(json!({"starts_with": "gpt"}), "gpt-4o", true);
        check(json!({"or": [{"ends_with": "x"}, {"contains": "4"}]}), "gpt-4o", true);
        check(json!({"and": [{"ends_with": "x"}, {"contains": "4"}]}), "gpt-4o", false);
        check(json!({"regex": "^m-\\d{8}$"}), "m-20250101", true);
        check(json!({"regex": "^m-\\d{8}$"}), "m-2025", false);
        check(json!({"regex": "^(?!.*-tts(?:$|-))gemini"}), "gemini-pro", true);
        check(json!({"regex": "^(?!.*-tts(?:$|-))gemini"}), "gemini-pro-tts", false);
        assert!(Rule::read(&json!({"sounds_like": "x"})).is_err());
    }

    #[test]
    fn of_a_history_the_prices_in_force_and_later_ones_are_kept() {
        let prices = json!([
            {"prices": {"input_mtok": 1}},
            {"prices": {"input_mtok": 2}, "constraint": {"start_date": "2026-01-01"}},
            {"prices": {"input_mtok": {"base": 3, "tiers": [{"start": 200000, "price": 6}]}}, "constraint": {"start_date": "2027-01-01"}},
        ]);
        let rows = history(&prices, Tier::Standard, "", day(), &mut Skipped::default());
        let shown: Vec<_> =
            rows.iter().map(|row| (row.from.map(|from| from.to_string()), row.rates.units.len())).collect();
        assert_eq!(shown, [(None, 1), (Some("2027-01-01".to_owned()), 2)]);
        assert_eq!(rows[0].rates.units[&(Unit::Input, 0)].text(1_000_000), "2");
    }

    #[test]
    fn of_prices_by_the_hour_the_highest_is_kept() {
        let prices = json!([
            {"prices": {"input_mtok": 1, "output_mtok": 2}},
            {"prices": {"input_mtok": 3, "output_mtok": 1}, "constraint": {"start_time": "01:00:00+00:00", "end_time": "04:00:00+00:00"}},
        ]);
        let rows = history(&prices, Tier::Standard, "", day(), &mut Skipped::default());
        let texts: Vec<_> =
            rows[0].rates.units.iter().map(|((unit, _), rate)| rate.text(unit.quantity())).collect();
        assert_eq!((rows.len(), texts), (1, vec!["3".to_owned(), "2".to_owned()]));
    }
}
