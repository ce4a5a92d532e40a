//! The rules for requests that are relayed, as far as their fields tell.

use super::settle::number;
use super::{Chat, Rules, Sampling, table};
use crate::Dialect;
use crate::json::{Document, Json, Node};

/// The fields of a relayed request that its model is sure to refuse, by their paths at the vendor. `document` records at
/// least the fields of the top.
pub fn refused(dialect: Dialect, model: &str, document: &Document<'_>) -> Vec<&'static str> {
    let rules = Rules::of(dialect, model);
    let mut paths = Vec::new();
    if std::ptr::eq(rules, table::other(dialect)) {
        return paths;
    }
    let root = document.root();
    if dialect == Dialect::GeminiGenerate {
        return paths;
    }
    let thinks = thinks(dialect, root, rules);
    let fixed = rules.sampling == Sampling::Fixed || rules.sampling == Sampling::Thoughtless && thinks;
    let mut refuse = |is_refused: bool, name: &'static str, default: Option<f64>| {
        let value = root.some(name).filter(|_| is_refused);
        if value.is_some_and(|value| default.is_none() || number(&Json::of(value)) != default) {
            paths.push(name);
        }
    };
    refuse(fixed, "temperature", Some(1.0));
    refuse(fixed, "top_p", Some(1.0));
    if dialect == Dialect::AnthropicMessages {
        refuse(fixed, "top_k", None);
        let either = rules.sampling == Sampling::Either && root.some("temperature").is_some();
        refuse(either, "top_p", None);
        return paths;
    }
    refuse(!rules.penalties, "presence_penalty", Some(0.0));
    refuse(!rules.penalties, "frequency_penalty", Some(0.0));
    let scores = !rules.token_scores && (rules.sampling != Sampling::Thoughtless || thinks);
    refuse(scores, "logprobs", None);
    refuse(scores, "top_logprobs", None);
    refuse(scores, "logit_bias", None);
    refuse(!rules.stop, "stop", None);
    refuse(!rules.parallel_tool_calls, "parallel_tool_calls", None);
    refuse(rules.has_no_efforts() && dialect == Dialect::OpenaiChat, "reasoning_effort", None);
    paths
}

/// Is this Chat Completions request one that OpenAI answers at Responses only?
pub fn belongs_at_responses(model: &str, document: &Document<'_>) -> bool {
    let rules = Rules::of(Dialect::OpenaiChat, model);
    match rules.chat {
        Chat::All => false,
        Chat::Nothing => true,
        Chat::NoFunctionsWhileThinking => {
            let root = document.root();
            let tools = root.some("tools").is_some_and(|tools| tools.text().len() > "[]".len());
            tools && thinks(Dialect::OpenaiChat, root, rules)
        }
    }
}

fn thinks(dialect: Dialect, root: Node<'_>, rules: &Rules) -> bool {
    let effort = match dialect {
        Dialect::OpenaiResponses => {
            let reasoning = root.some("reasoning").map(|node| node.text().to_owned()).unwrap_or_default();
            Document::parse(reasoning.as_bytes())
                .ok()
                .and_then(|document| document.root().str("effort").map(|effort| effort.into_owned()))
        }
        _ => root.str("reasoning_effort").map(|effort| effort.into_owned()),
    };
    match effort.as_deref() {
        Some(effort) => effort != "none",
        None => rules.thinks_unasked,
    }
}
