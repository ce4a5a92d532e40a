//! What files mean, what is wrong with them, and what none of it may show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod keys;
mod meaning;
mod random;
mod reports;
mod secrets;
mod shapes;

use crate::{Loaded, Problem, load};

/// An environment of three variables.
fn env(name: &str) -> Option<String> {
    let value = match name {
        "PORT" => "9000",
        "KEY" => "SECRET",
        "EMPTY" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

fn loaded(text: &str) -> Loaded {
    load(text, &env).unwrap_or_else(|problems| panic!("{text}\n{:?}", shown(&problems)))
}

fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| problem.render("o.yaml")).collect()
}
