//! What vendors take: how ids and names are spelled, how many there may be of something, between which bounds a number
//! lies. One table for each dialect, with the public source of each entry; where a vendor of a dialect differs, its row
//! says so ([`LimitOverrides`]).
//!
//! A request is made to fit before it is written (`adapt.rs`). What a vendor takes is never changed; what has to be
//! changed is undone in the answer, or reported where it cannot be.

mod fit;
mod given;
mod ids;
mod marks;
mod names;
mod numbers;
mod spelling;
#[cfg(test)]
mod tests;
mod user;

pub(crate) use fit::fit;
pub(crate) use given::GivenIds;
pub use numbers::Range;
pub use spelling::{Characters, Spelling};

#[cfg(test)]
pub(crate) use spelling::made_up;

use crate::{Dialect, MediaKind};

/// Something that is taken, and where this can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<T> {
    /// What is taken.
    pub takes: T,
    /// The vendor's page, or a report of its error.
    pub source: &'static str,
}

/// What a vendor takes. `None`: no bound is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Ids of calls. Each is that of one call, whatever they look like.
    pub tool_ids: Limit<Spelling>,
    /// Names of tools.
    pub tool_names: Limit<Spelling>,
    /// Most tools.
    pub tools: Option<Limit<usize>>,
    /// Most images of a conversation.
    pub images: Option<Limit<usize>>,
    /// Most documents of a conversation.
    pub documents: Option<Limit<usize>>,
    /// Most stop sequences.
    pub stops: Option<Limit<usize>>,
    /// Stop sequences of nothing but white space are refused.
    pub blank_stops_refused: Option<&'static str>,
    /// Texts of nothing but white space are refused, and so is a turn of the user that says nothing.
    pub blank_texts_refused: Option<&'static str>,
    /// Most cache markers.
    pub cache_marks_max: Option<Limit<usize>>,
    /// Fewest tokens to which an answer may be bounded.
    pub output_tokens_min: Option<Limit<u64>>,
    /// Bounds of `temperature`.
    pub temperature: Option<Limit<Range>>,
    /// Bounds of `top_p`.
    pub top_p: Option<Limit<Range>>,
    /// Bounds of `top_k`. What is below means "all" to other servers, and is left out.
    pub top_k: Option<Limit<Range>>,
    /// Bounds of `presence_penalty` and `frequency_penalty`.
    pub penalties: Option<Limit<Range>>,
    /// Bounds of `seed`. A seed beyond them is folded into them: it draws the same every time.
    pub seed: Option<Limit<(i64, i64)>>,
    /// Most characters of the id of the end user.
    pub user_chars_max: Option<Limit<usize>>,
    /// The id of the end user may be no e-mail address and no telephone number.
    pub personal_user_refused: Option<&'static str>,
    /// How media come.
    pub media: Limit<MediaForms>,
}

/// The forms in which media are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaForms {
    /// Kinds that the vendor fetches from their addresses.
    pub by_address: &'static [MediaKind],
    /// How those addresses begin.
    pub schemes: &'static [&'static str],
    /// Kinds that are taken as bytes: what is at another address has to be fetched before.
    pub as_bytes: &'static [MediaKind],
    /// Files that lie with the vendor are named by ids.
    pub by_id: bool,
}

/// Where a vendor differs from the first vendor of its dialect. `None`: it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// Ids of calls.
    pub tool_ids: Option<Spelling>,
    /// Names of tools.
    pub tool_names: Option<Spelling>,
    /// Most tools; `Some(None)`: no bound is known.
    pub tools: Option<Option<usize>>,
    /// Most stop sequences; `Some(None)`: no bound is known.
    pub stops: Option<Option<usize>>,
    /// Bounds of `temperature`.
    pub temperature: Option<Range>,
    /// Bounds of `top_p`.
    pub top_p: Option<Range>,
    /// Most characters of the id of the end user.
    pub user_chars_max: Option<usize>,
}

/// Where the entries of a row's limits can be read.
const ROW: &str = "the provider's row";
/// Addresses that anybody can fetch.
const WEB: &[&str] = &["https://", "http://"];
/// `^[a-zA-Z0-9_-]{1,64}$`
const NAMES_OF_64: Spelling = Spelling::of(Characters::Dash, Some(64));

const OPENAI_CHAT: Limits = Limits {
    tool_ids: Limit {
        takes: Spelling { chars_max: Some(40), ..Spelling::ANY },
        // "string too long. Expected a string with maximum length 40", at `messages[].tool_calls[].id`.
        source: "https://github.com/microsoft/autogen/issues/6377",
    },
    tool_names: Limit {
        takes: NAMES_OF_64,
        source: "https://platform.openai.com/docs/api-reference/chat/create (tools, function, name)",
    },
    // "array too long. Expected an array with maximum length 128"
    tools: Some(Limit { takes: 128, source: "https://github.com/zed-industries/zed/issues/42393" }),
    images: None,
    documents: None,
    stops: Some(Limit {
        takes: 4,
        source: "https://platform.openai.com/docs/api-reference/chat/create (stop)",
    }),
    blank_stops_refused: None,
    blank_texts_refused: None,
    cache_marks_max: None,
    output_tokens_min: None,
    temperature: Some(Limit {
        takes: Range::of(0, 200),
        source: "https://platform.openai.com/docs/api-reference/chat/create (temperature)",
    }),
    top_p: Some(Limit {
        takes: Range::of(0, 100),
        source: "https://platform.openai.com/docs/api-reference/chat/create (top_p)",
    }),
    top_k: None,
    penalties: Some(Limit {
        takes: Range::of(-200, 200),
        source: "https://platform.openai.com/docs/api-reference/chat/create (presence_penalty)",
    }),
    seed: None,
    user_chars_max: Some(Limit { takes: 64, source: "https://github.com/maximhq/bifrost/pull/1000" }),
    personal_user_refused: None,
    media: Limit {
        takes: MediaForms {
            by_address: &[MediaKind::Image],
            schemes: WEB,
            as_bytes: &[MediaKind::Image, MediaKind::Audio, MediaKind::Document],
            by_id: true,
        },
        source: "https://platform.openai.com/docs/api-reference/chat/create (messages)",
    },
};

const OPENAI_RESPONSES: Limits = Limits {
    tool_ids: Limit {
        takes: Spelling { chars_max: Some(64), ..Spelling::ANY },
        source: "https://github.com/vercel/ai/issues/5171",
    },
    // "integer below minimum value. Expected a value >= 16"
    output_tokens_min: Some(Limit {
        takes: 16,
        source: "https://github.com/farion1231/cc-switch/issues/7287",
    }),
    media: Limit {
        takes: MediaForms {
            by_address: &[MediaKind::Image, MediaKind::Document],
            schemes: WEB,
            as_bytes: &[MediaKind::Image, MediaKind::Audio, MediaKind::Document],
            by_id: true,
        },
        source: "https://platform.openai.com/docs/api-reference/responses/create (input)",
    },
    ..OPENAI_CHAT
};

const ANTHROPIC_MESSAGES: Limits = Limits {
    tool_ids: Limit {
        takes: Spelling::of(Characters::Dash, None),
        // "String should match pattern '^[a-zA-Z0-9_-]+$'"
        source: "https://github.com/zed-industries/zed/issues/59038",
    },
    tool_names: Limit {
        takes: Spelling::of(Characters::Dash, Some(128)),
        // "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"; it was 64 before.
        source: "https://github.com/home-assistant/core/issues/147760",
    },
    tools: None,
    images: None,
    documents: None,
    stops: None,
    blank_stops_refused: Some("https://github.com/BerriAI/litellm/issues/3286"),
    blank_texts_refused: Some("https://github.com/BiFangKNT/mtga/issues/68"),
    // "A maximum of 4 blocks with cache_control may be provided."
    cache_marks_max: Some(Limit { takes: 4, source: "https://github.com/continuedev/continue/pull/6937" }),
    output_tokens_min: None,
    temperature: Some(Limit {
        takes: Range::of(0, 100),
        source: "https://platform.claude.com/docs/en/api/messages/create (temperature)",
    }),
    top_p: Some(Limit {
        takes: Range::of(0, 100),
        source: "https://platform.claude.com/docs/en/api/messages/create (top_p)",
    }),
    top_k: Some(Limit {
        takes: Range::from(0),
        source: "https://platform.claude.com/docs/en/api/messages/create (top_k)",
    }),
    penalties: None,
    seed: None,
    user_chars_max: Some(Limit {
        takes: 256,
        source: "https://platform.claude.com/docs/en/api/messages/create (metadata.user_id)",
    }),
    // "user_id appears to contain an email address"
    personal_user_refused: Some("https://github.com/BerriAI/litellm/issues/10106"),
    media: Limit {
        takes: MediaForms {
            by_address: &[MediaKind::Image, MediaKind::Document],
            // It refuses plain HTTP.
            schemes: &["https://"],
            as_bytes: &[MediaKind::Image, MediaKind::Document],
            by_id: true,
        },
        source: "https://platform.claude.com/docs/en/build-with-claude/vision",
    },
};

const GEMINI_GENERATE: Limits = Limits {
    tool_ids: Limit { takes: Spelling::ANY, source: "https://ai.google.dev/api/caching#FunctionCall" },
    tool_names: Limit {
        takes: Spelling { letter_first: true, ..Spelling::of(Characters::DotColon, Some(64)) },
        // "Must start with a letter or an underscore. Must be a-z, A-Z, 0-9, or contain underscores (_), dots (.), colons
        // (:), or dashes (-), with a maximum length of 64."
        source: "https://github.com/kaitranntt/ccs/issues/25",
    },
    tools: None,
    images: None,
    documents: None,
    stops: Some(Limit { takes: 5, source: "https://ai.google.dev/api/generate-content#generationconfig" }),
    blank_stops_refused: None,
    blank_texts_refused: None,
    cache_marks_max: None,
    output_tokens_min: None,
    temperature: Some(Limit {
        takes: Range::of(0, 200),
        source: "https://ai.google.dev/api/generate-content#generationconfig",
    }),
    top_p: Some(Limit {
        takes: Range::of(0, 100),
        source: "https://ai.google.dev/api/generate-content#generationconfig",
    }),
    // "the supported range is from 1 (inclusive) to 41 (exclusive)"; the upper end differs by model.
    top_k: Some(Limit {
        takes: Range::from(100),
        source: "https://github.com/Blarc/ai-commits-intellij-plugin/pull/279",
    }),
    // From -2.0 to less than 2.0.
    penalties: Some(Limit {
        takes: Range::of(-200, 199),
        source: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
    }),
    seed: Some(Limit {
        takes: (i32::MIN as i64, i32::MAX as i64),
        source: "https://ai.google.dev/api/generate-content#generationconfig",
    }),
    user_chars_max: None,
    personal_user_refused: None,
    media: Limit {
        takes: MediaForms {
            by_address: &MediaKind::ALL,
            schemes: &["https://", "http://", "gs://"],
            as_bytes: &MediaKind::ALL,
            by_id: true,
        },
        source: "https://ai.google.dev/gemini-api/docs/file-input-methods",
    },
};

const COHERE_CHAT: Limits = Limits {
    tool_ids: Limit { takes: Spelling::ANY, source: "https://docs.cohere.com/reference/chat" },
    tool_names: Limit {
        takes: Spelling { letter_first: true, ..Spelling::of(Characters::Underscore, Some(64)) },
        source: "https://docs.cohere.com/v1/reference/chat (tools, name); https://github.com/lobehub/lobehub/pull/4216",
    },
    tools: None,
    images: None,
    documents: None,
    stops: Some(Limit { takes: 5, source: "https://docs.cohere.com/reference/chat (stop_sequences)" }),
    blank_stops_refused: None,
    blank_texts_refused: None,
    cache_marks_max: None,
    output_tokens_min: None,
    temperature: Some(Limit {
        takes: Range::from(0),
        source: "https://docs.cohere.com/reference/chat (temperature)",
    }),
    top_p: Some(Limit { takes: Range::of(1, 99), source: "https://docs.cohere.com/reference/chat (p)" }),
    top_k: Some(Limit { takes: Range::of(0, 50_000), source: "https://docs.cohere.com/reference/chat (k)" }),
    penalties: Some(Limit {
        takes: Range::of(0, 100),
        source: "https://docs.cohere.com/reference/chat (presence_penalty)",
    }),
    seed: Some(Limit { takes: (0, i64::MAX), source: "https://docs.cohere.com/reference/chat (seed)" }),
    user_chars_max: None,
    personal_user_refused: None,
    media: Limit {
        takes: MediaForms {
            by_address: &[MediaKind::Image],
            schemes: WEB,
            as_bytes: &[MediaKind::Image, MediaKind::Document],
            by_id: false,
        },
        source: "https://docs.cohere.com/docs/image-inputs",
    },
};

const BEDROCK_CONVERSE: Limits = Limits {
    tool_ids: Limit {
        takes: NAMES_OF_64,
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html",
    },
    tool_names: Limit {
        takes: NAMES_OF_64,
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html",
    },
    tools: None,
    images: Some(Limit {
        takes: 20,
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html",
    }),
    // "You can't include more than 5 documents in a request."
    documents: Some(Limit {
        takes: 5,
        source: "https://github.com/aws-samples/generative-ai-use-cases/issues/1685",
    }),
    stops: Some(Limit {
        takes: 2500,
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html",
    }),
    blank_stops_refused: Some(
        "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html",
    ),
    // "The text field in the ContentBlock object at messages.11.content.0 is blank."
    blank_texts_refused: Some("https://github.com/continuedev/continue/issues/9767"),
    cache_marks_max: Some(Limit {
        takes: 4,
        source: "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html",
    }),
    output_tokens_min: Some(Limit {
        takes: 1,
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html",
    }),
    temperature: Some(Limit {
        takes: Range::of(0, 100),
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html",
    }),
    top_p: Some(Limit {
        takes: Range::of(0, 100),
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html",
    }),
    top_k: Some(Limit {
        takes: Range::from(0),
        source: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html",
    }),
    penalties: None,
    seed: None,
    user_chars_max: None,
    personal_user_refused: None,
    media: Limit {
        takes: MediaForms {
            by_address: &MediaKind::ALL,
            schemes: &["s3://"],
            as_bytes: &MediaKind::ALL,
            by_id: false,
        },
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageSource.html",
    },
};

/// Any spelling, and nothing that is counted; what media it takes is each vendor's to say.
const NO_BOUNDS: Limits = Limits {
    tool_ids: Limit { takes: Spelling::ANY, source: "" },
    tool_names: Limit { takes: Spelling::ANY, source: "" },
    tools: None,
    images: None,
    documents: None,
    stops: None,
    blank_stops_refused: None,
    blank_texts_refused: None,
    cache_marks_max: None,
    output_tokens_min: None,
    temperature: None,
    top_p: None,
    top_k: None,
    penalties: None,
    seed: None,
    user_chars_max: None,
    personal_user_refused: None,
    media: Limit {
        takes: MediaForms { by_address: &[], schemes: &[], as_bytes: &[], by_id: false },
        source: "",
    },
};

/// A server runs any model, and what it does not understand it passes over: it has hardly any bounds.
const OLLAMA_CHAT: Limits = Limits {
    tool_ids: Limit {
        takes: Spelling::ANY,
        source: "https://github.com/ollama/ollama/blob/main/api/types.go (ToolCall)",
    },
    tool_names: Limit {
        takes: Spelling::ANY,
        source: "https://github.com/ollama/ollama/blob/main/api/types.go (ToolFunction)",
    },
    media: Limit {
        takes: MediaForms {
            by_address: &[],
            schemes: &[],
            as_bytes: &[MediaKind::Image, MediaKind::Document],
            by_id: false,
        },
        source: "https://github.com/ollama/ollama/blob/main/docs/api.md (images)",
    },
    ..NO_BOUNDS
};

/// Models of any make, without tools: what they take of a prompt is their own affair.
const REPLICATE_TEXT: Limits = Limits {
    tool_ids: Limit { takes: Spelling::ANY, source: PREDICTIONS },
    tool_names: Limit { takes: Spelling::ANY, source: PREDICTIONS },
    media: Limit {
        takes: MediaForms {
            by_address: &[MediaKind::Image],
            schemes: WEB,
            as_bytes: &[MediaKind::Image, MediaKind::Document],
            by_id: false,
        },
        source: "https://replicate.com/docs/topics/predictions/input-files",
    },
    ..NO_BOUNDS
};
/// Inputs are a model's own.
const PREDICTIONS: &str = "https://replicate.com/docs/reference/http#models.predictions.create";

impl Limits {
    /// What the first vendor of a dialect takes.
    pub fn of(dialect: Dialect) -> Limits {
        match dialect {
            Dialect::OpenaiChat => OPENAI_CHAT,
            Dialect::OpenaiResponses => OPENAI_RESPONSES,
            Dialect::AnthropicMessages => ANTHROPIC_MESSAGES,
            Dialect::GeminiGenerate => GEMINI_GENERATE,
            Dialect::CohereChat => COHERE_CHAT,
            Dialect::BedrockConverse => BEDROCK_CONVERSE,
            Dialect::OllamaChat => OLLAMA_CHAT,
            Dialect::ReplicateText => REPLICATE_TEXT,
        }
    }

    /// What another vendor of the dialect takes.
    pub fn with(mut self, overrides: &LimitOverrides) -> Limits {
        put(&mut self.tool_ids, overrides.tool_ids);
        put(&mut self.tool_names, overrides.tool_names);
        put_bound(&mut self.tools, overrides.tools);
        put_bound(&mut self.stops, overrides.stops);
        put_bound(&mut self.temperature, overrides.temperature.map(Some));
        put_bound(&mut self.top_p, overrides.top_p.map(Some));
        put_bound(&mut self.user_chars_max, overrides.user_chars_max.map(Some));
        self
    }
}

fn put<T>(limit: &mut Limit<T>, own: Option<T>) {
    own.into_iter().for_each(|takes| *limit = Limit { takes, source: ROW });
}

fn put_bound<T>(limit: &mut Option<Limit<T>>, own: Option<Option<T>>) {
    if let Some(bound) = own {
        *limit = bound.map(|takes| Limit { takes, source: ROW });
    }
}
