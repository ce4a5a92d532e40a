//! Limits of a vendor where they differ from those of its dialect: `limits: {tool_ids: {characters: alphanumeric,
//! chars: [9, 9]}, stops: 16}`.

use ostia_dialect::limits::{Characters, LimitOverrides, Range, Spelling};
use serde::Deserialize;

/// The limits of one row. What it does not say is as in its dialect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Ids of calls.
    pub tool_ids: Option<Names>,
    /// Names of tools.
    pub tool_names: Option<Names>,
    /// Most tools, or `unlimited`.
    pub tools: Option<Count>,
    /// Most stop sequences, or `unlimited`.
    pub stops: Option<Count>,
    /// Least and most `temperature`, both taken; two decimals count.
    pub temperature: Option<(f64, f64)>,
    /// Least and most `top_p`, both taken; two decimals count.
    pub top_p: Option<(f64, f64)>,
    /// Most characters of `user`.
    pub user_chars_max: Option<usize>,
    /// Of every API: most inputs of one call of embeddings. A longer list becomes several calls.
    pub inputs: Option<usize>,
}

// Numbers with two decimals are equal to themselves: what is no number is a problem of the row.
impl Eq for Limits {}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Count {
    /// So many at most.
    Most(usize),
    /// As many as there are.
    Any(Unlimited),
}

/// The word for no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlimited {
    /// `unlimited`
    Unlimited,
}

impl Count {
    fn most(self) -> Option<usize> {
        match self {
            Count::Most(most) => Some(most),
            Count::Any(Unlimited::Unlimited) => None,
        }
    }
}

/// How names are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Which characters.
    pub characters: Alphabet,
    /// Not a digit or a mark but `_` first.
    #[serde(default)]
    pub letter_first: bool,
    /// Fewest and most characters.
    pub chars: (usize, usize),
}

/// Which characters, each with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// ASCII letters and digits.
    Alphanumeric,
    /// `_`
    Underscore,
    /// `-`
    Dash,
    /// `.` and `:`
    DotColon,
    /// Any other.
    Any,
}

impl Limits {
    /// The same in the words of the translators.
    pub fn overrides(&self) -> LimitOverrides {
        LimitOverrides {
            tool_ids: self.tool_ids.map(Names::spelling),
            tool_names: self.tool_names.map(Names::spelling),
            tools: self.tools.map(Count::most),
            stops: self.stops.map(Count::most),
            temperature: self.temperature.map(range),
            top_p: self.top_p.map(range),
            user_chars_max: self.user_chars_max,
        }
    }

    /// What is wrong with them: the field, and what.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (field, names) in [("tool_ids", self.tool_ids), ("tool_names", self.tool_names)] {
            let Some(Names { chars: (least, most), .. }) = names else { continue };
            if least < 1 || most < least || most < CHARS_MAX_MIN {
                let what = format!(
                    "must be two numbers, the first from 1 on, the second not below it nor below {CHARS_MAX_MIN}"
                );
                problems.push((format!("{field}.chars"), what));
            } else if least > CHARS_MAX_MIN {
                let what = format!("the first must not be above {CHARS_MAX_MIN}");
                problems.push((format!("{field}.chars"), what));
            }
        }
        for (field, bounds) in [("temperature", self.temperature), ("top_p", self.top_p)] {
            if bounds.is_some_and(|(least, most)| !(0.0..=most).contains(&least) || most > NUMBER_MAX) {
                let what = "must be two numbers, the second not below the first".to_owned();
                problems.push((field.to_owned(), what));
            }
        }
        let most = |count: Option<Count>| count.and_then(Count::most);
        let counts = [
            ("tools", most(self.tools)),
            ("stops", most(self.stops)),
            ("user_chars_max", self.user_chars_max),
            ("inputs", self.inputs),
        ];
        let none = counts.iter().filter(|(_, count)| *count == Some(0));
        let what = "must be 1 or more; `drop` leaves it out";
        problems.extend(none.map(|(field, _)| ((*field).to_owned(), what.to_owned())));
        problems
    }
}

/// As many characters as a name needs that stands for any other.
const CHARS_MAX_MIN: usize = 9;
/// No vendor takes more.
const NUMBER_MAX: f64 = 100.0;

impl Names {
    fn spelling(self) -> Spelling {
        let characters = match self.characters {
            Alphabet::Alphanumeric => Characters::Alphanumeric,
            Alphabet::Underscore => Characters::Underscore,
            Alphabet::Dash => Characters::Dash,
            Alphabet::DotColon => Characters::DotColon,
            Alphabet::Any => Characters::Any,
        };
        let (chars_min, most) = self.chars;
        Spelling { characters, letter_first: self.letter_first, chars_min, chars_max: Some(most) }
    }
}

fn range((least, most): (f64, f64)) -> Range {
    Range::between(least, most)
}
