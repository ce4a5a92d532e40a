//! Whole answers, both ways.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::{encode, failed, id, pending};
