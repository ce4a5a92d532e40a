//! Converse and ConverseStream of Amazon Bedrock as an upstream dialect
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).
//!
//! One form for the models of many makers: blocks are objects with one key that says their kind, the model stands in the
//! path, and what only some makers have goes into `additionalModelRequestFields` in the maker's own words. Streams come in
//! Amazon's binary messages (`frame::aws_event_stream`). There is one answer per call.

mod block;
mod error;
pub mod request;
pub mod response;
pub mod stream;
mod usage;
