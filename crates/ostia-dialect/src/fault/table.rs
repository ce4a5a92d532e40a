//! What vendors say when they fail, as data: the codes, types and words that tell more than the status does.
//!
//! One row is one sign of one kind of failure. Rows are grouped by the vendor, server or relay that sends it; they hold
//! for all, because servers copy each other's forms and relays hand on each other's words. Each names where it can be
//! read in public.

use super::FaultKind;
use super::FaultKind::{
    Authentication, ContentPolicy, ContextLength, InvalidRequest, NotFound, Overloaded, Permission, Quota,
    RateLimit, Server, Timeout, TooLarge,
};

/// One sign of one kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Who sends it.
    pub vendor: &'static str,
    /// What it means.
    pub kind: FaultKind,
    /// What is sent.
    pub sign: Sign,
    /// Where that can be read: an address, or a repository and the number of an issue.
    pub source: &'static str,
}

/// What a failure is known by. Case does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The whole of a code or type that is made for this failure; `_`, `-`, `.` and spaces do not matter.
    Code(&'static str),
    /// Pieces of the message, in this order.
    Words(&'static [&'static str]),
    /// The whole of a code or type of a wide kind. It is asked only where no status is known: in streams, and where an
    /// error came with a success.
    Type(&'static str),
    /// The beginning of such a code.
    TypeBegins(&'static str),
}

impl std::fmt::Display for Sign {
    /// As it is sent; three dots stand for what varies.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Sign::Code(word) | Sign::Type(word) => f.write_str(word),
            Sign::TypeBegins(word) => write!(f, "{word}..."),
            Sign::Words(pieces) => f.write_str(&pieces.join(" ... ")),
        }
    }
}

/// All rows, vendor by vendor. The first that fits counts: codes before words before types.
///
/// ```
/// for row in ostia_dialect::fault::rows() {
///     println!("| {} | {} | {} | {} |", row.vendor, row.kind.as_str(), row.sign, row.source);
/// }
/// ```
pub fn rows() -> impl Iterator<Item = Row> {
    FAMILIES.iter().flat_map(|(vendor, signs)| {
        signs.iter().map(|&(kind, sign, source)| Row { vendor, kind, sign, source })
    })
}

/// The signs of one vendor.
type Signs = &'static [(FaultKind, Sign, &'static str)];

const fn code(word: &'static str) -> Sign {
    Sign::Code(word)
}

const fn words(pieces: &'static [&'static str]) -> Sign {
    Sign::Words(pieces)
}

const FAMILIES: [(&str, Signs); 19] = [
    ("OpenAI", OPENAI),
    ("Azure", AZURE),
    ("Anthropic", ANTHROPIC),
    ("Google", GOOGLE),
    ("Amazon Bedrock", BEDROCK),
    ("Cohere", COHERE),
    ("xAI", XAI),
    ("DeepSeek", DEEPSEEK),
    ("Alibaba", ALIBABA),
    ("Moonshot", MOONSHOT),
    ("MiniMax", MINIMAX),
    ("Z.ai", ZAI),
    ("Volcengine", VOLCENGINE),
    ("Groq, Cerebras", GROQ),
    ("Together, Fireworks, Hugging Face", OPEN_MODELS),
    ("OpenRouter", OPENROUTER),
    ("GitHub", GITHUB),
    ("vLLM, SGLang, llama.cpp, LM Studio, Ollama", SERVERS),
    ("LiteLLM, new-api", RELAYS),
];

const OPENAI_CODES: &str = "https://platform.openai.com/docs/guides/error-codes";
const OPENAI_FAILED: &str =
    "https://platform.openai.com/docs/api-reference/responses-streaming/response/failed";
const OVERFLOW: &str = "https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts";

const OPENAI: Signs = &[
    (ContextLength, code("context_length_exceeded"), OPENAI_CODES),
    (ContextLength, words(&["context_length_exceeded"]), OPENAI_CODES),
    (ContextLength, words(&["maximum context length"]), "stanford-crfm/helm#94"),
    (ContextLength, words(&["exceeds the context window"]), OPENAI_FAILED),
    (Quota, code("insufficient_quota"), OPENAI_CODES),
    (Quota, code("billing_hard_limit_reached"), OPENAI_CODES),
    (Quota, code("billing_not_active"), OPENAI_CODES),
    (Quota, code("credit_balance_exhausted"), OPENAI_CODES),
    (Quota, code("organization_spend_limit_exceeded"), OPENAI_CODES),
    (Quota, code("organization_usage_limit_exceeded"), OPENAI_CODES),
    (Quota, code("project_spend_limit_exceeded"), OPENAI_CODES),
    (Quota, code("usage_limit_reached"), "earendil-works/pi#4172"),
    (Quota, code("usage_not_included"), "justrach/codegraff2#90"),
    (Quota, words(&["exceeded your current quota"]), OPENAI_CODES),
    (Quota, words(&["billing hard limit has been reached"]), OPENAI_CODES),
    (ContentPolicy, code("content_policy_violation"), OPENAI_CODES),
    (ContentPolicy, code("moderation_blocked"), OPENAI_CODES),
    (ContentPolicy, code("bio_policy"), OPENAI_FAILED),
    (ContentPolicy, code("cyber_policy"), OPENAI_FAILED),
    (ContentPolicy, code("image_content_policy_violation"), OPENAI_FAILED),
    (ContentPolicy, words(&["our usage policy"]), OPENAI_CODES),
    (ContentPolicy, words(&["our safety system"]), OPENAI_CODES),
    (Authentication, code("invalid_api_key"), OPENAI_CODES),
    (Authentication, words(&["incorrect api key provided"]), OPENAI_CODES),
    (Overloaded, code("server_is_overloaded"), OPENAI_FAILED),
    (Overloaded, code("slow_down"), OPENAI_CODES),
    (RateLimit, code("rate_limit_exceeded"), OPENAI_CODES),
    (RateLimit, Sign::Type("requests"), OPENAI_CODES),
    (RateLimit, Sign::Type("tokens"), OPENAI_CODES),
    (RateLimit, words(&["rate limit reached"]), OPENAI_CODES),
    (RateLimit, words(&["too many requests"]), OPENAI_CODES),
    (NotFound, Sign::Type("model_not_found"), OPENAI_CODES),
    (Timeout, Sign::Type("vector_store_timeout"), OPENAI_FAILED),
    (Server, Sign::Type("server_error"), OPENAI_FAILED),
    (Server, Sign::Type("internal_error"), OPENAI_FAILED),
    (Overloaded, Sign::Type("service_unavailable"), OPENAI_CODES),
    (InvalidRequest, Sign::Type("data_residency_mismatch"), OPENAI_FAILED),
    (InvalidRequest, Sign::Type("empty_image_file"), OPENAI_FAILED),
    (InvalidRequest, Sign::Type("failed_to_download_image"), OPENAI_FAILED),
    (InvalidRequest, Sign::TypeBegins("image_"), OPENAI_FAILED),
    (InvalidRequest, Sign::TypeBegins("invalid_"), OPENAI_FAILED),
    (InvalidRequest, Sign::TypeBegins("unsupported_"), OPENAI_CODES),
];

const AZURE_FILTER: &str = "https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter";

const AZURE: Signs = &[
    (ContentPolicy, code("content_filter"), AZURE_FILTER),
    (ContentPolicy, words(&["ResponsibleAIPolicyViolation"]), AZURE_FILTER),
    (ContentPolicy, words(&["content management policy"]), AZURE_FILTER),
    (
        RateLimit,
        code("RateLimitReached"),
        "https://learn.microsoft.com/azure/ai-services/openai/quotas-limits",
    ),
];

const ANTHROPIC_ERRORS: &str = "https://platform.claude.com/docs/en/api/errors";

const ANTHROPIC: Signs = &[
    (ContextLength, words(&["prompt is too long"]), "anthropics/claude-code#476"),
    (ContextLength, words(&["exceed context limit"]), "anthropics/claude-code#476"),
    (Quota, code("billing_error"), ANTHROPIC_ERRORS),
    (Quota, words(&["credit balance is too low"]), "anthropics/anthropic-sdk-typescript#618"),
    (Quota, words(&["you have reached your specified", "usage limits"]), "anthropics/claude-code#2127"),
    (ContentPolicy, words(&["content filtering policy"]), "anthropics/claude-code#6195"),
    (Overloaded, code("overloaded_error"), ANTHROPIC_ERRORS),
    (RateLimit, code("rate_limit_error"), ANTHROPIC_ERRORS),
    (Authentication, code("authentication_error"), ANTHROPIC_ERRORS),
    (Permission, Sign::Type("permission_error"), ANTHROPIC_ERRORS),
    (NotFound, Sign::Type("not_found_error"), ANTHROPIC_ERRORS),
    (TooLarge, Sign::Type("request_too_large"), ANTHROPIC_ERRORS),
    (Timeout, Sign::Type("timeout_error"), ANTHROPIC_ERRORS),
    (Server, Sign::Type("api_error"), ANTHROPIC_ERRORS),
];

const GOOGLE_ERRORS: &str = "https://ai.google.dev/gemini-api/docs/troubleshooting";
const AIP: &str = "https://google.aip.dev/193";

const GOOGLE: Signs = &[
    (ContextLength, words(&["exceeds the maximum number of tokens"]), "google-gemini/gemini-cli#4692"),
    (Quota, code("BILLING_DISABLED"), "https://docs.cloud.google.com/apis/docs/troubleshooting"),
    (ContentPolicy, words(&["responsible ai practices"]), GOOGLE_ERRORS),
    (Authentication, code("API_KEY_INVALID"), GOOGLE_ERRORS),
    (Authentication, code("API_KEY_EXPIRED"), GOOGLE_ERRORS),
    (Authentication, code("UNAUTHENTICATED"), AIP),
    (Authentication, words(&["api key not valid"]), GOOGLE_ERRORS),
    (Authentication, words(&["api key not found"]), GOOGLE_ERRORS),
    (Authentication, words(&["api key expired"]), "google-gemini/gemini-cli#4690"),
    // The words of its short limits are those of OpenAI's empty accounts: the code has to be asked first.
    (RateLimit, code("RESOURCE_EXHAUSTED"), "https://ai.google.dev/gemini-api/docs/rate-limits"),
    (Overloaded, code("UNAVAILABLE"), AIP),
    (Permission, Sign::Type("PERMISSION_DENIED"), AIP),
    (NotFound, Sign::Type("NOT_FOUND"), AIP),
    (Timeout, Sign::Type("DEADLINE_EXCEEDED"), AIP),
    (InvalidRequest, Sign::Type("FAILED_PRECONDITION"), AIP),
    (InvalidRequest, Sign::Type("OUT_OF_RANGE"), AIP),
    (Server, Sign::Type("INTERNAL"), AIP),
];

const BEDROCK_ERRORS: &str =
    "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html";
const AWS_ERRORS: &str = "https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html";
const BEDROCK_RUNTIME: &str =
    "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html";

const BEDROCK: Signs = &[
    (ContextLength, words(&["input is too long for requested model"]), OVERFLOW),
    (ContextLength, words(&["too many total text bytes"]), "strands-agents/harness-sdk#3969"),
    (Authentication, words(&["security token included in the request"]), AWS_ERRORS),
    (RateLimit, code("ThrottlingException"), BEDROCK_ERRORS),
    (Overloaded, code("ServiceUnavailableException"), BEDROCK_ERRORS),
    (Overloaded, code("ModelNotReadyException"), BEDROCK_RUNTIME),
    (Timeout, code("ModelTimeoutException"), BEDROCK_RUNTIME),
    (Server, code("ModelErrorException"), BEDROCK_RUNTIME),
    (Server, code("ModelStreamErrorException"), BEDROCK_RUNTIME),
    (Quota, code("ServiceQuotaExceededException"), BEDROCK_RUNTIME),
];

const COHERE: Signs =
    &[(ContextLength, words(&["too many tokens:"]), "https://docs.cohere.com/reference/errors")];

const XAI: Signs = &[
    (ContextLength, words(&["maximum prompt length"]), OVERFLOW),
    (Quota, words(&["used all available credits"]), "continuedev/continue#10373"),
    (ContentPolicy, words(&["content violates usage guidelines"]), "NousResearch/hermes-agent#115233"),
];

const DEEPSEEK: Signs = &[
    (Quota, words(&["insufficient balance"]), "https://api-docs.deepseek.com/quick_start/error_codes"),
    (ContentPolicy, words(&["content exists risk"]), "NousResearch/hermes-agent#115233"),
    (Overloaded, words(&["service is too busy"]), "https://api-docs.deepseek.com/quick_start/error_codes"),
];

const ALIBABA_ERRORS: &str = "https://www.alibabacloud.com/help/en/model-studio/error-code";

const ALIBABA: Signs = &[
    (ContextLength, words(&["range of input length should be"]), ALIBABA_ERRORS),
    (Quota, code("Arrearage"), ALIBABA_ERRORS),
    (Quota, code("AllocationQuota.FreeTierOnly"), ALIBABA_ERRORS),
    (Quota, words(&["account is in good standing"]), ALIBABA_ERRORS),
    (ContentPolicy, code("DataInspectionFailed"), ALIBABA_ERRORS),
    (ContentPolicy, words(&["may contain inappropriate content"]), ALIBABA_ERRORS),
];

const MOONSHOT_ERRORS: &str = "https://platform.kimi.ai/docs/api/errors";
const KIMI_ERRORS: &str = "https://www.kimi.com/code/docs/en/kimi-code/error-reference.html";

const MOONSHOT: Signs = &[
    (ContextLength, words(&["exceeded model token limit"]), MOONSHOT_ERRORS),
    (ContextLength, words(&["input token length too long"]), MOONSHOT_ERRORS),
    (Quota, code("exceeded_current_quota_error"), MOONSHOT_ERRORS),
    (Quota, words(&["reached your usage limit for this"]), KIMI_ERRORS),
    (ContentPolicy, words(&["was considered high risk"]), MOONSHOT_ERRORS),
    (Authentication, code("invalid_authentication_error"), MOONSHOT_ERRORS),
    (Authentication, code("incorrect_api_key_error"), MOONSHOT_ERRORS),
    (Overloaded, code("engine_overloaded_error"), MOONSHOT_ERRORS),
    (RateLimit, code("rate_limit_reached_error"), MOONSHOT_ERRORS),
];

const MINIMAX_ERRORS: &str = "https://platform.minimax.io/docs/api-reference/errorcode";

const MINIMAX: Signs = &[
    (ContextLength, words(&["context window exceeds limit"]), OVERFLOW),
    (Quota, words(&["usage limit exceeded"]), MINIMAX_ERRORS),
    (ContentPolicy, words(&["new_sensitive"]), MINIMAX_ERRORS),
    (Authentication, words(&["invalid api key"]), MINIMAX_ERRORS),
    (RateLimit, words(&["rate limit"]), MINIMAX_ERRORS),
];

const ZAI_ERRORS: &str = "https://docs.z.ai/api-reference/api-code";

const ZAI: Signs = &[
    (ContextLength, code("model_context_window_exceeded"), OVERFLOW),
    (ContextLength, words(&["prompt exceeds max length"]), ZAI_ERRORS),
    (ContextLength, words(&["prompt 超长"]), "https://docs.bigmodel.cn/cn/api/api-code"),
    (Quota, words(&["余额不足"]), "continuedev/continue#10296"),
    (ContentPolicy, words(&["unsafe or sensitive content"]), ZAI_ERRORS),
    (ContentPolicy, words(&["不安全或敏感内容"]), "https://docs.bigmodel.cn/cn/api/api-code"),
];

const VOLCENGINE_ERRORS: &str = "https://www.volcengine.com/docs/82379/1299023";

const VOLCENGINE: Signs = &[
    (ContextLength, words(&["input length", "exceeds the maximum length"]), "langgenius/dify#32221"),
    (Quota, code("AccountOverdueError"), VOLCENGINE_ERRORS),
    (ContentPolicy, code("SensitiveContentDetected"), VOLCENGINE_ERRORS),
    (ContentPolicy, words(&["may contain sensitive information"]), VOLCENGINE_ERRORS),
];

const GROQ: Signs = &[
    (ContextLength, words(&["reduce the length of the messages"]), OVERFLOW),
    (Overloaded, code("capacity_exceeded"), "https://console.groq.com/docs/errors"),
];

const TOGETHER_ERRORS: &str = "https://docs.together.ai/docs/error-codes";
const TGI: &str = "huggingface/text-generation-inference#628";

const OPEN_MODELS: Signs = &[
    (ContextLength, words(&["longer than the model's context length"]), "Alishahryar1/free-claude-code#263"),
    (ContextLength, words(&["must be less than the context length"]), TOGETHER_ERRORS),
    (ContextLength, words(&["`inputs` tokens +"]), TGI),
    (ContextLength, words(&["`inputs` must have less than"]), "huggingface/text-generation-inference#937"),
    (Quota, words(&["your monthly included credits"]), "huggingface/agents-course#386"),
    (RateLimit, Sign::Type("rate_limit"), TOGETHER_ERRORS),
];

const OPENROUTER_ERRORS: &str = "https://openrouter.ai/docs/api-reference/errors";

const OPENROUTER: Signs = &[
    (ContextLength, words(&["maximum allowed input length"]), OVERFLOW),
    (Quota, words(&["insufficient credits"]), OPENROUTER_ERRORS),
    (Quota, words(&["requires more credits"]), "can1357/oh-my-pi#9569"),
    (Quota, words(&["key limit exceeded"]), "gptme/gptme#1449"),
    (ContentPolicy, words(&["requires moderation"]), OPENROUTER_ERRORS),
    (ContentPolicy, words(&["input was flagged"]), OPENROUTER_ERRORS),
    (ContentPolicy, words(&["prompt was flagged"]), OPENROUTER_ERRORS),
];

const GITHUB: Signs = &[
    (ContextLength, code("model_max_prompt_tokens_exceeded"), "ericc-ch/copilot-api#210"),
    (ContextLength, code("tokens_limit_reached"), "eslint/tsc-meetings#593"),
    (ContextLength, words(&["prompt token count of", "exceeds the limit of"]), "ericc-ch/copilot-api#210"),
];

const SERVERS: Signs = &[
    (ContextLength, code("exceed_context_size_error"), "ggml-org/llama.cpp, tools/server/README.md"),
    (ContextLength, words(&["available context size"]), "ggml-org/llama.cpp, tools/server/README.md"),
    (ContextLength, words(&["longer than the maximum model length"]), "xorbitsai/inference#3785"),
    (ContextLength, words(&["too long to fit into the model"]), "vllm-project/vllm#12165"),
    (ContextLength, words(&["greater than the context length"]), OVERFLOW),
    (ContextLength, words(&["tokens when context the overflows"]), "lmstudio-ai/lmstudio-bug-tracker#237"),
    (ContextLength, words(&["exceeded max context length"]), OVERFLOW),
    (ContextLength, words(&["input length exceeds the context length"]), "nano-step/nano-brain#208"),
    (ContextLength, words(&["but the configured context size is"]), OVERFLOW),
    (ContextLength, code("context_exceeded"), "antirez/ds4#150"),
    (Overloaded, words(&["overloaded"]), "ENTERPILOT/GoModel#947"),
    (Overloaded, words(&["server busy", "maximum pending requests exceeded"]), "https://docs.ollama.com/faq"),
];

const NEW_API: &str = "QuantumNous/new-api, types/error.go";

const RELAYS: Signs = &[
    (ContextLength, code("context_window_exceeded"), "https://docs.litellm.ai/docs/exception_mapping"),
    (ContextLength, words(&["ContextWindowExceededError"]), "https://docs.litellm.ai/docs/exception_mapping"),
    (ContextLength, words(&["CONTENT_LENGTH_EXCEEDS_THRESHOLD"]), "hank9999/kiro.rs#67"),
    (ContextLength, words(&["context length exceeded"]), OVERFLOW),
    (ContextLength, words(&["exceeds", "model context window"]), OVERFLOW),
    (Quota, code("budget_exceeded"), "https://docs.litellm.ai/docs/proxy/users"),
    (Quota, code("insufficient_user_quota"), "labring/FastGPT#916"),
    (Quota, code("insufficient_credits"), "https://docs.zenmux.ai/guide/advanced/error-codes.html"),
    (
        ContentPolicy,
        words(&["ContentPolicyViolationError"]),
        "https://docs.litellm.ai/docs/exception_mapping",
    ),
    (ContentPolicy, code("sensitive_words_detected"), NEW_API),
];
