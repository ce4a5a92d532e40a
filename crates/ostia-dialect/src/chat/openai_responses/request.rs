//! Requests, both ways.

mod decode;
mod encode;

pub(crate) use decode::decode_tool;
pub use decode::{Keeping, WORDS, decode, echo, keeping};
pub use encode::encode;
