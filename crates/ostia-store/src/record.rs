//! A request as it is kept: plain values, nothing borrowed, nothing of HTTP's own types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::body::Kept;
use crate::record_error::RecordError;
use crate::results::{CacheResult, GuardrailResult};

/// The account of one request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// Its own name: nobody else has it.
    pub id: String,
    /// The trace that it is part of; a client may have chosen it.
    pub trace_id: String,
    /// Its own span in that trace (16 hexadecimal digits), and the one that it stands below.
    pub span_id: Option<String>,
    /// The span of whoever sent it.
    pub parent_span_id: Option<String>,
    /// What the sender calls it.
    pub span_name: Option<String>,
    /// What the sender says of the trace besides, in W3C's `tracestate`; told on, and not kept.
    #[serde(skip)]
    pub trace_state: Option<String>,
    /// The flags of its `traceparent`, where it sent one; not kept either.
    #[serde(skip)]
    pub trace_flags: Option<u8>,
    /// The conversation, or the agent's run, that it is part of.
    pub session: Option<String>,
    /// When it came, in milliseconds since 1970.
    pub started_ms: i64,
    /// Of the request line.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Which API was called, where it is one that the gateway understands.
    pub operation: Option<String>,
    /// The name of the gateway's key that was shown, or its place among `auth.keys`.
    pub key: Option<String>,
    /// The client's own words about the request.
    pub metadata: BTreeMap<String, String>,
    /// Its software.
    pub user_agent: Option<String>,
    /// Its address.
    pub client: Option<String>,
    /// The model that it asked for.
    pub model: Option<String>,
    /// The status that it got.
    pub status: u16,
    /// The answer was a stream.
    pub stream: bool,
    /// `whole`, `broken` or `client_left`.
    pub end: String,
    /// Why the answer ended, in OpenAI's words.
    pub finish_reason: Option<String>,
    /// Why there was no whole answer.
    pub error: Option<RecordError>,
    /// From the request to the last byte of the answer.
    pub duration_us: u64,
    /// How long providers were waited for.
    pub upstream_us: u64,
    /// From the request to the first token of a stream.
    pub first_token_us: Option<u64>,
    /// Of the client's body.
    pub request_bytes: u64,
    /// Of the answer's body.
    pub response_bytes: u64,
    /// Who was asked, in turn.
    pub attempts: Vec<Attempt>,
    /// How it was decided whom to ask, where there was something to decide.
    #[schema(value_type = Option<Value>)]
    pub decisions: Option<Decisions>,
    /// What a cache of answers did for it: this gateway's, or that of the gateway whose answer it got.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cache: Option<CacheResult>,
    /// What guardrails found, in turn: the first [`GUARDRAILS_MAX`](crate::GUARDRAILS_MAX) of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub guardrails: Vec<GuardrailResult>,
    /// The client's body, as far as it is kept.
    #[serde(skip)]
    pub request: Kept,
    /// The answer's.
    #[serde(skip)]
    pub response: Kept,
}

/// How it was decided whom to ask: JSON, which is written once and copied from then on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decisions(Box<RawValue>);

impl Decisions {
    /// Of what says so; `None` of what is no JSON.
    pub fn of(told: &impl Serialize) -> Option<Decisions> {
        to_raw_value(told).ok().map(Decisions)
    }

    /// As they are written.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Decisions {
    fn eq(&self, other: &Decisions) -> bool {
        self.as_str() == other.as_str()
    }
}

/// One call to a provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Which target of the config: `config`, `config.targets[0]`.
    pub target: String,
    /// Who.
    pub provider: String,
    /// Its own span, below that of the request (16 hexadecimal digits): what the provider hears of in `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub span_id: Option<String>,
    /// Host, and port where one was named; told on, and not kept.
    #[serde(skip)]
    pub server: Option<String>,
    /// The model that was asked for.
    pub model: Option<String>,
    /// The one that answered, where the answer says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_model: Option<String>,
    /// Of the answer; none where there was no answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<RecordError>,
    /// The provider's own name for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// All from the request, in microseconds: it was sent,
    pub sent_us: u64,
    /// a connection stood, where one had to be made,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connected_us: Option<u64>,
    /// the head of the answer came,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_byte_us: Option<u64>,
    /// the first token of a stream came,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_token_us: Option<u64>,
    /// and it was over.
    pub ended_us: u64,
    /// The tokens that it took, as the provider counts them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<Usage>,
    /// The provider did not tell all of it: it is estimated by how much went out and came in.
    #[serde(skip_serializing_if = "is_false", default)]
    pub usage_estimated: bool,
    /// It took something that nobody counted.
    #[serde(skip_serializing_if = "is_false", default)]
    pub uncounted: bool,
    /// The tier that it was served at, where the provider says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_tier: Option<String>,
    /// What the provider says that it charges: dollars, if it is known to mean dollars.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub charged: Option<String>,
    /// Why its answer ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finish_reason: Option<String>,
    /// What a cache of answers did that the provider has, where it is a gateway.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cache: Option<CacheResult>,
    /// What could not be said to the provider.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub dropped: Vec<String>,
    /// The size of the images: as the provider tells it, else as the request says it ([`IMAGE_DEFAULT`] where it does not). None
    /// where no images were asked for, or nobody knows how.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image_size: Option<String>,
    /// Their quality, in the same way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image_quality: Option<String>,
    /// What it cost; none where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Cost>,
    /// Why nobody knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost_unknown: Option<String>,
}

impl Attempt {
    /// Did its answer come from a cache of the gateway that was asked, whatever became of it then?
    pub fn is_from_cache(&self) -> bool {
        self.cache.is_some_and(|cache| cache.status.is_hit())
    }
}

/// What stands for the size or the quality of images where a request does not say it.
pub const IMAGE_DEFAULT: &str = "default";

/// What became of an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It answered, to the end.
    Answered,
    /// It gave no answer, or an error.
    Failed,
    /// Its answer broke off.
    Broken,
    /// Nobody waited for its end: another one was faster, or the client left.
    #[default]
    Abandoned,
}

impl Outcome {
    /// Its name, as records and metrics tell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Failed => "failed",
            Outcome::Broken => "broken",
            Outcome::Abandoned => "abandoned",
        }
    }
}

/// Tokens, with one meaning for every vendor: the prompt includes cached ones, the completion includes reasoning; and what else is
/// charged for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// What the vendor calls the total, or the sum.
    pub total_tokens: u64,
    /// Of the prompt: read from the vendor's cache.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cached_tokens: u64,
    /// Of the prompt: written to it.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cache_write_tokens: u64,
    /// Of what was written to it: kept there for an hour.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cache_write_1h_tokens: u64,
    /// Of the completion: reasoning.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub reasoning_tokens: u64,
    /// Of the prompt: audio.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub audio_prompt_tokens: u64,
    /// Of what was read from the cache: audio.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cached_audio_tokens: u64,
    /// Of the completion: audio.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub audio_completion_tokens: u64,
    /// Of the prompt: images, where they are counted apart.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub image_prompt_tokens: u64,
    /// Of the completion: images.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub image_completion_tokens: u64,
    /// How often the vendor searched the web.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub web_searches: u64,
    /// Tokens of the prompt that are billed, where others went through the model.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub billed_prompt_tokens: u64,
    /// Tokens of the completion that are billed, where others were written.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub billed_completion_tokens: u64,
    /// Tokens of the prompts of the vendor's own tools, which are not in the prompt.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub tool_prompt_tokens: u64,
    /// Milliseconds of sound that went in.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub audio_input_ms: u64,
    /// Characters that were spoken.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub input_characters: u64,
    /// Images that went in, where they are billed and not their tokens.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub input_images: u64,
    /// Images that were made, where they are billed and not their tokens.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub output_images: u64,
    /// Pages of documents that were read.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub pages: u64,
    /// Pages that were read and annotated.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub annotated_pages: u64,
    /// Searches of a ranking, as its vendor bills them.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub queries: u64,
    /// Searches of stored files that the vendor made for the model.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub file_searches: u64,
    /// Answers that rest on a map.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub map_searches: u64,
    /// Sandboxes in which the vendor ran code.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub code_sessions: u64,
    /// Images that another model made for the answer.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub image_generations: u64,
    /// Other tools that the vendor ran.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub other_tools: u64,
    /// Tokens of other models that took part, which are not among those above.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub other_model_tokens: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_false(fact: &bool) -> bool {
    !*fact
}

/// A sum of money, exact, and the prices that made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cost {
    /// A decimal number, in full.
    pub amount: String,
    /// Three letters (ISO 4217).
    pub currency: String,
    /// The model of the catalogue whose prices these are; or `operator` for the operator's own, `provider` for the provider's word, `cache`
    /// for an answer from a cache that cost nothing.
    pub priced_as: String,
    /// The versions of the catalogue's sources.
    pub catalogue: String,
    /// What was used, how much of it, and what one unit costs.
    pub lines: Vec<(String, u64, String)>,
}

impl Record {
    /// The attempt that the answer came from, or the last one.
    pub fn last(&self) -> Option<&Attempt> {
        let answered = |attempt: &&Attempt| matches!(attempt.outcome, Outcome::Answered | Outcome::Broken);
        self.attempts.iter().rev().find(answered).or(self.attempts.last())
    }

    /// What guardrails found, as whoever keeps no bodies keeps it: without what their errors say, which may repeat what they looked at.
    pub fn without_words_of_guardrails(&mut self) {
        let checks = self.guardrails.iter_mut().flat_map(|guardrail| &mut guardrail.checks);
        checks.filter_map(|check| check.error.as_mut()).for_each(|error| error.message = None);
    }

    /// The model that the client asked for, or else the one that the answer's provider was asked for.
    pub(crate) fn model_asked(&self) -> Option<&str> {
        self.model.as_deref().or_else(|| self.last()?.model.as_deref())
    }

    /// Is the answer what the client wanted?
    pub fn is_success(&self) -> bool {
        self.status < 400 && self.end == "whole"
    }

    /// Tokens read and written by all attempts; none where no provider counted.
    pub fn tokens(&self) -> Option<(u64, u64)> {
        let add = |sum: Option<(u64, u64)>, usage: &Usage| {
            let (prompt, completion) = sum.unwrap_or_default();
            Some((
                prompt.saturating_add(usage.prompt_tokens),
                completion.saturating_add(usage.completion_tokens),
            ))
        };
        self.attempts.iter().filter_map(|attempt| attempt.usage.as_ref()).fold(None, add)
    }
}
