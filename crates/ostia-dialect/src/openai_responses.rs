//! OpenAI Responses, as a client and as an upstream dialect.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses>.

pub mod error;
pub mod items;
pub mod request;
pub mod response;
pub mod stream;
