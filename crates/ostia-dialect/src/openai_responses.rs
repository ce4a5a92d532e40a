//! OpenAI Responses, relayed: only its errors are written here.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses-streaming/error>.

pub mod error;
