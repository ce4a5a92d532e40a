//! Requests, both ways.

mod decode;
mod encode;

pub use decode::{Keeping, WORDS, decode, echo, keeping};
pub use encode::encode;
