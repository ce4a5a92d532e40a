//! Whole answers, both ways.

mod decode;
mod encode;
pub(super) mod ending;
pub(super) mod pieces;

pub use decode::decode;
pub use encode::encode;

pub(super) use encode::{encode_end, encode_extra, encode_head, encode_usage};
