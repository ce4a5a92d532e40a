//! OpenAI Responses, as a client and as an upstream dialect.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses>.

pub mod error;
mod item;
pub mod request;
pub mod response;
pub mod stream;
mod usage;

pub use request::input_items;
pub(crate) use response::ending::finish;
pub(crate) use usage::{counted, decode as usage, is_look, meter_of, tools_of};
