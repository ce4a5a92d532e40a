//! What is said: the wire formats of language-model APIs, to and from one canonical form for each operation.
//!
//! Pure: bytes and values in, values out. No I/O, no clock, no randomness, no environment, no provider names.
//! A request is decoded from the client's dialect into a [`Request`], encoded into the upstream's; the answer comes
//! back as a [`Response`] or as [`Event`]s and is encoded for the client. Where both sides speak the same dialect
//! nothing is rebuilt: [`relay`] edits the bytes in place and only observes the answer.
//!
//! Conversations are in [`chat`]. Beside it stand the other operations and what all of them share, which knows nothing of
//! conversations.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)] // Pure: clippy.toml says what that means.

pub mod api;
pub mod batches;
pub mod chat;
pub mod embeddings;
pub mod fault;
pub mod fine_tuning;
pub mod form;
pub mod frame;
pub mod images;
pub mod json;
mod media;
mod metered;
pub mod moderation;
pub mod observe;
pub mod ocr;
pub mod realtime;
pub mod relay;
pub mod rerank;
pub mod speech;
pub mod step;
#[cfg(test)]
mod test_support;
pub mod transcription;

pub use api::{Api, Operation};
pub use chat::{
    Block, Charge, Choice, Citation, ClientDialect, Content, Decoder, Delta, Dialect, EncodeOptions, Encoded,
    Encoder, Event, EventGrammar, Finish, Fold, Logprobs, Media, Message, OPENAI_FEATURES, OutputFormat,
    PathParams, Reasoning, RenderOptions, Request, Response, Role, Sampling, ServiceTier, Signature, Source,
    Tool, ToolChoice, ToolKind, Undo, Usage, WebSearch, best_dialect, estimate_tokens, invoked_count_body,
};
pub use chat::{
    anthropic_messages, continuation, gemini_generate, limits, openai_chat, openai_responses, remote,
    responses_socket, rules, tools,
};
pub use fault::{Family, Fault, FaultKind};
pub use media::{File, Files, MediaKind, Remote, Unfetched};
pub use metered::{Meter, Metered, milliseconds};
pub use observe::Observed;
