//! The rules for requests that are relayed: what of their fields the model is sure to refuse.

use std::borrow::Cow;

use super::adapt::number;
use super::{Chat, Name, Rules, Sampling, Thinking, nearest, table};
use crate::Dialect;
use crate::chat::{ollama_chat, opaque};
use crate::json::{Document, Json, Node};

/// What has to be done to a request so that its model takes it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Paths of what has to go: fields of the top, or one below such a field (`generationConfig.presencePenalty`).
    pub without: Vec<&'static str>,
    /// The level of effort that the model has in place of the one that it has not.
    pub effort: Option<&'static str>,
    /// The limit of tokens has to be called `max_completion_tokens`.
    pub new_limit: bool,
}

impl Repairs {
    /// Is there nothing to do?
    pub fn is_empty(&self) -> bool {
        *self == Repairs::default()
    }
}

/// What of a relayed request has to be repaired. `document` records at least the fields of the top. Nothing is, where the
/// model's name tells no version, or its vendor's as well: that is how gateways and resellers name models, and they make
/// requests fit by themselves.
pub fn repairs(dialect: Dialect, model: &str, document: &Document<'_>) -> Repairs {
    let rules = Rules::of(dialect, model);
    if std::ptr::eq(rules, table::other(dialect)) || !is_plain(model) {
        return Repairs::default();
    }
    let root = document.root();
    match dialect {
        Dialect::OpenaiChat => of_chat(root, rules),
        Dialect::OpenaiResponses => of_responses(root, rules),
        Dialect::AnthropicMessages => of_messages(root, rules),
        Dialect::GeminiGenerate => of_gemini(root, rules),
        Dialect::CohereChat | Dialect::BedrockConverse | Dialect::OllamaChat | Dialect::ReplicateText => {
            Repairs::default()
        }
    }
}

fn is_plain(model: &str) -> bool {
    !model.contains('/') && Name::of(model).version != (0, 0)
}

/// Fields that are given and not at their default, of those that are refused.
fn refused(root: Node<'_>, fields: &[(bool, &'static str, Option<f64>)]) -> Vec<&'static str> {
    let is_given = |name: &str, default: Option<f64>| {
        root.some(name).is_some_and(|value| default.is_none() || number(&Json::of(value)) != default)
    };
    let refused = fields.iter().filter(|(is_refused, name, default)| *is_refused && is_given(name, *default));
    refused.map(|(_, name, _)| *name).collect()
}

fn of_chat(root: Node<'_>, rules: &Rules) -> Repairs {
    let effort = root.str("reasoning_effort");
    let thinks = thinks(effort.as_deref(), rules);
    let without_thinking = thinks && !takes_functions_while_thinking(root, rules);
    let thinks = thinks && !without_thinking;
    let fixed = is_fixed(rules, thinks);
    let scores = !rules.token_scores && (rules.sampling != Sampling::Thoughtless || thinks);
    let mut without = refused(
        root,
        &[
            (fixed, "temperature", Some(1.0)),
            (fixed, "top_p", Some(1.0)),
            (!rules.penalties, "presence_penalty", Some(0.0)),
            (!rules.penalties, "frequency_penalty", Some(0.0)),
            (scores, "logprobs", None),
            (scores, "top_logprobs", None),
            (scores, "logit_bias", None),
            (!rules.stop, "stop", None),
            (!rules.parallel_tool_calls, "parallel_tool_calls", None),
            (!rules.chat_search, "web_search_options", None),
            (rules.has_no_efforts(), "reasoning_effort", None),
        ],
    );
    let verbosity = root.str("verbosity");
    without.extend(verbosity.filter(|level| is_refused_verbosity(level, rules)).map(|_| "verbosity"));
    let effort = match without_thinking {
        true => Some("none"),
        false => effort.as_deref().and_then(|effort| other_effort(effort, rules)),
    };
    Repairs { without, effort, new_limit: !rules.max_tokens && root.some("max_tokens").is_some() }
}

/// Models that cannot be told how much to say take the default
/// ("Supported values are: 'medium'": google-deepmind/concordia#164).
fn is_refused_verbosity(level: &str, rules: &Rules) -> bool {
    !rules.verbosity && level != "medium"
}

/// The level nearest to one that the model has not.
fn other_effort(effort: &str, rules: &Rules) -> Option<&'static str> {
    let levels = rules.efforts.filter(|levels| !levels.contains(&effort))?;
    nearest(levels, effort)
}

fn of_responses(root: Node<'_>, rules: &Rules) -> Repairs {
    let effort = word_in(root, "reasoning", "effort");
    let thinks = thinks(effort.as_deref(), rules);
    let fixed = is_fixed(rules, thinks);
    let mut without = refused(
        root,
        &[
            (fixed, "temperature", Some(1.0)),
            (fixed, "top_p", Some(1.0)),
            (!rules.parallel_tool_calls, "parallel_tool_calls", None),
            (rules.has_no_efforts(), "reasoning", None),
        ],
    );
    if !rules.verbosity {
        let verbosity = word_in(root, "text", "verbosity");
        without
            .extend(verbosity.filter(|level| is_refused_verbosity(level, rules)).map(|_| "text.verbosity"));
    }
    let effort = effort.as_deref().and_then(|effort| other_effort(effort, rules));
    Repairs { without, effort, new_limit: false }
}

fn of_messages(root: Node<'_>, rules: &Rules) -> Repairs {
    let fixed = rules.sampling == Sampling::Fixed;
    let either = rules.sampling == Sampling::Either && root.some("temperature").is_some();
    let fields =
        [(fixed, "temperature", Some(1.0)), (fixed || either, "top_p", Some(1.0)), (fixed, "top_k", None)];
    Repairs { without: refused(root, &fields), ..Repairs::default() }
}

fn of_gemini(root: Node<'_>, rules: &Rules) -> Repairs {
    const CONFIG: &str = "generationConfig";
    let Some(config) = root.some(CONFIG).filter(|_| !rules.penalties) else { return Repairs::default() };
    let Ok(document) = Document::parse_to(config.text().as_bytes(), 1) else { return Repairs::default() };
    let given = |name: &str| {
        let value = document.root().some(name);
        value.is_some_and(|value| number(&Json::of(value)) != Some(0.0))
    };
    let paths = [
        ("presencePenalty", "generationConfig.presencePenalty"),
        ("frequencyPenalty", "generationConfig.frequencyPenalty"),
    ];
    let without = paths.iter().filter(|(name, _)| given(name)).map(|(_, path)| *path).collect();
    Repairs { without, ..Repairs::default() }
}

fn is_fixed(rules: &Rules, thinks: bool) -> bool {
    rules.sampling == Sampling::Fixed || rules.sampling == Sampling::Thoughtless && thinks
}

/// Is this Chat Completions request one that OpenAI answers at Responses only?
pub fn belongs_at_responses(model: &str, document: &Document<'_>) -> bool {
    if model.contains('/') {
        return false;
    }
    let rules = Rules::of(Dialect::OpenaiChat, model);
    match rules.chat {
        Chat::All => false,
        Chat::Nothing => true,
        Chat::NoFunctionsWhileThinking => {
            let root = document.root();
            thinks(root.str("reasoning_effort").as_deref(), rules)
                && !takes_functions_while_thinking(root, rules)
        }
    }
}

fn thinks(effort: Option<&str>, rules: &Rules) -> bool {
    effort.map_or(rules.thinks_unasked, |effort| effort != "none")
}

/// Such models refuse functions at Chat Completions while they think ("Function tools with reasoning_effort are not supported":
/// openai/openai-openapi#541); where the provider has nothing else they are asked not to think.
fn takes_functions_while_thinking(root: Node<'_>, rules: &Rules) -> bool {
    let has_tools = || root.some("tools").is_some_and(|tools| tools.text().len() > "[]".len());
    rules.chat != Chat::NoFunctionsWhileThinking || !has_tools()
}

/// Does the history hold proofs of another vendor's thoughts, which the gateway once gave the client as opaque values, or thoughts
/// without a proof? The client's own vendor refuses both ("Invalid `signature` in `thinking` block", "the encrypted content
/// could not be verified", "Corrupted thought signature"), so that a session which was elsewhere once could not come back;
/// decoded and written anew the request is without them.
pub fn has_proofs_of_others(dialect: Dialect, document: &Document<'_>) -> bool {
    let history = match dialect {
        Dialect::AnthropicMessages => "messages",
        Dialect::OpenaiResponses => "input",
        Dialect::GeminiGenerate => "contents",
        Dialect::OpenaiChat
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => {
            return false;
        }
    };
    let Some(history) = document.root().some(history) else { return false };
    let unproven = |empty: &str| memchr::memmem::find(history.text().as_bytes(), empty.as_bytes()).is_some();
    let is_messages = dialect == Dialect::AnthropicMessages;
    opaque::is_in(history.text())
        || is_messages && [r#""signature":"""#, r#""signature": """#].into_iter().any(unproven)
}

/// Does this generateContent request show calls without any signature to a model that insists on them ("Function call is
/// missing a thought_signature")? Clients that keep no signatures send it so; written anew each call has Google's stand-in.
pub fn has_unsigned_calls(model: &str, document: &Document<'_>) -> bool {
    if !Rules::of(Dialect::GeminiGenerate, model).signed_calls {
        return false;
    }
    let Some(contents) = document.root().some("contents") else { return false };
    let is_in = |name: &str| memchr::memmem::find(contents.text().as_bytes(), name.as_bytes()).is_some();
    let either = |names: [&str; 2]| names.into_iter().any(is_in);
    either([r#""functionCall""#, r#""function_call""#])
        && !either([r#""thoughtSignature""#, r#""thought_signature""#])
}

/// Is this Messages request one that its model is sure to refuse, and takes once it is decoded and written anew? It has turns
/// of the role `system`, which Anthropic's newest models take and other vendors' servers do not (anthropics/claude-code#77698,
/// QwenLM/Qwen#2244), or it tells one of Anthropic's models to think as others are told
/// (`"thinking.type.enabled" is not supported for this model`: Sylinko/Everywhere#410; `adaptive thinking is not supported on
/// this model`: pensarai/apex#890). Claude Code asks so for models whose names it does not know.
pub fn has_to_be_retold(model: &str, document: &Document<'_>) -> bool {
    let rules = Rules::of(Dialect::AnthropicMessages, model);
    let root = document.root();
    if !rules.system_turns && has_system_turns(root) {
        return true;
    }
    if std::ptr::eq(rules, table::other(Dialect::AnthropicMessages)) || Name::of(model).version == (0, 0) {
        return false;
    }
    let thinking = word_in(root, "thinking", "type").is_some_and(|kind| match kind.as_str() {
        "enabled" => matches!(rules.thinking, Thinking::Adaptive | Thinking::Never),
        "adaptive" => matches!(rules.thinking, Thinking::Budget | Thinking::Never),
        _ => false,
    });
    let effort = || word_in(root, "output_config", "effort");
    let refused = |effort: String| rules.efforts.is_some_and(|levels| !levels.contains(&effort.as_str()));
    thinking || effort().is_some_and(refused)
}

/// Is this a field that Ollama reads in its own API alone, and passes over without a word in this one, which it copies?
/// (openai/openai.go, anthropic/anthropic.go in ollama/ollama)
pub fn is_unheard_by_ollama(dialect: Dialect, field: &str) -> bool {
    ollama_chat::request::is_own_field(field) || dialect == Dialect::OpenaiChat && field == "top_k"
}

/// A text in an object at the top.
fn word_in(root: Node<'_>, object: &str, name: &str) -> Option<String> {
    let object = root.some(object)?;
    let document = Document::parse_to(object.text().as_bytes(), 1).ok()?;
    document.root().str(name).map(Cow::into_owned)
}

/// Quotes inside texts are escaped, so nearly all conversations without such turns are told by one search.
fn has_system_turns(root: Node<'_>) -> bool {
    let Some(messages) = root.some("messages").map(|messages| messages.text().as_bytes()) else {
        return false;
    };
    if memchr::memmem::find(messages, b"\"system\"").is_none() {
        return false;
    }
    let Ok(messages) = Document::parse_to(messages, 2) else { return false };
    messages.root().items().any(|message| message.str("role").as_deref() == Some("system"))
}
