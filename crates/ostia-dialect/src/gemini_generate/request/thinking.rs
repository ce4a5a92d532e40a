//! How much to think (<https://ai.google.dev/gemini-api/docs/thinking>).

use crate::Reasoning;
use crate::gemini_generate::request::model::{Generation, LEVELS, Model, THINKING};
use crate::json::Json;

/// The least that a large model of generation 2.5 can be told to think, in tokens.
const PRO_BUDGET_MIN: u64 = 128;

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
pub(super) fn plan(reasoning: &Reasoning, model: Model) -> (Option<Json>, bool) {
    let off = reasoning.enabled == Some(false) || reasoning.effort.as_deref() == Some("none");
    if model.before(THINKING) {
        return (None, off);
    }
    let (amount, whole) = match (off, reasoning) {
        (true, _) => least(model),
        (_, Reasoning { budget_tokens: Some(budget), .. }) => (Some(Amount::Budget(*budget)), true),
        (_, Reasoning { effort: Some(effort), .. }) => {
            let amount = effort_amount(effort, model);
            let known = amount.is_some();
            (amount, known)
        }
        (_, Reasoning { adaptive: true, .. }) if !model.since(LEVELS) => (Some(Amount::Dynamic), true),
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
fn least(model: Model) -> (Option<Amount>, bool) {
    let amount = match (model.since(LEVELS), model.pro) {
        (true, true) => Amount::Level("LOW"),
        (true, false) => Amount::Level("MINIMAL"),
        (false, true) => Amount::Budget(PRO_BUDGET_MIN),
        (false, false) => Amount::Budget(0),
    };
    let nothing = matches!(amount, Amount::Budget(0));
    (Some(amount), nothing)
}

/// An effort in the vendor's own equivalents (<https://ai.google.dev/gemini-api/docs/openai#thinking>). The large
/// models of generation 3 have no `MINIMAL`, and the first of them no `MEDIUM`.
fn effort_amount(effort: &str, model: Model) -> Option<Amount> {
    if !model.since(LEVELS) {
        return Some(Amount::Budget(match effort {
            "minimal" | "low" => 1024,
            "medium" => 8192,
            "high" | "xhigh" | "max" => 24576,
            _ => return None,
        }));
    }
    let first = model.generation == Some(Generation(3, 0));
    Some(Amount::Level(match effort {
        "minimal" if !model.pro => "MINIMAL",
        "minimal" | "low" => "LOW",
        "medium" if !(model.pro && first) => "MEDIUM",
        "medium" | "high" | "xhigh" | "max" => "HIGH",
        _ => return None,
    }))
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
