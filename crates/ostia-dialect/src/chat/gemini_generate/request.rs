//! Requests, both ways.

mod decode;
pub(super) mod encode;

pub use decode::{WORDS, decode};
pub use encode::encode;
pub(crate) use encode::{is_json_schema, is_native};
