//! Google generateContent, for clients and upstreams (<https://ai.google.dev/api/generate-content>).
//!
//! The same body goes to the Gemini API and to Vertex AI. Model and streaming are said by the path, never by the body.

pub mod error;
mod part;
pub mod request;
pub mod response;
pub mod stream;
mod usage;

pub(crate) use response::decode::candidate::finish;
pub(crate) use usage::{decode as usage, grounding, searches};
