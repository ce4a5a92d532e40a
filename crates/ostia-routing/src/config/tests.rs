//! What configs mean, what is wrong with them, and what none of it may show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod meaning;
mod random;

use super::{Config, Parsed, Problem, parse};

/// Parses a config that must be right and must give no warnings, but of options that have no effect yet.
fn good(text: &str) -> Config {
    let Parsed { config, mut warnings } = parsed(text);
    warnings.retain(|warning| !warning.message.contains("has no effect yet"));
    assert_eq!(shown(&warnings), Vec::<String>::new(), "{text}");
    config
}

fn parsed(text: &str) -> Parsed {
    parse(text).unwrap_or_else(|problems| panic!("{text}\n{:?}", shown(&problems)))
}

fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}
