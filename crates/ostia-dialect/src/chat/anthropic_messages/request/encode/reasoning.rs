//! How much to think, and how many tokens that leaves:
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>, `/adaptive-thinking`, `/effort`.

use super::extra;
use crate::chat::rules::{Off, Rules, Thinking, nearest};
use crate::json::{Document, Json};
use crate::{Reasoning, Request};

/// The vendor's least budget.
const BUDGET_MIN: u64 = 1024;
/// Budgets for models that know no effort.
const BUDGETS: &[(&str, u64)] = &[
    ("minimal", BUDGET_MIN),
    ("low", BUDGET_MIN),
    ("medium", 8192),
    ("high", 16_384),
    ("xhigh", 32_768),
    ("max", 32_768),
];
/// The level of effort that means "do not think".
const NO_EFFORT: &str = "none";
/// The budget of a wish to think that names none.
const BUDGET_DEFAULT: u64 = 8192;

/// What is sent.
#[derive(Debug, PartialEq)]
pub(in crate::chat) struct Plan {
    /// The field `thinking`.
    pub(in crate::chat) thinking: Option<Json>,
    /// `output_config.effort`.
    pub(in crate::chat) effort: Option<&'static str>,
    /// The field `max_tokens`.
    pub(in crate::chat) max_tokens: u64,
    /// The client asked for thoughts and will get them.
    pub(in crate::chat) thinks: bool,
}

impl Plan {
    /// Plans for this model. `allows_budget`: it may think on a budget from where the conversation is. `forced`: it has to
    /// call a tool, which excludes thinking.
    pub(in crate::chat) fn of(
        request: &Request,
        rules: &Rules,
        allows_budget: impl FnOnce() -> bool,
        forced: bool,
        dropped: &mut Vec<String>,
    ) -> Plan {
        let max_tokens = request.sampling.max_tokens.unwrap_or(rules.output_tokens_default);
        let mut plan = Plan { thinking: None, effort: None, max_tokens, thinks: false };
        let (wish, level) = wish(request);
        let by_level = level.is_some() && extra(request, "thinking").is_none();
        let field = if by_level { "reasoning_effort" } else { "thinking" };
        plan.effort = level.and_then(|level| effort(&level, rules, dropped));
        match wish {
            Wish::Think(_) if plan.effort.is_some() && effort_alone(request) => {}
            Wish::Nothing => {}
            Wish::Verbatim(thinking) => plan.thinking = Some(thinking),
            Wish::Off => {
                plan.do_not_think(rules);
                if rules.off == Off::Never {
                    dropped.push(field.into());
                }
            }
            Wish::Think(_) if forced => {
                plan.do_not_think(rules);
                dropped.push(field.into());
            }
            Wish::Think(wish) => {
                let by_budget = match rules.thinking {
                    Thinking::Never | Thinking::Adaptive | Thinking::Level => false,
                    Thinking::Budget => true,
                    Thinking::Both => wish.budget_tokens.is_some(),
                };
                if rules.thinking != Thinking::Never && !by_budget {
                    plan.think_freely(&wish, dropped);
                } else if by_budget && allows_budget() {
                    plan.think_for(&wish, request.sampling.max_tokens, rules, dropped);
                }
                if !plan.thinks {
                    dropped.push(field.into());
                }
            }
        }
        plan
    }

    /// A model that is told not to think takes no more effort than `high`.
    fn do_not_think(&mut self, rules: &Rules) {
        let Off::Say(kind) = rules.off else { return };
        self.thinking = Some(thinking(kind, None, None));
        self.effort = self.effort.map(|level| if matches!(level, "xhigh" | "max") { "high" } else { level });
    }

    /// Thinks as long as the model sees fit.
    fn think_freely(&mut self, wish: &Reasoning, dropped: &mut Vec<String>) {
        if wish.budget_tokens.is_some() {
            dropped.push("thinking.budget_tokens".into());
        }
        self.thinking = Some(thinking("adaptive", None, wish.visible));
        self.thinks = true;
    }

    /// Thinks on a budget, if it fits below `max_tokens`.
    fn think_for(&mut self, wish: &Reasoning, asked: Option<u64>, rules: &Rules, dropped: &mut Vec<String>) {
        let level = wish.effort.as_deref();
        let by_effort = BUDGETS.iter().find(|(name, _)| Some(*name) == level).map(|(_, budget)| *budget);
        let wished = wish.budget_tokens.unwrap_or(by_effort.unwrap_or(BUDGET_DEFAULT));
        if asked.is_none() {
            self.max_tokens = rules.output_tokens_default.saturating_add(wished).min(rules.output_tokens_max);
        }
        if self.max_tokens <= BUDGET_MIN {
            return;
        }
        // A budget that the client named may take all but the last token; one of ours leaves half for the answer.
        let most = if wish.budget_tokens.is_some() { self.max_tokens - 1 } else { self.max_tokens / 2 };
        let budget = wished.min(most).max(BUDGET_MIN);
        if wish.budget_tokens.is_some_and(|named| named != budget) {
            dropped.push("thinking.budget_tokens".into());
        }
        self.thinking = Some(thinking("enabled", Some(budget), wish.visible));
        self.thinks = true;
    }
}

/// What the client asks for.
#[derive(PartialEq)]
enum Wish {
    Nothing,
    Off,
    Think(Reasoning),
    /// A `thinking` of a type that the vendor may know.
    Verbatim(Json),
}

/// The wish, and the effort if one is named. The vendor's own field `thinking` wins over what the hub understood.
fn wish(request: &Request) -> (Wish, Option<String>) {
    let mut wish = request.reasoning.clone().unwrap_or_default();
    let level = wish.effort.clone();
    if let Some(field) = extra(request, "thinking") {
        match own_wish(field, level.clone()) {
            Some(own) => wish = own,
            None => return (Wish::Verbatim(field.clone()), level),
        }
    }
    let off = wish.enabled.map_or(level.as_deref() == Some(NO_EFFORT), |enabled| !enabled);
    let asks = level.is_some() || wish.budget_tokens.is_some() || wish.enabled.is_some() || wish.adaptive;
    match (off, asks) {
        (true, _) => (Wish::Off, level),
        (false, true) => (Wish::Think(wish), level),
        (false, false) => (Wish::Nothing, level),
    }
}

/// Did the client name an effort in the vendor's own words, and say nothing of thoughts? Its decoder leaves a `null` then.
fn effort_alone(request: &Request) -> bool {
    request.extra.iter().any(|(name, value)| name == "thinking" && value.as_str() == "null")
}

/// The vendor's field in the hub's words; `None` where the hub has none for it.
fn own_wish(field: &Json, effort: Option<String>) -> Option<Reasoning> {
    let document = Document::parse(field.as_str().as_bytes()).ok()?;
    let root = document.root();
    let visible = root.str("display").map(|display| display == "summarized");
    let mut wish = Reasoning { effort, visible, enabled: Some(true), ..Reasoning::default() };
    match root.str("type")?.as_ref() {
        "disabled" => wish.enabled = Some(false),
        "adaptive" => wish.adaptive = true,
        "enabled" => wish.budget_tokens = root.u64("budget_tokens"),
        _ => return None,
    }
    Some(wish)
}

/// The model's level for the client's. A level that is unknown or had to be lowered is reported.
fn effort(wished: &str, rules: &Rules, dropped: &mut Vec<String>) -> Option<&'static str> {
    if wished == NO_EFFORT {
        return None;
    }
    let level = nearest(rules.efforts.unwrap_or_default(), wished);
    let known = BUDGETS.iter().any(|(name, _)| *name == wished);
    let lowered = level.is_some_and(|level| level != wished && wished != "minimal");
    if !known || lowered {
        dropped.push("reasoning_effort".into());
    }
    level
}

fn thinking(kind: &str, budget: Option<u64>, visible: Option<bool>) -> Json {
    Json::build(|out| {
        out.object(|out| {
            out.field_str("type", kind);
            budget.into_iter().for_each(|budget| out.field_u64("budget_tokens", budget));
            if let Some(visible) = visible {
                out.field_str("display", if visible { "summarized" } else { "omitted" });
            }
        });
    })
}
