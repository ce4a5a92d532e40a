//! What is known of a model besides its name.

use super::{Rules, Sampling, Thinking, table};
use crate::{Dialect, Request};

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
            efforts: if is_thoughtless { Some(&[]) } else { rules.efforts },
            sampling: if self.sampling == Some(false) { Sampling::Fixed } else { rules.sampling },
            ..rules
        }
    }
}
