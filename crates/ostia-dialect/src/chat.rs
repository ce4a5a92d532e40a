//! Conversations: one canonical form, and a folder for each dialect that says it.
//!
//! [`Request`], [`Response`] and [`Event`] are a superset of what the dialects can say. `client` is the one match over the
//! dialects that clients speak, `dialect` that over those of upstreams. Before a request is encoded it is changed into one
//! that its vendor takes (`adapt`), and its [`Undo`] says what the answer has to have changed back.

mod adapt;
pub mod anthropic_messages;
mod bedrock_converse;
mod best_dialect;
mod block_queue;
mod client;
mod cohere_chat;
pub mod continuation;
pub mod conventions;
mod dialect;
mod event;
pub mod gemini_generate;
mod json_schema;
pub mod limits;
mod ollama_chat;
mod opaque;
pub mod openai_chat;
pub mod openai_responses;
mod order;
pub mod prefix;
pub mod remote;
mod render_options;
mod repair;
mod replicate_text;
mod request;
mod response;
pub mod responses_socket;
pub mod rules;
pub(crate) mod time;
mod tokens;
pub mod tools;
mod undo;
pub(crate) mod usage;

pub use best_dialect::best_dialect;
pub use client::{ClientDialect, Encoder, PathParams};
pub use dialect::{Decoder, Dialect, EncodeOptions, Encoded, OPENAI_FEATURES, invoked_count_body};
pub use event::{Delta, Event, EventGrammar, Fold};
pub use render_options::RenderOptions;
pub use request::{
    Block, Content, Logprobs, Media, Message, OutputFormat, Reasoning, Request, Role, Sampling, Signature,
    Source, Tool, ToolChoice, ToolKind, WebSearch,
};
pub use response::{Choice, Citation, Finish, Response};
pub use tokens::estimate as estimate_tokens;
pub use undo::Undo;
pub use usage::{Charge, ServiceTier, Usage};
