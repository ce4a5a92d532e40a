//! Cohere Chat, version 2 as an upstream dialect (<https://docs.cohere.com/reference/chat>).
//!
//! Close to OpenAI's chat in shape, with its own words for sampling (`p`, `k`, `stop_sequences`), thinking as content
//! blocks, documents to answer from and citations of them. There is one answer per call and no token bias.

mod error;
pub mod request;
pub mod response;
pub mod stream;
mod usage;
