//! Requests, both ways.

mod decode;
mod encode;

pub use decode::{WORDS, decode, decode_counted};
pub use encode::encode;
pub(in crate::chat) use encode::{Plan, fit_schema};
