//! `configs:`, `config:`, `aliases:` and `prices:`: whom to ask, by name.

use std::collections::BTreeMap;

use ostia_routing::config::{self, Config};
use ostia_routing::nearest;

use crate::reader::{Item, Reader, is_own};
use crate::tree::Value;
use crate::{Code, expand, providers};

/// Routing configs that the file holds, and what they are called by.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// Configs by the name that requests and keys call them by.
    pub configs: BTreeMap<String, Config>,
    /// The config of a request that brings none and whose key has none.
    pub default: Option<String>,
    /// Models that stand for a config: one name, several targets.
    pub aliases: BTreeMap<String, Config>,
    /// What models cost, by `provider/model` or `model`.
    pub prices: BTreeMap<String, Price>,
}

/// What a model costs, in whatever currency the operator counts in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// For a million tokens of a prompt.
    pub input: f64,
    /// For a million tokens of an answer.
    pub output: f64,
}

/// Reads a map of configs.
pub(crate) fn read_configs(item: &Item<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, Config> {
    let mut configs = BTreeMap::new();
    for (name, item) in reader.entries(item) {
        if name.trim_start().starts_with('{') || name.trim().is_empty() {
            let hint = "use a word, like `cheap-first`".to_owned();
            reader.problem_at(item.key_place(), Code::WrongValue, "is no name", Some(hint));
        }
        configs.extend(read_config(&item, reader).map(|config| (name.to_owned(), config)));
    }
    configs
}

fn read_config(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<Config> {
    let value = reader.json(item);
    let (config, problems, code) = match config::from_value(&value) {
        Ok(parsed) => (Some(parsed.config), parsed.warnings, Code::NoEffect),
        Err(problems) => (None, problems, Code::InvalidConfig),
    };
    for problem in problems {
        match problem.is_unknown_field {
            true if is_own(last_step(&problem.path)) => {}
            // A client hears of it in a warning, because configs that were written for Portkey have to work. Here the author
            // is the one who reads this.
            true => {
                let message = "unknown field".to_owned();
                reader.problem_below(item, &problem.path, Code::UnknownField, message, problem.hint);
            }
            false => reader.problem_below(item, &problem.path, code, problem.message, problem.hint),
        }
    }
    for part in config::unsupported_in(&value) {
        let message = format!("this gateway does not support {} yet", part.what);
        reader.problem_below(item, &part.path, Code::Unsupported, message, None);
    }
    config
}

fn last_step(path: &str) -> &str {
    path.rsplit(['.', ']']).next().unwrap_or(path)
}

/// Whatever a config and the targets below it call has to be a provider.
pub(crate) fn check_providers(item: &Item<'_>, read: &providers::Read, reader: &mut Reader<'_>) {
    if let Some(provider) = item.field_named("provider")
        && let Value::Text(text) = &provider.tree.value
        && let Ok(name) = expand::expand(text, reader.env)
        && !name.trim().is_empty()
    {
        providers::check_name(&name, &provider, read, reader);
    }
    let targets = item.field_named("targets");
    for target in targets.iter().flat_map(Item::items) {
        check_providers(&target, read, reader);
    }
}

/// Reads the price list: `gpt-4o: {input: 2.5, output: 10}`.
pub(crate) fn read_prices(item: &Item<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, Price> {
    let mut prices = BTreeMap::new();
    for (model, item) in reader.entries(item) {
        let (mut input, mut output) = (None, None);
        for (name, field) in reader.fields(&item) {
            match name {
                "input" => input = reader.amount(&field),
                _ => output = reader.amount(&field),
            }
        }
        match (input, output) {
            (Some(input), Some(output)) => drop(prices.insert(model.to_owned(), Price { input, output })),
            _ => {
                let hint = "both for a million tokens".to_owned();
                reader.problem(&item, Code::Missing, "needs `input` and `output`", Some(hint));
            }
        }
    }
    prices
}

/// Whatever names a config must name one that there is.
pub(crate) fn check_name(name: &str, item: &Item<'_>, written: &[&str], reader: &mut Reader<'_>) {
    if written.contains(&name) {
        return;
    }
    let hint = match nearest(name, written.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write it under `configs:`".to_owned(),
    };
    let message = format!("names the config `{name}`, and there is none of that name");
    reader.problem(item, Code::UnknownName, message, Some(hint));
}
