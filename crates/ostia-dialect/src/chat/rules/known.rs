//! What is known of a model besides its name.

use super::{EFFORTS, Rules, Sampling, Thinking, table};
use crate::{Dialect, Request};

/// Levels of effort that a model has unless something else is said.
const USUAL: [&str; 3] = ["low", "medium", "high"];

/// What a list of models, or an operator, says of one: yes, no, or nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// The operator says something of it.
    pub is_operators: bool,
    /// Most tokens that it writes.
    pub output_tokens_max: Option<u64>,
    /// Does it think before it answers?
    pub thinks: Option<bool>,
    /// Can it be given a number of tokens to think with (Anthropic's `enabled`)?
    pub thinks_by_budget: Option<bool>,
    /// Can it think as long as it sees fit (Anthropic's `adaptive`)?
    pub thinks_freely: Option<bool>,
    /// Does it take `temperature` and `top_p`?
    pub sampling: Option<bool>,
    /// The levels of effort that it takes; `None` where nobody says.
    pub efforts: Option<Efforts>,
}

/// Some of the levels of effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Efforts(u8);

/// The levels of each set: `none` is the lowest bit of its number.
static LEVELS: [[&str; EFFORTS.len()]; 1 << EFFORTS.len()] = levels();

const fn levels() -> [[&'static str; EFFORTS.len()]; 1 << EFFORTS.len()] {
    let mut all = [[""; EFFORTS.len()]; 1 << EFFORTS.len()];
    let mut set = 0;
    while set < all.len() {
        let (mut level, mut count) = (0, 0);
        while level < EFFORTS.len() {
            if set >> level & 1 == 1 {
                all[set][count] = EFFORTS[level];
                count += 1;
            }
            level += 1;
        }
        set += 1;
    }
    all
}

impl Efforts {
    /// Those that are taken after this: lists say `xhigh` of a model and mean besides those that every model with efforts has. `None`
    /// where nothing is said of any.
    pub fn known(takes: impl Fn(&str) -> Option<bool>) -> Option<Efforts> {
        let said = EFFORTS.map(takes);
        let is_taken = |(at, said): (usize, &Option<bool>)| said.unwrap_or(USUAL.contains(&EFFORTS[at]));
        let set = said.iter().enumerate().map(|(at, said)| u8::from(is_taken((at, said))) << at);
        let set = set.fold(0, |set, level| set | level);
        said.iter().any(Option::is_some).then_some(Efforts(set))
    }

    fn levels(self) -> &'static [&'static str] {
        &LEVELS[usize::from(self.0)][..self.0.count_ones() as usize]
    }
}

impl Rules {
    /// What the model of a request takes. Where no row fits its name, facts tell. A row goes before them: it is about this dialect, and
    /// was read at the vendor's; only an operator's bound of the answer holds for every model.
    pub(crate) fn for_request(dialect: Dialect, request: &Request) -> Rules {
        let (rules, facts) = (Rules::of(dialect, request.known_as()), &request.facts);
        let is_known = !std::ptr::eq(rules, table::other(dialect));
        let rules = if is_known { *rules } else { facts.over(*rules) };
        let max = facts.output_tokens_max.filter(|max| *max > 0 && (!is_known || facts.is_operators));
        let Some(max) = max else { return rules };
        let output_tokens_default = rules.output_tokens_default.min(max);
        Rules { output_tokens_default, output_tokens_max: max, ..rules }
    }
}

impl ModelFacts {
    fn over(&self, rules: Rules) -> Rules {
        let thinking = match (self.thinks, self.thinks_by_budget, self.thinks_freely) {
            (Some(false), ..) => Thinking::Never,
            (_, Some(true), Some(true)) => Thinking::Both,
            (_, Some(false), Some(true)) => Thinking::Adaptive,
            _ => rules.thinking,
        };
        let is_thoughtless = self.thinks == Some(false);
        Rules {
            thinking,
            thinks_unasked: rules.thinks_unasked && !is_thoughtless,
            efforts: match self.efforts {
                _ if is_thoughtless => Some(&[]),
                Some(efforts) => Some(efforts.levels()),
                None => rules.efforts,
            },
            sampling: if self.sampling == Some(false) { Sampling::Fixed } else { rules.sampling },
            ..rules
        }
    }
}
