//! `configs:`, `config:`, `aliases:` and `prices:`: whom to ask, by name.

use std::collections::BTreeMap;

use ostia_routing::config::{self, Config};
use ostia_routing::nearest;

use crate::reader::{Item, Reader};

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
            reader.problem(&item, "is no name", Some("use a word, like `cheap-first`".to_owned()));
        }
        configs.extend(read_config(&item, reader).map(|config| (name.to_owned(), config)));
    }
    configs
}

fn read_config(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<Config> {
    let value = reader.json(item);
    match config::from_value(&value) {
        Ok(parsed) => {
            for warning in parsed.warnings {
                reader.warning_below(item, &warning.path, warning.message, warning.hint);
            }
            Some(parsed.config)
        }
        Err(problems) => {
            for problem in problems {
                reader.problem_below(item, &problem.path, problem.message, problem.hint);
            }
            None
        }
    }
}

/// Reads the price list: `gpt-4o: {input: 2.5, output: 10}`.
pub(crate) fn read_prices(item: &Item<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, Price> {
    let mut prices = BTreeMap::new();
    for (model, item) in reader.entries(item) {
        let (mut input, mut output) = (None, None);
        for (name, field) in reader.fields(&item, &["input", "output"]) {
            match name {
                "input" => input = reader.amount(&field),
                _ => output = reader.amount(&field),
            }
        }
        match (input, output) {
            (Some(input), Some(output)) => drop(prices.insert(model.to_owned(), Price { input, output })),
            _ => reader.problem(
                &item,
                "needs `input` and `output`",
                Some("both for a million tokens".to_owned()),
            ),
        }
    }
    prices
}

/// Whatever names a config must name one that there is.
pub(crate) fn check_name(name: &str, item: &Item<'_>, routes: &Routes, reader: &mut Reader<'_>) {
    if routes.configs.contains_key(name) {
        return;
    }
    let hint = match nearest(name, routes.configs.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write it under `configs:`".to_owned(),
    };
    reader.problem(item, format!("names the config `{name}`, and there is none of that name"), Some(hint));
}
