//! How much to think: <https://platform.openai.com/docs/guides/reasoning>. The format has levels of effort and nothing
//! else; thoughts are shown or not as the server likes.

use crate::chat::rules::{Rules, nearest};
use crate::json::Writer;
use crate::{EncodeOptions, Reasoning};

/// The effort of a wish to think that says no more.
const EFFORT_DEFAULT: &str = "medium";

/// The levels that every server knows that has levels.
const COMMON: [&str; 3] = ["low", "medium", "high"];
/// The effort that means "do not think".
const NO_EFFORT: &str = "none";

/// Writes `reasoning_effort`; reports a wish that it cannot say.
///
/// A client that says `none` is taken at its word. One that turns thinking off in another way is not: most models refuse
/// `none`, and those that do not think at all would fail over it.
pub(super) fn write(
    w: &mut Writer,
    reasoning: Option<&Reasoning>,
    rules: &Rules,
    options: &EncodeOptions,
    dropped: &mut Vec<String>,
) {
    let Some(Reasoning { effort, budget_tokens, enabled, adaptive, visible: _ }) = reasoning else { return };
    let levels = rules.efforts.or((!options.takes("efforts")).then_some(&COMMON));
    let is_off = *enabled == Some(false) || *budget_tokens == Some(0);
    match effort.as_deref() {
        Some(NO_EFFORT) if levels.is_some_and(|levels| !levels.contains(&NO_EFFORT)) => {
            dropped.push("reasoning_effort".into());
        }
        Some(wish) if !is_off || wish == NO_EFFORT => {
            let level = level(wish, levels);
            level.iter().for_each(|level| w.field_str("reasoning_effort", level));
            if level != Some(wish) {
                dropped.push("reasoning_effort".into());
            }
            if budget_tokens.is_some_and(|budget| budget > 0) {
                dropped.push("thinking.budget_tokens".into());
            }
        }
        Some(_) => dropped.extend(["thinking".to_owned(), "reasoning_effort".to_owned()]),
        None if is_off => dropped.push("thinking".into()),
        None => {
            let asks = (*enabled == Some(true) && !adaptive).then_some(EFFORT_DEFAULT);
            let wish = budget_tokens.map(Reasoning::effort_of).or(asks);
            wish.and_then(|wish| level(wish, levels))
                .iter()
                .for_each(|level| w.field_str("reasoning_effort", level));
        }
    }
}

/// The level for this wish; any where the levels are not known.
fn level<'w>(wish: &'w str, levels: Option<&'static [&'static str]>) -> Option<&'w str> {
    levels.map_or(Some(wish), |levels| nearest(levels, wish))
}
