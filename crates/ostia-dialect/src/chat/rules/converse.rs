//! What the models of many makers take of Converse: the rows of Anthropic's models, and those of the other makers.

use super::table::{ANY, CLAUDE, Row, row};
use super::{Rules, Thinking};

/// What of Converse a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converse {
    /// In whose words its fields stand that Converse has none for.
    pub maker: Maker,
    /// Words of the operator apart from the conversation. Others hear them as the user's.
    pub system: bool,
    /// Tools.
    pub tools: ToolUse,
    /// Which calls can be forced.
    pub forced_calls: ForcedCalls,
    /// Results of calls and other words in one turn.
    pub mixed_results: bool,
    /// The field that says that a tool failed.
    pub status: bool,
    /// Markers of what is to be cached.
    pub cache_points: CachePoints,
    /// Output after a schema.
    pub formats: bool,
    /// Moving pictures.
    pub video: bool,
    /// The wish for one call at a time, in its maker's words.
    pub one_call: bool,
}

/// Makers whose models have fields of their own in `additionalModelRequestFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// Anthropic: `thinking`, `top_k`, `anthropic_beta`
    /// (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html>).
    Anthropic,
    /// Amazon's Nova: `inferenceConfig.topK`, and from version 2 on `reasoningConfig`
    /// (<https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>).
    Nova,
    /// OpenAI: `reasoning_effort`
    /// (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html>).
    Openai,
    /// Cohere: `k` (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html>).
    Cohere,
    /// Any other: no fields are known.
    Other,
}

/// How a model takes tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolUse {
    /// As everybody does.
    All,
    /// Only where the answer is not streamed.
    Whole,
    /// Not at all.
    Never,
}

/// Which calls a model can be made to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForcedCalls {
    /// That of one tool, or any.
    Named,
    /// Any.
    Any,
    /// None.
    Never,
}

/// Where a model takes cache points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePoints {
    /// Everywhere.
    All,
    /// In the conversation and the operator's words, for five minutes.
    Words,
    /// Nowhere.
    Never,
}

impl Converse {
    /// Everything, in the words of most of its users: names of profiles that tell no model are taken for Anthropic's.
    pub(super) const ALL: Converse = Converse {
        maker: Maker::Anthropic,
        system: true,
        tools: ToolUse::All,
        forced_calls: ForcedCalls::Named,
        mixed_results: true,
        status: true,
        cache_points: CachePoints::All,
        formats: true,
        video: true,
        one_call: false,
    };
    /// From version 4.5 on. "This model doesn't support the video content block that you provided."
    pub(super) const CLAUDE: Converse = Converse { video: false, one_call: true, ..Converse::ALL };
    /// "extraneous key [disable_parallel_tool_use] is not permitted" (anthropics/anthropic-sdk-python#739).
    pub(super) const OLD_CLAUDE: Converse = Converse { formats: false, one_call: false, ..Converse::CLAUDE };
    const NOVA: Converse =
        Converse { maker: Maker::Nova, cache_points: CachePoints::Words, formats: false, ..Converse::ALL };
    /// Models with open weights: no cache and no status, which only Anthropic's and Amazon's have.
    const OPEN: Converse = Converse {
        maker: Maker::Other,
        status: false,
        cache_points: CachePoints::Never,
        video: false,
        ..Converse::ALL
    };
    const OLD: Converse = Converse { formats: false, forced_calls: ForcedCalls::Never, ..Converse::OPEN };
}

/// A name that tells no model.
pub(super) const ANY_CONVERSE: Rules = Rules { ..ANY };
/// How much they think nobody tells them.
const OTHER: Rules = Rules { efforts: Some(&[]), prefill: false, ..ANY };
const NOVA: Rules = Rules { prefill: true, converse: Converse::NOVA, ..OTHER };
const NOVA_2: Rules = Rules { thinking: Thinking::Level, efforts: Some(&["low", "medium", "high"]), ..NOVA };
const TITAN: Rules = Rules {
    stop: false,
    converse: Converse { system: false, tools: ToolUse::Never, ..Converse::OLD },
    ..OTHER
};
const LLAMA: Rules =
    Rules { converse: Converse { tools: ToolUse::Whole, mixed_results: false, ..Converse::OLD }, ..OTHER };
const MISTRAL: Rules = Rules { converse: Converse { mixed_results: false, ..Converse::OPEN }, ..OTHER };
const MISTRAL_LARGE: Rules = Rules {
    converse: Converse {
        tools: ToolUse::Whole,
        forced_calls: ForcedCalls::Any,
        mixed_results: false,
        ..Converse::OLD
    },
    ..OTHER
};
const MISTRAL_7B: Rules =
    Rules { converse: Converse { system: false, tools: ToolUse::Never, ..Converse::OLD }, ..OTHER };
const COHERE: Rules = Rules { converse: Converse { maker: Maker::Cohere, ..Converse::OLD }, ..OTHER };
const JAMBA: Rules = Rules { converse: Converse::OLD, ..OTHER };
const R1: Rules = Rules { converse: Converse { tools: ToolUse::Never, ..Converse::OLD }, ..OTHER };
const OPEN: Rules = Rules { converse: Converse::OPEN, ..OTHER };
const OPEN_WITHOUT_STOP: Rules = Rules { stop: false, ..OPEN };
const GPT_OSS: Rules = Rules {
    stop: false,
    thinking: Thinking::Level,
    efforts: Some(&["low", "medium", "high"]),
    converse: Converse { maker: Maker::Openai, ..Converse::OPEN },
    ..OTHER
};

const FEATURES: &str = "https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html, \
                        microsoft/semantic-kernel#10281 (last turn)";
const OPEN_MODELS: &str = "https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html; \
                           strands-agents/harness-sdk#1807 (cache), microsoft/semantic-kernel#10281 (last turn)";

const OTHERS: &[Row] = &[
    row(
        &["nova"],
        (2, 0),
        &NOVA_2,
        "https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html; danny-avila/LibreChat#13838 (cache)",
    ),
    row(&["nova"], (0, 0), &NOVA, "danny-avila/LibreChat#13838 (no cache point among tools)"),
    row(
        &["titan"],
        (0, 0),
        &TITAN,
        "Mintplex-Labs/anything-llm#2486 (system), boto/boto3#3993 (stop: two texts alone)",
    ),
    row(
        &["meta"],
        (0, 0),
        &LLAMA,
        "earendil-works/pi#3739, n8n-io/n8n#14206 (streams), browser-use/browser-use#710 (results)",
    ),
    row(&["mistral", "7b"], (0, 0), &MISTRAL_7B, FEATURES),
    row(&["mixtral"], (0, 0), &MISTRAL_7B, FEATURES),
    row(
        &["mistral", "large", "2402"],
        (0, 0),
        &MISTRAL_LARGE,
        "aws-samples/bedrock-chat#609 (streams), browser-use/browser-use#710 (results)",
    ),
    row(&["mistral", "large", "2407"], (0, 0), &MISTRAL_LARGE, "brave/brave-browser#52158 (streams)"),
    row(&["mistral", "small", "2402"], (0, 0), &MISTRAL_LARGE, FEATURES),
    row(&["mistral"], (0, 0), &MISTRAL, "browser-use/browser-use#710 (results)"),
    row(&["command"], (0, 0), &COHERE, FEATURES),
    row(&["jamba"], (0, 0), &JAMBA, FEATURES),
    row(&["deepseek", "r1"], (0, 0), &R1, "langchain-ai/langchain-aws#447 (tools)"),
    row(&["gpt", "oss"], (0, 0), &GPT_OSS, "crewAIInc/crewAI#3317, crewAIInc/crewAI#4046 (stop)"),
    row(&["qwen"], (0, 0), &OPEN_WITHOUT_STOP, "langgenius/dify-official-plugins#1767 (stop)"),
    row(&["deepseek"], (0, 0), &OPEN, OPEN_MODELS),
    row(&["gemma"], (0, 0), &OPEN, OPEN_MODELS),
    row(&["minimax"], (0, 0), &OPEN, OPEN_MODELS),
    row(&["kimi"], (0, 0), &OPEN, OPEN_MODELS),
    row(&["nemotron"], (0, 0), &OPEN, OPEN_MODELS),
    row(&["palmyra"], (0, 0), &OPEN, OPEN_MODELS),
    row(&["glm"], (0, 0), &OPEN, OPEN_MODELS),
];

/// Anthropic's models, and then the others.
pub(super) static CONVERSE: [Row; CLAUDE.len() + OTHERS.len()] = {
    let mut rows = [OTHERS[0]; CLAUDE.len() + OTHERS.len()];
    let mut at = 0;
    while at < rows.len() {
        rows[at] = if at < CLAUDE.len() { CLAUDE[at] } else { OTHERS[at - CLAUDE.len()] };
        at += 1;
    }
    rows
};
