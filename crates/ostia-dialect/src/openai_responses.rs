//! OpenAI Responses, as a client and as an upstream dialect.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses>.

mod echo;
pub mod error;
pub mod items;
mod object;
mod output;
pub mod request;
pub mod response;
pub mod stream;
