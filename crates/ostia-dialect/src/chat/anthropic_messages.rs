//! Anthropic Messages: <https://platform.claude.com/docs/en/api/messages>.
//!
//! [`request`], [`response`], [`stream`] and [`error`] each go both ways: clients speak this dialect, and upstreams do.
//! What differs from model to model stands as data in `rules`. Thinking signatures and blocks that only this dialect
//! knows go out again exactly as they came in.

mod block;
pub mod error;
pub mod request;
pub mod response;
pub mod stream;
mod usage;

pub(crate) use block::caller;
pub(crate) use response::ending::finish;
pub(crate) use usage::{ServerTool, decode as usage, server_tool, tools};
