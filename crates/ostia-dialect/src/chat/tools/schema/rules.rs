//! What each dialect takes as the schema of a function's arguments, plain and in strict mode.

use super::NameRule;
use crate::Dialect;
use crate::chat::gemini_generate;

/// What is taken of a schema.
#[derive(Debug)]
pub struct SchemaRules {
    /// Keywords that may not stand at the top, beside `type: object`.
    pub refused_at_top: &'static [&'static str],
    /// The top has to list its properties, even if there are none.
    pub properties_required: bool,
    /// An array has to say what its items are.
    pub items_required: bool,
    /// What a property at the top may be called; none is everything.
    pub names: Option<NameRule>,
    /// What strict mode takes; none where there is no such mode for one tool.
    pub strict: Option<Strict>,
    /// Where a choice allows some of the tools, the others are not sent.
    pub offers_chosen: bool,
    /// The parameters of functions with these names may be no schema.
    pub holds_settings: fn(&str) -> bool,
    /// Where it can be read.
    pub source: &'static str,
}

impl SchemaRules {
    /// What this model takes, in this dialect; none is everything, or is seen to by the encoder.
    pub fn of(upstream: Dialect, model: &str) -> Option<&'static SchemaRules> {
        match upstream {
            Dialect::AnthropicMessages => Some(&ANTHROPIC),
            Dialect::OpenaiChat | Dialect::OpenaiResponses => Some(&OPENAI),
            Dialect::GeminiGenerate if gemini_generate::request::is_json_schema(model) => None,
            Dialect::GeminiGenerate => Some(&GEMINI_OPENAPI),
            Dialect::CohereChat => Some(&COHERE),
            // Most of its models are held to the same subset, and the others take less than that.
            Dialect::BedrockConverse => Some(&ANTHROPIC),
            Dialect::OllamaChat => Some(&OLLAMA),
            Dialect::ReplicateText => None,
        }
    }
}

/// What strict mode takes, or structured outputs, which are held to the same grammar. Every object in there has to say
/// `"additionalProperties": false`.
#[derive(Debug)]
pub struct Strict {
    /// Keywords that are taken.
    pub keywords: &'static [&'static str],
    /// Keywords that are refused and only narrow or annotate a value: they are told in its description instead.
    pub told: &'static [&'static str],
    /// Values of `format` that are taken.
    pub formats: &'static [&'static str],
    /// Largest `minItems`.
    pub min_items_max: u64,
    /// Every property has to be required.
    pub all_required: bool,
    /// An object with optional properties has to have one that is required.
    pub one_required: bool,
    /// Nothing may stand beside a `$ref`.
    pub reference_alone: bool,
    /// A schema may lead back to itself.
    pub recursion: bool,
    /// Every schema has to have a type, or to be made of others.
    pub typed: bool,
    /// Every object has to be closed; else that keyword is passed over.
    pub closed: bool,
    /// Levels of objects.
    pub depth_max: usize,
    /// Most strict tools of a request.
    pub tools_max: usize,
    /// Most optional properties of all strict tools of a request.
    pub optional_max: usize,
    /// Most properties of more than one type, of all strict tools of a request.
    pub unions_max: usize,
    /// Most properties of all strict tools of a request.
    pub properties_max: usize,
}

/// Limits on values and notes about them, as JSON Schema has them.
const LIMITS: &[&str] = &[
    "default",
    "deprecated",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "uniqueItems",
    "writeOnly",
];

/// Anthropic Messages.
///
/// - The top: "input_schema does not support oneOf, allOf, or anyOf at the top level" (anthropics/claude-code#5973,
///   anomalyco/opencode#35516), "input_schema.type: Field required"; below the top all three are taken.
/// - Names: "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'" (ComposioHQ/composio#3500, n8n-io/n8n#30590).
///   Only names at the top are looked at: measured in
///   aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws#709, also decocms/studio#6874.
/// - Strict: <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>, "JSON Schema limitations" and
///   "Schema complexity limits"; "For 'array' type, property 'maxItems' is not supported" (BerriAI/litellm#39115);
///   "Schemas contains too many optional parameters ... (limit: 24)" (elie222/inbox-zero#2323), 20 strict tools
///   (elizaOS/eliza#16499), 16 unions (mozilla/bugbug#6129).
pub(crate) const ANTHROPIC: SchemaRules = SchemaRules {
    refused_at_top: &["allOf", "anyOf", "oneOf"],
    properties_required: false,
    items_required: false,
    names: Some(NameRule { marks: "_.-", chars_max: 64 }),
    strict: Some(ANTHROPIC_STRICT),
    offers_chosen: true,
    holds_settings: |_| false,
    source: "anthropics/claude-code#5973, ComposioHQ/composio#3500, decocms/studio#6874",
};

/// Anthropic's strict mode and structured outputs.
pub(crate) const ANTHROPIC_STRICT: Strict = Strict {
    keywords: &[
        "$comment",
        "$defs",
        "$id",
        "$ref",
        "$schema",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "default",
        "definitions",
        "description",
        "enum",
        "format",
        "items",
        "minItems",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    ],
    told: LIMITS,
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
    min_items_max: 1,
    all_required: false,
    one_required: false,
    reference_alone: false,
    recursion: false,
    typed: false,
    closed: true,
    depth_max: usize::MAX,
    tools_max: 20,
    optional_max: 24,
    unions_max: 16,
    properties_max: usize::MAX,
};

/// OpenAI Chat Completions and Responses.
///
/// - The top: "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level"
///   (chatanywhere/GPT_API_free#403); "In context=(), object schema missing properties" (openai/openai-agents-python#449,
///   langchain-ai/langchain-mcp-adapters#137).
/// - Arrays: "array schema missing items" (streamnative/streamnative-mcp-server#26), also where `type` is a list
///   (campfirein/byterover-cli#42).
/// - Strict: <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>: "'required' is required to be
///   supplied and to be an array including every key in properties" (camel-ai/camel#2629), "'default' is not
///   permitted" (567-labs/instructor#961, dotnet/extensions#6266).
pub(crate) const OPENAI: SchemaRules = SchemaRules {
    refused_at_top: &["allOf", "anyOf", "oneOf", "enum", "not"],
    properties_required: true,
    items_required: true,
    names: None,
    strict: Some(OPENAI_STRICT),
    offers_chosen: false,
    holds_settings: |_| false,
    source: "chatanywhere/GPT_API_free#403, openai/openai-agents-python#449, streamnative/streamnative-mcp-server#26",
};

/// OpenAI's strict mode.
pub(crate) const OPENAI_STRICT: Strict = Strict {
    keywords: &[
        "$comment",
        "$defs",
        "$id",
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "definitions",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    ],
    told: LIMITS,
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
    min_items_max: u64::MAX,
    all_required: true,
    one_required: false,
    reference_alone: true,
    recursion: true,
    typed: true,
    closed: true,
    depth_max: 10,
    tools_max: usize::MAX,
    optional_max: usize::MAX,
    unions_max: usize::MAX,
    properties_max: usize::MAX,
};

/// Google generateContent for models that take its older `Schema` only: "functionDeclaration parameters schema should be
/// of type OBJECT", and nothing may stand beside `anyOf` (<https://ai.google.dev/api/caching#Schema>), so a union at the
/// top would leave no properties. `parametersJsonSchema` of newer models takes unions anywhere.
pub(crate) const GEMINI_OPENAPI: SchemaRules = SchemaRules {
    refused_at_top: &["allOf", "anyOf", "oneOf"],
    properties_required: false,
    items_required: false,
    names: None,
    strict: None,
    offers_chosen: false,
    holds_settings: gemini_generate::request::is_native,
    source: "https://ai.google.dev/api/caching#Schema",
};

/// Cohere Chat: the type of the top is `object`, no unions
/// (<https://docs.cohere.com/docs/structured-outputs>, "Unsupported schema features"). Limits on values are passed over.
/// Strict: 200 fields of all tools, and a tool with optional parameters has a required one
/// (<https://docs.cohere.com/docs/tool-use-parameter-types>).
pub(crate) const COHERE: SchemaRules = SchemaRules {
    refused_at_top: &["allOf", "anyOf", "oneOf", "not"],
    properties_required: true,
    items_required: false,
    names: None,
    strict: Some(COHERE_STRICT),
    offers_chosen: true,
    holds_settings: |_| false,
    source: "https://docs.cohere.com/docs/structured-outputs",
};

/// Cohere's `strict_tools`.
pub(crate) const COHERE_STRICT: Strict = Strict {
    keywords: &[
        "$comment",
        "$defs",
        "$id",
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "default",
        "definitions",
        "description",
        "enum",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "multipleOf",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
        "uniqueItems",
    ],
    told: &[],
    formats: &[],
    min_items_max: u64::MAX,
    all_required: false,
    one_required: true,
    reference_alone: false,
    recursion: true,
    typed: false,
    closed: false,
    depth_max: usize::MAX,
    tools_max: usize::MAX,
    optional_max: usize::MAX,
    unions_max: usize::MAX,
    properties_max: 200,
};

/// Ollama's own chat: of the top it reads type, properties, required and definitions, and nothing else reaches the model
/// (api/types.go in ollama/ollama, `ToolFunctionParameters`). There is no strict mode.
pub(crate) const OLLAMA: SchemaRules = SchemaRules {
    refused_at_top: &["allOf", "anyOf", "oneOf"],
    properties_required: true,
    items_required: false,
    names: None,
    strict: None,
    offers_chosen: true,
    holds_settings: |_| false,
    source: "https://github.com/ollama/ollama/blob/main/api/types.go",
};
