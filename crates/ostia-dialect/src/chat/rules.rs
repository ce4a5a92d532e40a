//! What models refuse, as rows of data, and a request made one that its model takes.
//!
//! A vendor answers a field that a model does not take with 400, and models of one API differ in that. A row says what the
//! models of a family take from a version on (`table`); `adapt` leaves out or changes what the model of a request would
//! refuse, and reports it. Models that no row fits are taken to accept everything.

mod adapt;
mod converse;
mod known;
mod name;
mod relayed;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use adapt::{adapt, is_refused_at_chat};
pub use converse::{CachePoints, Converse, ForcedCalls, Maker, ToolUse};
pub use known::{Efforts, ModelFacts};
pub use relayed::{
    Repairs, belongs_at_responses, has_proofs_of_others, has_to_be_retold, has_unsigned_calls,
    is_unheard_by_ollama, repairs,
};
pub use table::{Row, rows};
pub(crate) use table::{is_not_googles, is_searched_by_answer};

use crate::Dialect;
use name::Name;

/// What a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Which of `temperature`, `top_p` and `top_k`.
    pub sampling: Sampling,
    /// `presence_penalty` and `frequency_penalty` other than 0.
    pub penalties: bool,
    /// `logprobs`, `top_logprobs` and `logit_bias`.
    pub token_scores: bool,
    /// Stop sequences.
    pub stop: bool,
    /// The field `parallel_tool_calls`.
    pub parallel_tool_calls: bool,
    /// A choice of tools that forces a call.
    pub forced_tools: bool,
    /// A conversation that ends with a turn of the model's, to be gone on with.
    pub prefill: bool,
    /// Turns of the role `system` between the others, where the dialect has them.
    pub system_turns: bool,
    /// `verbosity`.
    pub verbosity: bool,
    /// The limit of tokens under its older name, `max_tokens`.
    pub max_tokens: bool,
    /// What of it can be had at Chat Completions, where the vendor has Responses too.
    pub chat: Chat,
    /// `web_search_options` at Chat Completions.
    pub chat_search: bool,
    /// JSON output, or the vendor's own tools, beside functions.
    pub beside_functions: bool,
    /// How it is told to think.
    pub thinking: Thinking,
    /// How it is told not to think.
    pub off: Off,
    /// It thinks where nothing is said of it.
    pub thinks_unasked: bool,
    /// Levels of effort, from little to much; `None` where they are not known, so that any may be asked for.
    pub efforts: Option<&'static [&'static str]>,
    /// The least budget of tokens to think for.
    pub budget_min: u64,
    /// The limit of tokens where the client names none and the vendor requires one. Models that refuse a prompt which
    /// together with the limit exceeds their window have one below what they could write.
    pub output_tokens_default: u64,
    /// Most tokens that the model writes.
    pub output_tokens_max: u64,
    /// Schemas in JSON Schema, where the vendor has an older form too.
    pub json_schema: bool,
    /// It insists on the signatures of its calls, and takes media inside the results of calls.
    pub signed_calls: bool,
    /// It is OpenAI's, whoever serves it, and takes what only OpenAI's Chat Completions has.
    pub openai: bool,
    /// What of it can be had by Converse.
    pub converse: Converse,
}

/// Which sampling fields a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// All of them.
    All,
    /// `temperature` or `top_p`, not both.
    Either,
    /// None but the default while it thinks.
    Thoughtless,
    /// None but the default.
    Fixed,
}

/// What of a model can be had at Chat Completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chat {
    /// Everything.
    All,
    /// Functions only while it does not think.
    NoFunctionsWhileThinking,
    /// Nothing.
    Nothing,
}

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// It cannot think aloud.
    Never,
    /// With a budget of tokens only.
    Budget,
    /// With a budget, or as much as it sees fit.
    Both,
    /// As much as it sees fit only.
    Adaptive,
    /// With a level.
    Level,
}

/// How a model is told not to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// By leaving the field out.
    Omit,
    /// By this `type`.
    Say(&'static str),
    /// It always thinks.
    Never,
}

/// Levels of effort, from little to much.
const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

impl Rules {
    /// What the model of this id takes at an upstream that speaks this dialect. Ids of clouds and resellers are understood
    /// (`us.anthropic.claude-opus-4-6-v1:0`, `openai/gpt-5.4`, `ft:gpt-4.1:acme::x`).
    pub fn of(dialect: Dialect, id: &str) -> &'static Rules {
        let name = Name::of(id);
        let row = table::rows(dialect).iter().find(|row| row.fits(&name));
        row.map_or(table::other(dialect), |row| row.rules)
    }

    /// The level of effort that is nearest to `wish` and not above it, or the lowest. The wish itself where the levels are
    /// not known; `None` where there are none.
    pub(crate) fn effort<'w>(&self, wish: &'w str) -> Option<&'w str> {
        let Some(levels) = self.efforts else { return Some(wish) };
        nearest(levels, wish)
    }

    /// Is every level of effort refused?
    pub fn has_no_efforts(&self) -> bool {
        self.efforts.is_some_and(<[_]>::is_empty)
    }
}

/// The level that is nearest to `wish` and not above it, or the lowest; `None` where there are none, or the wish is no
/// level.
pub(crate) fn nearest(levels: &'static [&'static str], wish: &str) -> Option<&'static str> {
    let rank = |level: &str| EFFORTS.iter().position(|known| *known == level);
    let wished = rank(wish)?;
    let below = levels.iter().rev().find(|level| rank(level).is_some_and(|rank| rank <= wished));
    // To think a little is nearer to a wish to think than not to think at all.
    let below = below.filter(|level| **level != "none" || wish == "none");
    below.or_else(|| levels.iter().find(|level| **level != "none")).copied()
}
