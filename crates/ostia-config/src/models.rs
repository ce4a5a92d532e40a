//! `models:`: what the operator knows of models better than the catalogue does.

use std::collections::BTreeMap;

use ostia_catalog::{Abilities, Ability, Currency, Date, Override, PriceText, Rates, Unit};
use ostia_routing::nearest;

use crate::reader::{Item, Reader};
use crate::{Code, providers};

/// What a date must be.
const DATE: &str = "must be a day, like 2027-01-31";
/// What a currency must be.
const CURRENCY: &str = "must be three capital letters, like EUR";

/// Reads `PROVIDER/MODEL: {context: 131072, can: [tools], prices: {input: 0.6}}`.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Vec<Override> {
    let entries = reader.entries(item);
    entries.iter().filter_map(|(name, item)| read_one(name, item, reader)).collect()
}

fn read_one(name: &str, item: &Item<'_>, reader: &mut Reader<'_>) -> Option<Override> {
    let Some((provider, model)) = split(name) else {
        let hint = "write PROVIDER/MODEL, like vllm/llama-3.3-70b".to_owned();
        reader.problem_at(item.key_place(), Code::WrongValue, "names no provider and model", Some(hint));
        return None;
    };
    let mut one = Override { provider: provider.into(), model: model.into(), ..Override::default() };
    let (mut prices, mut currency) = (Rates::default(), Currency::USD);
    for (field, item) in reader.fields(item) {
        match field {
            "base" => one.base = base(&item, reader),
            "name" => one.name = reader.text(&item),
            "aliases" => one.aliases = reader.texts(&item),
            "context" => one.context = tokens(&item, reader),
            "output" => one.output = tokens(&item, reader),
            "can" => one.abilities = abilities(&item, true, one.abilities, reader),
            "cannot" => one.abilities = abilities(&item, false, one.abilities, reader),
            "retires_on" => one.retires_on = parsed(&item, Date::parse, DATE, reader),
            "currency" => currency = parsed(&item, Currency::parse, CURRENCY, reader).unwrap_or(currency),
            _ => prices = rates(&item, reader),
        }
    }
    if !prices.is_empty() {
        one.prices = vec![PriceText { currency, rates: prices, ..PriceText::default() }];
    }
    Some(one)
}

/// Models' names may have slashes of their own.
fn split(name: &str) -> Option<(&str, &str)> {
    let (provider, model) = name.strip_prefix('@').unwrap_or(name).split_once('/')?;
    (!provider.trim().is_empty() && !model.trim().is_empty()).then_some((provider, model))
}

/// The model that it is.
fn base(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<(String, String)> {
    let text = reader.text(item)?;
    let Some((provider, model)) = split(&text) else {
        let hint = "write PROVIDER/MODEL, like openai/gpt-5.1".to_owned();
        reader.problem(item, Code::WrongValue, "names no provider and model", Some(hint));
        return None;
    };
    Some((provider.to_owned(), model.to_owned()))
}

fn tokens(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<u64> {
    reader.integer(item).and_then(|tokens| u64::try_from(tokens).ok())
}

fn parsed<T>(
    item: &Item<'_>,
    parse: fn(&str) -> Option<T>,
    must_be: &str,
    reader: &mut Reader<'_>,
) -> Option<T> {
    let value = parse(&reader.text(item)?);
    if value.is_none() {
        reader.problem(item, Code::WrongValue, must_be, None);
    }
    value
}

/// What is said of one ability twice is a problem: nobody knows what its author meant.
fn abilities(item: &Item<'_>, can: bool, known: Abilities, reader: &mut Reader<'_>) -> Abilities {
    let mut all = known;
    for item in reader.items(item) {
        let Some(ability) = reader.word_of(&item).and_then(|word| Ability::named(&word)) else { continue };
        if all.can(ability).is_some_and(|known| known != can) {
            let message = format!("`{}` stands under `can` and `cannot`", ability.name());
            reader.problem(&item, Code::Duplicate, message, None);
        }
        all = all.with(ability, can);
    }
    all
}

/// The words of `can` and `cannot`.
pub(crate) fn ability_names() -> Vec<&'static str> {
    Ability::ALL.iter().map(|ability| ability.name()).collect()
}

/// `input: 0.6`, `input>200000: 1.2`: for as many units as vendors write a price for.
fn rates(item: &Item<'_>, reader: &mut Reader<'_>) -> Rates {
    let mut rates = Rates::default();
    for (name, item) in reader.entries(item) {
        let Some(amount) = reader.amount(&item) else { continue };
        // Shortest decimals that mean this number: what the author wrote.
        let one = BTreeMap::from([(name.to_owned(), amount.to_string())]);
        match Rates::try_from(one) {
            Ok(one) => {
                rates.units.extend(one.units);
                rates.images.extend(one.images);
            }
            Err(message) => {
                let unit = name.split(['>', '/']).next().unwrap_or_default();
                let names = || Unit::ALL.iter().map(|unit| unit.name());
                // Of a unit that there is, the message says what is wrong behind it.
                let hint = Unit::named(unit).is_none().then(|| match nearest(unit, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the units are {}", names().collect::<Vec<_>>().join(", ")),
                });
                reader.problem_at(item.key_place(), Code::WrongValue, message, hint);
            }
        }
    }
    rates
}

/// Every model is one of a provider that there is, and so is the one that it is at bottom.
pub(crate) fn check_providers(item: &Item<'_>, read: &providers::Read, reader: &mut Reader<'_>) {
    for name in item.names() {
        let Some(item) = item.field_named(name) else { continue };
        check_provider(name, &item, read, reader);
        let base = item.field_named("base");
        if let Some((name, base)) = base.and_then(|base| Some((reader.plain_text(&base)?, base))) {
            check_provider(&name, &base, read, reader);
        }
    }
}

fn check_provider(model: &str, item: &Item<'_>, read: &providers::Read, reader: &mut Reader<'_>) {
    if let Some((provider, _)) = split(model) {
        providers::check_name(provider, item, read, reader);
    }
}
