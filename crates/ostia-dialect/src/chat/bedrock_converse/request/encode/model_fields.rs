//! `additionalModelRequestFields`: what only some makers' models have, in their makers' words; how much to think above all
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>).

use super::extra;
use super::tools::Toolbox;
use super::turns::Conversation;
use crate::chat::anthropic_messages::request::Plan;
use crate::chat::rules::{Maker, Rules, nearest};
use crate::json::{Document, Json, Writer};
use crate::{Reasoning, Request};

/// The client's own fields for the model, in both spellings.
const OWN: [&str; 2] = ["additionalModelRequestFields", "additional_model_request_fields"];
/// What clients of Anthropic's format say besides, for its models alone: what they think, and which of its betas they use.
const ANTHROPIC: [&str; 3] = ["thinking", "anthropic_beta", "betas"];
/// Is read for its effort and its format; the version is the vendor's own.
const ANTHROPIC_READ: [&str; 3] = ["anthropic_version", "output_config", "output_format"];
/// The level for a wish that names none.
const LEVEL_DEFAULT: &str = "medium";
/// The level at which Nova draws as it likes and as long as it likes.
const LEVEL_ALONE: &str = "high";

/// What is sent of them.
pub(super) struct ModelFields {
    maker: Maker,
    /// Names and values, the client's own first.
    fields: Vec<(String, Json)>,
    /// Thoughts were asked for and will come: drawing is the model's own then.
    pub(super) thinks: bool,
    plan: Option<Plan>,
    level: Option<&'static str>,
}

impl ModelFields {
    /// A model that has to call a tool does not think.
    pub(super) fn of(
        request: &Request,
        rules: &Rules,
        conversation: &Conversation<'_>,
        tools: &Toolbox<'_>,
        dropped: &mut Vec<String>,
    ) -> ModelFields {
        let (maker, fields) = (rules.converse.maker, own(request, dropped));
        let mut all = ModelFields { maker, fields, thinks: false, plan: None, level: None };
        match maker {
            Maker::Anthropic => all.anthropic(request, rules, conversation, tools, dropped),
            Maker::Nova | Maker::Openai | Maker::Cohere | Maker::Other => {
                all.level = level(request, rules, dropped);
            }
        }
        match (maker, all.level) {
            (Maker::Nova, Some(level)) => all.add("reasoningConfig", |w| {
                w.object(|w| {
                    w.field_str("type", "enabled");
                    w.field_str("maxReasoningEffort", level);
                });
            }),
            (Maker::Openai, Some(level)) => all.add("reasoning_effort", |w| w.string(level)),
            (_, _) => {}
        }
        all.top_k(request, dropped);
        all.one_call(request, rules, tools, dropped);
        all
    }

    /// Does the model draw its words by itself, and as many as it likes? Nova refuses to be told while it thinks hard
    /// (<https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>).
    pub(super) fn draws_alone(&self) -> bool {
        self.maker == Maker::Nova && self.level == Some(LEVEL_ALONE)
    }

    /// The limit of tokens, the client's or one that leaves room for thoughts.
    pub(super) fn max_tokens(&self, asked: Option<u64>) -> Option<u64> {
        match &self.plan {
            _ if self.draws_alone() => None,
            Some(plan) if self.thinks => Some(plan.max_tokens),
            Some(_) | None => asked,
        }
    }

    /// `outputConfig.effort`.
    pub(super) fn effort(&self) -> Option<&'static str> {
        self.plan.as_ref().and_then(|plan| plan.effort)
    }

    /// Is this field of the client's said here, or in the output's?
    pub(super) fn is_read(&self, name: &str) -> bool {
        let is_anthropics = ANTHROPIC.contains(&name) || ANTHROPIC_READ.contains(&name);
        OWN.contains(&name) || is_anthropics && self.maker == Maker::Anthropic
    }

    /// Writes the field, if there is anything for it.
    pub(super) fn write(&self, w: &mut Writer) {
        if !self.fields.is_empty() {
            w.field_object("additionalModelRequestFields", |w| {
                self.fields.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
            });
        }
    }

    /// Adds a field, if the client has not said it itself.
    fn add(&mut self, name: &str, write: impl FnOnce(&mut Writer)) {
        if self.fields.iter().all(|(known, _)| known != name) {
            self.fields.push((name.to_owned(), Json::build(write)));
        }
    }

    fn anthropic(
        &mut self,
        request: &Request,
        rules: &Rules,
        conversation: &Conversation<'_>,
        tools: &Toolbox<'_>,
        dropped: &mut Vec<String>,
    ) {
        let plan = Plan::of(request, rules, || conversation.allows_budget(), tools.forced(), dropped);
        self.thinks = plan.thinks;
        if let Some(thinking) = &plan.thinking {
            self.add("thinking", |w| w.raw(thinking.as_str()));
        }
        self.plan = Some(plan);
        let betas = betas(request);
        if !betas.is_empty() {
            self.add("anthropic_beta", |w| w.array(|w| betas.iter().for_each(|beta| w.string(beta))));
        }
    }

    /// One call at a time. Beside a choice that forces a call the field is refused
    /// (<https://github.com/BerriAI/litellm/pull/34347>, <https://github.com/BerriAI/litellm/issues/36536>).
    fn one_call(&mut self, request: &Request, rules: &Rules, tools: &Toolbox<'_>, dropped: &mut Vec<String>) {
        if request.parallel_tool_calls != Some(false) {
            return;
        }
        if !tools.offers() || tools.forced() || !rules.converse.one_call {
            dropped.push("parallel_tool_calls".into());
            return;
        }
        self.add("tool_choice", |w| {
            w.object(|w| {
                w.field_str("type", "auto");
                w.field_bool("disable_parallel_tool_use", true);
            });
        });
    }

    /// The most likely tokens that are considered, which each maker calls otherwise. One of Anthropic's models that thinks
    /// takes it not.
    fn top_k(&mut self, request: &Request, dropped: &mut Vec<String>) {
        let Some(top_k) = &request.sampling.top_k else { return };
        match self.maker {
            Maker::Anthropic if !self.thinks => self.add("top_k", |w| w.raw(top_k.as_str())),
            Maker::Nova if !self.draws_alone() => {
                self.add("inferenceConfig", |w| w.object(|w| w.field_raw("topK", top_k.as_str())));
            }
            Maker::Cohere => self.add("k", |w| w.raw(top_k.as_str())),
            Maker::Anthropic | Maker::Nova | Maker::Openai | Maker::Other => dropped.push("top_k".into()),
        }
    }
}

/// The fields that the client wrote for the model.
fn own(request: &Request, dropped: &mut Vec<String>) -> Vec<(String, Json)> {
    let Some(own) = extra(request, &OWN) else { return Vec::new() };
    let Ok(document) = Document::parse(own.as_str().as_bytes()) else { return Vec::new() };
    if !document.root().is_object() {
        dropped.push(OWN[0].to_owned());
    }
    document.root().fields().map(|(name, value)| (name.into_owned(), Json::of(value))).collect()
}

/// The level of effort for a model that is told one; what cannot be said is reported.
fn level(request: &Request, rules: &Rules, dropped: &mut Vec<String>) -> Option<&'static str> {
    let Reasoning { effort, budget_tokens, enabled, adaptive, visible } = request.reasoning.as_ref()?;
    let is_off = *enabled == Some(false) || effort.as_deref() == Some("none") || *budget_tokens == Some(0);
    let asks = effort.is_some() || budget_tokens.is_some() || *enabled == Some(true) || *adaptive;
    let wished = effort.as_deref().unwrap_or(LEVEL_DEFAULT);
    let level = (asks && !is_off).then(|| nearest(rules.efforts.unwrap_or_default(), wished)).flatten();
    let field = if effort.is_some() { "reasoning_effort" } else { "thinking" };
    let is_other = level.is_some_and(|level| effort.as_deref().is_some_and(|wished| wished != level));
    if asks && !is_off && level.is_none() || is_other {
        dropped.push(field.into());
    } else if level.is_some() && budget_tokens.is_some() {
        dropped.push("thinking.budget_tokens".into());
    }
    if *visible == Some(false) {
        dropped.push("reasoning.visible".into());
    }
    level
}

/// Anthropic's betas, each once.
fn betas(request: &Request) -> Vec<String> {
    let mut betas: Vec<String> = Vec::new();
    for name in ["anthropic_beta", "betas"] {
        let Some(value) = extra(request, &[name]) else { continue };
        let Ok(document) = Document::parse(value.as_str().as_bytes()) else { continue };
        let root = document.root();
        for word in root.as_str().into_iter().chain(root.items().filter_map(|item| item.as_str())) {
            betas.extend(word.split(',').map(|beta| beta.trim().to_owned()));
        }
    }
    let mut seen = std::collections::HashSet::new();
    betas.retain(|beta| !beta.is_empty() && seen.insert(beta.clone()));
    betas
}
