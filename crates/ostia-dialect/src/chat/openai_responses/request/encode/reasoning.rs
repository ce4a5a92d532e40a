//! How much to think, and what to tell of it: <https://platform.openai.com/docs/guides/reasoning>.
//!
//! The vendor knows levels of effort and no budgets: a budget is said as the level that comes nearest.

use super::extra;
use crate::chat::rules::Rules;
use crate::json::{Json, Writer};
use crate::{Reasoning, Request};

/// Budgets in tokens below which these levels are meant; a larger one is [`MOST`].
const LEVELS: &[(u64, &str)] = &[(4096, "low"), (12_288, "medium")];
/// The level for every larger budget.
const MOST: &str = "high";
/// Fields of the vendor's own, which come before what the hub says.
const OWN: [&str; 4] = ["context", "generate_summary", "mode", "summary"];

/// The field `reasoning`, where there is anything to say.
pub(super) fn write(w: &mut Writer, request: &Request, rules: &Rules, dropped: &mut Vec<String>) {
    let own = OWN.map(|name| (name, extra(request, &format!("reasoning.{name}"))));
    let own: Vec<(&str, &Json)> = own.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let no_wish = Reasoning::default();
    let wish = request.reasoning.as_ref().unwrap_or(&no_wish);
    let effort = effort(wish, rules, dropped);
    let tells = own.iter().any(|(name, _)| name.ends_with("summary"));
    let summary = (wish.visible == Some(true) && !tells).then_some("auto");
    if effort.is_none() && summary.is_none() && own.is_empty() {
        return;
    }
    w.field_object("reasoning", |w| {
        effort.iter().for_each(|effort| w.field_str("effort", effort));
        summary.iter().for_each(|summary| w.field_str("summary", summary));
        own.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
}

/// The level of effort. How much to think is the model's to decide where nothing is said of it.
fn effort<'w>(wish: &'w Reasoning, rules: &Rules, dropped: &mut Vec<String>) -> Option<&'w str> {
    // A model whose levels are known has been given its least by now.
    if wish.enabled == Some(false) {
        dropped.push("reasoning.enabled".into());
        return None;
    }
    if let Some(wished) = &wish.effort {
        if wish.budget_tokens.is_some() {
            dropped.push("thinking.budget_tokens".into());
        }
        let level = rules.effort(wished);
        if level != Some(wished) {
            dropped.push("reasoning_effort".into());
        }
        return level;
    }
    let budget = wish.budget_tokens?;
    let level = LEVELS.iter().find(|(below, _)| budget < *below).map_or(MOST, |(_, level)| level);
    rules.effort(level)
}
