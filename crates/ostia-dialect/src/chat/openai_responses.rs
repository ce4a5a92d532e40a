//! OpenAI Responses, as a client and as an upstream dialect.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses>.

mod echo;
mod ending;
pub mod error;
pub mod input_items;
mod item;
mod object;
mod output;
mod part;
pub mod request;
pub mod response;
pub mod stream;
