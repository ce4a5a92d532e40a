//! OpenAI Chat Completions, as a client and as an upstream dialect.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>. The decoders take what the many vendors of this format
//! really send: other finish words, reasoning under three names, content as a list of parts, usage in odd places.

pub mod error;
pub mod request;
pub mod response;
pub mod stream;
mod usage;

pub(crate) mod part;

pub(crate) use response::finish;
pub(crate) use usage::{counts as usage, tools};
