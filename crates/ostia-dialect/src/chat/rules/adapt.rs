//! A request made one that its model takes.

use super::{Chat, Rules, Sampling, table};
use crate::chat::tools::client_run::is_client_run;
use crate::json::Json;
use crate::{Dialect, Reasoning, Request, Tool};

/// Top-level fields of clients for how much is to be said.
const VERBOSITY: [&str; 2] = ["verbosity", "text.verbosity"];
/// The level of verbosity that is the default, which every model takes.
const VERBOSITY_DEFAULT: &str = "\"medium\"";

/// Leaves out or changes what the model would refuse; gives the paths of what is lost.
pub(crate) fn adapt(request: &mut Request, upstream: Dialect) -> Vec<String> {
    let mut dropped = Vec::new();
    let rules = &Rules::for_request(upstream, request);
    if rules == table::other(upstream) {
        return dropped;
    }
    let lost = &mut dropped;
    if upstream == Dialect::OpenaiChat && is_refused_at_chat(request, rules) {
        stop_thinking(request, rules, lost);
    }
    effort(request, upstream, rules, lost);
    sampling(request, rules, lost);
    if !rules.verbosity {
        verbosity(request, lost);
    }
    if upstream == Dialect::OpenaiChat && !rules.chat_search && request.web_search.take().is_some() {
        lost.push("web_search_options".to_owned());
    }
    if !rules.beside_functions && request.tools.iter().any(is_function) {
        leave_out_tools(request, lost);
        beside_functions(request, lost);
    }
    dropped
}

/// A model that does not think is not asked to. In OpenAI's formats others are told not to think by the least effort that they have;
/// elsewhere there is a word for it.
fn effort(request: &mut Request, upstream: Dialect, rules: &Rules, dropped: &mut Vec<String>) {
    let is_openai = matches!(upstream, Dialect::OpenaiChat | Dialect::OpenaiResponses);
    if !is_openai && !matches!(upstream, Dialect::CohereChat | Dialect::OllamaChat) {
        return;
    }
    let Some(wish) = &mut request.reasoning else { return };
    if rules.has_no_efforts() {
        if !is_off(wish) {
            dropped.push(if wish.effort.is_some() { "reasoning_effort" } else { "thinking" }.to_owned());
        }
        request.reasoning = None;
    } else if let (true, true, Some(levels)) = (is_openai, is_off(wish), rules.efforts) {
        let least = levels.first().map(|level| (*level).to_owned());
        let visible = wish.visible;
        *wish = Reasoning { effort: least, visible, ..Reasoning::default() };
    }
}

fn is_off(wish: &Reasoning) -> bool {
    wish.enabled == Some(false) || wish.effort.as_deref() == Some("none") || wish.budget_tokens == Some(0)
}

/// Functions are worth more than thoughts, where a model takes one of them only. One that cannot stop thinking is asked as
/// it is: the vendor's refusal says where it can be had.
fn stop_thinking(request: &mut Request, rules: &Rules, dropped: &mut Vec<String>) {
    if rules.efforts.is_none_or(|levels| !levels.contains(&"none")) {
        return;
    }
    if let Some(wish) = &request.reasoning {
        dropped.push(if wish.effort.is_some() { "reasoning_effort" } else { "thinking" }.to_owned());
    }
    request.reasoning = Some(Reasoning { effort: Some("none".to_owned()), ..Reasoning::default() });
}

/// Does the model think, as far as the request tells?
pub(super) fn thinks(wish: Option<&Reasoning>, rules: &Rules) -> bool {
    let asks = |wish: &Reasoning| {
        wish.effort.is_some() || wish.budget_tokens.is_some() || wish.enabled.is_some() || wish.adaptive
    };
    match wish.filter(|wish| asks(wish)) {
        Some(wish) => !is_off(wish),
        None => rules.thinks_unasked && !rules.has_no_efforts(),
    }
}

/// Does OpenAI answer this request of a model of its own at Responses only?
pub(crate) fn is_refused_at_chat(request: &Request, rules: &Rules) -> bool {
    match rules.chat {
        // Gateways and resellers name the vendor too, and find the way by themselves.
        _ if request.model.contains('/') => false,
        Chat::All => false,
        Chat::Nothing => true,
        Chat::NoFunctionsWhileThinking => {
            request.tools.iter().any(is_function) && thinks(request.reasoning.as_ref(), rules)
        }
    }
}

/// Fields by which tokens are drawn.
fn sampling(request: &mut Request, rules: &Rules, dropped: &mut Vec<String>) {
    let thinks = thinks(request.reasoning.as_ref(), rules);
    let sampling = &mut request.sampling;
    let mut lose = |field: &mut Option<Json>, name: &str, default: Option<f64>| {
        let Some(value) = field.take() else { return };
        if default.is_none() || number(&value) != default {
            dropped.push(name.to_owned());
        }
    };
    let is_zero = |field: &Option<Json>| field.as_ref().and_then(number) == Some(0.0);
    let fixed = match rules.sampling {
        Sampling::All => false,
        Sampling::Either => {
            if sampling.temperature.is_some() {
                lose(&mut sampling.top_p, "top_p", Some(1.0));
            }
            false
        }
        Sampling::Thoughtless => thinks,
        Sampling::Fixed => true,
    };
    if fixed {
        lose(&mut sampling.temperature, "temperature", Some(1.0));
        lose(&mut sampling.top_p, "top_p", Some(1.0));
        lose(&mut sampling.top_k, "top_k", None);
    }
    if !rules.penalties {
        for (field, name) in [
            (&mut sampling.presence_penalty, "presence_penalty"),
            (&mut sampling.frequency_penalty, "frequency_penalty"),
        ] {
            if !is_zero(field) {
                lose(field, name, None);
            }
        }
    }
    if !rules.token_scores && (rules.sampling != Sampling::Thoughtless || thinks) {
        lose(&mut sampling.logit_bias, "logit_bias", None);
        if let Some(logprobs) = sampling.logprobs.take() {
            dropped.push("logprobs".to_owned());
            dropped.extend(logprobs.top.map(|_| "top_logprobs".to_owned()));
        }
    }
    if !rules.stop && !sampling.stop.is_empty() {
        sampling.stop.clear();
        dropped.push("stop".to_owned());
    }
    if !rules.parallel_tool_calls && request.parallel_tool_calls.take() == Some(false) {
        dropped.push("parallel_tool_calls".to_owned());
    }
}

pub(super) fn number(value: &Json) -> Option<f64> {
    value.as_str().parse().ok()
}

fn verbosity(request: &mut Request, dropped: &mut Vec<String>) {
    request.extra.retain(|(name, value)| {
        let refused = VERBOSITY.contains(&name.as_str()) && value.as_str() != "null";
        if refused && value.as_str() != VERBOSITY_DEFAULT {
            dropped.push(name.clone());
        }
        !refused
    });
}

fn is_function(tool: &Tool) -> bool {
    matches!(tool, Tool::Function { .. } | Tool::Custom { .. }) || is_client_run(tool)
}

/// Leaves out the tools that the vendor runs.
fn leave_out_tools(request: &mut Request, dropped: &mut Vec<String>) {
    if request.tools.iter().all(is_function) {
        return;
    }
    for (tool, place) in request.take_tools() {
        match is_function(&tool) {
            true => request.put_tool(tool, place),
            false => dropped.push(place),
        }
    }
}

/// The functions stay; the search and the form of the output go.
fn beside_functions(request: &mut Request, dropped: &mut Vec<String>) {
    if request.web_search.take().is_some() {
        dropped.push("web_search_options".to_owned());
    }
    if request.output_format.take().is_some_and(|format| format != crate::OutputFormat::Text) {
        dropped.push("response_format".to_owned());
    }
}
