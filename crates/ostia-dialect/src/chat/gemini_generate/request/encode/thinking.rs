//! How much to think (<https://ai.google.dev/gemini-api/docs/thinking>).

use crate::Reasoning;
use crate::chat::rules::{Rules, Thinking};
use crate::json::Json;

/// The vendor's words for levels of effort.
const LEVELS: [(&str, &str); 4] =
    [("minimal", "MINIMAL"), ("low", "LOW"), ("medium", "MEDIUM"), ("high", "HIGH")];

/// How much, in the words of one generation.
enum Amount {
    /// Generation 3: `thinkingLevel`
    Level(&'static str),
    /// Generation 2.5: `thinkingBudget`, in tokens.
    Budget(u64),
    /// A budget of -1: as much as the model sees fit.
    Dynamic,
}

/// The `thinkingConfig` for this wish, and whether it says all of it.
pub(super) fn plan(reasoning: &Reasoning, rules: &Rules) -> (Option<Json>, bool) {
    let off = reasoning.enabled == Some(false) || reasoning.effort.as_deref() == Some("none");
    if rules.thinking == Thinking::Never {
        return (None, off);
    }
    let (amount, whole) = match (off, reasoning) {
        (true, _) => least(rules),
        (_, Reasoning { budget_tokens: Some(budget), .. }) => (Some(Amount::Budget(*budget)), true),
        (_, Reasoning { effort: Some(effort), .. }) => {
            let amount = effort_amount(effort, rules);
            let known = amount.is_some();
            (amount, known)
        }
        (_, Reasoning { adaptive: true, .. }) if rules.thinking != Thinking::Level => {
            (Some(Amount::Dynamic), true)
        }
        // The model decides by itself where nothing is said.
        _ => (None, true),
    };
    let shown = !off && reasoning.visible != Some(false);
    if amount.is_none() && !shown {
        return (None, whole);
    }
    (Some(write(amount, shown)), whole)
}

/// No thinking, or the least there is.
fn least(rules: &Rules) -> (Option<Amount>, bool) {
    match rules.efforts.and_then(|levels| levels.first()) {
        Some(least) => (level(least), false),
        None => (Some(Amount::Budget(rules.budget_min)), rules.budget_min == 0),
    }
}

/// An effort in the vendor's own equivalents (<https://ai.google.dev/gemini-api/docs/openai#thinking>). Of models without a
/// level between, `medium` asks for the most.
fn effort_amount(effort: &str, rules: &Rules) -> Option<Amount> {
    if rules.thinking != Thinking::Level {
        return Some(Amount::Budget(match effort {
            "minimal" | "low" => 1024,
            "medium" => 8192,
            "high" | "xhigh" | "max" => 24576,
            _ => return None,
        }));
    }
    let has_medium = rules.efforts.is_some_and(|levels| levels.contains(&"medium"));
    level(rules.effort(if effort == "medium" && !has_medium { "high" } else { effort })?)
}

fn level(effort: &str) -> Option<Amount> {
    LEVELS.iter().find(|(known, _)| *known == effort).map(|(_, word)| Amount::Level(word))
}

fn write(amount: Option<Amount>, shown: bool) -> Json {
    Json::build(|writer| {
        writer.object(|writer| {
            match amount {
                Some(Amount::Level(level)) => writer.field_str("thinkingLevel", level),
                Some(Amount::Budget(budget)) => writer.field_u64("thinkingBudget", budget),
                Some(Amount::Dynamic) => writer.field_raw("thinkingBudget", "-1"),
                None => {}
            }
            if shown {
                writer.field_bool("includeThoughts", true);
            }
        });
    })
}
