//! What is said: the wire formats of language-model APIs, to and from one canonical conversation.
//!
//! Pure: bytes and values in, values out. No I/O, no clock, no randomness, no environment, no provider names.
//! A request is decoded from the client's dialect into a [`Request`], encoded into the upstream's; the answer comes
//! back as a [`Response`] or as [`Event`]s and is encoded for the client. Where both sides speak the same dialect
//! nothing is rebuilt: [`relay`] edits the bytes in place and only observes the answer.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)] // Pure: clippy.toml says what that means.

pub mod anthropic_messages;
pub mod api;
mod arguments;
mod best;
mod client;
pub mod client_tool;
pub mod cohere_chat;
pub mod custom_tool;
mod dialect;
pub mod embeddings;
mod event;
pub mod fault;
pub mod frame;
pub mod gemini_generate;
mod hosted_tool;
pub mod joint;
pub mod json;
pub mod limits;
pub mod matrix;
mod mend;
mod namespace;
pub mod openai_chat;
pub mod openai_responses;
mod order;
pub mod relay;
mod request;
mod response;
pub mod rules;
pub mod schema;
pub mod seal;
mod settle;
mod tokens;
pub mod tool_schema;
#[cfg(test)]
mod trial;
mod turns;
mod undo;
pub mod vendors;
mod view;

pub use api::{Api, Operation};
pub use best::best;
pub use client::{ClientDialect, Encoder, Line};
pub use dialect::{Decoder, Dialect, Encoded, Form, OPENAI_FEATURES};
pub use event::{Delta, Event, Fold, Grammar};
pub use fault::{Family, Fault, FaultKind};
pub use request::{
    Block, Content, Logprobs, Media, MediaKind, Message, OutputFormat, Reasoning, Request, Role, Sampling,
    Signature, Source, Tool, ToolChoice, ToolKind, WebSearch,
};
pub use response::{Choice, Citation, Finish, Response, Usage};
pub use undo::Undo;
pub use view::View;
