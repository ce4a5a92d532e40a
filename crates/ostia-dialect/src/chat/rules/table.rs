//! The rows. The first one that fits a model counts, so a family's newest and most special models stand first.

use super::converse::{ANY_CONVERSE, CONVERSE, Converse};
use super::{Chat, Name, Off, Rules, Sampling, Thinking};
use crate::Dialect;

/// What the models of a family take.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Words that the model's name has to have, all of them.
    pub models: &'static [&'static str],
    /// From this version on: major and minor number.
    pub from: (u32, u32),
    /// And below this one.
    pub below: (u32, u32),
    /// What they take.
    pub rules: &'static Rules,
    /// Where it can be read.
    pub source: &'static str,
}

impl Row {
    pub(super) fn fits(&self, name: &Name<'_>) -> bool {
        name.version >= self.from
            && name.version < self.below
            && self.models.iter().all(|word| name.has(word))
    }
}

/// The rows for models at upstreams that speak this dialect.
pub fn rows(dialect: Dialect) -> &'static [Row] {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => OPENAI,
        Dialect::AnthropicMessages => CLAUDE,
        Dialect::GeminiGenerate => GEMINI,
        Dialect::CohereChat | Dialect::OllamaChat | Dialect::ReplicateText => &[],
        Dialect::BedrockConverse => &CONVERSE,
    }
}

/// The rules for a model that no row fits.
pub(super) fn other(dialect: Dialect) -> &'static Rules {
    match dialect {
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::CohereChat
        | Dialect::OllamaChat
        | Dialect::ReplicateText => &ANY,
        Dialect::AnthropicMessages => &ANY_CLAUDE,
        Dialect::GeminiGenerate => &ANY_GEMINI,
        Dialect::BedrockConverse => &ANY_CONVERSE,
    }
}

pub(super) const LAST: (u32, u32) = (u32::MAX, u32::MAX);

pub(super) const fn row(
    models: &'static [&'static str],
    from: (u32, u32),
    rules: &'static Rules,
    source: &'static str,
) -> Row {
    Row { models, from, below: LAST, rules, source }
}

/// A model of which nothing is known.
pub(super) const ANY: Rules = Rules {
    sampling: Sampling::All,
    penalties: true,
    token_scores: true,
    stop: true,
    parallel_tool_calls: true,
    forced_tools: true,
    prefill: true,
    system_turns: true,
    verbosity: true,
    max_tokens: true,
    chat: Chat::All,
    chat_search: true,
    beside_functions: true,
    thinking: Thinking::Budget,
    off: Off::Omit,
    thinks_unasked: true,
    efforts: None,
    budget_min: 0,
    output_tokens_default: 32_000,
    output_tokens_max: 64_000,
    json_schema: true,
    signed_calls: false,
    openai: false,
    converse: Converse::ALL,
};

// ---- OpenAI, and vendors whose models are served in its formats ------------------------------------------------------

const MODELS: &str = "https://platform.openai.com/docs/models";
const REASONING: &str = "https://platform.openai.com/docs/guides/reasoning";
const LATEST: &str = "https://platform.openai.com/docs/guides/latest-model";
const SEARCH: &str = "https://platform.openai.com/docs/guides/tools-web-search?api-mode=chat; vercel/ai#5647";
const EFFORT_TABLE: &str = "enricoros/big-AGI#944, #1159 (each level tried at each model)";

/// gpt-3.5, gpt-4, gpt-4.1, gpt-4o: they do not think.
const GPT_4: Rules = Rules {
    efforts: Some(&[]),
    verbosity: false,
    chat_search: false,
    thinks_unasked: false,
    openai: true,
    ..ANY
};
/// Models that search the web by themselves at Chat Completions.
const SEARCHER: Rules = Rules { sampling: Sampling::Fixed, penalties: false, chat_search: true, ..GPT_4 };
/// Models that think: the parameters of drawing tokens are theirs.
const THINKER: Rules = Rules {
    sampling: Sampling::Fixed,
    penalties: false,
    token_scores: false,
    stop: false,
    max_tokens: false,
    chat_search: false,
    efforts: Some(&["low", "medium", "high"]),
    openai: true,
    ..ANY
};
const O: Rules = Rules { parallel_tool_calls: false, verbosity: false, ..THINKER };
const O_PRO: Rules = Rules { chat: Chat::Nothing, ..O };
const CHAT_LATEST: Rules = Rules { efforts: Some(&["medium"]), ..THINKER };
const GPT_5: Rules = Rules { efforts: Some(&["minimal", "low", "medium", "high"]), ..THINKER };
const GPT_5_PRO: Rules = Rules { efforts: Some(&["high"]), chat: Chat::Nothing, ..THINKER };
const GPT_5_CODEX: Rules = Rules { chat: Chat::Nothing, ..THINKER };
const GPT_5_1: Rules = Rules {
    sampling: Sampling::Thoughtless,
    thinks_unasked: false,
    efforts: Some(&["none", "low", "medium", "high"]),
    ..THINKER
};
const GPT_5_2: Rules = Rules { efforts: Some(&["none", "low", "medium", "high", "xhigh"]), ..GPT_5_1 };
const GPT_5_2_CODEX: Rules = Rules { efforts: Some(&["low", "medium", "high", "xhigh"]), ..GPT_5_CODEX };
const GPT_5_2_PRO: Rules = Rules { efforts: Some(&["medium", "high", "xhigh"]), ..GPT_5_PRO };
const GPT_5_4: Rules = Rules { chat: Chat::NoFunctionsWhileThinking, ..GPT_5_2 };
const GPT_5_5: Rules = Rules { thinks_unasked: true, ..GPT_5_4 };
const GPT_5_6: Rules = Rules { efforts: Some(&["none", "low", "medium", "high", "xhigh", "max"]), ..GPT_5_5 };
/// They cannot stop thinking.
const ASTRA: Rules =
    Rules { sampling: Sampling::Fixed, efforts: Some(&["low", "medium", "high", "xhigh", "max"]), ..GPT_5_6 };
/// xAI's models that think.
const GROK_THINKER: Rules = Rules { penalties: false, stop: false, ..ANY };

const OPENAI: &[Row] = &[
    // Open weights, served by others.
    row(&["gpt", "oss"], (0, 0), &ANY, MODELS),
    // Azure's spelling of 3.5.
    row(&["gpt", "35"], (0, 0), &GPT_4, MODELS),
    row(&["gpt", "search"], (0, 0), &SEARCHER, SEARCH),
    Row { below: (5, 1), ..row(&["gpt", "chat"], (5, 0), &GPT_4, "microsoft/agent-framework#7483") },
    row(&["gpt", "chat"], (5, 1), &CHAT_LATEST, "the error names the only level, `medium`"),
    row(&["gpt", "codex"], (5, 2), &GPT_5_2_CODEX, EFFORT_TABLE),
    row(&["gpt", "codex", "max"], (5, 1), &GPT_5_2_CODEX, EFFORT_TABLE),
    row(&["gpt", "codex"], (5, 0), &GPT_5_CODEX, EFFORT_TABLE),
    row(&["gpt", "pro"], (5, 2), &GPT_5_2_PRO, EFFORT_TABLE),
    row(&["gpt", "pro"], (5, 0), &GPT_5_PRO, EFFORT_TABLE),
    row(&["gpt", "astra"], (6, 0), &ASTRA, "bolna-ai/bolna#1019, UKGovernmentBEIS/inspect_ai#5254"),
    row(&["gpt", "rosalind"], (6, 0), &ASTRA, MODELS),
    row(&["gpt", "sol"], (6, 1), &ASTRA, MODELS),
    row(&["gpt"], (5, 6), &GPT_5_6, "BerriAI/litellm#34569; enricoros/big-AGI#1159"),
    row(&["gpt"], (5, 5), &GPT_5_5, "jeffdafoe/llm-memory-api#178"),
    row(&["gpt"], (5, 4), &GPT_5_4, "openai/openai-openapi#541"),
    row(&["gpt"], (5, 2), &GPT_5_2, LATEST),
    row(&["gpt"], (5, 1), &GPT_5_1, LATEST),
    row(&["gpt"], (5, 0), &GPT_5, LATEST),
    Row { below: (5, 0), ..row(&["gpt"], (3, 0), &GPT_4, REASONING) },
    row(&["chatgpt"], (0, 0), &GPT_4, MODELS),
    row(&["codex", "mini"], (0, 0), &GPT_5_CODEX, EFFORT_TABLE),
    row(&["o", "pro"], (1, 0), &O_PRO, MODELS),
    row(&["o", "research"], (1, 0), &O_PRO, MODELS),
    row(&["o"], (1, 0), &O, "https://platform.openai.com/docs/guides/reasoning; run-llama/llama_index#20865"),
    row(&["grok", "non"], (0, 0), &ANY, GROK),
    row(&["grok"], (4, 0), &GROK_THINKER, GROK),
    row(&["grok", "mini"], (3, 0), &GROK_THINKER, GROK),
    row(&["grok", "code"], (0, 0), &GROK_THINKER, GROK),
];
const GROK: &str = "https://docs.x.ai/docs/guides/reasoning";

// ---- Anthropic ---------------------------------------------------------------------------------------------------------

const CLAUDE_MODELS: &str = "https://platform.claude.com/docs/en/about-claude/models/overview";
const THINKING: &str = "https://platform.claude.com/docs/en/build-with-claude/extended-thinking";
const EFFORT: &str = "https://platform.claude.com/docs/en/build-with-claude/effort";
const SYSTEM_TURNS: &str =
    "https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages";
const MIGRATION: &str = "https://platform.claude.com/docs/en/about-claude/models/migration-guide";

/// What the whole dialect has in common, whoever speaks it.
const ANY_CLAUDE: Rules = Rules {
    efforts: Some(&[]),
    budget_min: 1024,
    system_turns: false,
    converse: Converse::OLD_CLAUDE,
    ..ANY
};
const V3: Rules =
    Rules { output_tokens_default: 4096, output_tokens_max: 4096, thinking: Thinking::Never, ..ANY_CLAUDE };
const V3_5: Rules = Rules { output_tokens_default: 8192, output_tokens_max: 8192, ..V3 };
const V3_7: Rules = ANY_CLAUDE;
const OPUS_4: Rules = Rules { output_tokens_max: 32_000, ..V3_7 };
const OPUS_4_1: Rules = Rules { sampling: Sampling::Either, ..OPUS_4 };
const V4_5: Rules =
    Rules { output_tokens_default: 64_000, sampling: Sampling::Either, converse: Converse::CLAUDE, ..V3_7 };
const OPUS_4_5: Rules = Rules { efforts: Some(&["low", "medium", "high"]), ..V4_5 };
const V4_6: Rules = Rules {
    output_tokens_max: 128_000,
    thinking: Thinking::Both,
    efforts: Some(&["low", "medium", "high", "max"]),
    prefill: false,
    ..V4_5
};
const V4_7: Rules = Rules {
    thinking: Thinking::Adaptive,
    efforts: Some(&["low", "medium", "high", "xhigh", "max"]),
    sampling: Sampling::Fixed,
    ..V4_6
};
const V4_8: Rules = Rules { system_turns: true, ..V4_7 };
const V5: Rules = Rules { off: Off::Say("disabled"), ..V4_8 };
const SONNET_5_5: Rules = Rules { off: Off::Say("between_tools"), ..V5 };
const ALWAYS: Rules = Rules { off: Off::Never, ..V4_8 };
const MYTHOS_PREVIEW: Rules = Rules { system_turns: false, ..ALWAYS };
const ALWAYS_UNFORCED: Rules = Rules { forced_tools: false, ..ALWAYS };

pub(super) const CLAUDE: &[Row] = &[
    row(&["claude", "fable"], (5, 1), &ALWAYS_UNFORCED, THINKING),
    row(&["claude", "fable"], (0, 0), &ALWAYS, THINKING),
    row(&["claude", "mythos"], (5, 1), &ALWAYS_UNFORCED, THINKING),
    row(
        &["claude", "mythos", "preview"],
        (0, 0),
        &MYTHOS_PREVIEW,
        "UKGovernmentBEIS/inspect_ai#4221 (system)",
    ),
    row(&["claude", "mythos"], (0, 0), &ALWAYS, THINKING),
    row(&["claude", "opus"], (5, 5), &ALWAYS_UNFORCED, THINKING),
    row(&["claude", "opus"], (5, 0), &V5, THINKING),
    row(&["claude", "opus"], (4, 8), &V4_8, SYSTEM_TURNS),
    row(&["claude", "opus"], (4, 7), &V4_7, MIGRATION),
    row(&["claude", "opus"], (4, 6), &V4_6, "langchain-ai/deepagents#1585 (prefill)"),
    row(&["claude", "opus"], (4, 5), &OPUS_4_5, EFFORT),
    row(&["claude", "opus"], (4, 1), &OPUS_4_1, MIGRATION),
    row(&["claude", "opus"], (4, 0), &OPUS_4, CLAUDE_MODELS),
    row(&["claude", "sonnet"], (5, 5), &SONNET_5_5, THINKING),
    row(&["claude", "sonnet"], (5, 0), &V5, THINKING),
    row(&["claude", "sonnet"], (4, 6), &V4_6, "agno-agi/docs#570 (prefill)"),
    row(&["claude", "sonnet"], (4, 5), &V4_5, MIGRATION),
    row(&["claude", "sonnet"], (3, 7), &V3_7, CLAUDE_MODELS),
    row(&["claude", "sonnet"], (3, 5), &V3_5, CLAUDE_MODELS),
    row(&["claude", "haiku"], (5, 0), &V5, THINKING),
    row(&["claude", "haiku"], (4, 5), &V4_5, MIGRATION),
    row(&["claude", "haiku"], (3, 5), &V3_5, CLAUDE_MODELS),
    // Version 3 and older, `claude-2.1` and `claude-instant-1.2` among them.
    Row { below: (5, 0), ..row(&["claude"], (0, 1), &V3, CLAUDE_MODELS) },
    // An unknown family, or an id without a version, is taken for a new model.
    row(&["claude"], (0, 0), &V4_8, CLAUDE_MODELS),
];

// ---- Google ------------------------------------------------------------------------------------------------------------

const GEMINI_THINKING: &str = "https://ai.google.dev/gemini-api/docs/thinking";
const GEMINI_LATEST: &str = "https://ai.google.dev/gemini-api/docs/latest-model";

/// A model whose name does not tell: tuned ones, other families.
const ANY_GEMINI: Rules = ANY;
const GEMINI_2_0: Rules =
    Rules { thinking: Thinking::Never, json_schema: false, beside_functions: false, ..ANY_GEMINI };
/// "Penalty is not enabled for this model", "Function calling with a response mime type 'application/json' is unsupported".
const GEMINI_2_5: Rules = Rules { penalties: false, beside_functions: false, ..ANY_GEMINI };
const PRO_2_5: Rules = Rules { budget_min: 128, ..GEMINI_2_5 };
const GEMINI_3: Rules = Rules {
    penalties: false,
    thinking: Thinking::Level,
    efforts: Some(&["minimal", "low", "medium", "high"]),
    signed_calls: true,
    ..ANY_GEMINI
};
const PRO_3: Rules = Rules { efforts: Some(&["low", "high"]), ..GEMINI_3 };
const PRO_3_1: Rules = Rules { efforts: Some(&["low", "medium", "high"]), ..GEMINI_3 };
const GEMINI_3_6: Rules = Rules { sampling: Sampling::Fixed, ..GEMINI_3 };
const GEMINI_3_7: Rules = Rules { sampling: Sampling::Fixed, ..PRO_3_1 };

const GEMINI: &[Row] = &[
    row(&["gemini"], (4, 0), &PRO_3_1, GEMINI_LATEST),
    row(&["gemini", "pro"], (3, 1), &PRO_3_1, GEMINI_THINKING),
    row(&["gemini", "pro"], (3, 0), &PRO_3, GEMINI_THINKING),
    row(&["gemini"], (3, 7), &GEMINI_3_7, GEMINI_LATEST),
    row(&["gemini"], (3, 6), &GEMINI_3_6, GEMINI_LATEST),
    row(&["gemini"], (3, 0), &GEMINI_3, GEMINI_THINKING),
    row(&["gemini", "pro"], (2, 5), &PRO_2_5, GEMINI_THINKING),
    row(
        &["gemini"],
        (2, 5),
        &GEMINI_2_5,
        "google-gemini/cookbook#1290; googleapis/python-genai#867; symfony/ai#803",
    ),
    row(&["gemini"], (0, 1), &GEMINI_2_0, GEMINI_THINKING),
    // An alias means the newest model.
    row(&["gemini", "pro", "latest"], (0, 0), &PRO_3_1, GEMINI_LATEST),
    row(&["gemini", "latest"], (0, 0), &GEMINI_3, GEMINI_LATEST),
];

/// Words in the names of models that are not Google's. Their servers refuse the field for Google's signatures of calls, which
/// a client of Google's format brings, or one whose session was at Google's models before ("unknown parameter").
const OTHER_MODELS: [&str; 16] = [
    "claude",
    "codestral",
    "command",
    "deepseek",
    "devstral",
    "glm",
    "gpt",
    "grok",
    "kimi",
    "llama",
    "minimax",
    "mistral",
    "mixtral",
    "nova",
    "phi",
    "qwen",
];

/// Does the name tell that the model is another maker's than Google? Behind a name that tells nothing may be a model of
/// Google's, which insists on its signatures.
pub(crate) fn is_not_googles(model: &str) -> bool {
    let name = model.to_ascii_lowercase();
    !name.contains("gemini") && OTHER_MODELS.iter().any(|other| name.contains(other))
}

/// Is a search billed by the answer that rests on it, however many queries it took? Of later models each query is
/// (<https://ai.google.dev/gemini-api/docs/pricing>).
pub(crate) fn is_searched_by_answer(model: &str) -> bool {
    ["gemini-1", "gemini-2"].iter().any(|beginning| model.starts_with(beginning))
}
