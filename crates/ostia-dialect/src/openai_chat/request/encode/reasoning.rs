//! How much to think: <https://platform.openai.com/docs/guides/reasoning>. The format has levels of effort and nothing
//! else; thoughts are shown or not as the server likes.

use crate::Reasoning;
use crate::json::Writer;

/// Largest budgets, in tokens, that an effort stands for: the same steps in which the halves that have budgets read the
/// efforts. More than the last is `high`.
const EFFORTS: [(u64, &str); 2] = [(1024, "low"), (8192, "medium")];
/// The effort of a larger budget.
const EFFORT_MAX: &str = "high";
/// The effort of a wish to think that says no more.
const EFFORT_DEFAULT: &str = "medium";

/// Writes `reasoning_effort`; reports a wish that it cannot say.
///
/// A client that says `none` is taken at its word. One that turns thinking off in another way is not: most models refuse
/// `none`, and those that do not think at all would fail over it.
pub(super) fn write(w: &mut Writer, reasoning: Option<&Reasoning>, dropped: &mut Vec<String>) {
    let Some(Reasoning { effort, budget_tokens, enabled, adaptive, visible: _ }) = reasoning else { return };
    if let Some(effort) = effort {
        w.field_str("reasoning_effort", effort);
        if budget_tokens.is_some() {
            dropped.push("thinking.budget_tokens".into());
        }
    } else if *enabled == Some(false) || *budget_tokens == Some(0) {
        dropped.push("thinking".into());
    } else if let Some(budget) = budget_tokens {
        w.field_str("reasoning_effort", effort_of(*budget));
    } else if *enabled == Some(true) && !adaptive {
        w.field_str("reasoning_effort", EFFORT_DEFAULT);
    }
}

fn effort_of(budget_tokens: u64) -> &'static str {
    EFFORTS.iter().find(|(most, _)| budget_tokens <= *most).map_or(EFFORT_MAX, |(_, effort)| effort)
}
